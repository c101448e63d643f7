// A budget or a purchase as it is judged before it is written: with something in the place of what the server fills in as it writes
// (domain.md 3.6, $validate; wire/README.md). The write itself finds out what that is.
import { asObject, asObjects } from '../fhir/elements.js';
import type { JsonObject, Resource } from '../fhir/resource.js';
import { budgetKind } from './account/account.js';
import { RECORDED_BY } from './codes.js';
import { withLineIds } from './account/lines.js';
import { isPurchase, recordedBy, withExtension } from './purchase/purchase.js';

/** The resource itself where the server would fill in nothing. */
export function presumed(resource: Resource): Resource {
  if (budgetKind(resource) === 'phb') return budget(resource);
  return resource.resourceType === 'Claim' && isPurchase(resource) ? purchase(resource) : resource;
}

function budget(account: Resource): Resource {
  let lines = 0;
  const extension = withLineIds(account, account, () => `line-${(lines += 1)}`);
  const coverage = account['coverage'] === undefined ? [{ coverage: { display: 'made with the budget' }, priority: 1 }] : undefined;
  return { ...account, ...(extension && { extension }), ...(coverage && { coverage }) };
}

function purchase(claim: Resource): Resource {
  const { extension = [], insurance } = claim;
  const extensions = Array.isArray(extension) && asObjects(extension).length === extension.length ? (extension as JsonObject[]) : undefined;
  const signed = extensions && recordedBy(claim) === undefined ? withExtension(extensions, RECORDED_BY, { valueReference: { display: 'whoever sends it' } }) : undefined;
  const covered = insurance === undefined || (Array.isArray(insurance) && asObjects(insurance).every((one) => asObject(one['coverage']) !== undefined && asObject(one['coverage'])?.['reference'] === undefined));
  return { ...claim, ...(signed && { extension: signed }), ...(covered && { insurance: [{ sequence: 1, focal: true, coverage: { display: 'that of the budget' } }] }) };
}
