// The StructureDefinitions that are in the store, as validation asks for them.
import type { Resource } from '../../fhir/resource.js';
import type { Definitions } from '../../definitions/model.js';
import { serverGrant } from '../../search/grant.js';
import type { WriteRule } from '../../store/rule.js';
import type { Store } from '../../store/store.js';
import type { ProfileChecker } from '../../validation/profile-checker.js';
import type { FetchProfiles } from '../../validation/profile-source.js';

/** Definitions are public knowledge: every caller's resources are judged by all of them. */
const GRANT = serverGrant();

/** Versions of one profile that are looked at. */
const MOST_OF_ONE_URL = 20;

export function fetchProfiles(store: Pick<Store, 'search'>, definitions: Definitions): FetchProfiles {
  return async (url) => {
    const parameter = definitions.searchParameters('StructureDefinition').get('url');
    if (!parameter) throw new Error('StructureDefinition has no search parameter url');
    // A backslash keeps `$`, `,` and `|` from being read as punctuation of a search.
    const text = url.replace(/[\\$,|]/g, '\\$&');
    const { matches } = await store.search(GRANT, {
      type: 'StructureDefinition', where: { kind: 'parameter', parameter, values: [{ text }] }, sort: [], count: MOST_OF_ONE_URL, includes: [], total: 'none', self: [],
    });
    return matches.map((match) => JSON.parse(match.text) as Resource).filter((one) => one['status'] !== 'retired');
  };
}

/** Profiles that are posted are used at once. */
export function createDefinitionRule(profiles: Pick<ProfileChecker, 'definitionChanges'>): WriteRule {
  return {
    concerns: ({ type }) => type === 'StructureDefinition',
    after: () => {
      profiles.definitionChanges();
      return Promise.resolve();
    },
  };
}
