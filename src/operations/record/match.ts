// Patient/$match: who of those held here is the person described. https://hl7.org/fhir/R4/patient-operation-match.html
// Candidates are those who share enough with the description to be found by an index; each is then compared with it in full.
import { searchsetText } from '../../fhir/bundle.js';
import type { Definitions } from '../../definitions/model.js';
import { asObjects, asText } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Issue } from '../../fhir/issue.js';
import { outcomeText } from '../../fhir/outcome.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { readCriterion } from '../../search/criterion.js';
import { selfUrl } from '../../search/search-request.js';
import type { Found } from '../../store/store.js';
import { readInput } from '../input.js';
import { families, givens, scoreOf, type Grade } from './match-score.js';
import type { Operation } from '../operation.js';
import { OPERATION } from '../terminology/terminology-parts.js';

const INPUT = { resource: 'Patient', onlyCertainMatches: 'boolean', count: 'count' } as const;

/** Given where the caller does not say. */
const USUAL_COUNT = 20;
/** Criteria that are tried, and candidates that each may find. */
const MOST_BLOCKS = 24;
const MOST_OF_BLOCK = 100;

interface Match extends Found {
  readonly score: number;
  readonly grade: Grade;
}

export function createMatchOperation({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): Operation {
  return {
    code: 'match',
    definition: `${OPERATION}/Patient-match`,
    system: false,
    types: ['Patient'],
    instances: [],
    affectsState: false,
    async handle(request, context) {
      if (!context.grant.allows('search', 'Patient')) throw fail('forbidden', { text: `The role ${context.grant.caller.role} may not search Patient` });
      const input = readInput(request, INPUT, validate);
      const asked = input.resource<JsonObject>('resource');
      if (!asked) throw fail('invalid-parameter', { text: 'Send the Patient to look for as the parameter resource', expression: 'resource' });
      const { candidates, cut } = await candidatesOf(asked, context);
      const matches = candidates.flatMap((found) => matchOf(asked, found)).sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
      const shown = input.flag('onlyCertainMatches') === true ? theCertain(matches) : matches;
      return { status: 200, body: bundleOf(request, shown.slice(0, input.count('count') ?? USUAL_COUNT), shown.length, [...(cut ? [CUT] : []), ...leftOut(matches, shown)]) };
    },
  };
}

/** One who is certain, beside whom nobody else is. */
function theCertain(matches: readonly Match[]): readonly Match[] {
  const certain = matches.filter(({ grade }) => grade === 'certain');
  return certain.length === 1 ? certain : [];
}

const CUT: Issue = { severity: 'warning', code: 'incomplete', text: 'Many share what was sent, and not all of them were compared: send more, such as an identifier, a postal code or a telephone number' };

function leftOut(matches: readonly Match[], shown: readonly Match[]): readonly Issue[] {
  const count = matches.length - shown.length;
  return count === 0 ? [] : [{ severity: 'information', code: 'informational', text: `${count} possible ${count === 1 ? 'match is' : 'matches are'} left out, since only a certain one was asked for` }];
}

function bundleOf(request: FhirRequest, matches: readonly Match[], total: number, said: readonly Issue[]): string {
  const outcome = said.length > 0 ? { outcome: outcomeText(said) } : {};
  return searchsetText({ total, links: [{ relation: 'self', url: selfUrl(request, []) }], base: request.base, matches, ...outcome });
}

/** Nothing for a record that another one has taken the place of: its person is found there. */
function matchOf(asked: JsonObject, found: Found): readonly Match[] {
  const held = JSON.parse(found.text) as JsonObject;
  if (asObjects(held['link']).some(({ type }) => type === 'replaced-by')) return [];
  const { score, grade } = scoreOf(asked, held);
  return grade === undefined ? [] : [{ ...found, score, grade }];
}

async function candidatesOf(asked: JsonObject, context: Context): Promise<{ candidates: readonly Found[]; cut: boolean }> {
  const blocks = blocksOf(asked);
  if (blocks.length === 0) throw fail('invalid-parameter', { text: 'That is too little to look for: send an identifier, a telephone number or an e-mail address, or two of family name, given name, birth date and postal code', expression: 'resource' });
  const found = new Map<string, Found>();
  let cut = false;
  for (const block of blocks.slice(0, MOST_BLOCKS)) {
    const page = await search(block, context);
    for (const one of page.matches) found.set(one.id, one);
    cut ||= page.next !== undefined;
  }
  return { candidates: [...found.values()], cut };
}

function search(block: Block, { parts: { definitions }, store, grant, now }: Context) {
  const where = { kind: 'and', of: block.map(([name, value]) => clauseOf(name, value, definitions, now)) } as const;
  return store.search(grant, { type: 'Patient', where, sort: [], count: MOST_OF_BLOCK, includes: [], total: 'none', self: [] });
}

function clauseOf(name: string, value: string, definitions: Definitions, now: number) {
  const clause = readCriterion({ definitions, base: '', types: definitions.resourceTypes, now }, 'Patient', name, value);
  if (!clause) throw new Error(`Patient has a search parameter ${name}`);
  return clause;
}

/** Search parameters and their values, all of which a candidate meets. */
type Block = readonly (readonly [name: string, value: string])[];

/** What two records of one person have in common where one of them has an error: each pair of traits is tried. */
function blocksOf(patient: JsonObject): readonly Block[] {
  const birthDate = asText(patient['birthDate']);
  const family = families(patient).map((value) => ['family', escaped(value)] as const);
  const given = givens(patient).map((value) => ['given', escaped(value)] as const);
  const born = birthDate === undefined ? [] : [['birthdate', birthDate] as const];
  const places = asObjects(patient['address']).flatMap(({ postalCode }) => (typeof postalCode === 'string' ? [['address-postalcode', escaped(postalCode)] as const] : []));
  return [...alone(patient), ...pairs(family, born), ...pairs(family, given), ...pairs(given, born), ...pairs(family, places), ...pairs(born, places), ...pairs(given, places)];
}

/** What one person alone has. */
function alone(patient: JsonObject): readonly Block[] {
  const identifiers = asObjects(patient['identifier']).flatMap(({ system, value }): Block[] => {
    const text = asText(value);
    if (text === undefined) return [];
    const within = asText(system);
    return [[['identifier', within === undefined ? escaped(text) : `${escaped(within)}|${escaped(text)}`]]];
  });
  const numbers = asObjects(patient['telecom']).flatMap(({ value }): Block[] => (typeof value === 'string' ? [[['telecom', escaped(value)]]] : []));
  return [...identifiers, ...numbers];
}

const pairs = (some: Block, others: Block): readonly Block[] => some.flatMap((one) => others.map((other) => [one, other]));

const escaped = (text: string): string => text.replaceAll(/[\\,|$]/g, String.raw`\$&`);
