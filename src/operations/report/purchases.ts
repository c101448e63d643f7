// HealthcareService/$purchases and Organization/$purchases: what a provider sold on budgets, never to whom (domain.md C32E13, rulings 51 and 64).
import { BASE } from '../../budgets/codes.js';
import { moneyOf } from '../../budgets/ledger/money.js';
import { soldBy, type Sold, type SoldAsked } from '../../budgets/report/provider-view.js';
import { odsCodesOf } from '../../budgets/referred.js';
import type { CsvCell } from '../../fhir/csv.js';
import { poundsText } from '../../fhir/decimal.js';
import { referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import { exactNumber } from '../../fhir/exact-json.js';
import type { Issue } from '../../fhir/issue.js';
import { londonDate } from '../../fhir/london.js';
import type { FhirRequest } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import type { Context } from '../../interactions/context.js';
import { asksCsv, csvResponse } from '../csv-answer.js';
import { readInput, type Input, type InputNames } from '../input.js';
import type { Operation } from '../operation.js';
import { output, outputParts, parametersResponse, type OutputParameter } from '../output.js';
import { readSpan } from '../span.js';

const NAMES: InputNames = { start: 'text', end: 'text', groupBy: 'text' };
const GROUPS = ['month', 'service'] as const;
const MOST = 10_000;

export function createPurchasesOperations({ validate }: { readonly validate: (resource: Resource) => readonly Issue[] }): readonly Operation[] {
  return (['HealthcareService', 'Organization'] as const).map((type): Operation => ({
    code: 'purchases',
    definition: `${BASE}/OperationDefinition/${type === 'Organization' ? 'organization-purchases' : 'service-purchases'}`,
    system: false,
    types: [],
    instances: [type],
    affectsState: false,
    async handle(request, context) {
      const input = readInput(request, NAMES, validate);
      const groupBy = groupOf(input);
      const span = readSpan(input);
      const whose = await whoseOf(type, request, context);
      const rows = await soldBy(context.db, { ...whose, ...span, groupBy, most: MOST + 1 });
      if (rows.length > MOST) throw fail('too-costly', { text: `There are more than ${MOST} purchases: ask for a shorter time with start and end, or for sums with groupBy` });
      return asksCsv(request) ? csvResponse('purchases', HEADS[groupBy], rows.map((row) => cellsOf(row, groupBy))) : parametersResponse(rows.map((row) => purchaseOf(row, groupBy)));
    },
  }));
}

function groupOf(input: Input): SoldAsked['groupBy'] {
  const asked = input.text('groupBy');
  const found = GROUPS.find((one) => one === asked);
  if (asked !== undefined && !found) throw fail('invalid-parameter', { text: `groupBy is ${GROUPS.join(' or ')}` });
  return found ?? 'item';
}

/** A provider asks of its own organisation alone: any other is not there. A service that has left the directory keeps the purchases it had. */
async function whoseOf(type: string, { id = '' }: FhirRequest, context: Context): Promise<Pick<SoldAsked, 'providers' | 'service'>> {
  const { store, grant } = context;
  const found = await store.read(grant, type, id);
  if (!found) throw grant.absent(type, id);
  const resource = found.text === null ? undefined : (JSON.parse(found.text) as Resource);
  if (type === 'Organization') {
    if (!resource || !speaksFor(resource, context)) throw grant.absent(type, id);
    return { providers: [id] };
  }
  const provider = resource ?? (await lastOf(type, id, found.version, context));
  const organization = referenceId(provider?.['providedBy'], 'Organization');
  const owner = organization === undefined ? undefined : await store.read(grant, 'Organization', organization);
  if (organization === undefined || owner?.text == null || !speaksFor(JSON.parse(owner.text) as Resource, context)) throw grant.absent(type, id);
  return { providers: [organization], service: id };
}

/** What it was before it was deleted. */
async function lastOf(type: string, id: string, version: number, { store, grant }: Context): Promise<Resource | undefined> {
  const last = await store.vread(grant, type, id, version - 1);
  return last?.text == null ? undefined : (JSON.parse(last.text) as Resource);
}

const speaksFor = (organization: Resource, { grant: { caller } }: Context): boolean =>
  caller.role === 'admin' || (caller.organization !== undefined && odsCodesOf(organization).includes(caller.organization));

const HEADS: Readonly<Record<SoldAsked['groupBy'], readonly string[]>> = {
  item: ['service', 'date', 'quantity', 'net', 'paid'],
  month: ['month', 'count', 'quantity', 'net', 'paid'],
  service: ['service', 'count', 'quantity', 'net', 'paid'],
};

/** The day, or the month, in London. */
const dateOf = ({ at = 0 }: Sold, groupBy: SoldAsked['groupBy']): string => londonDate(at).slice(0, groupBy === 'month' ? 7 : 10);

function purchaseOf(sold: Sold, groupBy: SoldAsked['groupBy']): OutputParameter {
  return outputParts('purchase', [
    output('service', 'valueReference', sold.service === undefined ? undefined : { reference: `HealthcareService/${sold.service}` }),
    output('date', 'valueDate', groupBy === 'service' ? undefined : dateOf(sold, groupBy)),
    output('count', 'valueInteger', groupBy === 'item' ? undefined : sold.count),
    output('quantity', 'valueDecimal', exactNumber(sold.quantity)),
    output('net', 'valueMoney', moneyOf(sold.net)),
    output('paid', 'valueMoney', moneyOf(sold.paid)),
  ]);
}

function cellsOf(sold: Sold, groupBy: SoldAsked['groupBy']): readonly CsvCell[] {
  const sums = [{ written: sold.quantity }, { written: poundsText(sold.net) }, { written: poundsText(sold.paid) }];
  if (groupBy === 'item') return [sold.service, dateOf(sold, groupBy), ...sums];
  return [groupBy === 'month' ? dateOf(sold, groupBy) : sold.service, { written: String(sold.count) }, ...sums];
}
