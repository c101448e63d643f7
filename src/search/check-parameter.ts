// May a SearchParameter be searched by here? Everything that would stand in its way, told at once. https://hl7.org/fhir/R4/searchparameter.html
import { basesOf, learntParameter } from '../definitions/added-search.js';
import { LiveDefinitions } from '../definitions/live.js';
import type { Definitions, SearchType } from '../definitions/model.js';
import { isSearchType, strings } from '../definitions/own-search.js';
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import { PathError } from '../fhirpath/expression.js';
import { createExtractor } from './extract.js';
import { PARAMETER_RULES } from './params/index.js';
import { slotsOf } from './slots.js';

const CODE = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;

/** Types whose values are greater or less than each other. */
const COMPARED: ReadonlySet<SearchType> = new Set(['number', 'date', 'quantity']);

/** Of any status: can it be read at all? */
export function faultsOf(resource: Resource, definitions: Definitions): readonly Issue[] {
  const { type } = resource;
  if (!isSearchType(type)) return [fault('type', 'type is number, date, string, token, reference, composite, quantity, uri or special')];
  if (type === 'special') return [];
  if (typeof resource.expression !== 'string') return [fault('expression', 'A parameter of this type needs an expression')];
  const unknown = strings(resource.base).filter((base) => !definitions.isResource(base));
  if (unknown.length > 0) return [fault('base', `${unknown.join(', ')} is no resource type of FHIR R4`)];
  const strays = strings(resource.target).filter((target) => !definitions.isResource(target));
  return [...strays.map((target) => fault('target', `${target} is no resource type of FHIR R4`)), ...unreadable(resource, definitions)];
}

/** Compiled as it would be for each of its bases, with nothing else added. */
function unreadable(resource: Resource, definitions: Definitions): Issue[] {
  const trial = new LiveDefinitions(definitions);
  try {
    const learnt = learntParameter(resource, { key: 'trial', ready: true, job: '' }, definitions);
    trial.learn({ generation: 0, revision: 0 }, [learnt]);
    const extract = createExtractor(trial.definitions, ({ presence }) => presence !== undefined);
    for (const type of learnt.bases) extract({ resourceType: type, id: 'x' });
    const whole = (type: string): boolean => slotsOf(trial.definitions, type).byCode.get(learnt.parameter.code)?.parts !== undefined;
    if (resource.type !== 'composite' || learnt.bases.every(whole)) return [];
    return [fault('component', 'The two components name, by url, parameters of the same base that this server knows: a token first, then a token, quantity, date, string or reference')];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [fault('expression', error instanceof PathError ? `The expression can't be read: ${error.message}` : error.message)];
  }
}

/** Of one that is to be switched on: does it say what this server can keep? */
export function obstaclesTo(resource: Resource, definitions: Definitions): readonly Issue[] {
  const faults = faultsOf(resource, definitions);
  if (faults.length > 0) return faults;
  const { type, code } = resource;
  if (!isSearchType(type) || type === 'special') return [fault('type', 'A special parameter has a meaning that only a server can be built for')];
  if (typeof code !== 'string' || !CODE.test(code)) return [fault('code', 'code is a letter and then letters, digits and -, at most 64: it becomes the name in URLs')];
  const bases = basesOf(resource, definitions);
  if (bases.length === 0) return [fault('base', 'It is for none of the types that are searched by SearchParameters here')];
  const taken = bases.find((base) => definitions.searchParameters(base).has(code));
  const takenBy = taken === undefined ? undefined : definitions.searchParameters(taken).get(code)?.url;
  const modifiers = new Set<string>(['missing', ...PARAMETER_RULES[type].modifiers, ...(type === 'reference' ? ['type'] : [])]);
  return [
    ...(taken === undefined ? [] : [fault('code', `${taken} is searched by ${code} already, as ${takenBy ?? ''} defines it: give this one another code`)]),
    ...strings(resource.modifier).filter((one) => !modifiers.has(one)).map((one) => fault('modifier', `The modifier ${one} does not go with ${type} parameters here`)),
    ...(strings(resource.comparator).length > 0 && !COMPARED.has(type) ? [fault('comparator', `A ${type} parameter has no comparators`)] : []),
  ];
}

const fault = (element: string, text: string): Issue => ({ severity: 'error', code: 'invalid', text, expression: `SearchParameter.${element}` });
