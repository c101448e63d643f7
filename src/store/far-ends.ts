// What a chain leads to that no row of the index joins: resources that stand inside the one that refers to them, and those that are named by their
// canonical URL. They are looked for before the search, which then asks for what was found, too. https://hl7.org/fhir/R4/search.html#contained
import type { Queryable } from '../db/database.js';
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { compilePath } from '../fhirpath/compile-path.js';
import type { CompiledPath } from '../fhirpath/model.js';
import { askedSlot } from '../search/clause.js';
import { containedStatement } from '../search/contained.js';
import type { Grant } from '../search/grant.js';
import type { Clause, Query } from '../search/query.js';
import { slotsOf, type Slot } from '../search/slots.js';
import { canonicalPath, isNamed, resourceOf } from './canonical-includes.js';
import type { Found, SearchPage } from './store.js';

/** What a chain may lead to so: each is asked for by its id, or by its URL. */
const MOST = 1000;

interface Looking {
  readonly db: Queryable;
  readonly definitions: Definitions;
  readonly grant: Grant;
  /** Searches under the same Grant, and gives what the caller is shown. */
  readonly search: (query: Query) => Promise<SearchPage>;
}

type Of<K extends Clause['kind']> = Extract<Clause, { kind: K }>;

/** Is there anything to look for? */
export function leadsFar(clause: Clause): boolean {
  switch (clause.kind) {
    case 'chain':
    case 'has': return true;
    case 'and':
    case 'or': return clause.of.some(leadsFar);
    case 'not': return leadsFar(clause.of);
    default: return false;
  }
}

/** The same clause with other ends of its chains beside those that the index joins. */
export async function withFarEnds(looking: Looking, type: string, clause: Clause): Promise<Clause> {
  switch (clause.kind) {
    case 'and':
    case 'or': return { ...clause, of: await eachInTurn(clause.of, (part) => withFarEnds(looking, type, part)) };
    case 'not': return { ...clause, of: await withFarEnds(looking, type, clause.of) };
    case 'chain': {
      const chain = { ...clause, where: await withFarEnds(looking, clause.type, clause.where) };
      const far = [...await held(looking, type, chain), ...await named(looking, type, clause)];
      return either([chain, ...far.map((found) => permitted(looking.grant, type, clause.parameter.code, found))]);
    }
    case 'has': {
      const has = { ...clause, where: await withFarEnds(looking, clause.type, clause.where) };
      return either([has, ...await naming(looking, type, clause)]);
    }
    default: return clause;
  }
}

/** Of the rows of which the Grant lets criteria by the parameter hold. */
function permitted(grant: Grant, type: string, code: string, where: Clause): Clause {
  const except = grant.except(type, code);
  return except ? { kind: 'and', of: [where, { kind: 'not', of: except }] } : where;
}

/** One connection answers one question at a time. */
async function eachInTurn(clauses: readonly Clause[], make: (clause: Clause) => Promise<Clause>): Promise<readonly Clause[]> {
  const made: Clause[] = [];
  for (const clause of clauses) made.push(await make(clause));
  return made;
}

const either = (of: readonly Clause[]): Clause => (of.length === 1 && of[0] ? of[0] : { kind: 'or', of });

interface Candidate {
  readonly container: string;
  readonly version: string | number;
  readonly local: string;
}

/** Resources that refer, by the chain's parameter, to one inside themselves that satisfies it; seen as the caller sees them. */
async function held({ db, definitions, grant, search }: Looking, type: string, { parameter, type: inner, where }: Of<'chain'>): Promise<readonly Clause[]> {
  const slot = askedSlot({ definitions, grant }, type, parameter.code);
  if (grant.rows(inner).kind === 'none') return [];
  const { rows } = await db.query<Candidate>(containedStatement(definitions, { ...plain(inner, where) }, grant, MOST + 1, type));
  if (rows.length > MOST) throw tooMany(parameter.code, `${inner} resources inside others`);
  if (rows.length === 0) return [];
  const containers = new Map<string, Found>();
  const ids = [...new Set(rows.map(({ container }) => container))];
  for (const found of (await search({ ...plain(type, { kind: 'ids', ids }), count: ids.length })).matches) containers.set(found.id, found);
  const found = rows.filter(({ container, version, local }) => refersInside(definitions, slot, containers.get(container), String(version), local));
  return found.length === 0 ? [] : [{ kind: 'ids', ids: [...new Set(found.map(({ container }) => container))] }];
}

