// Generates the check of a profile: a JavaScript function for one node and type, with the code of the elements below it.
// In this code `v` is the value, `s` what stands beside a primitive, `r` the run, `f` the findings, `o` the object that holds the elements.
// No path is tracked while all is well: the count of findings is compared before and after, and a segment put in front where it moved.
import { isObject } from './json-object.js';
import { ProfileCode, refusedType } from './profile-code.js';
import { elementsCode } from './profile-element-code.js';
import { ruleOf } from './profile-invariant.js';
import { bindingOf, valueCode } from './profile-primitives.js';
import { reportType } from './profile-reports.js';
import { runAt, type CheckOf, type ProfileCheck } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import { profileOf, targetOf } from './profile-types.js';
import type { ProfileWorld } from './profile-world.js';

/** The check of the whole profile, whose canonical URL is `profile`. */
export function compileProfile(root: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck {
  const made = new Map<ProfileNode, Map<string, ProfileCheck | undefined>>();
  const checkOf: CheckOf = (node, of) => {
    const byType = made.get(node) ?? new Map<string, ProfileCheck | undefined>();
    made.set(node, byType);
    if (!byType.has(of)) byType.set(of, compileNode(node, of, node === root, new ProfileCode(profile, world, checkOf, nodeCode)));
    return byType.get(of);
  };
  return checkOf(root, type) ?? (() => undefined);
}

function compileNode(node: ProfileNode, type: string, isRoot: boolean, code: ProfileCode): ProfileCheck | undefined {
  const body = isRoot ? contentCode(node, type, code) : nodeCode(node, type, code);
  if (body === '') return undefined;
  const start = code.world.definitions.isResource(type) ? `r = ${code.scope.use(runAt)}(r, v);\n` : '';
  return code.scope.compile(`function check(v, s, r, f) {\n${start}${body}}`) as ProfileCheck;
}

/** Statements; '' where the node says nothing of values of the type. */
function nodeCode(node: ProfileNode, type: string, code: ProfileCode): string {
  const { scope, world, profile, url } = code;
  const allowed = refusedType(node, type, world);
  if (allowed) return `${scope.use(reportType)}(f, ${url}, ${JSON.stringify(type)}, ${scope.use(allowed)});\n`;
  const link = profileOf(node, type, profile, world);
  const target = targetOf(node, type, profile, world);
  const linked = (link ? `${scope.use(link)}.check(v, s, r, f);\n` : '') + (target ? `${scope.use(target)}(v, s, r, f);\n` : '');
  return contentCode(node, type, code, linked);
}

/** `linked`: what its types ask, which stands between its value and its elements. */
function contentCode(node: ProfileNode, type: string, code: ProfileCode, linked = ''): string {
  const { scope, world, profile } = code;
  const binding = bindingOf(node, type, profile, world);
  const elements = elementsCode(node, type, code);
  const rules = node.constraints.map((constraint) => ruleOf(constraint, type, profile, world)).filter((rule) => rule !== undefined);
  return valueCode(node, code)
    + (binding ? `${scope.use(binding)}(v, s, r, f);\n` : '')
    + linked
    + (elements === '' ? '' : `const o = ${holderCode(type, code)};\n${elements}`)
    + rules.map((rule) => `${scope.use(rule)}.check(v, s, r, f);\n`).join('');
}

/** Where the elements of a value stand: in itself, or of a primitive in `_birthDate`, which may not be there. */
function holderCode(type: string, { scope, world }: ProfileCode): string {
  const holder = world.definitions.type(type)?.kind === 'primitive-type' ? 's' : 'v';
  return `${scope.use(isObject)}(${holder}) ? ${holder} : ${scope.use(EMPTY)}`;
}

const EMPTY: Readonly<Record<string, unknown>> = Object.freeze({});
