// One page of a search: the statement is search's, the rows and where to go on are told here. https://hl7.org/fhir/R4/search.html
import { inUsualOrder } from '../search/along-targets.js';
import { cursorOf, searchStatement } from '../search/compile.js';
import { USUAL_LIMITS } from '../search/limits.js';
import type { PackedRow } from '../search/packed-page.js';
import type { Grant } from '../search/grant.js';
import type { Query } from '../search/query.js';
import type { FrequencyOf } from '../search/token-frequency.js';
import { canonicalIncludes } from './canonical-includes.js';
import { countOf, estimateOf } from './search-total.js';
import type { SearchPage } from './store.js';
import type { Ground } from './visible-rows.js';

export async function searchPage(ground: Ground, frequencyOf: FrequencyOf, grant: Grant, asked: Query): Promise<SearchPage> {
  const query = inUsualOrder({ definitions: ground.definitions, frequencyOf }, asked);
  if (grant.rows(query.type).kind === 'none') return { matches: [], includes: [], ...(asksTotal(query) && { total: 0 }) };
  if (query.count === 0) return { matches: [], includes: [], total: await total(ground, frequencyOf, grant, query, 0) };
  const statement = searchStatement(ground.definitions, query, grant, frequencyOf);
  const rows = statement.read((await ground.db.query<PackedRow>(statement)).rows);
  const found = query.includes.length === 0 ? rows : rows.filter(({ type }) => type === undefined);
  const shown = found.slice(0, query.count);
  const last = found.length > shown.length ? shown.at(-1) : undefined;
  const { mostIncluded = USUAL_LIMITS.included } = query;
  const included = rows.slice(found.length);
  const matches = shown.map(({ id, res }) => ({ type: query.type, id, text: res }));
  const includes = included.slice(0, mostIncluded).map(({ type, id, res }) => ({ type: type ?? query.type, id, text: res }));
  if (query.includes.length > 0) {
    const looking = { definitions: ground.definitions, grant, search: (other: Query) => searchPage(ground, frequencyOf, grant, other) };
    includes.push(...await canonicalIncludes(looking, query, { matches, includes }));
  }
  return {
    matches,
    includes,
    ...(query.placed && { places: shown.map(cursorOf) }),
    ...(last && { next: cursorOf(last) }),
    ...(included.length > mostIncluded && { cut: true }),
    ...(asksTotal(query) && { total: last || query.after ? await total(ground, frequencyOf, grant, query, found.length) : found.length }),
  };
}

const asksTotal = ({ count, total: asked }: Query): boolean => count === 0 || asked !== 'none';

/**
 * `least`: so many have been seen already. Nothing but a number was asked of a count of 0, so it is the true one unless an estimate is what was asked for.
 * What the planner guesses it guesses from the values of all rows, so only who sees all of them is told.
 */
async function total(ground: Ground, frequencyOf: FrequencyOf, grant: Grant, query: Query, least: number): Promise<number> {
  const seesAll = grant.caller.role === 'admin' && !grant.scoped;
  if (query.total !== 'estimate' || !seesAll) return countOf(ground, frequencyOf, grant, query);
  return Math.max(least, await estimateOf(ground, frequencyOf, grant, query));
}
