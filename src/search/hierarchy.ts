// References in one hierarchy: `location:below=1` is what is at Location/1 or at a part of it. https://hl7.org/fhir/R4/search.html#recursive
import type { Definitions, SearchParameter } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import { unescape } from './escape.js';
import { badValue, type ReadContext } from './params/rules.js';
import type { Clause } from './query.js';
import type { Slot } from './slots.js';

const LOCAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/;

/** The parameter by which a resource of the type says what it is a part of, where that is always one of the same type. */
export function partOf(definitions: Definitions, type: string): SearchParameter | undefined {
  const parameters = definitions.searchParameters(type);
  const found = parameters.get('partof') ?? parameters.get('part-of');
  return found?.targets?.length === 1 && found.targets[0] === type ? found : undefined;
}

/** The clause of one value; undefined for a URL, which is compared along its path. 400 where what is named stands in no hierarchy. */
export function hierarchyClause(definitions: Definitions, slot: Slot, modifier: 'above' | 'below', written: string, { base, types }: ReadContext): Clause | undefined {
  const text = unescape(written);
  const local = base !== '' && text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
  const [, named, id = local] = LOCAL.exec(local) ?? [];
  if (named === undefined && !isId(local)) return undefined;
  const possible = slot.targets.length > 0 ? slot.targets : types;
  const hops = (named === undefined ? possible : possible.filter((type) => type === named)).flatMap((type): Clause[] => {
    const parameter = partOf(definitions, type);
    return parameter ? [{ kind: 'chain', parameter: slot.parameter, type, where: { kind: modifier, parameter, where: { kind: 'ids', ids: [id] } } }] : [];
  });
  const [only, ...others] = hops;
  if (!only) throw noHierarchy(definitions, slot, modifier, written, possible);
  return others.length === 0 ? only : { kind: 'or', of: hops };
}

function noHierarchy(definitions: Definitions, slot: Slot, modifier: string, text: string, possible: readonly string[]): Error {
  const types = possible.filter((type) => partOf(definitions, type));
  if (types.length > 0) return badValue(slot, text, `with :${modifier} name one of ${types.join(', ')}, which are parts of each other`);
  return fail('unsupported-modifier', { text: `:${modifier} does not go with ${slot.code}: what it points at is not part of another of its kind`, expression: slot.code });
}
