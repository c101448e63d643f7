// `_explain`: how a search would be answered, for administrators: the SQL, its values and the plan of PostgreSQL, as Parameters.
import { fail } from '../fhir/errors.js';
import type { FhirResponse } from '../fhir/request.js';
import type { Query } from '../search/query.js';
import type { Context } from './context.js';

/** One parameter `search` for each type that would be searched. Throws 403 for a caller who is no administrator: values and plan tell of what others store. */
export async function explained(queries: readonly Query[], { grant, store }: Pick<Context, 'grant' | 'store'>): Promise<FhirResponse> {
  if (grant.caller.role !== 'admin' || grant.scoped) throw fail('forbidden', { text: 'Only an administrator whose scopes leave no rows out may ask how a search is answered: leave _explain out', expression: '_explain' });
  const parameter: object[] = [];
  for (const query of queries) {
    const { sql, values, plan } = await store.explain(grant, query);
    parameter.push({
      name: 'search',
      part: [
        { name: 'type', valueCode: query.type },
        { name: 'sql', valueString: sql },
        ...values.map((value) => ({ name: 'value', valueString: value })),
        { name: 'plan', valueString: plan },
      ],
    });
  }
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', ...(parameter.length > 0 && { parameter }) }) };
}
