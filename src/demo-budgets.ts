// The budgets of the demonstration: one for most of its people, in the proportions that NHS England publishes (75 % notional, 18 % direct payment,
// 6 % third party; domain.md section 8), with a year of purchases from a directory, for activities of their plans. Made up, and the same every time.
import { ODS_CODE } from './fhir/ods-code.js';
import type { JsonObject, Resource } from './fhir/resource.js';

const BASE = 'https://fhir.entitle.example';
const BUDGET = `${BASE}/Id/demo-budget`;
const PURCHASE = `${BASE}/Id/demo-purchase`;
const PLAN = `${BASE}/Id/demo-plan`;
const DIRECTORY = `${BASE}/Id/demo-directory`;
const ENTRY = `${BASE}/Id/directory-entry`;

type Model = 'notional' | 'direct-payment' | 'third-party';

interface Bought {
  readonly category: string;
  readonly text: string;
  readonly pence: number;
  /** What the price is for. */
  readonly unit: string;
}

const GOODS: readonly Bought[] = [
  { category: 'personal-care', text: 'Personal assistant, ten hours', pence: 15_550, unit: 'item' },
  { category: 'activity', text: 'Gym membership', pence: 3_000, unit: 'month' },
  { category: 'therapy', text: 'Hydrotherapy session', pence: 4_275, unit: 'session' },
  { category: 'equipment', text: 'Shower chair', pence: 8_999, unit: 'item' },
  { category: 'treatment', text: 'Acupuncture session', pence: 5_500, unit: 'session' },
  { category: 'service', text: 'Respite night', pence: 12_000, unit: 'item' },
];

const pad = (n: number): string => String(n).padStart(4, '0');
const code = (system: string, value: string): JsonObject => ({ coding: [{ system: system.startsWith('http') ? system : `${BASE}/CodeSystem/${system}`, code: value }] });
const extension = (id: string, value: JsonObject): JsonObject => ({ url: `${BASE}/StructureDefinition/ext-${id}`, ...value });
const pounds = (pence: number): JsonObject => ({ value: pence / 100, currency: 'GBP' });
const refer = (reference: string): { reference: string } => ({ reference });
const organization = (id: string, ods: string, role: string, name: string): Resource =>
  ({ resourceType: 'Organization', id, identifier: [{ system: ODS_CODE, value: ods }], active: true, type: [code('organization-role', role)], name });

/** Who pays, who sells, and who holds budgets for others. */
export const demoPayers: readonly Resource[] = [
  organization('demo-icb', 'QWE', 'icb', 'A demonstration integrated care board'),
  organization('demo-provider', 'DEMO1', 'provider', 'A demonstration provider'),
  organization('demo-isf', 'DEMO2', 'third-party', 'A demonstration holder of individual service funds'),
];

export const demoDirectory: Resource = {
  resourceType: 'List', identifier: [{ system: DIRECTORY, value: 'directory' }], extension: [extension('directory-owner', { valueReference: refer('Organization/demo-icb') })],
  status: 'current', mode: 'working', title: 'A demonstration directory', code: code('list-code', 'phb-directory'),
};

/** What there is to buy, as entries of the directory with this id. */
export const demoEntries = (directory: string): readonly Resource[] => GOODS.map(({ category, text, pence, unit }) => ({
  resourceType: 'HealthcareService', identifier: [{ system: ENTRY, value: `demo-${category}` }],
  extension: [
    extension('directory', { valueReference: refer(`List/${directory}`) }),
    extension('price', { extension: [{ url: 'amount', valueMoney: pounds(pence) }, { url: 'unit', valueCode: unit }] }),
  ],
  active: true, providedBy: refer('Organization/demo-provider'), category: [code('directory-category', category)], name: text,
}));

/** Everybody but each twentieth person, who is left for others to find as a candidate. */
export const hasBudget = (n: number): boolean => n % 20 !== 19;

function modelsOf(n: number): readonly Model[] {
  const place = (n * 61) % 100;
  if (place === 1) return ['notional', 'direct-payment'];
  if (place < 75) return ['notional'];
  return place < 93 ? ['direct-payment'] : ['third-party'];
}

const holdsCash = (n: number): boolean => modelsOf(n).includes('direct-payment');

export function demoConsent(n: number): Resource | undefined {
  if (!hasBudget(n) || !holdsCash(n)) return undefined;
  const patient = refer(`Patient/demo-${pad(n)}`);
  return {
    resourceType: 'Consent', id: `demo-consent-${pad(n)}`, status: 'active', scope: code('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'),
    category: [{ text: 'Direct payment' }], patient, performer: [patient], policy: [{ uri: 'https://www.legislation.gov.uk/uksi/2013/1617' }], dateTime: '2025-10-15',
  };
}

export function demoPlan(n: number): Resource | undefined {
  if (!hasBudget(n)) return undefined;
  return {
    resourceType: 'CarePlan', identifier: [{ system: PLAN, value: pad(n) }], status: 'active', intent: 'plan', category: [code('careplan-category', 'pcsp')], title: 'Personalised care and support plan',
    subject: refer(`Patient/demo-${pad(n)}`), author: refer('Organization/demo-icb'), activity: GOODS.map(({ category, text }) => ({ id: category, detail: { status: 'in-progress', description: text } })),
  };
}

