// The code systems, value sets and concept maps that are in the store, as terminology asks for them.
import type { Definitions } from '../../definitions/model.js';
import { serverGrant } from '../../search/grant.js';
import type { WriteRule } from '../../store/rule.js';
import type { Store } from '../../store/store.js';
import type { CodeAnswers } from '../../terminology/code-answers.js';
import type { FindStored } from '../../terminology/sources.js';

/** Definitions are public knowledge: every caller may be answered from all of them. */
const GRANT = serverGrant();

const MOST_OF_ONE_URL = 100;

export function findStored(store: Pick<Store, 'search'>, definitions: Definitions): FindStored {
  return async (type, code, value) => {
    const parameter = definitions.searchParameters(type).get(code);
    if (!parameter) throw new Error(`${type} has no search parameter ${code}`);
    // A backslash keeps `$`, `,` and `|` from being read as punctuation of a search.
    const text = value.replace(/[\\$,|]/g, '\\$&');
    const { matches } = await store.search(GRANT, {
      type, where: { kind: 'parameter', parameter, values: [{ text }] }, sort: [], count: MOST_OF_ONE_URL, includes: [], total: 'none', self: [],
    });
    return matches.map(({ id, text: stored }) => ({ id, text: stored }));
  };
}

/** Code systems and value sets that are posted, changed or deleted count at once. */
export function createTerminologyRule(answers: Pick<CodeAnswers, 'distrust'>): WriteRule {
  return {
    concerns: ({ type }) => type === 'CodeSystem' || type === 'ValueSet',
    after: () => {
      answers.distrust();
      return Promise.resolve();
    },
  };
}
