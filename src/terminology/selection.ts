// Which codes of one system a value set holds, as a small tree: told in memory, in SQL, or of a list of codes alone.
// https://hl7.org/fhir/R4/valueset.html#compositions

export const FILTER_OPS = ['=', 'is-a', 'descendent-of', 'is-not-a', 'regex', 'in', 'not-in', 'generalizes', 'exists'] as const;
export type FilterOp = (typeof FILTER_OPS)[number];

export interface Filter {
  readonly kind: 'filter';
  readonly property: string;
  readonly op: FilterOp;
  readonly value: string;
}

export type Selection =
  | { readonly kind: 'all' | 'none' }
  /** Concepts that are in use. */
  | { readonly kind: 'active' }
  /** In the order in which they are listed. */
  | { readonly kind: 'codes'; readonly codes: ReadonlySet<string> }
  | Filter
  | { readonly kind: 'and' | 'or'; readonly of: readonly Selection[] }
  | { readonly kind: 'not'; readonly of: Selection };

export const ALL: Selection = { kind: 'all' };
export const NONE: Selection = { kind: 'none' };

export const codes = (list: Iterable<string>): Selection => ({ kind: 'codes', codes: new Set(list) });

export function and(parts: readonly Selection[]): Selection {
  const real = parts.filter((part) => part.kind !== 'all');
  if (real.some((part) => part.kind === 'none')) return NONE;
  const [first, ...others] = real;
  if (first === undefined) return ALL;
  return others.length === 0 ? first : { kind: 'and', of: real };
}

/** Lists are joined into one. */
export function or(parts: readonly Selection[]): Selection {
  if (parts.some((part) => part.kind === 'all')) return ALL;
  const lists = parts.flatMap((part) => (part.kind === 'codes' ? [...part.codes] : []));
  const real = [...(lists.length > 0 ? [codes(lists)] : []), ...parts.filter((part) => part.kind !== 'codes' && part.kind !== 'none')];
  const [first, ...others] = real;
  if (first === undefined) return NONE;
  return others.length === 0 ? first : { kind: 'or', of: real };
}

export function not(of: Selection): Selection {
  if (of.kind === 'all') return NONE;
  return of.kind === 'none' ? ALL : { kind: 'not', of };
}

/** The codes among which all that are selected are, in their order; undefined where only the code system knows. */
export function candidates(selection: Selection): readonly string[] | undefined {
  switch (selection.kind) {
    case 'none': return [];
    case 'codes': return [...selection.codes];
    case 'and': return selection.of.map(candidates).find((list) => list !== undefined);
    case 'or': {
      const lists = selection.of.map(candidates);
      return lists.some((list) => list === undefined) ? undefined : [...new Set(lists.flatMap((list) => list ?? []))];
    }
    default: return undefined;
  }
}

/** Is the code selected, told by lists alone? Undefined where only the code system knows. Codes are taken to be in use. */
export function decide(selection: Selection, code: string): boolean | undefined {
  switch (selection.kind) {
    case 'none': return false;
    case 'active': return true;
    case 'codes': return selection.codes.has(code);
    case 'and': return junction(selection.of.map((part) => decide(part, code)), false);
    case 'or': return junction(selection.of.map((part) => decide(part, code)), true);
    case 'not': {
      const inner = decide(selection.of, code);
      return inner === undefined ? undefined : !inner;
    }
    default: return undefined;
  }
}

/** `settles` decides alone; else all must be known. */
function junction(answers: readonly (boolean | undefined)[], settles: boolean): boolean | undefined {
  if (answers.includes(settles)) return settles;
  return answers.includes(undefined) ? undefined : !settles;
}
