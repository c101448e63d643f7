// $everything: all that is held about a patient, about the members of a group, or in an encounter, a page at a time. https://hl7.org/fhir/R4/patient-operation-everything.html
// It is a search of the compartment, with what its resources refer to outside it, under the caller's Grant like any other.
import type { Definitions } from '../../definitions/model.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { PAGE } from '../../search/page-link.js';
import { referredBy } from '../../interactions/referred.js';
import { searchTypes, type Reading } from '../../interactions/search-types.js';
import { compartmentsClause, ofAnyPatient, patientTypes } from '../../search/compartment.js';
import { readCriterion } from '../../search/criterion.js';
import type { Clause, Query } from '../../search/query.js';
import { slotsOf } from '../../search/slots.js';
import { readInput } from '../input.js';
import { membersOf } from './members.js';
import type { Operation } from '../operation.js';
import { present } from '../present.js';
import { readSpan } from '../span.js';

const INPUT = { start: 'text', end: 'text', _since: 'text', _type: 'text*', _count: 'count' } as const;

type Validate = (resource: Resource) => readonly Issue[];

/** Members of a Group whom one request can tell of. */
const MOST_MEMBERS = 1000;

/** Of Patient, of Group or of Encounter. */
export function createEverythingOperation(type: 'Patient' | 'Group' | 'Encounter', { validate }: { readonly validate: Validate }): Operation {
  return {
    code: 'everything',
    definition: `http://hl7.org/fhir/OperationDefinition/${type}-everything`,
    system: false,
    // Of an Encounter and of a Group R4 knows it for one alone.
    types: type === 'Patient' ? [type] : [],
    instances: [type],
    affectsState: false,
    async handle(request, context) {
      const { id } = request;
      const members = type === 'Group' ? await fewMembers(id ?? '', context) : undefined;
      if (id !== undefined && !members) await present(type, id, context);
      const paged = request.query.some(([name]) => name === PAGE);
      const query = paged ? request.query : pairsOf(request, validate);
      const { definitions } = context.parts;
      if (members) return searchTypes({ ...request, query }, context, reading('Patient', context, (one) => compartmentsClause(definitions, { type: 'Patient', ids: members }, one)));
      if (id === undefined) return searchTypes({ ...request, query }, context, reading(type, context, (one) => (one === type ? { kind: 'all' } : ofAnyPatient(definitions, one))));
      return searchTypes({ ...request, type: undefined, id: undefined, compartment: { type, id }, query }, context, reading(type, context));
    },
  };
}

async function fewMembers(id: string, context: Context): Promise<readonly string[]> {
  const members = await membersOf(id, context);
  if (members.length > MOST_MEMBERS) throw fail('too-costly', { text: `The Group has ${members.length} patients, and $everything tells of ${MOST_MEMBERS} at most: ask for them by Group/[id]/$export` });
  return members;
}

/** The parameters as pairs, however they came. */
function pairsOf(request: FhirRequest, validate: Validate): FhirRequest['query'] {
  const input = readInput(request, INPUT, validate);
  readSpan(input);
  const singles = (['start', 'end', '_since'] as const).flatMap((name): [string, string][] => {
    const value = input.text(name);
    return value === undefined ? [] : [[name, value]];
  });
  const count = input.count('_count');
  const types = input.texts('_type');
  const form = request.query.filter(([name]) => name === '_format' || name === '_pretty');
  return [...form, ...singles, ...(types.length > 0 ? [['_type', types.join(',')] as const] : []), ...(count === undefined ? [] : [['_count', String(count)] as const])];
}

/** `start` and `end` are of care: they narrow each type by its main date, but not `type`. `whose`: the rows of a type that are meant, where that is no compartment. */
function reading(type: string, context: Context, whose?: (type: string) => Clause): Reading {
  const { parts: { definitions }, now } = context;
  return (pairs) => {
    const given = (name: string): string | undefined => pairs.find(([one]) => one === name)?.[1];
    const since = given('_since');
    const named = given('_type')?.split(',') ?? [];
    const between = [['ge', given('start')], ['le', given('end')]].flatMap(([prefix = '', date]) => (date === undefined ? [] : [`${prefix}${date}`]));
    return {
      ...(whose && { types: patientTypes(definitions) }),
      pairs: [...pairs.filter(([name]) => name === '_type' || name === '_count'), ...(since === undefined ? [] : [['_lastUpdated', `ge${since}`] as const])],
      narrow: (query) => {
        const own: Query = whose ? { ...query, where: { kind: 'and', of: [query.where, whose(query.type)] } } : query;
        return query.type === type ? own : narrowed(definitions, own, between, now);
      },
      // `_type` is of all that is given, not of the compartment alone.
      beside: async (matches) => (await referredBy(matches, context)).filter((found) => named.length === 0 || named.includes(found.type)),
    };
  };
}

/** A resource without any date is not known to lie outside. */
function narrowed(definitions: Definitions, query: Query, between: readonly string[], now: number): Query {
  const codes = datesOf(definitions, query.type);
  if (between.length === 0 || codes.length === 0) return query;
  const context = { definitions, base: '', types: definitions.resourceTypes, now };
  const criterion = (name: string, value: string): Clause => readCriterion(context, query.type, name, value) ?? { kind: 'all' };
  const undated: Clause = { kind: 'and', of: codes.map((code) => criterion(`${code}:missing`, 'true')) };
  const inside = codes.map((code): Clause => ({ kind: 'and', of: between.map((value) => criterion(code, value)) }));
  return { ...query, where: { kind: 'and', of: [query.where, { kind: 'or', of: [undated, ...inside] }] } };
}

/** The parameters that are dates of care. */
function datesOf(definitions: Definitions, type: string): readonly string[] {
  return [...slotsOf(definitions, type).byCode.values()].filter(({ column, parameter }) => parameter.type === 'date' && column !== 'updated' && !parameter.added).map(({ code }) => code);
}
