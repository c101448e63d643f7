// npm run bench -- budgets: purchases, $balance and pages of $statement beside what their floors cost, and reports over a million ledger rows.
// Budgets for purchases are opened through the front door; those with long ledgers are loaded by SQL as the server would have stored them.
import { bundle, post } from './data.mjs';
import { send } from './load.mjs';

const BASE = 'https://fhir.entitle.example';
const ODS = 'https://fhir.nhs.uk/Id/ods-organization-code';
/** Budgets that are bought from: several, as their rows are waited for. */
const OPEN = 200;
/** Budgets with a long ledger: an allocation, and a purchase and its payment for each two further rows. */
const LONG = { prefix: 'long', accounts: 4, claims: 5000, resources: true };
/** Budgets of a commissioner with a million ledger rows in a year. */
const MANY = { prefix: 'many', accounts: 1042, claims: 480, resources: false };
const PAGE = 50;
const REPORTS = 3;

const coded = (system, code) => ({ coding: [{ system: `${BASE}/CodeSystem/${system}`, code }] });
const extension = (id, value) => ({ url: `${BASE}/StructureDefinition/ext-${id}`, ...value });
const gbp = (value) => ({ value, currency: 'GBP' });
const reference = (text) => ({ reference: text });

const organization = (ods, role) => ({ resourceType: 'Organization', identifier: [{ system: ODS, value: ods }], active: true, type: [coded('organization-role', role)], name: `Organisation ${ods}` });
const patient = (n) => ({ resourceType: 'Patient', name: [{ family: `Holder${n}` }], gender: 'female', birthDate: '1960-05-17' });
const account = (holder, owner) => ({
  resourceType: 'Account',
  extension: [
    extension('allocation', { extension: [{ url: 'model', valueCode: 'notional' }, { url: 'amount', valueMoney: gbp(9000000) }] }),
    extension('eligibility', { extension: [{ url: 'basis', valueCode: 'nhs-chc' }, { url: 'decidedBy', valueReference: reference(`Organization/${owner}`) }, { url: 'decidedOn', valueDate: '2026-01-05' }] }),
    extension('funding-source', { valueCode: 'nhs' }),
    extension('overspend-policy', { valueCode: 'block' }),
  ],
  status: 'active', type: coded('account-type', 'phb'), name: 'Personal health budget', subject: [reference(`Patient/${holder}`)], servicePeriod: { start: '2026-01-01' }, owner: reference(`Organization/${owner}`),
});

let made = 0;
const purchase = ({ holder, id, provider, coverage }) => JSON.stringify({
  resourceType: 'Claim',
  extension: [extension('budget', { valueReference: reference(`Account/${id}`) }), extension('recorded-by', { valueReference: reference(`Patient/${holder}`) })],
  identifier: [{ system: 'https://bench.example/till', value: `${process.pid}-${(made += 1)}` }],
  status: 'active', type: coded('claim-type', 'phb-purchase'), use: 'claim', patient: reference(`Patient/${holder}`), created: '2026-11-21', provider: reference(`Organization/${provider}`),
  priority: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/processpriority', code: 'normal' }] },
  supportingInfo: [{ sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] }, code: coded('evidence-document', 'receipt'), valueAttachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQKJSVFT0YK', title: 'receipt' } }],
  insurance: [{ sequence: 1, focal: true, coverage: reference(coverage) }],
  item: [{ sequence: 1, productOrService: { text: 'Gym membership, November' }, quantity: { value: 1 }, unitPrice: gbp(30.5), net: gbp(30.5) }],
  total: gbp(30.5),
});

