// What the rows of a statement refer to: claims, payments, the records of acts, and the evidence of the claims
// (domain.md rulings 16 and 57).
import type { Definitions } from '../../definitions/model.js';
import { asText } from '../../fhir/elements.js';
import { exactJson } from '../../fhir/exact-json.js';
import { instantText } from '../../fhir/date-time.js';
import type { JsonObject } from '../../fhir/resource.js';
import { SUBSETTED } from '../../fhir/subsetted.js';
import { clauseSql } from '../../search/clause-sql.js';
import type { Grant } from '../../search/grant.js';
import { moneyOf } from '../ledger/money.js';
import type { StatementRow } from './statement-row.js';

export interface Referred {
  readonly type: string;
  readonly id: string;
  readonly text: string;
}

export interface Found extends Referred {
  /** The Grant shows it. */
  readonly seen: boolean;
}

/** What a row shows: the same one for each row of the same resource; without an id where the caller is shown of it what the row itself says. */
export interface Shown {
  readonly type: string;
  readonly id: string | undefined;
  readonly text: string;
}

export interface StatementResources {
  of(row: StatementRow): Shown;
  /** The text of the row's Claim as the caller may see it. */
  claimOf(row: StatementRow): string | undefined;
  /** Documents that the claims shown cite. */
  readonly evidence: readonly Referred[];
}

/** Of what was found for a page, what its rows show to the caller. */
export function statementResources(stored: readonly Found[], grant: Grant): StatementResources {
  const [claims, notices, acts] = [byId(stored, 'Claim', grant), byId(stored, 'PaymentNotice', grant), byId(stored, 'Provenance', grant)];
  const claimOf = (row: StatementRow): string | undefined => {
    const claim = claims.get(row.claim);
    return claim === undefined ? undefined : claim.seen ? claim.text : cut(row, JSON.parse(claim.text) as JsonObject);
  };
  return {
    // A payment's row shows the payment, a claim's the claim, and any other the record of the act.
    of(row) {
      const { claim, notice, provenance } = row;
      const one = notice !== undefined ? notices.get(notice) : claim !== undefined ? claims.get(claim) : acts.get(provenance);
      if (one?.seen) return one;
      const type = claim !== undefined ? 'Claim' : notice !== undefined ? 'PaymentNotice' : 'Provenance';
      return { type, id: undefined, text: claimOf(row) ?? cut(row, { resourceType: type }) };
    },
    claimOf,
    evidence: [...byId(stored, 'DocumentReference', grant).values()],
  };
}

/** Those of a type, as the caller may see them. */
function byId(stored: readonly Found[], type: string, grant: Grant): ReadonlyMap<string | undefined, Found> {
  const view = grant.view(type);
  const found = new Map<string | undefined, Found>();
  for (const one of stored) if (one.type === type) found.set(one.id, view && one.seen ? { ...one, text: view(one.text) } : one);
  return found;
}

/** Of a claim that several owners pay, each is shown the date, the provider and its own share (ruling 57). */
function cut({ at, amount }: StatementRow, { resourceType, created, provider }: JsonObject): string {
  const sum = { [resourceType === 'Claim' ? 'total' : 'amount']: moneyOf(amount) };
  return exactJson({ resourceType, meta: { tag: [SUBSETTED] }, created: asText(created) ?? instantText(at), ...(provider !== undefined && { provider }), ...sum });
}

/**
 * A SELECT of what the rows of the CTE `page` refer to: `head`, as `Claim/1 t` where the Grant shows it and `f` where not, and `res`. $6 is how
 * many rows that is, the last of which only tells that there are more. For a file the claim of a payment is there as well; and where a payment
 * may not be shown, since its row is told from its claim then. A file has no evidence.
 */
export function referredSql(definitions: Definitions, grant: Grant, values: unknown[], file: boolean): string {
  const seen = (type: string, of: string): string => {
    const clause = grant.rows(type);
    return clause.kind === 'all' ? 'true' : clause.kind === 'none' ? 'false' : `(${clauseSql(definitions, type, clause, 't', values, of)})`;
  };
  const select = (type: string, of: string, seenIn: string, more = ''): string =>
    `select '${type}/' || t.id || case when ${seenIn} then ' t' else ' f' end, t.res from fhir."${type}" t where t.id = any (array(${of})) ${more} and t.res is not null`;
  const bought = file || grant.rows('PaymentNotice').kind !== 'all' ? BOUGHT_OR_PAID : BOUGHT;
  return [
    select('Claim', bought, seen('Claim', bought)),
    select('PaymentNotice', PAID, seen('PaymentNotice', PAID)),
    // Who may see a budget may know what was done with it, by whom and why.
    select('Provenance', DONE, 'true'),
    ...(file ? [] : [select('DocumentReference', CITED, 'true', `and ${seen('DocumentReference', CITED)}`)]),
  ].join(' union all ');
}

const BOUGHT_OR_PAID = 'select claim from page where claim is not null';
const BOUGHT = `${BOUGHT_OR_PAID} and notice is null`;
const PAID = 'select notice from page where notice is not null';
const DONE = 'select provenance from page where claim is null and notice is null and provenance is not null';
const DOCUMENT = 'DocumentReference/';
const CITED = `select substr(split_part(f, ' ', 1), ${DOCUMENT.length + 1}) from fhir."Claim" c, unnest(c.refs) f
  where c.id = any (array(select claim from (select * from page order by at, account, number limit $6 - 1) p where claim is not null and notice is null)) and starts_with(f, '${DOCUMENT}')`;
