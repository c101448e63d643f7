// What profiles find, put into words: off the hot path.
import type { Binding } from './binding.js';
import type { Findings, Rule } from './profile-findings.js';
import type { ProfileNode } from './profile-tree.js';
import { listed, shown } from './words.js';

const labelOf = ({ name, sliceName }: ProfileNode): string => (sliceName === undefined ? `'${name}'` : `slice '${sliceName}' of '${name}'`);

/** HL7 puts what is missing, and what is too many, on the parent. */
export function reportCount(findings: Findings, profile: string, node: ProfileNode, count: number): void {
  const { min, max } = node;
  if (count < min) findings.error('required', { key: 'min', profile }, '', () => `${labelOf(node)} is needed at least ${times(min)} and is here ${times(count)}`);
  else if (max === 0) findings.error('structure', { key: 'max', profile }, '', () => `${labelOf(node)} must be left out`);
  else findings.error('structure', { key: 'max', profile }, '', () => `${labelOf(node)} may be here at most ${times(max)} and is here ${times(count)}`);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

export function reportType(findings: Findings, profile: string, type: string, allowed: readonly string[]): void {
  findings.error('structure', { key: 'type', profile }, '', () => `a ${type} stands here, and only ${listed(allowed, ' | ')} is allowed`);
}

export function reportFixed(findings: Findings, profile: string, wanted: unknown, value: unknown): void {
  findings.error('value', { key: 'fixed', profile }, '', () => `${shown(value)} must be exactly ${jsonOf(wanted)}`);
}

export function reportPattern(findings: Findings, profile: string, wanted: unknown, value: unknown): void {
  findings.error('value', { key: 'pattern', profile }, '', () => `${shown(value)} must hold ${jsonOf(wanted)}`);
}

export function reportLength(findings: Findings, profile: string, longest: number, value: string): void {
  findings.error('too-long', { key: 'maxLength', profile }, '', () => `${value.length} characters are given, and ${longest} are allowed`);
}

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

export function reportBinding(findings: Findings, profile: string, binding: Binding, strength: string, value: unknown): void {
  const severity = strength === 'required' ? 'error' : 'warning';
  const allowed = typeof value === 'string' ? binding.codes : codingsOf(binding);
  findings.add(severity, 'code-invalid', { key: 'binding', profile }, '', () => `${codeText(value)} is not in the value set ${binding.name} (${strength}): ${listed(allowed, ' | ')}`);
}

/** As reportBinding, of a set that is not listed here; `advice` says what to do. */
export function reportOutside(findings: Findings, profile: string, valueSet: string, strength: string, value: unknown, advice: string): void {
  const severity = strength === 'required' ? 'error' : 'warning';
  findings.add(severity, 'code-invalid', { key: 'binding', profile }, '', () => `${codeText(value)} is not in the value set ${valueSet} (${strength}). ${advice}`);
}

/** Nobody here can tell: never a reason to refuse. */
export function reportUndecided(findings: Findings, profile: string, valueSet: string, strength: string, value: unknown, why: string): void {
  const severity = strength === 'required' ? 'warning' : 'information';
  findings.add(severity, 'incomplete', { key: 'binding', profile }, '', () => `whether ${codeText(value)} is in the value set ${valueSet} (${strength}) was not decided: ${why}`);
}

function* codingsOf(binding: Binding): Iterable<string> {
  for (const [system, codes] of binding.systems) for (const code of codes) yield `${system}|${code}`;
}

/** Systems are told apart by their last words. */
const LONGEST_SYSTEM = 120;

export function codeText(value: unknown): string {
  const coded = value as { coding?: readonly { system?: string; code?: string }[]; system?: string; code?: string };
  if (typeof value === 'string') return shown(value);
  const coding = coded.coding === undefined ? coded : coded.coding[0];
  return coding?.code === undefined ? 'text without a code' : `${shown(coding.code)}${coding.system === undefined ? ' without a system' : ` of ${shown(coding.system, LONGEST_SYSTEM)}`}`;
}

export function reportConstraint(findings: Findings, rule: Rule, severity: string, human: string): void {
  findings.add(severity === 'warning' ? 'warning' : 'error', 'invariant', rule, '', () => `${rule.key}: ${human}`);
}

export function reportTarget(findings: Findings, profile: string, reference: unknown, allowed: readonly string[]): void {
  findings.error('structure', { key: 'target', profile }, '', () => `the reference ${shown(reference)} must point at ${listed(allowed, ' | ')}`);
}

export function reportNoProfile(findings: Findings, profile: string, allowed: readonly string[]): void {
  findings.error('value', { key: 'profile', profile }, '', () => `this meets none of ${listed(allowed, ' | ')}`);
}

/** What a profile asks and nobody here can judge. */
export function note(findings: Findings, profile: string, key: string, words: string): void {
  findings.add('information', 'incomplete', { key, profile }, '', () => words);
}