async function sent(base, token, entries) {
  const { status, text } = await send({ url: base, method: 'POST', headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}`, prefer: 'return=representation' }, body: bundle('transaction', entries) });
  if (status !== 200) throw new Error(`loading failed with ${status}: ${text.slice(0, 400)}`);
  return JSON.parse(text).entry.map(({ resource }) => resource);
}

async function openBudgets(base, token) {
  const [owner, provider] = await sent(base, token, [post(organization('QBE', 'icb')), post(organization('GYM9', 'provider'))]);
  const holders = await sent(base, token, Array.from({ length: OPEN }, (_, n) => post(patient(n))));
  const budgets = [];
  for (const { id: holder } of holders) {
    const [opened] = await sent(base, token, [post(account(holder, owner.id))]);
    budgets.push({ holder, id: opened.id, provider: provider.id, coverage: opened.coverage[0].coverage.reference });
  }
  // The first purchase shows how many tokens one has.
  await sent(base, token, [post(JSON.parse(purchase(budgets[0])))]);
  return { owner: owner.id, provider: provider.id, budgets };
}

const START = Date.UTC(2026, 0, 5);
const NUMBERS = (prefix, accounts) => `generate_series(1, ${accounts}) a, lateral (select '${prefix}' || a as account) n`;
/** One every so many milliseconds, over ten months. */
const stepOf = (claims) => Math.floor((300 * 86_400_000) / (2 * claims + 2));
const RESOURCE = 'version, updated, self, id, method, present, tokens, refs, res';
const json = (value) => `'${JSON.stringify(value)}'`;
/** A template's #names# as SQL. */
const filled = (value, names) => Object.entries(names).reduce((text, [name, sql]) => text.replaceAll(`#${name}#`, `' || ${sql} || '`), json(value));

/** The same rows as `post` writes them: 30.00 bought and paid, again and again. */
function ledgerOf({ prefix, accounts, claims, resources }, { owner, provider }) {
  const from = NUMBERS(prefix, accounts);
  const each = `${from}, generate_series(1, ${claims}) k, lateral (select account || '-' || k as claim) c`;
  const [step, granted, spent] = [stepOf(claims), claims * 3000 + 500_000, claims * 3000];
  const categories = `(array['equipment','treatment','therapy','personal-care','service','activity'])[1 + (k % 6)]`;
  return [
    `insert into fhir."Patient" (${RESOURCE}) select 1, ${START}, 900000000 + a, account || '-p', 'PUT', '', '{}', '{}', ${filled({ resourceType: 'Patient', id: '#account#-p', birthDate: '1960-05-17' }, { account: 'account' })} from ${from}`,
    `insert into fhir."Account" (${RESOURCE}) select 1, ${START}, 900000000 + a, account, 'PUT', '', '{}', '{}', ${filled({ ...account('#account#-p', owner), id: '#account#' }, { account: 'account' })} from ${from}`,
    `insert into fhir.budget_account (opened, allocated, spent, entries, posted, period_from, period_until, account, kind, state, patient, owner, policy, funding, basis, first_paid)
      select ${START}, ${granted}, ${spent}, ${2 * claims + 1}, ${START + step * (2 * claims + 1)}, ${START}, 9000000000000, account, 'phb', 'active', account || '-p', '${owner}', 'block', 'nhs', 'nhs-chc', ${START + step * 3} from ${from}`,
    `insert into fhir.budget_line (allocated, spent, position, may_overdraw, account, line, model) select ${granted}, ${spent}, 1, false, account, account || '-l', 'notional' from ${from}`,
    `insert into fhir.ledger (number, at, amount, allocated, committed, spent, disbursed, available_after, account, id, line, kind, actor, role)
      select 1, ${START + step}, ${granted}, ${granted}, 0, 0, 0, ${granted}, account, account || '-0', account || '-l', 'allocation', 'bench', 'admin' from ${from}`,
    `insert into fhir.ledger (number, at, amount, allocated, committed, spent, disbursed, available_after, account, id, line, kind, actor, role, claim, notice)
      select 2 * k + p, ${START} + (2 * k + p)::bigint * ${step}, 3000, 0, case p when 0 then 3000 else -3000 end, p * 3000, 0, ${granted} - k * 3000, account, claim || '-' || p, account || '-l',
        case p when 0 then 'commit' else 'spend' end, 'bench', 'admin', claim, case p when 1 then claim || '-n' end from ${each}, generate_series(0, 1) p order by 1, account`,
    `insert into fhir.claim_commitment (paid, account, claim, line) select 3000, account, claim, account || '-l' from ${each} order by k`,
    `insert into fhir.purchase_item (net, total, created, item, active, claim, service, provider, category, quantity)
      select 3000, 3000, ${START} + 2 * k::bigint * ${step}, 1, true, claim, 's' || k % 97, '${provider}', ${categories}, 1 from ${each} order by k`,
    ...(resources ? [
      `insert into fhir."Claim" (${RESOURCE}, subject, date_lo, date_hi) select 1, ${START}, 900000000 + a * 100000 + k, claim, 'POST', '', '{}', '{}', ${filled({ ...JSON.parse(purchase({ holder: '#account#-p', id: '#account#', provider, coverage: 'Coverage/#account#-c' })), id: '#claim#' }, { account: 'account', claim: 'claim' })}, 'Patient/' || account || '-p', ${START} + 2 * k::bigint * ${step}, ${START} + 2 * k::bigint * ${step} + 1 from ${each}`,
      `insert into fhir."PaymentNotice" (${RESOURCE}) select 1, ${START}, 900000000 + a * 100000 + k, claim || '-n', 'POST', '', '{}', '{}', ${filled({
        resourceType: 'PaymentNotice', id: '#claim#-n', meta: { versionId: '1', lastUpdated: '2026-06-01T00:00:00.000Z' }, extension: [extension('payment-kind', { valueCode: 'payment' })], status: 'active',
        request: reference('Claim/#claim#'), created: '2026-06-01', payment: reference('PaymentReconciliation/#claim#-r'), recipient: reference(`Organization/${provider}`), amount: gbp(30), paymentStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/paymentstatus', code: 'paid' }] },
      }, { claim: 'claim' })} from ${each}`,
    ] : []),
  ];
}

/** Loads the server's tables and the floor's; gives what the requests name. */
export async function loadBudgets(base, tokens, { server, floor }) {
  console.error(`opening ${OPEN} budgets, and loading ledgers of ${[LONG, MANY].map(({ accounts, claims }) => accounts * (2 * claims + 1)).join(' and ')} rows`);
  const world = await openBudgets(base, tokens.admin);
  for (const set of [LONG, MANY]) for (const text of ledgerOf(set, world)) await server.query({ text, values: [] });
  const { rows } = await server.query({ text: `select coalesce(l.notice, l.claim) as id, l.account, l.at, coalesce(n.res, c.res) as res from fhir.ledger l left join fhir."PaymentNotice" n on n.id = l.notice join fhir."Claim" c on c.id = l.claim where l.account like '${LONG.prefix}%'`, values: [] });
  for (let n = 0; n < rows.length; n += 2000) {
    const part = rows.slice(n, n + 2000);
    const column = (name) => part.map((row) => row[name]);
    await floor.query({ text: `insert into observation select id, res, '{}', 'Account/' || account, at from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t(id, res, account, at)`, values: [column('id'), column('res'), column('account'), column('at')] });
  }
  const { text: answer } = await send({ url: `${base}/Account/${LONG.prefix}1/$balance`, headers: { authorization: `Bearer ${tokens.admin}` } });
  await floor.query({ text: `insert into status select '${LONG.prefix}' || a, $1 from generate_series(1, ${LONG.accounts}) a`, values: [answer] });
  return world;
}

export function budgetRequests(base, floor, tokens, { budgets }) {
  const pick = (count) => Math.floor(Math.random() * count);
  const headers = { authorization: `Bearer ${tokens.admin}`, accept: 'application/fhir+json' };
  const body = { 'content-type': 'application/fhir+json' };
  const bought = () => purchase(budgets[pick(budgets.length)]);
  const long = () => `${LONG.prefix}${1 + pick(LONG.accounts)}`;
  /** A page that begins on some day of the ten months. */
  const start = () => new Date(START + pick(290) * 86_400_000).toISOString().slice(0, 10);
  return [
    { name: 'purchase', count: 300, expect: 201, floor: () => ({ url: `${floor}/create`, method: 'POST', headers: body, body: bought() }), server: () => ({ url: `${base}/Claim`, method: 'POST', headers: { ...headers, ...body }, body: bought() }) },
    { name: '$balance', count: 1500, expect: 200, floor: () => ({ url: `${floor}/status/${long()}` }), server: () => ({ url: `${base}/Account/${long()}/$balance`, headers }) },
    { name: '$statement', count: 300, expect: 200, floor: () => ({ url: `${floor}/page/Account/${long()}/${Date.parse(start())}/${PAGE}` }), server: () => ({ url: `${base}/Account/${long()}/$statement?start=${start()}&_count=${PAGE}`, headers }) },
    // What a statement is beside: a search of as many.
    { name: 'search-50', count: 300, expect: 200, floor: () => ({ url: `${floor}/page/Account/${long()}/${Date.parse(start())}/${PAGE}` }), server: () => ({ url: `${base}/Claim?patient=Patient/${long()}-p&created=ge${start()}&_sort=created&_count=${PAGE}`, headers }) },
  ];
}

/** Seconds of each report, the best of a few. */
export async function timeReports(base, tokens, { owner }) {
  const rows = [];
  for (const [measure, periodStart, periodEnd] of [['phb-people', '2026-01-01', '2026-12-31'], ['phb-spend', '2026-01-01', '2026-12-31'], ['phb-spend', '2026-04-01', '2026-06-30']]) {
    const times = [];
    for (let n = 0; n < REPORTS; n += 1) {
      const started = Date.now();
      const { status, text } = await send({ url: `${base}/Measure/${measure}/$evaluate-measure?periodStart=${periodStart}&periodEnd=${periodEnd}&reporter=Organization/${owner}`, headers: { authorization: `Bearer ${tokens.admin}` } });
      if (status !== 200) throw new Error(`${measure}: ${status} ${text.slice(0, 400)}`);
      times.push((Date.now() - started) / 1000);
    }
    rows.push({ report: measure, periodStart, periodEnd, bestSeconds: Math.min(...times) });
  }
  return rows;
}
