// A patient's two budgets and a joint one for the model test, and how each act is sent to the server and to the model.
import { randomUUID } from 'node:crypto';
import { budgetBody, extension, gbp, linesOf, made, open, organizationBody, person } from '../domain/budgets.js';
import { consentBody, jointBody } from '../domain/joint.js';
import { directLine, linkPlan, parametersBody } from '../domain/payments.js';
import { BASE, errorCode } from '../domain/people.js';
import { purchaseBody } from '../domain/purchases.js';
import type { Answer, TestServer } from '../server.js';
import { CATEGORIES, type Act, type Road, type Sent, type Setting } from './model-acts.js';
import { Model } from './model.js';
import type { Item } from './model-split.js';
import type { Claim, Notice, Outcome, Said } from './model-state.js';

export interface World {
  readonly server: TestServer;
  readonly provider: string;
  readonly model: Model;
  readonly patient: string;
  readonly joint: string;
  readonly consent: string;
  /** By Account: a commissioner of its owner, and the reviews that license what is done with it. */
  readonly commissioners: ReadonlyMap<string, string>;
  readonly reviews: ReadonlyMap<string, Readonly<Record<'amend' | 'close', string>>>;
}

interface Asked { readonly method: string; readonly path: string; readonly body: unknown; readonly headers: Readonly<Record<string, string>> }

export async function makeWorld(server: TestServer, provider: string, { policies, draw }: Setting): Promise<World> {
  const patient = await person(server);
  const joint = (await made(server, jointBody(patient, draw))).id;
  const model = new Model(joint, draw);
  const [reviews, commissioners, owners] = [new Map<string, Record<'amend' | 'close', string>>(), new Map<string, string>(), [] as string[]];
  const budgets = [
    { funding: 'nhs', role: 'icb', basis: 'nhs-chc', lines: [{ amount: gbp(300) }, await directLine(server, patient, 200), { model: 'third-party', amount: gbp(100), holder: `Organization/${provider}` }] },
    { funding: 'social-care', role: 'local-authority', basis: 's117-aftercare', lines: [{ amount: gbp(250) }, await directLine(server, patient, 50)] },
  ];
  for (const [index, { role, ...rest }] of budgets.entries()) {
    const ods = `M${Math.floor(Math.random() * 1e9)}`;
    const owner = (await made(server, organizationBody(ods, role))).id;
    const policy = policies[index] ?? 'block';
    const answer = await open(server, budgetBody({ patient, owner, policy, exceptional: true, ...rest }));
    if (answer.status !== 201) throw new Error(answer.text);
    const account = answer.body.id;
    model.open({ id: account, policy, funding: rest.funding }, linesOf(answer.body).map(({ lineId, model: of, amount }) => ({ id: lineId, model: of, amount: Math.round(amount * 100) })));
    await linkPlan(server, account, patient);
    reviews.set(account, { amend: await review(server, account, 'amend'), close: await review(server, account, 'close') });
    commissioners.set(account, await server.token('commissioner', { organization: ods }));
    owners.push(`Organization/${owner}`);
  }
  const consent = (await made(server, consentBody(patient, [`Patient/${patient}`, ...owners]))).id;
  return { server, provider, model, patient, joint, consent, commissioners, reviews };
}

async function review(server: TestServer, account: string, outcome: string): Promise<string> {
  const answer = await server.send('POST', `Account/${account}/$review`, { token: server.tokens.admin, headers: { 'if-match': await etagOf(server, account) }, body: { resourceType: 'Parameters', parameter: [{ name: 'outcome', valueCode: outcome }] } });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body.id;
}

const etagOf = async (server: TestServer, account: string): Promise<string> => String((await server.send('GET', `Account/${account}`, { token: server.tokens.admin })).headers['etag']);
const reference = (text: string): object => ({ reference: text });
const reason = { name: 'reason', valueString: 'as the test says' };
const chosen = <T>(list: readonly T[], at: number): T | undefined => (list.length === 0 ? undefined : list[at % list.length]);
const pounds = (amount: number): object => gbp(amount / 100);
const itemsOf = (nets: readonly number[], kinds: readonly number[]): Item[] => nets.map((net, at) => ({ net, category: CATEGORIES[kinds[at] ?? 0] }));
const product = ({ category }: Item): object => (category === undefined ? { text: 'Something' } : { coding: [{ system: `${BASE}/CodeSystem/directory-category`, code: category }] });
const shown = (items: readonly Item[]): { item: object[]; total: object } => ({
  item: items.map((item, at) => ({ sequence: at + 1, productOrService: product(item), net: pounds(item.net) })), total: pounds(items.reduce((all, { net }) => all + net, 0)),
});

