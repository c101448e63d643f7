// The grammar of `_filter`: words, parentheses and values to a tree that knows where each part stood.
// https://hl7.org/fhir/R4/search_filter.html
import { fail, type FhirError } from '../fhir/errors.js';

export const FILTER_OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb', 'pr', 'po', 'ss', 'sb', 'in', 'ni', 're'] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** One name of a path: `subject`, `subject:Patient`, `_has:Observation:patient:code`; `where` is what stands in brackets behind it. */
export interface FilterStep {
  readonly name: string;
  readonly where?: FilterNode;
}

export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly of: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly of: FilterNode }
  | { readonly kind: 'test'; readonly path: readonly FilterStep[]; readonly operator: FilterOperator; readonly value: string; readonly position: number };

/** Parentheses and brackets within each other. */
const DEEPEST = 20;
const MOST_TESTS = 100;

const NAME = /[A-Za-z_][A-Za-z0-9_:-]*/y;
const WORD = /[a-z]+/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
/** The specification ends a token at a space, `)` or `]`. */
const TOKEN = /[^\s)\]]+/y;

/** 400: says where in the text the fault is; `position` counts characters from 1. */
export function badFilter(text: string, position: number, what: string): FhirError {
  const near = text.slice(position - 1, position + 19);
  return fail('invalid-parameter', { text: `_filter, character ${position}${near === '' ? ' (its end)' : `, at "${near}"`}: ${what}`, expression: '_filter' });
}

/** Throws 400 for what the grammar does not have. */
export function parseFilter(text: string): FilterNode {
  const reader = new FilterReader(text);
  const node = reader.logical(0);
  reader.end();
  return node;
}

class FilterReader {
  private at = 0;
  private tests = 0;

  constructor(private readonly text: string) {}

  /** `and` and `or` bind alike and are read from left to right, as the specification says. */
  logical(depth: number): FilterNode {
    let node = this.single(depth);
    for (let word = this.word(); word !== undefined; word = this.word()) {
      if (word !== 'and' && word !== 'or') throw this.wrong('write and, or, or nothing more', -word.length);
      const next = this.single(depth);
      node = node.kind === word ? { kind: word, of: [...node.of, next] } : { kind: word, of: [node, next] };
    }
    return node;
  }

  end(): void {
    if (this.at < this.text.length) throw this.wrong('nothing may follow here: is a parenthesis missing before it?');
  }

  private single(depth: number): FilterNode {
    if (depth > DEEPEST) throw this.wrong(`parentheses go at most ${DEEPEST} deep`);
    this.space();
    if (this.take('(')) return this.closed(depth, ')');
    const from = this.at;
    if (this.match(WORD) === 'not' && (this.space(), this.take('('))) return { kind: 'not', of: this.closed(depth, ')') };
    this.at = from;
    return this.test(depth);
  }

  private closed(depth: number, bracket: ')' | ']'): FilterNode {
    const inner = this.logical(depth + 1);
    this.space();
    if (!this.take(bracket)) throw this.wrong(`${bracket} is missing`);
    return inner;
  }

  private test(depth: number): FilterNode {
    this.tests += 1;
    if (this.tests > MOST_TESTS) throw this.wrong(`a filter may hold ${MOST_TESTS} tests`);
    const position = this.at + 1;
    const path = this.path(depth);
    const operator = this.operator();
    this.space();
    return { kind: 'test', path, operator, value: this.value(), position };
  }

  private path(depth: number): FilterStep[] {
    const steps: FilterStep[] = [];
    do {
      const name = this.match(NAME);
      if (name === undefined) throw this.wrong('write the name of a search parameter, as in name eq "peter"');
      if (!this.take('[')) steps.push({ name });
      else {
        steps.push({ name, where: this.closed(depth, ']') });
        if (this.text[this.at] !== '.') throw this.wrong('a dot and the name of a parameter must follow ]');
      }
    } while (this.take('.'));
    return steps;
  }

  private operator(): FilterOperator {
    this.space();
    const from = this.at;
    const word = this.match(TOKEN);
    const operator = FILTER_OPERATORS.find((known) => known === word);
    if (operator !== undefined) return operator;
    this.at = from;
    throw this.wrong(`write one of the operators ${FILTER_OPERATORS.join(', ')}`);
  }

  private value(): string {
    if (this.text[this.at] !== '"') return this.match(TOKEN) ?? this.missing();
    const quoted = this.match(STRING);
    if (quoted === undefined) throw this.wrong('a quoted value ends with " and has the escapes of JSON');
    return JSON.parse(quoted) as string;
  }

  private missing(): never {
    throw this.wrong('a value is missing');
  }

  /** The next word, where one begins; undefined at the end and at a closing bracket. */
  private word(): string | undefined {
    this.space();
    return this.match(WORD);
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private wrong(what: string, shift = 0): FhirError {
    return badFilter(this.text, this.at + shift + 1, what);
  }
}
