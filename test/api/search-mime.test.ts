// Searching MIME types: `:below` finds a type with whatever parameters, or a family. https://hl7.org/fhir/R4/search.html#mimetype
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';

const TYPES: Readonly<Record<string, readonly string[]>> = {
  plain: ['text/xml'], utf8: ['text/xml; charset=UTF-8'], loud: ['TEXT/XML;charset=utf-8'], other: ['text/xml-external-parsed-entity'], json: ['application/fhir+json'], png: ['image/png'], both: ['image/jpeg', 'text/xml ; q=1'],
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const [id, types] of Object.entries(TYPES)) {
    const body = { resourceType: 'DocumentReference', id, status: 'current', content: types.map((contentType) => ({ attachment: { contentType, url: 'https://example.org/x' } })) };
    const { status, text } = await server.send('PUT', `DocumentReference/${id}`, { token: server.tokens.admin, body });
    if (status !== 201) throw new Error(text);
  }
});
afterAll(() => server.close());

const get = (query: string) => server.send('GET', query, { token: server.tokens.admin });
const ids = (body: any): string[] => (body.entry ?? []).filter(({ search }: any) => search.mode === 'match').map(({ resource }: any) => resource.id).sort();

test.each<[string, readonly string[]]>([
  ['contenttype=text/xml', ['plain']],
  ['contenttype:below=text/xml', ['both', 'loud', 'plain', 'utf8']],
  ['contenttype:below=Text/XML', ['both', 'loud', 'plain', 'utf8']],
  ['contenttype:below=text/xml,image/png', ['both', 'loud', 'plain', 'png', 'utf8']],
  ['contenttype:below=image', ['both', 'png']],
  ['contenttype:below=image/', ['both', 'png']],
  ['contenttype:below=image/*', ['both', 'png']],
  ['contenttype:below=text', ['both', 'loud', 'other', 'plain', 'utf8']],
  ['contenttype:below=application/fhir%2Bjson', ['json']],
  ['contenttype:below=text/xml%3B%20charset%3DUTF-8', ['utf8']],
  ['contenttype:below=video', []],
  ['contenttype:below=text/x', []],
  ['contenttype:below=text/xml&contenttype:below=image', ['both']],
  ['contenttype:not=text/xml', ['both', 'json', 'loud', 'other', 'png', 'utf8']],
])('DocumentReference?%s', async (query, found) => {
  const { status, body } = await get(`DocumentReference?${query}`);
  expect([status, ids(body)]).toEqual([200, found]);
});

test('a chain and _has ask so as well', async () => {
  await server.send('PUT', 'Patient/p', { token: server.tokens.admin, body: { resourceType: 'Patient', id: 'p' } });
  const document = { resourceType: 'DocumentReference', id: 'of-p', status: 'current', subject: { reference: 'Patient/p' }, content: [{ attachment: { contentType: 'video/mp4; codecs="avc1"' } }] };
  expect((await server.send('PUT', 'DocumentReference/of-p', { token: server.tokens.admin, body: document })).status).toBe(201);
  expect(ids((await get('Patient?_has:DocumentReference:patient:contenttype:below=video/mp4')).body)).toEqual(['p']);
  expect(ids((await get('Patient?_has:DocumentReference:patient:contenttype:below=audio')).body)).toEqual([]);
  await server.send('DELETE', 'DocumentReference/of-p', { token: server.tokens.admin });
});

test('what has no such hierarchy is refused as before', async () => {
  expectRefusal(await get('DocumentReference?contenttype:above=text/xml'), 400, { expression: 'contenttype' });
  expectRefusal(await get('DocumentReference?status:below=text/xml'), 400, { expression: 'status' });
});
