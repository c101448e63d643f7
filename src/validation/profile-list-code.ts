// The values of an element, as a profile's code reads them from the object `o` that holds them.
import type { ProfileCode } from './profile-code.js';
import type { Form } from './profile-elements.js';
import { reportCount } from './profile-reports.js';
import type { ProfileNode } from './profile-tree.js';
import { memberName } from './scope.js';

export interface List {
  /** Statements that give the list a name. */
  readonly start: string;
  /** How many there are: an expression. */
  readonly length: string;
  /** Statements that name the item at `i`: `v`, and `s`, what stands beside it. */
  readonly item: string;
  /** Where the item at `i` stands: an expression. */
  readonly segment: string;
}

/** `a`: the member's value; `b`: what stands beside a primitive. */
export function membersCode({ member, sibling }: Form): string {
  return `const a = o[${memberName(member)}]${sibling === undefined ? '' : `, b = o[${memberName(sibling)}]`};\n`;
}

/** Of an element that repeats. */
export function listCode(form: Form, code: ProfileCode): List {
  const list = code.name();
  const asList = code.scope.use(listIn);
  const start = `${membersCode(form)}const ${list} = ${asList}(a);\n`;
  const segment = `${JSON.stringify(`${form.segment}[`)} + i + "]"`;
  if (form.sibling === undefined) return { start, length: `${list}.length`, item: `const v = ${list}[i], s = undefined;\n`, segment };
  const [beside, length] = [code.name(), code.name()];
  return {
    start: `${start}const ${beside} = ${asList}(b), ${length} = Math.max(${list}.length, ${beside}.length);\n`,
    length,
    item: `const v = ${list}[i] ?? undefined, s = ${beside}[i] ?? undefined;\n`,
    segment,
  };
}

const NOTHING: readonly unknown[] = [];

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NOTHING;
}

/** Reports a count that the node does not allow. `count`: an expression. */
export function countCode(node: ProfileNode, count: string, { scope, url }: ProfileCode): string {
  const { min, max } = node;
  const tests = [...(min > 0 ? [`${count} < ${min}`] : []), ...(max === Infinity ? [] : [`${count} > ${max}`])];
  return tests.length === 0 ? '' : `if (${tests.join(' || ')}) ${scope.use(reportCount)}(f, ${url}, ${scope.use(node)}, ${count});\n`;
}