/** As the model words it. */
function outcomeOf(answer: Answer, claim?: any): string {
  if (answer.status >= 300) {
    const code = errorCode(answer);
    return code === undefined ? String(answer.status) : `${answer.status} ${code}`;
  }
  if (claim?.resourceType !== 'Claim' || claim.status === 'cancelled') return 'ok';
  if (claim.status === 'draft') return 'ok draft';
  return claim.extension.some(({ url }: any) => url.endsWith('/ext-overspend')) ? 'ok overspent' : 'ok';
}

export interface Result { readonly answered: string; readonly expected: Outcome }

/** Does it, and gives what was answered and what the model says; undefined where there is nothing to do it to. Throws where a repeated request is not answered as the first. */
export async function perform({ act, again }: Sent, world: World): Promise<Result | undefined> {
  const asked: Asked[] = [];
  const { server } = world;
  const send = async (method: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const all = { 'x-request-id': randomUUID(), ...headers };
    asked.push({ method, path, body, headers: all });
    return server.send(method, path, { token: server.tokens.admin, body, headers: all });
  };
  const answers: Answer[] = [];
  const result = await doneTo(act, world, async (...sent) => {
    const answer = await send(...sent);
    answers.push(answer);
    return answer;
  });
  const [first, answer] = [asked[0], answers[0]];
  if (again && first && answer && answer.status < 300) await repeat(first, answer, server);
  return result;
}

/** The first answer is given again byte for byte, and nothing is done; another body under the same key is refused. */
async function repeat({ method, path, body, headers }: Asked, first: Answer, server: TestServer): Promise<void> {
  const second = await server.send(method, path, { token: server.tokens.admin, body, headers });
  if (second.status !== first.status || second.text !== first.text) throw new Error(`repeated: ${second.status} ${second.text}, first ${first.status} ${first.text}`);
  if (headers['content-type'] !== undefined) return;
  const other = await server.send(method, path, { token: server.tokens.admin, body: { ...(body as object), id: 'other', language: 'cy' }, headers });
  if (other.status !== 422 && other.status !== 400) throw new Error(`another body under the same key: ${other.status} ${other.text}`);
}

