// fixed[x] and pattern[x] as JavaScript: whether a value is what they ask, written out member by member.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
import { isObject } from './json-object.js';
import { isFixed, meetsPattern } from './profile-values.js';
import { isMemberName, memberName, type Scope } from './scope.js';

/** An expression, true where `value`, an expression too, is `fixed` to the last member. */
export function fixedTest(fixed: unknown, value: string, scope: Scope): string {
  return isPlain(fixed) ? `${value} === ${JSON.stringify(fixed)}` : `${scope.use(isFixed)}(${scope.use(fixed)}, ${value})`;
}

/** An expression, true where `value`, an expression too, holds at least `pattern`. */
export function patternTest(pattern: unknown, value: string, scope: Scope): string {
  if (isPlain(pattern)) return `${value} === ${JSON.stringify(pattern)}`;
  // a member that no code may name is looked up as data
  if (!isSayable(pattern)) return `${scope.use(meetsPattern)}(${scope.use(pattern)}, ${value})`;
  return `${scope.define('v', Array.isArray(pattern) ? listBody(pattern, scope) : objectBody(pattern as object, scope))}(${value})`;
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function isSayable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isSayable);
  return !isObject(value) || Object.entries(value).every(([name, member]) => isMemberName(name) && isSayable(member));
}

function objectBody(pattern: object, scope: Scope): string {
  const tests = Object.entries(pattern).map(([name, wanted]) => ` && ${patternTest(wanted, `v[${memberName(name)}]`, scope)}`);
  return `return typeof v === 'object' && v !== null && !Array.isArray(v)${tests.join('')};`;
}

/** Each item is met by some item of the value. */
function listBody(pattern: readonly unknown[], scope: Scope): string {
  const searches = pattern.map((wanted, at) => `L${at}: { for (let i = 0; i < v.length; i++) if (${patternTest(wanted, 'v[i]', scope)}) break L${at}; return false; }`);
  return `if (!Array.isArray(v)) return false; ${searches.join(' ')} return true;`;
}
