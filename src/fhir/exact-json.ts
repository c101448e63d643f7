// JSON text with numbers that no double can hold or print: 12000.00 keeps its places.
import type { JsonDocument } from './json-document.js';
import { JsonNumber, parseTree, type JsonTree } from './json-tree.js';

/** A number by its text. Only exactJson writes it as a number. */
export class ExactNumber {
  constructor(private readonly text: string) {}

  /** A string that nothing else can be: U+0000 is refused wherever text comes in. */
  toJSON(): string {
    return `\u0000${this.text}`;
  }
}

const MARKED = /"\\u0000(-?[0-9]+(?:\.[0-9]+)?)"/g;

/** `text` is a JSON number without an exponent: `-12.50`. */
export function exactNumber(text: string): ExactNumber {
  if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(text)) throw new Error(`${text} is no JSON number`);
  return new ExactNumber(text);
}

/** What a document says, for exactJson to write again as part of something else: each number keeps its places, unless it has an exponent. */
export function exactValue({ text, start }: Pick<JsonDocument, 'text' | 'start'>): Record<string, unknown> {
  return valueOf(parseTree(text, start)) as Record<string, unknown>;
}

function valueOf(tree: JsonTree): unknown {
  if (tree instanceof JsonNumber) return /e/i.test(tree.text) ? Number(tree.text) : exactNumber(tree.text);
  if (Array.isArray(tree)) return tree.map(valueOf);
  return tree instanceof Map ? Object.fromEntries([...tree].map(([key, value]) => [key, valueOf(value)])) : tree;
}

/** As JSON.stringify, with exact numbers as they are written. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('"\\u0000') ? text.replace(MARKED, '$1') : text;
}