type Send = (method: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;

async function doneTo(one: Act, world: World, send: Send): Promise<Result | undefined> {
  const { model, server, joint } = world;
  const accounts = [...model.accounts.values()];
  const operate = async (account: string, operation: string, parameter: readonly object[]): Promise<Answer> =>
    send('POST', `Account/${account}/$${operation}`, { resourceType: 'Parameters', parameter }, { 'if-match': await etagOf(server, account) });
  switch (one.act) {
    case 'buy': {
      const on = chosen([...accounts.map(({ id }) => id), joint], one.on) ?? '';
      const line = on === joint ? undefined : chosen(real(model, on), one.line);
      return buy({ on, line, items: itemsOf(one.nets, one.kinds), commitment: one.commits, draft: one.draft, road: one.road }, world, send);
    }
    case 'fulfil': {
      const claim = chosen(model.claims.filter(({ commitment }) => commitment), one.of);
      if (!claim) return undefined;
      const line = claim.on === joint ? undefined : chosen(real(model, claim.on), one.line);
      return buy({ on: claim.on, line, items: itemsOf([one.pence], [one.line % 4]), commitment: false, draft: false, road: 'alone', fulfils: { claim, final: one.final } }, world, send);
    }
    case 'amend': {
      // Money that goes back to a commitment stays on its line, so the resources don't tell what is left of one on another line.
      const claim = chosen(model.claims.filter(({ status, fulfils, line }) => status !== 'cancelled' && (!fulfils || line === fulfils.claim.line)), one.of);
      if (!claim) return undefined;
      const line = claim.on === joint || one.same || one.line % 3 !== 0 || claim.fulfils ? claim.line : chosen(real(model, claim.on), one.line);
      return amend(claim, { items: one.same ? claim.items : itemsOf(one.nets, one.kinds), line, status: 'active' }, one.road, world, send);
    }
    case 'pay': {
      const payable = model.claims.filter(({ status, commitment, holds }) => status === 'active' && !commitment && holds.some(({ committed }) => committed > 0));
      const claim = chosen(one.whole ? payable : model.claims, one.of);
      if (!claim) return undefined;
      const due = claim.holds.reduce((all, { committed }) => all + committed, 0);
      const amount = one.whole && due > 0 ? due : one.pence;
      const answer = await send('POST', `Claim/${claim.id}/$pay`, parametersBody({ amount: amount / 100 }));
      return { answered: outcomeOf(answer), expected: model.pay(claim, amount, answer.status < 300 ? answer.body.entry[1].resource.id : '') };
    }
    case 'refund': {
      const notice: Notice | undefined = chosen(model.notices, one.of);
      return notice && { answered: outcomeOf(await send('POST', `PaymentNotice/${notice.id}/$refund`, parametersBody({ amount: one.pence / 100, reason: 'returned' }))), expected: model.refund(notice, one.pence) };
    }
    case 'cancel': {
      const claim = chosen(model.claims.filter(({ status }) => status !== 'cancelled'), one.of);
      if (!claim) return undefined;
      const { body } = await server.send('GET', `Claim/${claim.id}`, { token: server.tokens.admin });
      return { answered: outcomeOf(await send('PUT', `Claim/${claim.id}`, { ...body, status: 'cancelled' })), expected: model.cancel(claim) };
    }
    case 'approve':
    case 'reject': {
      const claim = chosen(model.claims.filter(({ status }) => status === 'draft'), one.of);
      if (!claim) return undefined;
      const answer = await send('POST', `Claim/${claim.id}/$${one.act}`, parametersBody({ reason: 'decided' }));
      return { answered: outcomeOf(answer, answer.body), expected: model[one.act](claim) };
    }
    case 'advance':
    case 'clawback': {
      const { id, lines } = chosen(accounts, one.on) ?? accounts[0]!;
      const line = (chosen(lines.filter(({ model: of }) => of === 'direct-payment' || one.line % 5 === 0), one.line) ?? lines[0]!).id;
      const amount = one.pence / 100;
      const answer = one.act === 'advance'
        ? await send('POST', `Account/${id}/$pay`, parametersBody({ amount, kind: 'advance', allocationId: line }))
        : await send('POST', `Account/${id}/$clawback`, parametersBody({ amount, reason: 'misused', noticeDate: '2026-11-20', allocationId: line }));
      return { answered: outcomeOf(answer), expected: model[one.act](id, line, one.pence) };
    }
    case 'transfer': {
      const { id, lines } = chosen(accounts, one.on) ?? accounts[0]!;
      const from = chosen(lines, one.line)!.id;
      const to = chosen(lines.filter((line) => line.id !== from), one.to)!.id;
      const amount = Math.abs(one.pence);
      const answer = await operate(id, 'transfer-allocation', [{ name: 'from', valueId: from }, { name: 'to', valueId: to }, { name: 'amount', valueMoney: pounds(amount) }, reason]);
      return { answered: outcomeOf(answer), expected: model.transfer(id, from, to, amount) };
    }
    case 'assign': {
      const { id } = chosen(accounts, one.on) ?? accounts[0]!;
      return assign(id, one, world, operate);
    }
    case 'adjust': {
      const { id } = chosen(accounts, one.on) ?? accounts[0]!;
      const line = chosen(real(model, id), one.line)!;
      const answer = await operate(id, 'adjust-allocation', [{ name: 'delta', valueMoney: pounds(one.pence) }, { name: 'lineId', valueId: line }, reason, reviewed(world, id, 'amend')]);
      return { answered: outcomeOf(answer), expected: model.adjust(id, line, one.pence) };
    }
    default: {
      const shut = accounts.filter(({ state }) => state !== 'active');
      const { id } = chosen(one.act === 'reopen' && one.release && shut.length > 0 ? shut : accounts, one.on) ?? accounts[0]!;
      if (one.act === 'suspend') return { answered: outcomeOf(await operate(id, 'suspend', [reason])), expected: model.suspend(id) };
      if (one.act === 'reopen') return { answered: outcomeOf(await operate(id, 'reopen', [reason, reviewed(world, id, 'amend')])), expected: model.reopen(id) };
      if (one.act === 'close') return { answered: outcomeOf(await operate(id, 'close', [{ name: 'reason', valueCode: 'review' }, { name: 'releaseCommitments', valueBoolean: one.release }, reviewed(world, id, 'close')])), expected: model.close(id, one.release) };
      const answer = await operate(joint, one.act, [{ name: 'account', valueReference: reference(`Account/${id}`) }, { name: 'consent', valueReference: reference(`Consent/${world.consent}`) }]);
      return { answered: outcomeOf(answer), expected: model[one.act](id) };
    }
  }
}

/** The lines that things are bought on. */
const real = (model: Model, account: string): string[] => model.account(account).lines.flatMap(({ id }) => (id === 'unallocated' ? [] : [id]));
const reviewed = ({ reviews }: World, account: string, outcome: 'amend' | 'close'): object => ({ name: 'review', valueReference: reference(`Task/${reviews.get(account)?.[outcome]}`) });

type Granting = Extract<Act, { act: 'transfer' | 'adjust' | 'assign' }>;
interface Bought { readonly on: string; readonly line: string | undefined; readonly items: readonly Item[]; readonly commitment: boolean; readonly draft: boolean; readonly road: Road; readonly fulfils?: { readonly claim: Claim; readonly final: boolean } }

async function buy({ on, line, items, commitment, draft, road, fulfils }: Bought, { model, server, patient, provider }: World, send: Send): Promise<Result> {
  const status = draft ? 'draft' : 'active';
  const body = purchaseBody({ patient, account: on, provider, line, use: commitment ? 'preauthorization' : 'claim', status, ...(fulfils && { fulfils: fulfils.claim.id, final: fulfils.final }), rest: shown(items) });
  const answer = road === 'transaction' ? await send('POST', '', inBundle('POST', 'Claim', body)) : await send('POST', 'Claim', body);
  const claim = await storedBy(answer, server);
  const expected = model.buy({ id: claim?.id ?? '', on, commitment, ...(fulfils && { fulfils }) }, { items, line, status });
  return { answered: outcomeOf(answer, claim), expected };
}

async function amend(claim: Claim, said: Said, road: Road, { model, server }: World, send: Send): Promise<Result> {
  const path = `Claim/${claim.id}`;
  const { body: before } = await server.send('GET', path, { token: server.tokens.admin });
  const others = before.extension.filter(({ url }: any) => !url.endsWith('/ext-allocation-id'));
  const changes = { ...shown(said.items), status: said.status, extension: [...others, ...(said.line === undefined ? [] : [extension('allocation-id', { valueId: said.line })])] };
  const after = { ...before, ...changes };
  const patch = Object.entries(changes).map(([member, value]) => ({ op: 'replace', path: `/${member}`, value }));
  const answer = road === 'alone' ? await send('PUT', path, after)
    : road === 'transaction' ? await send('POST', '', inBundle('PUT', path, after))
    : await send('PATCH', path, JSON.stringify(patch), { 'content-type': 'application/json-patch+json' });
  const stored = answer.status < 300 ? (await server.send('GET', path, { token: server.tokens.admin })).body : undefined;
  return { answered: outcomeOf(answer, stored), expected: model.amend(claim, said) };
}

const inBundle = (method: string, url: string, resource: object): object => ({ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method, url }, resource }] });

