// The rows of a statement as lines of CSV.
import type { StatementResources } from '../../budgets/statement/statement-resources.js';
import type { StatementRow } from '../../budgets/statement/statement-row.js';
import type { CsvCell } from '../../fhir/csv.js';
import { poundsText } from '../../fhir/decimal.js';
import { asObject, asObjects, asText, codingsOf } from '../../fhir/elements.js';
import { londonDate } from '../../fhir/london.js';
import type { JsonObject } from '../../fhir/resource.js';

export const STATEMENT_HEAD = ['date', 'kind', 'line', 'description', 'provider', 'amount', 'balance', 'claim', 'notice'] as const;

export function statementCells(row: StatementRow, resources: StatementResources): readonly CsvCell[] {
  const text = resources.claimOf(row);
  const claim = text === undefined ? undefined : (JSON.parse(text) as JsonObject);
  const act = claim || row.provenance === undefined ? undefined : (JSON.parse(resources.of(row).text) as JsonObject);
  return [
    londonDate(row.at), row.kind, row.line,
    claim ? boughtText(claim) : actText(act), claim && partyText(claim['provider']),
    { written: poundsText(row.amount) }, { written: poundsText(row.balance) },
    claim?.['id'] === undefined ? undefined : row.claim,
    row.notice !== undefined && resources.of(row).type === 'PaymentNotice' && resources.of(row).id !== undefined ? row.notice : undefined,
  ];
}

/** What was bought, item by item. */
const boughtText = (claim: JsonObject): string => asObjects(claim['item']).map(({ productOrService }) => conceptText(productOrService)).filter((text) => text !== '').join('; ');

function conceptText(concept: unknown): string {
  const [coding] = asObjects(asObject(concept)?.['coding']);
  return asText(asObject(concept)?.['text']) ?? asText(coding?.['display']) ?? codingsOf(concept)[0]?.code ?? '';
}

function partyText(reference: unknown): string | undefined {
  const party = asObject(reference);
  return asText(party?.['display']) ?? asText(party?.['reference']);
}

/** `adjust-allocation: needs have grown`. */
function actText(act: JsonObject | undefined): string | undefined {
  const [reason] = asObjects(act?.['reason']);
  const parts = [asText(asObject(act?.['activity'])?.['text']), asText(reason?.['text'])].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(': ');
}
