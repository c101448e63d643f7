// Group/[id]/$candidates and Patient/$phb-candidates: who meets a commissioner's criteria, best first, a page at a time (domain.md 3.6, C32E15).
import { BASE } from '../../budgets/codes.js';
import { candidates, weightOf, type Candidate } from '../../budgets/criteria/candidates.js';
import { criteriaOf, isCriteria, type Criterion } from '../../budgets/criteria/criteria.js';
import type { Definitions } from '../../definitions/model.js';
import { searchsetText, type Link, type SearchEntry } from '../../fhir/bundle.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { openPlace, PAGE, sealPlace } from '../../search/page-link.js';
import { readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { present } from '../present.js';

const DEFAULT_COUNT = 20;
const MOST = 1000;
/** The same by two names: the score is the priority. */
const ORDERS = ['priority', 'score'];

export interface CandidatesParts {
  readonly definitions: Definitions;
  readonly validate: (resource: Resource) => readonly Issue[];
}

/** What a page link holds: the criteria as they were asked, so that they need not be sent again. */
interface Asked {
  readonly criteria: readonly Criterion[];
  readonly pairs: FhirRequest['query'];
  readonly count: number;
  readonly after?: Candidate;
}

export function createCandidatesOperations(parts: CandidatesParts): readonly Operation[] {
  const common = { system: false, affectsState: false };
  return [
    {
      ...common,
      code: 'candidates',
      definition: `${BASE}/OperationDefinition/candidates`,
      types: [],
      instances: ['Group'],
      handle: async (request, context) => answer(request, context, parts, await askedOf(request, context, parts, NO_CRITERIA, () => storedCriteria(`Group/${request.id ?? ''}`, context))),
    },
    {
      ...common,
      code: 'phb-candidates',
      definition: `${BASE}/OperationDefinition/phb-candidates`,
      types: ['Patient'],
      instances: [],
      handle: async (request, context) => answer(request, context, parts, await askedOf(request, context, parts, CRITERIA, (input) => sentCriteria(input, context))),
    },
  ];
}

const NO_CRITERIA: InputNames = { _count: 'count', orderBy: 'text' };
const CRITERIA: InputNames = { ...NO_CRITERIA, criteria: 'Reference or Group', group: 'Group' };
const SENT = 'criteria';

async function askedOf(request: FhirRequest, context: Context, { definitions, validate }: CandidatesParts, names: InputNames, find: (input: Input) => Promise<Resource>): Promise<Asked> {
  const word = request.query.find(([name]) => name === PAGE)?.[1];
  if (word !== undefined) return askedBefore(word, request, context, definitions);
  const input = readInput(request, names, validate);
  const order = input.text('orderBy') ?? 'priority';
  if (!ORDERS.includes(order)) throw fail('invalid-parameter', { text: `Candidates are ordered by ${ORDERS.join(' or ')}, not by ${order}`, expression: 'orderBy' });
  const group = await find(input);
  const count = Math.min(input.count('_count') ?? DEFAULT_COUNT, MOST);
  return { criteria: criteriaOf(group, definitions), count, pairs: [[SENT, JSON.stringify({ characteristic: group['characteristic'] })], ['_count', String(count)]] };
}

function askedBefore(word: string, request: FhirRequest, context: Context, definitions: Definitions): Asked {
  const { pairs, after } = openPlace(word, pathOf(request), context.parts.pageSecret);
  const group = JSON.parse(pairs.find(([name]) => name === SENT)?.[1] ?? '{}') as Resource;
  const count = Number(pairs.find(([name]) => name === '_count')?.[1]);
  return { criteria: criteriaOf(group, definitions), pairs, count, ...(after && { after: { id: after.id, met: Number(after.keys[0]) } }) };
}

const pathOf = ({ type, id, operation }: FhirRequest): string => [type, id, `$${operation}`].filter((part) => part !== undefined).join('/');

/** A Group under the caller's Grant. */
export async function storedCriteria(reference: string, context: Context): Promise<Resource> {
  const [type = '', id = ''] = reference.split('/');
  if (type !== 'Group' || id === '') throw fail('invalid-parameter', { text: 'criteria is a reference to a Group of this server, such as Group/[id]', expression: 'criteria' });
  const group = await present(type, id, context);
  if (!isCriteria(group)) throw fail('unsupported-criterion', { text: `Group/${id} has no criteria: its characteristics are coded in ${BASE}/CodeSystem/criterion` });
  return group;
}

function sentCriteria(input: Input, context: Context): Promise<Resource> {
  const criteria = input.value('criteria');
  const group = input.resource<Resource>('group');
  if ((criteria === undefined) === (group === undefined)) throw fail('invalid-parameter', { text: 'Send criteria (a Group, or a Reference to one) or group (the Group itself), and not both', expression: 'criteria' });
  if (group) return Promise.resolve(group);
  return criteria?.['resourceType'] === 'Group' ? Promise.resolve(criteria as Resource) : storedCriteria(input.reference('criteria') ?? '', context);
}

async function answer(request: FhirRequest, context: Context, { definitions }: CandidatesParts, asked: Asked): Promise<FhirResponse> {
  const { grant, db, now } = context;
  const { found, total } = await candidates(asked.criteria, grant, { count: asked.count + 1, ...(asked.after && { after: asked.after }) }, { db, definitions, now });
  const shown = found.slice(0, asked.count);
  const last = found.length > shown.length ? shown.at(-1) : undefined;
  const matches = await resourcesOf(shown, weightOf(asked.criteria), context);
  const path = `${request.base}/${pathOf(request)}`;
  const links: Link[] = [{ relation: 'self', url: path }];
  if (last) links.push({ relation: 'next', url: `${path}?${PAGE}=${sealPlace({ type: pathOf(request), pairs: asked.pairs, after: { keys: [last.met], id: last.id } }, context.parts.pageSecret)}` });
  return { status: 200, body: searchsetText({ total, links, base: request.base, matches }) };
}

/** As the Grant shows them, in the order found; the score is the share of the weights that is met. */
async function resourcesOf(found: readonly Candidate[], all: number, { store, grant }: Context): Promise<readonly SearchEntry[]> {
  if (found.length === 0) return [];
  const page = await store.search(grant, { type: 'Patient', where: { kind: 'ids', ids: found.map(({ id }) => id) }, sort: [], count: found.length, includes: [], total: 'none', self: [] });
  const byId = new Map(page.matches.map((match) => [match.id, match]));
  return found.flatMap(({ id, met }) => {
    const match = byId.get(id);
    return match ? [{ ...match, score: all === 0 ? 1 : Math.round((met / all) * 10_000) / 10_000 }] : [];
  });
}
