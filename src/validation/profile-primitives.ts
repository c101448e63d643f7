// What a profile asks of one value by itself: fixed, pattern, binding, length, range; as code where that is a line or two.
import { isBoundCoding, isBoundConcept, type Binding } from './binding.js';
import { isObject } from './json-object.js';
import type { ProfileCode } from './profile-code.js';
import type { Findings } from './profile-findings.js';
import { reportBinding, reportFixed, reportLength, reportOutside, reportPattern, reportUndecided } from './profile-reports.js';
import type { ProfileCheck } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import type { ProfileWorld } from './profile-world.js';
import { fixedTest, patternTest } from './value-code.js';
import { shown } from './words.js';

export function valueCode({ fixed, pattern, maxLength, least, most }: ProfileNode, { scope, url }: ProfileCode): string {
  const lines: string[] = [];
  if (fixed !== undefined) lines.push(`if (!(${fixedTest(fixed, 'v', scope)})) ${scope.use(reportFixed)}(f, ${url}, ${scope.use(fixed)}, v);`);
  if (pattern !== undefined) lines.push(`if (!(${patternTest(pattern, 'v', scope)})) ${scope.use(reportPattern)}(f, ${url}, ${scope.use(pattern)}, v);`);
  if (typeof maxLength === 'number') lines.push(`if (typeof v === 'string' && v.length > ${maxLength}) ${scope.use(reportLength)}(f, ${url}, ${maxLength}, v);`);
  if (least !== undefined || most !== undefined) lines.push(`${scope.use(checkRange)}(f, ${url}, ${scope.use(least)}, ${scope.use(most)}, v);`);
  return lines.join('\n');
}

/** minValue[x] and maxValue[x] of numbers, and of dates written to the same precision. */
function checkRange(findings: Findings, profile: string, least: unknown, most: unknown, value: unknown): void {
  if (isLess(value, least)) findings.error('value', { key: 'minValue', profile }, '', () => `${shown(value)} is below ${shown(least)}, the least allowed`);
  if (isLess(most, value)) findings.error('value', { key: 'maxValue', profile }, '', () => `${shown(value)} is above ${shown(most)}, the most allowed`);
}

function isLess(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'number') return one < other;
  return typeof one === 'string' && typeof other === 'string' && one.length === other.length && one < other;
}

export const CODED = new Set(['code', 'string', 'uri', 'Coding', 'CodeableConcept', 'Quantity']);

/** Undefined where nobody is held to it. The codes of a set that can't be listed here are asked for one by one. */
export function bindingOf({ binding }: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck | undefined {
  if (binding === undefined || !CODED.has(type)) return undefined;
  const { strength, valueSet } = binding;
  if (strength !== 'required' && strength !== 'extensible') return undefined;
  const isAdvice = strength !== 'required';
  let bound: Binding | undefined;
  return (value, _sibling, run, findings) => {
    if (value === undefined || (isAdvice && !run.advice)) return;
    bound ??= world.binding(valueSet);
    if (bound !== undefined) {
      if (!isBound(bound, type, value)) reportBinding(findings, profile, bound, strength, value);
      return;
    }
    const { outcome, words } = run.known.codes.member(value, valueSet);
    if (outcome === 'wrong') reportOutside(findings, profile, valueSet, strength, value, words);
    else if (outcome === 'unknown') reportUndecided(findings, profile, valueSet, strength, value, words);
  };
}

export function isBound(binding: Binding, type: string, value: unknown): boolean {
  if (typeof value === 'string') return binding.codes.has(value);
  if (!isObject(value)) return false;
  return type === 'CodeableConcept' ? isBoundConcept(binding, value) : isBoundCoding(binding, value);
}
