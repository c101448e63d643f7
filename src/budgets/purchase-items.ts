// Keeps the items of each purchase as rows that reports can sum, in the transaction that writes the Claim (domain.md rulings 51 and 64).
import { dateRange } from '../fhir/date-time.js';
import { asObject, asObjects, asText, codesOf, referenceId } from '../fhir/elements.js';
import type { JsonDocument } from '../fhir/json-text.js';
import type { Resource } from '../fhir/resource.js';
import { serverGrant } from '../search/grant.js';
import type { WriteContext, WriteRule } from '../store/rule.js';
import { BASE } from './codes.js';
import { readPence } from './money.js';
import { isCommitment, isPurchase, itemsOf } from './purchase.js';
import { isActive } from './purchase-lifecycle.js';

const DIRECTORY_CATEGORY = `${BASE}/CodeSystem/directory-category`;
const SERVER = serverGrant();

const REMOVE = { name: 'purchase-items-remove', text: 'delete from fhir.purchase_item where claim = $1' };
const ADD = {
  name: 'purchase-items-add',
  text: `insert into fhir.purchase_item (claim, active, created, total, item, net, quantity, service, provider, category)
    select $1, $2, $3, $10, i.* from unnest($4::int[], $5::bigint[], $6::numeric[], $7::text[], $8::text[], $9::text[]) as i
    on conflict (claim, item) do nothing`,
};

interface ItemRow {
  readonly item: number;
  readonly net: bigint;
  readonly quantity: string;
  readonly service: string | undefined;
  readonly provider: string | undefined;
  readonly category: string | undefined;
}

export function createPurchaseItemRule(): WriteRule {
  return {
    concerns: (write) => write.type === 'Claim' && (isPurchase(write.before) || isPurchase(write.after)),
    async after(write, context) {
      const { after, document, id } = write;
      if (write.before) await context.tx.db.query({ ...REMOVE, values: [id] });
      const created = dateRange(asText(after?.['created']) ?? '', 'Europe/London')?.lo;
      if (!after || !document || created === undefined || !isPurchase(after) || isCommitment(after)) return;
      const rows = await rowsOf(after, document, context);
      const column = <T>(of: (row: ItemRow) => T): T[] => rows.map(of);
      await context.tx.db.query({
        ...ADD,
        values: [
          id, isActive(after), created,
          column(({ item }) => item), column(({ net }) => String(net)), column(({ quantity }) => quantity),
          column(({ service }) => service ?? null), column(({ provider }) => provider ?? null), column(({ category }) => category ?? null),
          String(rows.reduce((sum, { net }) => sum + net, 0n)),
        ],
      });
    },
  };
}

async function rowsOf(claim: Resource, document: JsonDocument, { tx }: Pick<WriteContext, 'tx'>): Promise<readonly ItemRow[]> {
  const items = itemsOf(claim);
  const services = new Map<string, Resource | undefined>();
  for (const { entry } of items) {
    if (entry === undefined || services.has(entry)) continue;
    const found = await tx.read(SERVER, 'HealthcareService', entry);
    services.set(entry, found?.text == null ? undefined : (JSON.parse(found.text) as Resource));
  }
  return items.map(({ element, index, entry }) => {
    const service = entry === undefined ? undefined : services.get(entry);
    return {
      item: Number(element['sequence'] ?? index + 1),
      net: readPence(document, element['net'], `item[${index}].net`),
      quantity: quantityOf(element['quantity'], document, index),
      service: entry,
      provider: referenceId(service?.['providedBy'], 'Organization'),
      category: categoryOf(service?.['category']) ?? categoryOf([element['category'], element['productOrService']]),
    };
  });
}

/** As written; what names none is one. */
function quantityOf(quantity: unknown, document: JsonDocument, index: number): string {
  return asObject(quantity)?.['value'] === undefined ? '1' : document.writtenNumber(`item[${index}].quantity.value`) ?? '1';
}

/** The first code of directory-category. */
const categoryOf = (concepts: unknown): string | undefined => asObjects(concepts).flatMap((concept) => codesOf(concept, DIRECTORY_CATEGORY))[0];

