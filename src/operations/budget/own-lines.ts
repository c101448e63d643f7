// The lines of a budget that a third party is shown: those that it holds (domain.md ruling 35).
import { odsCodesOf } from '../../budgets/referred.js';
import type { BudgetLine } from '../../budgets/ledger/totals.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';

/** Those whose holder is the organisation of the caller's token. */
export async function ownLines(lines: readonly BudgetLine[], { store, grant }: Context): Promise<readonly BudgetLine[]> {
  const { organization } = grant.caller;
  const own = new Set<string>();
  for (const holder of new Set(lines.flatMap((line) => line.holder ?? []))) {
    const [type = '', id = ''] = holder.split('/');
    const found = type === 'Organization' ? await store.read(grant, type, id) : undefined;
    if (found?.text != null && organization !== undefined && odsCodesOf(JSON.parse(found.text) as Resource).includes(organization)) own.add(holder);
  }
  return lines.filter(({ holder }) => holder !== undefined && own.has(holder));
}
