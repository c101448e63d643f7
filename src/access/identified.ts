// Whom does a business identifier name? For tokens of issuers that know people by their NHS number or their role profile.
import type { Definitions } from '../definitions/model.js';
import { serverGrant } from '../search/grant.js';
import type { Reader } from '../store/store.js';
import { createClauses } from './clauses.js';

/** The logical id of the one resource of a type with this identifier; undefined where there is none, or more than one. */
export type FindIdentified = (type: string, system: string, value: string) => Promise<string | undefined>;

export function createFindIdentified(definitions: Definitions, store: () => Pick<Reader, 'search'>): FindIdentified {
  const clauses = createClauses(definitions);
  return async (type, system, value) => {
    const where = clauses.coded(type, 'identifier', `${system}|${value.replace(/[\\,|$]/g, '\\$&')}`);
    const { matches: [only, ...others] } = await store().search(serverGrant(), { type, where, sort: [], count: 2, includes: [], total: 'none', self: [] });
    return others.length > 0 ? undefined : only?.id;
  };
}