/** Does what the caller is shown of this version refer to the contained resource, and hold it? */
function refersInside(definitions: Definitions, slot: Slot, found: Found | undefined, version: string, local: string): boolean {
  if (!found) return false;
  const resource = resourceOf(found.text);
  const { contained = [], meta } = resource as { readonly contained?: readonly { readonly id?: unknown }[]; readonly meta?: { readonly versionId?: unknown } };
  if (meta?.versionId !== version || !contained.some(({ id }) => id === local)) return false;
  let refers = false;
  pathOf(definitions, slot)(resource, (_type, value) => {
    refers ||= (value as { readonly reference?: unknown } | null)?.reference === `#${local}`;
  });
  return refers;
}

const paths = new WeakMap<Slot, CompiledPath>();

function pathOf(definitions: Definitions, slot: Slot): CompiledPath {
  const known = paths.get(slot) ?? compilePath(slot.parameter.expression ?? '', slot.type, definitions);
  paths.set(slot, known);
  return known;
}

/** What names, by the chain's parameter, the URL of a resource that satisfies it: with its version, or with none. */
async function named({ definitions, grant, search }: Looking, type: string, { parameter, type: target, where }: Of<'chain'>): Promise<readonly Clause[]> {
  const slot = askedSlot({ definitions, grant }, type, parameter.code);
  if (canonicalPath(definitions, slot) === undefined || !hasUrl(definitions, target)) return [];
  const found = await all(search, plain(target, where), slot, target);
  const forms = found.flatMap(({ text }) => {
    const { url, version } = resourceOf(text) as { readonly url?: unknown; readonly version?: unknown };
    return typeof url !== 'string' ? [] : [{ url, whole: typeof version === 'string' ? `${url}|${version}` : url }];
  });
  if (forms.length === 0) return [];
  const asked = await all(search, plain(type, valueOf(slot, forms.map(({ url }) => url))), slot, type);
  const wanted = new Set(forms.flatMap(({ url, whole }) => [url, whole]));
  const ids = asked.filter(({ text }) => namesOf(definitions, slot, text).some((name) => wanted.has(name))).map(({ id }) => id);
  return ids.length === 0 ? [] : [{ kind: 'ids', ids }];
}

/** The other way: what the found resources name by its URL. */
async function naming({ definitions, grant, search }: Looking, type: string, { parameter, type: source, where }: Of<'has'>): Promise<readonly Clause[]> {
  const slot = askedSlot({ definitions, grant }, source, parameter.code);
  const url = hasUrl(definitions, type) ? askedSlot({ definitions, grant }, type, 'url') : undefined;
  if (!url || canonicalPath(definitions, slot) === undefined) return [];
  const names = new Set((await all(search, plain(source, permitted(grant, source, slot.code, where)), slot, source)).flatMap(({ text }) => namesOf(definitions, slot, text)));
  if (names.size === 0) return [];
  const urls = [...new Set([...names].map((name) => name.split('|', 1)[0] ?? ''))];
  const found = await all(search, plain(type, { kind: 'parameter', parameter: url.parameter, values: urls.map((text) => ({ text })) }), url, type);
  const ids = found.filter(({ text }) => isNamed(names, text)).map(({ id }) => id);
  return ids.length === 0 ? [] : [{ kind: 'ids', ids }];
}

const hasUrl = (definitions: Definitions, type: string): boolean => slotsOf(definitions, type).byCode.get('url')?.parameter.type === 'uri';

const valueOf = ({ parameter }: Slot, urls: readonly string[]): Clause => ({ kind: 'parameter', parameter, values: [...new Set(urls)].map((text) => ({ text, parts: [{ text }] })) });

function namesOf(definitions: Definitions, slot: Slot, text: string): readonly string[] {
  const names: string[] = [];
  canonicalPath(definitions, slot)?.(resourceOf(text), (_type, value) => {
    if (typeof value === 'string' && value.includes(':')) names.push(value);
  });
  return names;
}

async function all(search: Looking['search'], query: Query, { code }: Slot, type: string): Promise<readonly Found[]> {
  const { matches, next } = await search(query);
  if (next) throw tooMany(code, `${type} resources`);
  return matches;
}

const tooMany = (code: string, what: string): Error => fail('too-costly', { text: `The chain leads along ${code} to more than ${MOST} ${what}: narrow it`, expression: code });

const plain = (type: string, where: Clause): Query => ({ type, where, sort: [], count: MOST, includes: [], total: 'none', self: [] });
