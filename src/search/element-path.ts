// What a search parameter's expression says without running it: which elements of one type it names, of which types, and
// whether there can be more than one value. https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
import type { Definitions } from '../definitions/model.js';

/** One alternative of an expression that is a plain path. */
export interface ElementPath {
  /** `Observation.subject` */
  readonly path: string;
  /** No element on the way repeats. */
  readonly single: boolean;
  readonly types: readonly string[];
  /** `where(resolve() is Patient)`: only references to this type. */
  readonly only?: string;
  /** Canonical URL of the value set that a code here must come from. */
  readonly valueSet?: string;
}

const CAST = /^\(?\s*([\w.]+?)(?:\s+as\s+|\.as\(|\.ofType\()(\w+)\)?\s*\)?$/;
const TARGET = /^([\w.]+)\.where\(\s*resolve\(\)\s+is\s+(\w+)\s*\)$/;
const FILTERED = /^\w+\.(\w+)(?:(?<=\.extension)\('[^']*'\))?(?:\.where\([^()%]*\)|\.ofType\(\w+\)|\.\w+(?!\w*\())*$/;
const PLAIN = /^\(?\s*([\w.]+)\s*\)?$/;

/** The alternatives that concern `type`; undefined where one of them is more than a plain path. */
export function elementPaths(definitions: Definitions, type: string, expression: string): readonly ElementPath[] | undefined {
  const paths: ElementPath[] = [];
  for (const branch of alternatives(expression)) {
    const base = /^\(*\s*(\w+)/.exec(branch)?.[1];
    if (base === undefined || !definitions.isA(type, base)) continue;
    const path = readBranch(definitions, type, branch);
    if (!path) return undefined;
    paths.push(path);
  }
  return paths;
}

/**
 * The members of the resource's JSON, one of which must be there for the expression to find anything: `valueQuantity`, `valueString`, … of a choice.
 * Undefined where that can't be told, or where several elements are named.
 */
export function membersOf(definitions: Definitions, type: string, expression: string): readonly string[] | undefined {
  const [root, ...others] = new Set(elementPaths(definitions, type, expression)?.map(({ path }) => path.split('.')[1]) ?? rootsOf(definitions, type, expression));
  const element = root === undefined || others.length > 0 ? undefined : definitions.element(type, root);
  if (root === undefined || !element) return undefined;
  return element.choice ? element.types.map((name) => `${root}${name.charAt(0).toUpperCase()}${name.slice(1)}`) : [root];
}

/** The elements at which alternatives begin that only go down and filter: `telecom` of `Patient.telecom.where(system='email')`. */
function rootsOf(definitions: Definitions, type: string, expression: string): readonly (string | undefined)[] {
  const branches = alternatives(expression).filter((branch) => definitions.isA(type, /^\(*\s*(\w+)/.exec(branch)?.[1] ?? ''));
  // The extensions of a primitive stand beside it, in a member of their own.
  return branches.map((branch) => FILTERED.exec(branch)?.[1]).map((root, index) => (root === 'extension' || branches[index]?.includes('extension') !== true ? root : undefined));
}

/** Splits at `|` outside parentheses. */
export function alternatives(expression: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= expression.length; index += 1) {
    const char = expression[index];
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === undefined || (char === '|' && depth === 0)) {
      found.push(expression.slice(start, index).trim());
      start = index + 1;
    }
  }
  return found;
}

function readBranch(definitions: Definitions, type: string, branch: string): ElementPath | undefined {
  const cast = CAST.exec(branch);
  if (cast?.[1] && cast[2]) {
    const path = walk(definitions, type, cast[1]);
    return path && { ...path, types: [cast[2]] };
  }
  const target = TARGET.exec(branch);
  if (target?.[1] && target[2]) {
    const path = walk(definitions, type, target[1]);
    return path && { ...path, only: target[2] };
  }
  const plain = PLAIN.exec(branch);
  return plain?.[1] === undefined ? undefined : walk(definitions, type, plain[1]);
}

function walk(definitions: Definitions, type: string, dotted: string): ElementPath | undefined {
  const [, ...names] = dotted.split('.');
  let at = type;
  let single = true;
  let types: readonly string[] = [type];
  let valueSet: string | undefined;
  for (const name of names) {
    const element = definitions.element(at, name);
    if (!element) return undefined;
    valueSet = definitions.type(at)?.elements.find((rule) => rule.name === name)?.binding?.valueSet;
    single &&= !element.repeats;
    types = element.types;
    at = element.backbone ?? element.types[0] ?? '';
  }
  return { path: [type, ...names].join('.'), single, types, ...(valueSet !== undefined && { valueSet }) };
}
