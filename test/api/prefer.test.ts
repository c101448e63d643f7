// Prefer: what is not known is ignored, and several headers are one list. https://www.rfc-editor.org/rfc/rfc7240#section-2
import { sendRaw } from './raw-request.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const create = (prefer: string): Promise<Answer> =>
  server.send('POST', 'Basic', { token: server.tokens.admin, body: { resourceType: 'Basic', code: { text: 'x' } }, headers: { prefer } });
const kindOf = ({ status, text, body }: Answer): string => `${status} ${text === '' ? 'nothing' : body.resourceType}`;

test.each(['return=everything', 'return=', 'return', 'return=MINIMAL', 'return=minimally', 'myreturn=minimal', 'x-return=minimal', 'x="return=minimal"', 'wait=10', 'respond-asynchronously', ';', ',,'])(
  'Prefer: %s is no preference of ours: the answer is as without', async (prefer) => {
    expect(kindOf(await create(prefer))).toBe('201 Basic');
  });

test.each([
  ['return=minimal', '201 nothing'],
  ['return="minimal"', '201 nothing'],
  ['Return=minimal', '201 nothing'],
  ['return = minimal', '201 nothing'],
  ['return=minimal; foo=bar', '201 nothing'],
  ['wait=5, return=OperationOutcome', '201 OperationOutcome'],
  ['handling=lenient,return=representation', '201 Basic'],
  ['handling=lenient; x=1 , return=minimal', '201 nothing'],
  // The first one counts. https://www.rfc-editor.org/rfc/rfc7240#section-2
  ['return=minimal, return=representation', '201 nothing'],
])('Prefer: %s answers %s', async (prefer, expected) => {
  expect(kindOf(await create(prefer))).toBe(expected);
});

test.each([['handling=strict', 400], ['handling="strict"', 400], ['return=minimal, handling=strict', 400], ['handling=severe', 200], ['handling=stricter', 200], ['mishandling=strict', 200], ['handling=lenient, handling=strict', 200]])(
  'a search with an unknown parameter under Prefer: %s answers %i', async (prefer, status) => {
    expect((await server.send('GET', 'Basic?shoe-size=43', { token: server.tokens.admin, headers: { prefer } })).status).toBe(status);
  });

test('several headers are one list', async () => {
  const authorization = `Bearer ${server.tokens.admin}`;
  const path = `${new URL(server.base).pathname}/Basic?shoe-size=43`;
  expect((await sendRaw(server.base, { method: 'GET', path, headers: { authorization, prefer: ['return=minimal', 'handling=strict'] } })).status).toBe(400);
  expect((await sendRaw(server.base, { method: 'GET', path, headers: { authorization, prefer: ['return=minimal', 'respond-async'] } })).status).toBe(202);
});

// https://www.rfc-editor.org/rfc/rfc7240#section-3
test.each([
  ['POST', 'Basic', 'return=minimal', 'return=minimal'],
  ['POST', 'Basic', 'wait=3, return="representation"', 'return=representation'],
  ['PUT', 'Basic/applied', 'return=OperationOutcome', 'return=OperationOutcome'],
  ['POST', '', 'return=minimal', 'return=minimal'],
  ['DELETE', 'Basic/nothing', 'return=OperationOutcome', 'return=OperationOutcome'],
  ['GET', 'Basic?_count=1', 'handling=strict', 'handling=strict'],
  ['GET', 'Basic?_count=1', 'handling=lenient, return=minimal', 'handling=lenient'],
  ['GET', 'Basic?_count=1', 'respond-async, handling=strict', 'respond-async'],
  ['GET', 'Basic?_count=1', 'return=minimal', undefined],
  ['GET', 'Basic?shoe-size=43', 'handling=strict', undefined],
  ['POST', 'Basic', 'return=everything', undefined],
])('%s %s under Prefer: %s says Preference-Applied: %s', async (method, path, prefer, applied) => {
  const body = path === '' ? { resourceType: 'Bundle', type: 'batch' } : { resourceType: 'Basic', ...(path === 'Basic/applied' && { id: 'applied' }), code: { text: 'x' } };
  const { headers } = await server.send(method, path, { token: server.tokens.admin, ...((method === 'POST' || method === 'PUT') && { body }), headers: { prefer } });
  expect(headers['preference-applied']).toBe(applied);
});
