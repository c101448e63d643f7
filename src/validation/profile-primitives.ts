// The steps of a profile's check that look at one value by itself: fixed, pattern, binding, length, range.
import { isBoundCoding, isBoundConcept, type Binding } from './binding.js';
import { isObject } from './profile-elements.js';
import { note, reportBinding, reportFixed, reportPattern } from './profile-reports.js';
import type { ProfileCheck } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import { isFixed, meetsPattern } from './profile-values.js';
import type { ProfileWorld } from './profile-world.js';
import { shown } from './words.js';

export function valueSteps({ fixed, pattern }: ProfileNode, profile: string): ProfileCheck[] {
  const steps: ProfileCheck[] = [];
  if (fixed !== undefined) steps.push((value, _sibling, _run, findings) => { if (!isFixed(fixed, value)) reportFixed(findings, profile, fixed, value); });
  if (pattern !== undefined) steps.push((value, _sibling, _run, findings) => { if (!meetsPattern(pattern, value)) reportPattern(findings, profile, pattern, value); });
  return steps;
}

const CODED = new Set(['code', 'string', 'uri', 'Coding', 'CodeableConcept', 'Quantity']);

/** A set that can't be listed gives a note: its codes are not here. */
export function bindingStep({ binding }: ProfileNode, type: string, profile: string, world: ProfileWorld): ProfileCheck | undefined {
  if (binding === undefined || !CODED.has(type)) return undefined;
  const { strength, valueSet } = binding;
  if (strength !== 'required' && strength !== 'extensible') return undefined;
  const isAdvice = strength !== 'required';
  return (value, _sibling, run, findings) => {
    if (value === undefined || (isAdvice && !run.advice)) return;
    const bound = world.binding(valueSet);
    if (bound === undefined) note(findings, profile, 'binding', `the codes of the value set ${valueSet} can't be listed here, so this one was not looked up`);
    else if (!isBound(bound, type, value)) reportBinding(findings, profile, bound, strength, value);
  };
}

export function isBound(binding: Binding, type: string, value: unknown): boolean {
  if (typeof value === 'string') return binding.codes.has(value);
  if (!isObject(value)) return false;
  return type === 'CodeableConcept' ? isBoundConcept(binding, value) : isBoundCoding(binding, value);
}

export function lengthStep({ maxLength }: ProfileNode, profile: string): ProfileCheck | undefined {
  if (maxLength === undefined) return undefined;
  return (value, _sibling, _run, findings) => {
    if (typeof value !== 'string' || value.length <= maxLength) return;
    findings.error('too-long', { key: 'maxLength', profile }, '', () => `${value.length} characters are given, and ${maxLength} are allowed`);
  };
}

/** minValue[x] and maxValue[x] of numbers, and of dates written to the same precision. */
export function rangeStep({ least, most }: ProfileNode, profile: string): ProfileCheck | undefined {
  if (least === undefined && most === undefined) return undefined;
  return (value, _sibling, _run, findings) => {
    if (isLess(value, least)) findings.error('value', { key: 'minValue', profile }, '', () => `${shown(value)} is below ${shown(least)}, the least allowed`);
    if (isLess(most, value)) findings.error('value', { key: 'maxValue', profile }, '', () => `${shown(value)} is above ${shown(most)}, the most allowed`);
  };
}

function isLess(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'number') return one < other;
  return typeof one === 'string' && typeof other === 'string' && one.length === other.length && one < other;
}
