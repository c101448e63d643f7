// What `_text` and `_content` look for: words and "phrases" with AND, OR, NOT and parentheses, as a query of PostgreSQL.
// https://hl7.org/fhir/R4/search.html#content
import { fail, type FhirError } from '../fhir/errors.js';
import { splitEscaped, unescape } from './escape.js';
import type { SqlScope } from './sql-scope.js';

export type Words =
  /** Words that follow each other; one alone may be no more than the beginning of one. */
  | { readonly kind: 'words'; readonly text: string; readonly beginning: boolean }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Words[] }
  | { readonly kind: 'not'; readonly of: Words };

const MOST = 50;
const DEEPEST = 20;
const PIECE = /\s*(?:([()])|"([^"]*)"|([^\s()"]+))/y;

/** Case and accents do not count; unlike fold.ts of any length, and with its spaces. */
export const plainWords = (text: string): string => text.normalize('NFD').replace(/\p{M}+/gu, '').toLowerCase();

/** Throws 400 for what is no expression; `name` is the parameter's. Commas stand between alternatives, as in every parameter. */
export function readWords(name: string, value: string): Words {
  const of = splitEscaped(value, ',').map((part) => new WordReader(name, unescape(part)).all());
  return of.length === 1 && of[0] ? of[0] : { kind: 'or', of };
}

interface Piece {
  readonly sign?: '(' | ')' | 'and' | 'or' | 'not';
  readonly words?: string;
  readonly beginning?: boolean;
}

class WordReader {
  private readonly pieces: readonly Piece[];
  private at = 0;

  constructor(private readonly name: string, text: string) {
    this.pieces = this.split(text);
    if (this.pieces.length > MOST) throw this.wrong(`an expression may hold ${MOST} words`);
  }

  all(): Words {
    const words = this.either(0);
    if (this.at < this.pieces.length) throw this.wrong('a ) has no ( before it');
    return words;
  }

  private either(depth: number): Words {
    if (depth > DEEPEST) throw this.wrong(`parentheses go at most ${DEEPEST} deep`);
    const of = [this.both(depth)];
    while (this.take('or')) of.push(this.both(depth));
    return of.length === 1 && of[0] ? of[0] : { kind: 'or', of };
  }

  /** Words that stand beside each other are all looked for. */
  private both(depth: number): Words {
    const of = [this.one(depth)];
    while (this.at < this.pieces.length && !['or', ')'].includes(this.pieces[this.at]?.sign ?? '')) {
      this.take('and');
      of.push(this.one(depth));
    }
    return of.length === 1 && of[0] ? of[0] : { kind: 'and', of };
  }

  private one(depth: number): Words {
    if (this.take('not')) return { kind: 'not', of: this.one(depth + 1) };
    if (this.take('(')) {
      const inner = this.either(depth + 1);
      if (!this.take(')')) throw this.wrong('a ) is missing');
      return inner;
    }
    const { words, beginning = false } = this.pieces[this.at] ?? {};
    if (words === undefined) throw this.wrong('write a word before and after each AND, OR and NOT, and between parentheses');
    this.at += 1;
    return { kind: 'words', text: words, beginning };
  }

  private take(sign: Piece['sign']): boolean {
    if (this.pieces[this.at]?.sign !== sign) return false;
    this.at += 1;
    return true;
  }

  private split(text: string): Piece[] {
    const pieces: Piece[] = [];
    PIECE.lastIndex = 0;
    for (let end = 0; text.slice(end).trim() !== ''; end = PIECE.lastIndex) {
      const found = PIECE.exec(text);
      if (!found) throw this.wrong('a " is missing');
      const [, bracket, phrase, word = ''] = found;
      pieces.push(bracket !== undefined ? { sign: bracket as '(' | ')' } : phrase !== undefined ? this.words(phrase) : (SIGNS[word.toLowerCase()] ?? this.words(word)));
    }
    return pieces;
  }

  private words(text: string): Piece {
    const words = plainWords(text);
    if (!/[\p{L}\p{N}]/u.test(words)) throw this.wrong(`"${text}" holds no letter and no digit`);
    return { words, beginning: /^[\p{L}\p{N}]+\*$/u.test(words) };
  }

  private wrong(what: string): FhirError {
    return fail('invalid-parameter', { text: `${this.name}: ${what}`, expression: this.name });
  }
}

const SIGNS: Readonly<Record<string, Piece>> = { and: { sign: 'and' }, or: { sign: 'or' }, not: { sign: 'not' } };

/** An expression of type tsquery. */
export function tsquery(sql: SqlScope, words: Words): string {
  switch (words.kind) {
    case 'words': return words.beginning ? `to_tsquery('simple', ${sql.bind(`${words.text.slice(0, -1)}:*`, 'text')})` : `phraseto_tsquery('simple', ${sql.bind(words.text, 'text')})`;
    case 'not': return `(!! ${tsquery(sql, words.of)})`;
    default: return `(${words.of.map((part) => tsquery(sql, part)).join(words.kind === 'and' ? ' && ' : ' || ')})`;
  }
}