async function storedBy({ status, body }: Answer, server: TestServer): Promise<any> {
  if (status >= 300) return undefined;
  if (body.resourceType === 'Claim') return body;
  const [, path] = /(Claim\/[^/]+)\//.exec(body.entry[0].response.location) ?? [];
  return (await server.send('GET', path ?? '', { token: server.tokens.admin })).body;
}

/** One line gets what is asked more, or the lines less: `pence` 0 keeps all of it and empties nothing. */
async function assign(id: string, { line: at, to, pence }: Granting, { model, server }: World, operate: (account: string, operation: string, parameter: readonly object[]) => Promise<Answer>): Promise<Result> {
  const lines = real(model, id);
  const { body } = await server.send('GET', `Account/${id}`, { token: server.tokens.admin });
  const parts = new Map<string, any[]>(body.extension.filter(({ url }: any) => url.endsWith('/ext-allocation')).map(({ extension: of }: any) => [of.find(({ url }: any) => url === 'lineId').valueId, of]));
  const [from, into] = [lines[at % lines.length] ?? '', lines[to % lines.length] ?? ''];
  const wanted = lines.map((line) => {
    const { allocated } = model.account(id).lines.find((one) => one.id === line)!;
    return { line, amount: Math.max(1, allocated - (line === from ? pence : 0) + (line === into && pence < 0 ? -pence : 0)) };
  });
  const answer = await operate(id, 'assign-allocation', [reason, ...wanted.map(({ line, amount }) => ({
    name: 'line', part: (parts.get(line) ?? []).map(({ url, ...value }: any) => ({ name: url, ...(url === 'amount' ? { valueMoney: pounds(amount) } : value) })),
  }))]);
  return { answered: outcomeOf(answer), expected: model.assign(id, wanted) };
}
