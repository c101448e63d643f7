// What the rows of a statement refer to: claims, payments, the records of acts, and the evidence of the claims
// (domain.md rulings 16 and 57).
import type { Definitions } from '../definitions/model.js';
import { asText } from '../fhir/elements.js';
import { exactJson } from '../fhir/exact-json.js';
import { instantText } from '../fhir/date-time.js';
import type { JsonObject } from '../fhir/resource.js';
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { moneyOf } from './money.js';
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

export interface StatementResources {
  /** The resource that a row shows; without an id where the caller is shown of it what the row itself says. */
  of(row: StatementRow): { readonly type: string; readonly id: string | undefined; readonly text: string };
  /** The text of the row's Claim as the caller may see it. */
  claimOf(row: StatementRow): string | undefined;
  /** Documents that the claims cite. */
  readonly evidence: readonly Referred[];
}

const SUBSETTED = { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] };

/** Of what was found for a page, what its rows show to the caller. */
export function statementResources(stored: readonly Found[], grant: Grant): StatementResources {
  const found = stored.map((one) => viewed(one, grant));
  const byName = new Map(found.map((one) => [`${one.type}/${one.id}`, one]));
  const claimOf = (row: StatementRow): string | undefined => {
    const claim = byName.get(`Claim/${row.claim}`);
    return claim === undefined ? undefined : claim.seen ? claim.text : cut(row, JSON.parse(claim.text) as JsonObject);
  };
  return {
    of(row) {
      const [type, id = ''] = nameOf(row);
      const one = byName.get(`${type}/${id}`);
      if (one?.seen) return one;
      return { type: row.claim === undefined ? type : 'Claim', id: undefined, text: claimOf(row) ?? cut(row, { resourceType: type }) };
    },
    claimOf,
    evidence: found.filter(({ type }) => type === 'DocumentReference'),
  };
}

/** A payment's row shows the payment, a claim's the claim, and any other the record of the act. */
function nameOf({ claim, notice, provenance }: StatementRow): readonly [string, string | undefined] {
  return notice !== undefined ? ['PaymentNotice', notice] : claim !== undefined ? ['Claim', claim] : ['Provenance', provenance];
}

/** Of a claim that several owners pay, each is shown the date, the provider and its own share (ruling 57). */
function cut({ at, amount }: StatementRow, { resourceType, created, provider }: JsonObject): string {
  const sum = { [resourceType === 'Claim' ? 'total' : 'amount']: moneyOf(amount) };
  return exactJson({ resourceType, meta: SUBSETTED, created: asText(created) ?? instantText(at), ...(provider !== undefined && { provider }), ...sum });
}

const DOCUMENT = 'DocumentReference/';

/** A SELECT of what the rows of the CTE `shown` refer to: `head`, as `Claim/1 t` where the Grant shows it and `f` where not, and `res`. */
export function referredSql(definitions: Definitions, grant: Grant, values: unknown[]): string {
  const seen = (type: string, of: string): string => {
    const clause = grant.rows(type);
    return clause.kind === 'all' ? 'true' : clause.kind === 'none' ? 'false' : `(${clauseSql(definitions, type, clause, 't', values, of)})`;
  };
  const select = (type: string, of: string, seenIn: string, more = ''): string =>
    `select '${type}/' || t.id || case when ${seenIn} then ' t' else ' f' end, t.res from fhir."${type}" t where t.id = any (array(${of})) ${more} and t.res is not null`;
  const claims = 'select claim from shown where claim is not null';
  const notices = 'select notice from shown where notice is not null';
  const acts = 'select provenance from shown where claim is null and notice is null and provenance is not null';
  const cited = `select substr(split_part(f, ' ', 1), ${DOCUMENT.length + 1}) from fhir."Claim" c, unnest(c.refs) f where c.id = any (array(${claims})) and starts_with(f, '${DOCUMENT}')`;
  return [
    select('Claim', claims, seen('Claim', claims)),
    select('PaymentNotice', notices, seen('PaymentNotice', notices)),
    // Who may see a budget may know what was done with it, by whom and why.
    select('Provenance', acts, 'true'),
    select('DocumentReference', cited, 'true', `and ${seen('DocumentReference', cited)}`),
  ].join(' union all ');
}

function viewed(one: Found, grant: Grant): Found {
  const view = one.seen ? grant.view(one.type) : undefined;
  return view ? { ...one, text: view(one.text) } : one;
}
