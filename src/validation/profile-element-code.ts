// The part of a profile's code that belongs to one element: how often it is there, and what is asked of each of its values.
import { isObject } from './json-object.js';
import { checkForms, checkSliced } from './profile-choice.js';
import { prefixedCode, refusedType, type ProfileCode } from './profile-code.js';
import type { Form } from './profile-elements.js';
import { countCode, listCode, membersCode } from './profile-list-code.js';
import { note } from './profile-reports.js';
import type { CheckOf, ProfileCheck } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import { slicedCode } from './slicing-code.js';

/** More forms than these are not looked for one by one: an extension's value has fifty. */
const FEW = 3;

/** Elements that must be left out mostly are: with more members than this one look at those that are there finds it out. */
const FEW_FORBIDDEN = 3;

/** The code of all elements of a type that a node speaks of. */
export function elementsCode({ children }: ProfileNode, type: string, code: ProfileCode): string {
  const formsOf = ({ name }: ProfileNode): readonly Form[] => code.world.formsOf(type, name);
  const forbidden = new Set([...children.values()].filter(isForbidden).flatMap(formsOf).flatMap(({ member, sibling = member }) => [member, sibling]));
  const isGuarded = forbidden.size > FEW_FORBIDDEN;
  const flag = code.name();
  const codes = [...children.values()].map((child) => {
    const text = elementCode(child, type, code);
    return isGuarded && isForbidden(child) && formsOf(child).length > 0 ? `if (${flag}) ${text}` : text;
  });
  return (isGuarded ? `const ${flag} = ${code.scope.use(holdsAny)}(o, ${code.scope.use(forbidden)});\n` : '') + codes.join('');
}

function isForbidden({ max, min, slices }: ProfileNode): boolean {
  return max === 0 && min === 0 && slices.size === 0;
}

function holdsAny(object: object, members: ReadonlySet<string>): boolean {
  for (const member in object) if (members.has(member)) return true;
  return false;
}

function elementCode(node: ProfileNode, parent: string, code: ProfileCode): string {
  const { scope, world, url } = code;
  const forms = world.formsOf(parent, node.name);
  const [only] = forms;
  if (only === undefined) return `${scope.use(note)}(f, ${url}, "element", ${JSON.stringify(`the profile speaks of '${node.name}', which ${parent} has not`)});\n`;
  if (node.slices.size === 0) return plainCode(node, forms, code);
  // a list whose type does not depend on the data
  if (forms.length === 1 && only.repeats && only.type !== 'Resource') return slicedCode(node, only, code);
  return `${scope.use(checkSliced(node, forms, code))}(o, r, f);\n`;
}

function plainCode(node: ProfileNode, forms: readonly Form[], code: ProfileCode): string {
  const allowed = forms.filter(({ type }) => refusedType(node, type, code.world) === undefined);
  const isFew = allowed.length <= FEW;
  const parts = isFew ? allowed.map((form) => formCode(node, form, code)) : [];
  const isAll = isFew && allowed.length === forms.length;
  if (isAll && node.min === 0 && node.max === Infinity && !parts.some(({ asks }) => asks)) return '';
  // the base has seen that there is one form at most: where it is none of these, it may be another
  const others = isAll ? '' : `if (n === 0) n = ${code.scope.use(checkForms(node, forms, code.checkOf))}(o, r, f);\n`;
  return `{ let n = 0;\n${parts.map(({ text }) => text).join('')}${others}${countCode(node, 'n', code)}}\n`;
}

interface Part {
  readonly text: string;
  /** Is anything asked of a value that is there? */
  readonly asks: boolean;
}

function formCode(node: ProfileNode, form: Form, code: ProfileCode): Part {
  const body = form.type === 'Resource' ? `${code.scope.use(resourceCheck(node, code.checkOf))}(v, s, r, f);\n` : code.check(node, form.type);
  return { text: `{ ${form.repeats ? repeatedCode(form, body, code) : singleCode(form, body)} }\n`, asks: body !== '' };
}

function singleCode(form: Form, body: string): string {
  const [isThere, beside] = form.sibling === undefined ? ['a !== undefined', 'undefined'] : ['a !== undefined || b !== undefined', 'b'];
  const item = body === '' ? '' : prefixedCode(`{ const v = a, s = ${beside};\n${body}}`, JSON.stringify(form.segment));
  return `${membersCode(form)}if (${isThere}) { n++; ${item} }`;
}

function repeatedCode(form: Form, body: string, code: ProfileCode): string {
  const { start, length, item, segment } = listCode(form, code);
  const each = body === '' ? '' : `for (let i = 0; i < ${length}; i++) { ${prefixedCode(`{ ${item}${body}}`, segment)} }`;
  return `${start}n += ${length}; ${each}`;
}

/** What stands where any resource may stand is judged by its own type. */
function resourceCheck(node: ProfileNode, checkOf: CheckOf): ProfileCheck {
  return (value, sibling, run, findings) => {
    const type = isObject(value) ? value['resourceType'] : undefined;
    if (typeof type === 'string') checkOf(node, type)?.(value, sibling, run, findings);
  };
}