export function demoBudget(n: number, age: number): Resource | undefined {
  if (!hasBudget(n)) return undefined;
  const models = modelsOf(n);
  const holder = (model: Model): JsonObject[] => (model === 'notional' ? [] : [{ url: 'holder', valueReference: refer(model === 'third-party' ? 'Organization/demo-isf' : `Patient/demo-${pad(n)}`) }]);
  const consent = (model: Model): JsonObject[] => (model === 'direct-payment' ? [{ url: 'consent', valueReference: refer(`Consent/demo-consent-${pad(n)}`) }] : []);
  const lines = models.map((model) => extension('allocation', { extension: [{ url: 'model', valueCode: model }, ...holder(model), { url: 'amount', valueMoney: pounds(600_000 + (n % 60) * 20_000) }, ...consent(model)] }));
  return {
    resourceType: 'Account',
    identifier: [{ system: BUDGET, value: pad(n) }],
    extension: [
      ...lines,
      extension('eligibility', { extension: [{ url: 'basis', valueCode: basisAt(n, age) }, { url: 'decidedBy', valueReference: refer('Organization/demo-icb') }, { url: 'decidedOn', valueDate: '2025-10-01' }] }),
      extension('funding-source', { valueCode: 'nhs' }),
      extension('overspend-policy', { valueCode: 'block' }),
    ],
    status: 'active', type: code('account-type', 'phb'), name: 'Personal health budget', subject: [refer(`Patient/demo-${pad(n)}`)], servicePeriod: { start: '2025-11-01' }, owner: refer('Organization/demo-icb'),
  };
}

function basisAt(n: number, age: number): string {
  if (age < 18) return 'cyp-continuing-care';
  return ['nhs-chc', 'nhs-chc', 's117-aftercare', 'wheelchair'][n % 4] ?? 'nhs-chc';
}

/** What the holder of a direct payment is given in advance, for the year's purchases; undefined where they are paid for otherwise. */
export const demoInstalment = (n: number): JsonObject | undefined => (modelsOf(n)[0] === 'direct-payment' ? pounds(50_000) : undefined);

/** What purchases refer to: the care plan, and the entries of the directory in their order, by their ids. */
export interface Chosen {
  readonly plan: string;
  readonly entries: readonly string[];
}

/** A purchase in each quarter of a year, on the budget's first line. */
export function demoPurchases(n: number, account: Resource, chosen: Chosen): readonly Resource[] {
  if (!hasBudget(n)) return [];
  const lines = (account['extension'] as { url: string; extension: { url: string; valueId?: string }[] }[]).filter(({ url }) => url.endsWith('/ext-allocation'));
  const line = lines.length > 1 ? lines[0]?.extension.find(({ url }) => url === 'lineId')?.valueId : undefined;
  return Array.from({ length: 4 }, (_, k) => purchase(n, k, chosen, extensionsFor(n, account.id ?? '', line)));
}

const extensionsFor = (n: number, account: string, line: string | undefined): JsonObject[] => [
  extension('budget', { valueReference: refer(`Account/${account}`) }),
  ...(line === undefined ? [] : [extension('allocation-id', { valueId: line })]),
  extension('recorded-by', { valueReference: refer(`Patient/demo-${pad(n)}`) }),
];

function purchase(n: number, k: number, { plan, entries }: Chosen, extensions: JsonObject[]): Resource {
  const place = (n + k) % GOODS.length;
  const { category, text, pence } = GOODS[place] ?? { category: 'service', text: '', pence: 0 };
  const patient = refer(`Patient/demo-${pad(n)}`);
  const month = k * 3 + (n % 3);
  return {
    resourceType: 'Claim',
    identifier: [{ system: PURCHASE, value: `${pad(n)}-${k}` }],
    extension: extensions,
    status: 'active', type: code('claim-type', 'phb-purchase'), use: 'claim', patient, created: month === 0 ? '2025-12-12' : `2026-${String(month).padStart(2, '0')}-12`,
    provider: refer('Organization/demo-provider'), priority: code('http://terminology.hl7.org/CodeSystem/processpriority', 'normal'),
    item: [{
      sequence: 1,
      extension: [
        extension('directory-entry', { valueReference: refer(`HealthcareService/${entries[place] ?? ''}`) }),
        extension('careplan-activity', { extension: [{ url: 'plan', valueReference: refer(`CarePlan/${plan}`) }, { url: 'activityId', valueId: category }] }),
      ],
      productOrService: { ...code('directory-category', category), text }, quantity: { value: 1 }, unitPrice: pounds(pence), net: pounds(pence),
    }],
    total: pounds(pence),
  };
}

/** Nine in ten purchases are paid; what is left shows as outstanding. */
export const isPaid = (n: number, k: number): boolean => (n + k) % 10 !== 0;
