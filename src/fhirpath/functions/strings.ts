// Functions of text. https://hl7.org/fhirpath/N1/#string-manipulation
import { EvaluationError } from '../expression.js';
import { matches, replaceMatches } from '../guarded-regex.js';
import { booleanItems, EMPTY, integerItems, integerOf, stringItems, textOf, type Items } from '../item.js';
import type { FunctionRow, FunctionTable } from './plain-function.js';

/** What a text may grow to: `replace` doubled a hundred times must not fill the memory. */
const LONGEST = 4_194_304;

type TextFunction = (text: string, ...args: string[]) => Items;

/** All arguments are texts; the result is empty where one of them or the input is. */
function ofTexts(name: string, count: number, gives: string, run: TextFunction): FunctionRow {
  return {
    takes: [count, count],
    gives,
    run: (input, args) => {
      const text = textOf(input, `${name}()`);
      const others = args.slice(0, count).map((arg) => textOf(arg ?? EMPTY, `${name}()`)).filter((other) => other !== undefined);
      return text === undefined || others.length < count ? EMPTY : run(text, ...others);
    },
  };
}

const STRING = 'System.String';
const BOOLEAN = 'System.Boolean';
const INTEGER = 'System.Integer';

export const STRINGS: FunctionTable = {
  indexOf: ofTexts('indexOf', 1, INTEGER, (text, part = '') => integerItems(text.indexOf(part))),
  lastIndexOf: ofTexts('lastIndexOf', 1, INTEGER, (text, part = '') => integerItems(text.lastIndexOf(part))),
  startsWith: ofTexts('startsWith', 1, BOOLEAN, (text, part = '') => booleanItems(text.startsWith(part))),
  endsWith: ofTexts('endsWith', 1, BOOLEAN, (text, part = '') => booleanItems(text.endsWith(part))),
  contains: ofTexts('contains', 1, BOOLEAN, (text, part = '') => booleanItems(text.includes(part))),
  matches: ofTexts('matches', 1, BOOLEAN, (text, pattern = '') => booleanItems(matches(text, pattern, false))),
  matchesFull: ofTexts('matchesFull', 1, BOOLEAN, (text, pattern = '') => booleanItems(matches(text, pattern, true))),
  replaceMatches: ofTexts('replaceMatches', 2, STRING, (text, pattern = '', by = '') => bounded(replaceMatches(text, pattern, by))),
  replace: ofTexts('replace', 2, STRING, (text, part = '', by = '') => replaced(text, part, by)),
  upper: ofTexts('upper', 0, STRING, (text) => stringItems(text.toUpperCase())),
  lower: ofTexts('lower', 0, STRING, (text) => stringItems(text.toLowerCase())),
  length: ofTexts('length', 0, INTEGER, (text) => integerItems(text.length)),
  trim: ofTexts('trim', 0, STRING, (text) => stringItems(text.trim())),
  toChars: ofTexts('toChars', 0, STRING, (text) => Array.from(text, (value) => ({ type: STRING, value }))),
  split: ofTexts('split', 1, STRING, (text, separator = '') => text.split(separator).flatMap((part) => stringItems(part))),
  encode: ofTexts('encode', 1, STRING, (text, format = '') => stringItems(encoded(text, format))),
  decode: ofTexts('decode', 1, STRING, (text, format = '') => stringItems(decoded(text, format))),
  escape: ofTexts('escape', 1, STRING, (text, target = '') => stringItems(escaped(text, target))),
  unescape: ofTexts('unescape', 1, STRING, (text, target = '') => stringItems(unescaped(text, target))),
  substring: { takes: [1, 2], gives: STRING, run: (input, [start, length]) => substring(input, start ?? EMPTY, length) },
  join: { takes: [0, 1], gives: STRING, run: (input, [separator = EMPTY]) => joined(input, textOf(separator, 'join()') ?? '') },
};

function bounded(text: string): Items {
  if (text.length > LONGEST) throw new EvaluationError(`a text may have ${LONGEST} characters`);
  return stringItems(text);
}

/** An empty `part` is found around every character. */
function replaced(text: string, part: string, by: string): Items {
  if (text.length * by.length > LONGEST) throw new EvaluationError(`a text may have ${LONGEST} characters`);
  return stringItems(part === '' ? by + Array.from(text, (char) => char + by).join('') : text.split(part).join(by));
}

function substring(input: Items, start: Items, length: Items | undefined): Items {
  const text = textOf(input, 'substring()');
  const from = integerOf(start, 'substring()');
  if (text === undefined || from === undefined || from < 0 || from >= text.length) return EMPTY;
  const count = length && integerOf(length, 'substring()');
  return stringItems(count === undefined ? text.slice(from) : text.slice(from, from + Math.max(0, count)));
}

function joined(input: Items, separator: string): Items {
  return input.length === 0 ? EMPTY : bounded(input.map((item) => textOf([item], 'join()') ?? '').join(separator));
}

function encoded(text: string, format: string): string | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (format === 'hex') return bytes.toString('hex');
  if (format === 'base64') return bytes.toString('base64');
  return format === 'urlbase64' ? bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_') : undefined;
}

function decoded(text: string, format: string): string | undefined {
  if (format === 'hex') return Buffer.from(text, 'hex').toString('utf8');
  return format === 'base64' || format === 'urlbase64' ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

const ENTITIES: readonly (readonly [string, string])[] = [['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;'], ['"', '&quot;'], ["'", '&#39;']];

function escaped(text: string, target: string): string | undefined {
  if (target === 'json') return JSON.stringify(text).slice(1, -1);
  return target === 'html' ? ENTITIES.reduce((done, [char, entity]) => done.replaceAll(char, entity), text) : undefined;
}

function unescaped(text: string, target: string): string | undefined {
  if (target === 'html') return ENTITIES.reduceRight((done, [char, entity]) => done.replaceAll(entity, char), text);
  return target === 'json' ? unescapedJson(text) : undefined;
}

function unescapedJson(text: string): string {
  try {
    return String(JSON.parse(`"${text.replace(/(\\.)|"/gs, (_, pair: string | undefined) => pair ?? '\\"')}"`));
  } catch (cause) {
    throw new EvaluationError('unescape() takes the text of a JSON string', { cause });
  }
}
