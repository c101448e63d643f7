// Required bindings: which codes a value set holds, in the shape the checks ask. https://hl7.org/fhir/R4/terminologies.html#required
import type { Definitions } from '../definitions/model.js';
import { formOfCodes, type CodeForm } from './unlisted.js';

export interface Binding {
  /** Last part of the canonical URL: `administrative-gender`. */
  readonly name: string;
  /** For elements of type code, which carry no system. */
  readonly codes: CodeTest;
  readonly systems: ReadonlyMap<string, CodeTest>;
}

/** Lists the codes it has, or says `such as` one where they can't be listed. */
type CodeTest = Pick<ReadonlySet<string>, 'has'> & Iterable<string>;

interface Coded {
  readonly system?: unknown;
  readonly code?: unknown;
}

/** The binding to a value set, made once each; undefined where nothing here tells its codes. */
export function createBindings(definitions: Pick<Definitions, 'codes'>): (valueSet: string) => Binding | undefined {
  const made = new Map<string, Binding | undefined>();
  return (valueSet) => {
    if (!made.has(valueSet)) {
      const members = definitions.codes(valueSet);
      const form = formOfCodes(valueSet);
      made.set(valueSet, form ? formBinding(valueSet, form) : members && toBinding(valueSet, members));
    }
    return made.get(valueSet);
  };
}

function toBinding(valueSet: string, members: ReadonlySet<string>): Binding {
  const codes = new Set<string>();
  const systems = new Map<string, Set<string>>();
  for (const member of members) {
    const bar = member.indexOf('|');
    const system = member.slice(0, bar);
    const code = member.slice(bar + 1);
    codes.add(code);
    if (system === '') continue;
    const known = systems.get(system);
    if (known === undefined) systems.set(system, new Set([code]));
    else known.add(code);
  }
  return { name: nameOf(valueSet), codes, systems };
}

function formBinding(valueSet: string, form: CodeForm): Binding {
  return { name: nameOf(valueSet), codes: form, systems: new Map([[form.system, form]]) };
}

function nameOf(valueSet: string): string {
  return valueSet.replace(/\|.*$/, '').replace(/^.*\//, '');
}

/** A Coding or Quantity whose system and code are in the value set. */
export function isBoundCoding(binding: Binding, value: Coded): boolean {
  const { system, code } = value;
  return typeof system === 'string' && typeof code === 'string' && binding.systems.get(system)?.has(code) === true;
}

/** A CodeableConcept with at least one coding in the value set: text alone won't do. */
export function isBoundConcept(binding: Binding, value: { readonly coding?: readonly Coded[] }): boolean {
  const codings = value.coding;
  if (codings === undefined) return false;
  for (const coding of codings) {
    if (isBoundCoding(binding, coding)) return true;
  }
  return false;
}
