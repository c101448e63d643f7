// Parameters that were switched on while the server runs: which of them a search leans on, and whether they can be asked yet.
import type { Definitions, SearchParameter } from '../definitions/model.js';
import { fail, type FhirError } from '../fhir/errors.js';
import type { Clause, Include, Query } from './query.js';
import { slotsOf } from './slots.js';

/** May a search be answered by it? */
export const isReady = ({ added }: SearchParameter): boolean => added?.ready !== false;

export function notReady({ code, added }: SearchParameter): FhirError {
  const text = `Not ready: the server is still going through what was stored before ${code} was switched on, and would miss some of it. Ask again when _jobs/${added?.job ?? ''} is done`;
  return fail('parameter-not-ready', { text, expression: code }, { 'retry-after': '5' });
}

/** The keys of those that the search leans on, in whatever place. */
export function addedKeys(definitions: Definitions, { where, sort, includes }: Pick<Query, 'where' | 'sort' | 'includes'>): ReadonlySet<string> {
  const parameters = [...parametersOf(where), ...sort.map(({ parameter }) => parameter), ...includes.flatMap((include) => includedBy(definitions, include))];
  return new Set(parameters.flatMap(({ added }) => (added ? [added.key] : [])));
}

function parametersOf(clause: Clause): SearchParameter[] {
  switch (clause.kind) {
    case 'all':
    case 'none':
    case 'text':
    case 'ids': return [];
    case 'and':
    case 'or': return clause.of.flatMap(parametersOf);
    case 'not': return parametersOf(clause.of);
    case 'names':
    case 'parameter': return [clause.parameter];
    default: return [clause.parameter, ...parametersOf(clause.where)];
  }
}

function includedBy(definitions: Definitions, { source, parameter }: Include): SearchParameter[] {
  if (parameter) return [parameter];
  return [...slotsOf(definitions, source).byCode.values()].flatMap((slot) => (slot.parameter.type === 'reference' && isReady(slot.parameter) ? [slot.parameter] : []));
}
