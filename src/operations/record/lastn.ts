// Observation/$lastn: the latest observations of a patient, some of each code. https://hl7.org/fhir/R4/observation-operation-lastn.html
import { searchsetText } from '../../fhir/bundle.js';
import { asObject, asText, codingsOf } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { outcomeText } from '../../fhir/outcome.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { readListed } from '../../interactions/listed-search.js';
import { patientsOfRows, readSubset, subsetOf } from '../../interactions/subset.js';
import { selfUrl } from '../../search/search-request.js';
import type { Cursor, Query } from '../../search/query.js';
import type { Found } from '../../store/store.js';
import type { Operation } from '../operation.js';
import { OPERATION } from '../terminology/terminology-parts.js';

const PAGE = 1000;
/** Observations that are gone through: those of one person over decades. */
const MOST = 50_000;
const LARGEST_MAX = 1000;

/** Whoever is asked about; by a modifier or at the end of a chain as well. */
const SUBJECT = /^(?:patient|subject)(?:[.:]|$)/;
/** What says how to give a page of a search, which this is not. */
const NOT_HERE: ReadonlySet<string> = new Set(['_sort', '_count', '_include', '_revinclude', '_total', '_explain']);

export function createLastnOperation(): Operation {
  return {
    code: 'lastn',
    definition: `${OPERATION}/Observation-lastn`,
    system: false,
    types: ['Observation'],
    instances: [],
    affectsState: false,
    async handle(request, context) {
      if (!context.grant.allows('search', 'Observation')) throw fail('forbidden', { text: `The role ${context.grant.caller.role} may not search Observation` });
      const sent = [...request.query, ...bodyPairs(request)];
      const max = readMax(sent.filter(([name]) => name === 'max').map(([, value]) => value));
      const pairs = sent.filter(([name]) => name !== 'max');
      if (!pairs.some(([name]) => SUBJECT.test(name))) throw fail('invalid-parameter', { text: '$lastn is asked about somebody: name them by patient or subject', expression: 'patient' });
      const refused = pairs.find(([name]) => NOT_HERE.has(name.split(':', 1)[0] ?? ''));
      if (refused) throw fail('unknown-parameter', { text: `$lastn does not take ${refused[0].slice(0, 64)}: it gives the latest of each code at once`, expression: refused[0].slice(0, 64) });
      const { query, warnings } = await readListed({ ...request, query: pairs }, context, 'Observation', [...pairs, ['_sort', '-date']]);
      const matches = await latest(query, max, context);
      const subset = readSubset(context.parts.definitions, pairs);
      const rows = { matches, includes: [] };
      const links = [{ relation: 'self' as const, url: selfUrl(request, sent) }];
      const outcome = warnings.length > 0 ? { outcome: outcomeText(warnings) } : {};
      return { status: 200, body: searchsetText({ total: matches.length, links, base: request.base, ...subsetOf(subset, rows), ...outcome }), ...(subset && { about: patientsOfRows(rows) }) };
    },
  };
}

/** Search parameters that came in a Parameters resource, each by its name. */
function bodyPairs({ body }: FhirRequest): readonly (readonly [string, string])[] {
  if (!body) return [];
  const { resourceType, parameter } = body.value;
  if (resourceType !== 'Parameters' || (parameter !== undefined && !Array.isArray(parameter))) throw fail('wrong-resource-type', { text: '$lastn takes its parameters in a Parameters resource', expression: 'resourceType' });
  return ((parameter ?? []) as unknown[]).map((one) => {
    const members = asObject(one) ?? {};
    const value = Object.entries(members).find(([member]) => member.startsWith('value'))?.[1];
    const text = asText(value) ?? asText(asObject(value)?.['reference']) ?? (typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined);
    const name = asText(members['name']);
    if (name === undefined || text === undefined) throw fail('invalid-parameter', { text: 'Each parameter of $lastn has a name and, as a string, the value of a search parameter', expression: 'Parameters.parameter' });
    return [name, text] as const;
  });
}

function readMax(values: readonly string[]): number {
  const [value = '1', another] = values;
  if (another !== undefined || !/^[1-9]\d{0,8}$/.test(value)) throw fail('invalid-parameter', { text: 'max is a whole number from 1, given once', expression: 'max' });
  return Math.min(Number(value), LARGEST_MAX);
}

/** Group after group, the one with the latest first; within each the latest first. */
async function latest(query: Query, max: number, { store, grant }: Context): Promise<readonly Found[]> {
  const groups = new Groups(max);
  let after: Cursor | undefined;
  for (let seen = 0; ; seen += PAGE) {
    if (seen >= MOST) throw fail('too-costly', { text: `More than ${MOST} observations meet the criteria: name a category, a code or a date` });
    const page = await store.search(grant, { ...query, count: PAGE, total: 'none', ...(after && { after }) });
    for (const found of page.matches) groups.add(found);
    if (!page.next) return groups.all();
    after = page.next;
  }
}

class Groups {
  private readonly byCode = new Map<string, Found[]>();
  private readonly groups = new Set<Found[]>();

  constructor(private readonly max: number) {}

  /** Codes are the same where any of their codings is. */
  add(found: Found): void {
    const keys = codeKeys(found.text);
    const group = keys.map((key) => this.byCode.get(key)).find((known) => known !== undefined) ?? [];
    this.groups.add(group);
    for (const key of keys) if (!this.byCode.has(key)) this.byCode.set(key, group);
    if (group.length < this.max) group.push(found);
  }

  all(): readonly Found[] {
    return [...this.groups].flat();
  }
}

function codeKeys(text: string): readonly string[] {
  const { code } = JSON.parse(text) as Resource;
  const codings = codingsOf(code).flatMap((coding) => (coding.code === undefined ? [] : [JSON.stringify([coding.system, coding.code])]));
  return codings.length > 0 ? codings : [JSON.stringify(asText(asObject(code)?.['text'])?.trim().toLowerCase() ?? null)];
}
