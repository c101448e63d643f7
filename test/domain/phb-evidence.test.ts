// C32E2: what is kept as evidence of a purchase is of an allowed type by whatever way it is named, is what it says it is, is about the
// budget's patient, and stays so (domain.md 2.1 E2, ruling 54).
import { closeBalanced, gbp, made } from './budgets.js';
import { pay } from './payments.js';
import { change, opened, parties, purchaseBody, record, recorded, type Opened } from './purchases.js';
import { startServer, type Answer, type TestServer } from '../server.js';

const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
const PAGE = { contentType: 'text/html', data: Buffer.from('<html><script>steal()</script>').toString('base64') };
const RECEIPT = { contentType: 'application/pdf', data: PDF };

let server: TestServer;
let on: Opened;
beforeAll(async () => {
  server = await startServer();
  on = await opened(server, await parties(server), { lines: [{ amount: gbp(1000) }] });
});
afterAll(() => closeBalanced(server));

const evidence = (value: object, rest: object = {}): object => ({
  supportingInfo: [{ sequence: 1, category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claiminformationcategory', code: 'attachment' }] }, ...value }], ...rest,
});
const referring = (reference: string, rest: object = {}): object => evidence({ valueReference: { reference } }, rest);
const documentBody = (attachment: object, patient = on.patient): any => ({ resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${patient}` }, content: [{ attachment }] });
const binaryBody = (file: object): any => ({ resourceType: 'Binary', ...file });
const buy = (rest: object): Promise<Answer> => record(server, purchaseBody({ ...on, amount: 1, rest }));
const put = (resource: any): Promise<Answer> => server.send('PUT', `${resource.resourceType}/${resource.id}`, { token: server.tokens.admin, body: resource });

describe('a file of a type that is not allowed comes in by no way', () => {
  test('contained in the Claim', async () => {
    expect((await buy(referring('#d', { contained: [{ ...documentBody(PAGE), id: 'd' }] }))).status).toBe(422);
    expect((await buy(referring('#d', { contained: [binaryBody({ id: 'd', ...PAGE })] }))).status).toBe(422);
    expect((await buy(referring('#d', { contained: [{ ...documentBody(RECEIPT), id: 'd' }] }))).status).toBe(201);
  });

  test('by the whole URL of a resource: here it is that resource, elsewhere it is none of ours', async () => {
    const page = await made(server, binaryBody(PAGE));
    const document = await made(server, documentBody(RECEIPT));
    for (const url of [`${server.base}/Binary/${page.id}`, 'https://elsewhere.example/Binary/1']) expect((await buy(referring(url))).status).toBe(422);
    expect((await buy(referring(`${server.base}/DocumentReference/${document.id}`))).body.supportingInfo[0].valueReference).toEqual({ reference: `DocumentReference/${document.id}` });
  });

  test('by a label that says otherwise', async () => {
    const text = await made(server, binaryBody({ contentType: 'text/plain', data: Buffer.from('thirty pounds').toString('base64') }));
    expect((await buy(evidence({ valueAttachment: { contentType: 'application/pdf', url: `Binary/${text.id}` } }))).status).toBe(422);
    expect((await buy(evidence({ valueAttachment: { contentType: 'text/plain', url: `Binary/${text.id}` } }))).status).toBe(201);
  });

  test('by a change of the document once a purchase cites it, paid or not', async () => {
    const file = await made(server, binaryBody(RECEIPT));
    const document = await made(server, documentBody({ contentType: 'application/pdf', url: `Binary/${file.id}` }));
    await recorded(server, purchaseBody({ ...on, amount: 1, rest: referring(`DocumentReference/${document.id}`) }));
    expect((await put({ ...file, ...PAGE })).status).toBe(422);
    expect((await put({ ...document, content: [{ attachment: PAGE }] })).status).toBe(422);
    expect((await put({ ...document, content: [{ attachment: RECEIPT }] })).status).toBe(200);
    const loose = await made(server, binaryBody(RECEIPT));
    expect((await put({ ...loose, ...PAGE })).status).toBe(200);
  });
});

test('an attachment is the file that it says it is: its size and its hash are those of the data', async () => {
  const hash = 'wLgsV+Qk3y/uqkBiRGuTcTVwUwk=';
  for (const said of [{ size: 14 }, { hash }]) expect((await buy(evidence({ valueAttachment: { ...RECEIPT, ...said } }))).status).toBe(422);
  const { createHash } = await import('node:crypto');
  const right = createHash('sha1').update(Buffer.from(PDF, 'base64')).digest('base64');
  expect((await buy(evidence({ valueAttachment: { ...RECEIPT, size: 15, hash: right } }))).status).toBe(201);
});

test('a document about another patient is no evidence here: citing it would show it', async () => {
  const { patient } = await opened(server, { owner: on.body.owner.reference.slice('Organization/'.length), provider: on.provider });
  const foreign = await made(server, documentBody(RECEIPT, patient));
  expect((await buy(referring(`DocumentReference/${foreign.id}`))).status).toBe(422);
  const token = await server.token('patient', { patient: on.patient });
  expect((await server.send('GET', `DocumentReference/${foreign.id}`, { token })).status).toBe(404);
});

test('what money was paid on is not taken back: neither from the Claim nor as an error', async () => {
  const document = await made(server, documentBody(RECEIPT));
  const claim = await recorded(server, purchaseBody({ ...on, amount: 1, rest: referring(`DocumentReference/${document.id}`) }));
  expect((await pay(server, claim.id, 1)).status).toBe(200);
  const { body: paid } = await server.send('GET', `Claim/${claim.id}`, { token: server.tokens.admin });
  expect((await change(server, paid, { supportingInfo: undefined })).status).toBe(409);
  expect((await put({ ...document, status: 'entered-in-error' })).status).toBe(409);
  expect((await put({ ...document, description: 'Gym, November' })).status).toBe(200);
});
