// The part of FHIRPath that picks elements out of a resource: what a client's path may use.
// The rest makes new values, and some of it (select, repeat, toChars) makes so many that the process dies of it.
import { createRequire } from 'node:module';
import { PathError } from './expression.js';

interface ParseNode {
  readonly type: string;
  readonly text?: string;
  readonly children?: readonly ParseNode[];
}

/** None gives more elements than the resource has, nor longer strings, however they are nested. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'where', 'ofType', 'as', 'is', 'first', 'last', 'single', 'tail', 'skip', 'take', 'extension', 'children', 'descendants',
  'exists', 'all', 'empty', 'not', 'count', 'hasValue', 'isDistinct', 'distinct', 'intersect', 'exclude', 'subsetOf', 'supersetOf',
  'startsWith', 'endsWith', 'contains', 'indexOf', 'length', 'lower', 'upper', 'toString',
]);

const { parse } = createRequire(import.meta.url)('fhirpath/src/parser/index.js') as { parse: (text: string) => ParseNode };

/** Throws PathError for text that is no FHIRPath, and for what does more than pick elements. */
export function checkSelection(expression: string): void {
  check(parse(expression));
}

function check(node: ParseNode): void {
  const { type, children = [] } = node;
  if (type.startsWith('InstanceSelector')) throw new PathError('a path can not make elements');
  if (type === 'FunctionInvocation') {
    const name = (children[0]?.children?.[0]?.text ?? '').replaceAll('`', '');
    if (!FUNCTIONS.has(name)) throw new PathError(`${name.slice(0, 64)}() can not be used here: a path picks elements of the resource with ${[...FUNCTIONS].slice(0, 11).join(', ')} and the like`);
  }
  for (const child of children) check(child);
}
