// What the rows of a statement refer to, in one round trip: claims, payments, the records of acts, and the evidence of the claims
// (domain.md rulings 16 and 57).
import { asText } from '../fhir/elements.js';
import { exactJson } from '../fhir/exact-json.js';
import { instantText } from '../fhir/date-time.js';
import type { JsonObject } from '../fhir/resource.js';
import { clauseSql } from '../search/clause-sql.js';
import type { Grant } from '../search/grant.js';
import { statementName } from '../search/statement-name.js';
import type { Ground } from '../store/visible-rows.js';
import { moneyOf } from './money.js';
import type { StatementRow } from './statement.js';

export interface Referred {
  readonly type: string;
  readonly id: string;
  readonly text: string;
}

interface Found extends Referred {
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

export async function statementResources(ground: Ground, grant: Grant, rows: readonly StatementRow[]): Promise<StatementResources> {
  const found = await find(ground, grant, rows);
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

async function find({ db, definitions }: Ground, grant: Grant, rows: readonly StatementRow[]): Promise<Found[]> {
  if (rows.length === 0) return [];
  const ids = (of: (row: StatementRow) => string | undefined): string[] => [...new Set(rows.flatMap((row) => of(row) ?? []))];
  const values: unknown[] = [ids(({ claim }) => claim), ids(({ notice }) => notice), ids(({ claim, notice, provenance }) => (claim ?? notice) === undefined ? provenance : undefined)];
  const seen = (type: string, of: string): string => {
    const clause = grant.rows(type);
    return clause.kind === 'all' ? 'true' : clause.kind === 'none' ? 'false' : `(${clauseSql(definitions, type, clause, 't', values, of)})`;
  };
  const select = (type: string, test: string, shown: string): string => `select '${type}' as type, t.id, t.res as text, ${shown} as seen from fhir."${type}" t where ${test} and t.res is not null`;
  const cited = `select substr(split_part(f, ' ', 1), ${DOCUMENT.length + 1}) from fhir."Claim" c, unnest(c.refs) f where c.id = any ($1) and starts_with(f, '${DOCUMENT}')`;
  const text = [
    select('Claim', 't.id = any ($1)', seen('Claim', 'select unnest($1::text[])')),
    select('PaymentNotice', 't.id = any ($2)', seen('PaymentNotice', 'select unnest($2::text[])')),
    // Who may see a budget may know what was done with it, by whom and why.
    select('Provenance', 't.id = any ($3)', 'true'),
    select('DocumentReference', `t.id = any (array(${cited})) and ${seen('DocumentReference', cited)}`, 'true'),
  ].join(' union all ');
  const found = (await db.query<Found>({ name: statementName(text), text, values })).rows;
  return found.map((one) => {
    const view = one.seen ? grant.view(one.type) : undefined;
    return view ? { ...one, text: view(one.text) } : one;
  });
}
