import { historyText, responseText, searchsetText } from '../../src/fhir/bundle.js';

const UPDATED = Date.UTC(2026, 10, 21, 12);

test('a searchset holds the stored texts as they are', () => {
  const text = searchsetText({
    id: 'b1', total: 1, links: [{ relation: 'self', url: 'https://x/Claim?a="b"' }, { relation: 'next', url: 'https://x/?p=£' }], outcome: '{"resourceType":"OperationOutcome"}',
    base: 'https://x/"',
    matches: [{ type: 'Claim', id: '1', text: '{"resourceType":"Claim","total":{"value":1.00}}' }],
    includes: [{ type: 'Patient', id: '1', text: '{"resourceType":"Patient"}' }],
  });
  expect(text).toContain('"value":1.00');
  expect(JSON.parse(text)).toEqual({
    resourceType: 'Bundle', id: 'b1', type: 'searchset', total: 1,
    link: [{ relation: 'self', url: 'https://x/Claim?a="b"' }, { relation: 'next', url: 'https://x/?p=£' }],
    entry: [
      { fullUrl: 'https://x/"/Claim/1', resource: { resourceType: 'Claim', total: { value: 1 } }, search: { mode: 'match' } },
      { fullUrl: 'https://x/"/Patient/1', resource: { resourceType: 'Patient' }, search: { mode: 'include' } },
      { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } },
    ],
  });
});

test('an empty searchset has no empty array', () => {
  expect(searchsetText({ total: 0, links: [], base: 'https://x', matches: [] })).toBe('{"resourceType":"Bundle","type":"searchset","total":0}');
});

test('a history says how each version came about', () => {
  const version = { fullUrl: 'https://x/Basic/1', type: 'Basic', id: '1', updated: UPDATED };
  const { type, total, entry } = JSON.parse(historyText({
    total: 3, links: [],
    entries: [
      { ...version, version: 3, method: 'DELETE', text: null },
      { ...version, version: 2, method: 'PUT', text: '{"a":2}' },
      { ...version, version: 1, method: 'POST', text: '{"a":1}' },
    ],
  })) as { type: string; total: number; entry: object[] };
  const lastModified = '2026-11-21T12:00:00.000Z';
  expect({ type, total }).toEqual({ type: 'history', total: 3 });
  expect(entry).toEqual([
    { fullUrl: 'https://x/Basic/1', request: { method: 'DELETE', url: 'Basic/1' }, response: { status: '204 No Content', etag: 'W/"3"', lastModified } },
    { fullUrl: 'https://x/Basic/1', resource: { a: 2 }, request: { method: 'PUT', url: 'Basic/1' }, response: { status: '200 OK', etag: 'W/"2"', lastModified } },
    { fullUrl: 'https://x/Basic/1', resource: { a: 1 }, request: { method: 'POST', url: 'Basic' }, response: { status: '201 Created', etag: 'W/"1"', lastModified } },
  ]);
  expect(JSON.parse(historyText({ links: [], entries: [{ ...version, version: 1, method: 'PUT', text: '{}' }] }))).toMatchObject({ entry: [{ response: { status: '201 Created' } }] });
});

test('replies of a batch keep their order; an outcome goes into the response', () => {
  const text = responseText('batch-response', [
    { status: 201, location: 'https://x/Basic/1/_history/1', version: '1', updated: UPDATED, body: '{"resourceType":"Basic"}', fullUrl: 'https://x/Basic/1' },
    { status: 404, body: '{"resourceType":"OperationOutcome"}', outcome: true },
    { status: 204 },
    { status: 304, body: '' },
  ]);
  expect(JSON.parse(text)).toEqual({
    resourceType: 'Bundle', type: 'batch-response',
    entry: [
      { fullUrl: 'https://x/Basic/1', resource: { resourceType: 'Basic' }, response: { status: '201 Created', location: 'https://x/Basic/1/_history/1', etag: 'W/"1"', lastModified: '2026-11-21T12:00:00.000Z' } },
      { response: { status: '404 Not Found', outcome: { resourceType: 'OperationOutcome' } } },
      { response: { status: '204 No Content' } },
      { response: { status: '304 Not Modified' } },
    ],
  });
  expect(JSON.parse(responseText('transaction-response', [], { id: 't', links: [{ relation: 'self', url: 'https://x' }] }))).toEqual({ resourceType: 'Bundle', id: 't', type: 'transaction-response', link: [{ relation: 'self', url: 'https://x' }] });
});
