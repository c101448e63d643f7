// Keeps the items of each purchase as rows that reports can sum, in the transaction that writes the Claim (domain.md rulings 51 and 64).
import { dateRange } from '../../fhir/date-time.js';
import { asObject, asObjects, asText, codesOf, referenceId } from '../../fhir/elements.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import type { Write, WriteContext, WriteRule } from '../../store/rule.js';
import type { Beside } from '../../store/store.js';
import { BASE } from '../codes.js';
import { readPence } from '../ledger/money.js';
import { isCommitment, isPurchase, itemsOf } from './purchase.js';
import { isActive } from './purchase-lifecycle.js';

const DIRECTORY_CATEGORY = `${BASE}/CodeSystem/directory-category`;
const SERVER = serverGrant();

const REMOVE = { name: 'purchase-items-remove', text: 'delete from fhir.purchase_item where claim = $1' };
const TYPES = ['text', 'boolean', 'bigint', 'bigint', 'int[]', 'bigint[]', 'numeric[]', 'text[]', 'text[]', 'text[]'];

function insertText(first: number): string {
  const [claim, active, created, total, ...columns] = TYPES.map((type, index) => `$${first + index}::${type}`);
  return `insert into fhir.purchase_item (claim, active, created, total, item, net, quantity, service, provider, category)
    select ${claim}, ${active}, ${created}, ${total}, i.* from unnest(${columns.join(', ')}) as i on conflict (claim, item) do nothing`;
}

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
    alone: true,
    // Of a new purchase with the Claim itself; later ones take the place of those there are.
    beside: async (write, context) => (write.before ? undefined : itemsBeside(write, context)),
    async after(write, context) {
      if (!write.before) return;
      const { db } = context.tx;
      await db.query({ ...REMOVE, values: [write.id] });
      const added = await itemsBeside(write, context);
      if (added) await db.query({ name: 'purchase-items-add', text: added.text(1), values: added.values });
    },
  };
}

/** Undefined for what has no items to be summed. */
async function itemsBeside({ after, document, id }: Write, context: WriteContext): Promise<Beside | undefined> {
  const created = dateRange(asText(after?.['created']) ?? '', 'Europe/London')?.lo;
  if (!after || !document || created === undefined || !isPurchase(after) || isCommitment(after)) return undefined;
  const rows = await rowsOf(after, document, context);
  const column = <T>(of: (row: ItemRow) => T): T[] => rows.map(of);
  return {
    name: 'items',
    text: insertText,
    values: [
      id, isActive(after), created, String(rows.reduce((sum, { net }) => sum + net, 0n)),
      column(({ item }) => item), column(({ net }) => String(net)), column(({ quantity }) => quantity),
      column(({ service }) => service ?? null), column(({ provider }) => provider ?? null), column(({ category }) => category ?? null),
    ],
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

