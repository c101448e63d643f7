// transaction: all entries or none. https://hl7.org/fhir/R4/http.html#trules
import { startServer, type TestServer } from '../server.js';
import { expectRefusal } from './refusal.js';
import { rowCounts } from './row-counts.js';

const SYSTEM = 'https://ids.example';
const UUID = (digit: number): string => `urn:uuid:00000000-0000-4000-8000-00000000000${digit.toString(16)}`;

let server: TestServer;
beforeAll(async () => { server = await startServer(); });
afterAll(() => server.close());

const bundle = (entry: readonly unknown[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });
const transact = (entry: readonly unknown[], headers: Record<string, string> = {}) => server.send('POST', '', { token: server.tokens.admin, body: bundle(entry), headers });
const represented = (entry: readonly unknown[]) => transact(entry, { prefer: 'return=representation' });
const post = (resource: { resourceType: string }, more: object = {}, request: object = {}) => ({ resource, request: { method: 'POST', url: resource.resourceType, ...request }, ...more });
const put = (resource: { resourceType: string; id: string }, more: object = {}, request: object = {}) =>
  ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...request }, ...more });
const asks = (method: string, url: string, request: object = {}) => ({ request: { method, url, ...request } });
const patient = (members: object = {}) => ({ resourceType: 'Patient', ...members });
const observation = (members: object = {}) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...members });
const identifier = (value: string) => [{ system: SYSTEM, value }];
const statuses = (body: any): string[] => body.entry.map((entry: any) => entry.response.status.slice(0, 3));
const get = (path: string) => server.send('GET', path, { token: server.tokens.admin });
const seed = (id: string, members: object = {}) => server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: patient({ id, ...members }) });

/** A transaction that must be refused and leave every table as it was. */
async function refused(entry: readonly unknown[], status: number, refusal: Parameters<typeof expectRefusal>[2] = {}): Promise<void> {
  const before = await rowCounts(server);
  expectRefusal(await transact(entry), status, refusal);
  expect(await rowCounts(server)).toEqual(before);
}

test('answers entry for entry in the order sent, and processes DELETE, POST, PUT, GET', async () => {
  await seed('old', { identifier: identifier('order') });
  const { status, body } = await transact([
    asks('GET', `Patient?identifier=${SYSTEM}|order&_sort=_id`),
    put(patient({ id: 'put', identifier: identifier('order') }) as never),
    post(patient({ identifier: identifier('order') }), {}, { ifNoneExist: `identifier=${SYSTEM}|order` }),
    asks('DELETE', 'Patient/old'),
    asks('GET', 'Patient/put'),
  ]);
  expect(status).toBe(200);
  expect(body.type).toBe('transaction-response');
  // The delete came first, so that the conditional create found nothing, and the search sees both writes and not the deleted one.
  expect(statuses(body)).toEqual(['200', '201', '201', '204', '200']);
  expect(body.entry[0].resource.entry).toHaveLength(2);
  expect(body.entry[4].resource).toMatchObject({ id: 'put' });
  expect(body.entry[2].response).toMatchObject({ etag: 'W/"1"', location: expect.stringMatching(/Patient\/[^/]+\/_history\/1$/), lastModified: expect.any(String) });
});

describe('references between entries', () => {
  test('by fullUrl become Type/id, before and after the entry they name, also in a circle', async () => {
    const { body } = await represented([
      post(observation({ subject: { reference: UUID(1) }, hasMember: [{ reference: UUID(3) }] }), { fullUrl: UUID(2) }),
      post(patient({ link: [{ other: { reference: UUID(4) }, type: 'seealso' }] }), { fullUrl: UUID(1) }),
      post(observation({ subject: { reference: UUID(1) }, derivedFrom: [{ reference: UUID(2) }] }), { fullUrl: UUID(3) }),
      put({ resourceType: 'Patient', id: 'circle', link: [{ other: { reference: UUID(1) }, type: 'seealso' }] } as never, { fullUrl: UUID(4) }),
    ]);
    const [first, one, second, circle] = body.entry.map((entry: any) => entry.resource);
    expect(first.subject.reference).toBe(`Patient/${one.id}`);
    expect(first.hasMember[0].reference).toBe(`Observation/${second.id}`);
    expect(second.derivedFrom[0].reference).toBe(`Observation/${first.id}`);
    expect(one.link[0].other.reference).toBe('Patient/circle');
    expect(circle.link[0].other.reference).toBe(`Patient/${one.id}`);
    expect((await get(`Observation?subject=Patient/${one.id}`)).body.entry).toHaveLength(2);
  });

  test('to oneself, and absolute fullUrls of another server', async () => {
    const elsewhere = 'http://elsewhere.example/fhir/Patient/7';
    const { body } = await represented([
      post(patient({ link: [{ other: { reference: elsewhere }, type: 'seealso' }] }), { fullUrl: elsewhere }),
    ]);
    expect(body.entry[0].resource.link[0].other.reference).toBe(`Patient/${body.entry[0].resource.id}`);
  });

  test('relative ones are below the base of the fullUrl of the entry that refers', async () => {
    for (const base of [server.base, 'http://elsewhere.example/fhir']) {
      const { body } = await represented([
        post(observation({ subject: { reference: 'Patient/sent' }, focus: [{ reference: 'Patient/not-sent' }], text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><a href="Patient/sent">x</a></div>' }, identifier: [{ value: 'Patient/sent' }] }), { fullUrl: `${base}/Observation/sent` }),
        post(patient(), { fullUrl: `${base}/Patient/sent` }),
        post(observation({ subject: { reference: 'Patient/sent' } }), { fullUrl: UUID(1) }),
        post(observation({ subject: { reference: 'Patient/sent' } })),
        post(observation({ subject: { reference: 'Patient/sent' } }), { fullUrl: 'http://third.example/Observation/sent' }),
      ]);
      const [near, one, ...others] = body.entry.map((entry: any) => entry.resource);
      expect(near).toMatchObject({ subject: { reference: `Patient/${one.id}` }, focus: [{ reference: 'Patient/not-sent' }], identifier: [{ value: 'Patient/sent' }] });
      expect(near.text.div).toContain(`<a href="Patient/${one.id}">`);
      expect(one.id).not.toBe('sent');
      expect(others.map((other: any) => other.subject.reference)).toEqual(['Patient/sent', 'Patient/sent', 'Patient/sent']);
    }
  });

  test('a canonical is no reference to an entry', async () => {
    const { body } = await represented([post(patient(), { fullUrl: UUID(1) }), post(observation({ extension: [{ url: 'http://example.org/e', valueCanonical: UUID(1) }] }))]);
    expect(body.entry[1].resource.extension[0].valueCanonical).toBe(UUID(1));
  });

  test('in links of the narrative, in urls; not in identifiers and texts', async () => {
    const { body } = await represented([
      post(patient(), { fullUrl: UUID(1) }),
      post(observation({
        text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${UUID(1)}">${UUID(1)}</a></div>` },
        identifier: [{ system: 'urn:ietf:rfc:3986', value: UUID(1) }],
        extension: [{ url: 'http://example.org/e', valueUri: UUID(1) }],
        valueString: UUID(1),
      })),
    ]);
    const [one, other] = body.entry.map((entry: any) => entry.resource);
    expect(other.text.div).toBe(`<div xmlns="http://www.w3.org/1999/xhtml"><a href="Patient/${one.id}">${UUID(1)}</a></div>`);
    expect(other.identifier[0].value).toBe(UUID(1));
    expect(other.valueString).toBe(UUID(1));
    expect(other.extension[0].valueUri).toBe(`Patient/${one.id}`);
  });

  test('by urn:oid, with a fragment, and as a version', async () => {
    const oid = 'urn:oid:1.2.36.146.595.217.0.1';
    await seed('known-version', { identifier: identifier('known-version') });
    await seed('known-version', { identifier: identifier('known-version'), active: true });
    const { body } = await represented([
      post(patient({ meta: { versionId: '7' } }), { fullUrl: oid }),
      post(patient(), { fullUrl: UUID(5) }, { ifNoneExist: `identifier=${SYSTEM}|known-version` }),
      put({ resourceType: 'Patient', id: 'written-version' }, { fullUrl: UUID(6) }),
      post(observation({ subject: { reference: oid }, focus: [
        { reference: `${oid}#part` }, { reference: `${oid}/_history/7` }, { reference: `${oid}/_history/8` }, { reference: `${UUID(5)}/_history/1` }, { reference: `${UUID(6)}/_history/1` }, { reference: '#' },
      ] })),
    ]);
    const one = `Patient/${body.entry[0].resource.id}`;
    const { subject, focus } = body.entry[3].resource;
    expect(subject.reference).toBe(one);
    // What names another version than the entry's, and what the container is, stays.
    expect(focus.map(({ reference }: any) => reference)).toEqual([`${one}#part`, `${one}/_history/1`, `${oid}/_history/8`, 'Patient/known-version/_history/2', 'Patient/written-version', '#']);
    expect((await get(body.entry[3].response.location.replace(/^.*\/fhir\/R4\//, ''))).body.focus).toEqual(focus);
  });

  test('of our own base lead to what the entry becomes', async () => {
    const own = `${server.base}/Patient/sent-as`;
    const { body } = await represented([post(patient(), { fullUrl: own }), post(observation({ subject: { reference: own } }))]);
    expect(body.entry[1].resource.subject.reference).toBe(`Patient/${body.entry[0].resource.id}`);
  });

  test('in elements of type uri and url, also repeated ones; canonical ones stay, and a uuid that could be nothing else', async () => {
    const { body } = await represented([
      post({ resourceType: 'Binary', contentType: 'text/plain', data: 'eA==' } as never, { fullUrl: UUID(1) }),
      post({ resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { url: UUID(1) } }], extension: [
        { url: 'http://example.org/url', valueUrl: UUID(1) }, { url: 'http://example.org/uuid', valueUuid: UUID(1) }, { url: 'http://example.org/canonical', valueCanonical: UUID(1) },
      ] } as never),
      post({ resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { display: 'x' }, instantiatesUri: ['http://example.org/x', UUID(1)], instantiatesCanonical: [UUID(1)] } as never),
    ]);
    const binary = `Binary/${body.entry[0].resource.id}`;
    const check = (document: any, request: any): void => {
      expect(document.content[0].attachment.url).toBe(binary);
      expect(document.extension.map(({ url: _url, ...value }: any) => Object.values(value)[0])).toEqual([binary, UUID(1), UUID(1)]);
      expect([request.instantiatesUri, request.instantiatesCanonical]).toEqual([['http://example.org/x', binary], [UUID(1)]]);
    };
    check(body.entry[1].resource, body.entry[2].resource);
    check((await get(`DocumentReference/${body.entry[1].resource.id}`)).body, (await get(`ServiceRequest/${body.entry[2].resource.id}`)).body);
  });

  test('in pictures and links of a narrative, however they are quoted', async () => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><img src='${UUID(1)}' alt="x"/><a href="${UUID(1)}#part">${UUID(1)}</a></div>`;
    const { body } = await represented([
      post({ resourceType: 'Binary', contentType: 'image/png', data: 'eA==' } as never, { fullUrl: UUID(1) }),
      post(observation({ text: { status: 'generated', div } })),
    ]);
    const binary = `Binary/${body.entry[0].resource.id}`;
    expect(body.entry[1].resource.text.div).toBe(`<div xmlns="http://www.w3.org/1999/xhtml"><img src='${binary}' alt="x"/><a href="${binary}#part">${UUID(1)}</a></div>`);
  });

  test('leave digits and order of the rest as they were', async () => {
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"${UUID(1)}","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},{"resource":{"resourceType":"Observation","valueQuantity":{"value":1.00},"subject":{"reference":"${UUID(1)}"},"status":"final","code":{"text":"x"}},"request":{"method":"POST","url":"Observation"}}]}`;
    const { text: answer } = await server.send('POST', '', { token: server.tokens.admin, body: text, headers: { prefer: 'return=representation' } });
    expect(answer).toMatch(/"valueQuantity":\{"value":1\.00\},"subject":\{"reference":"Patient\/[^"]+"\},"status":"final","code":\{"text":"x"\}/);
  });
});

describe('conditional references', () => {
  const naming = (criteria: string) => post(observation({ subject: { reference: criteria } }));

  test('become the one that matches', async () => {
    await seed('conditional', { identifier: identifier('cond') });
    const { body } = await represented([naming(`Patient?identifier=${SYSTEM}|cond`)]);
    expect(body.entry[0].resource.subject.reference).toBe('Patient/conditional');
  });

  test('may match what the same transaction makes', async () => {
    const { status, body } = await represented([
      naming(`Patient?identifier=${SYSTEM}|made-here`),
      post({ resourceType: 'Patient', identifier: identifier('made-here'), managingOrganization: { reference: `Organization?identifier=${SYSTEM}|org-here` } } as never),
      post({ resourceType: 'Organization', name: 'x', identifier: identifier('org-here') } as never),
    ]);
    expect({ status, issue: body.issue }).toEqual({ status: 200, issue: undefined });
    const [made, one, organization] = body.entry.map((entry: any) => entry.resource);
    expect(made.subject.reference).toBe(`Patient/${one.id}`);
    expect(one.managingOrganization.reference).toBe(`Organization/${organization.id}`);
  });

  test('that match nothing refuse the whole', () =>
    refused([post(patient()), naming(`Patient?identifier=${SYSTEM}|nobody`)], 412, { code: 'not-found', expression: 'Bundle.entry[1]' }));

  test('that match several refuse the whole', async () => {
    await seed('several-1', { identifier: identifier('several') });
    await seed('several-2', { identifier: identifier('several') });
    await refused([naming(`Patient?identifier=${SYSTEM}|several`)], 412, { code: 'multiple-matches', expression: 'Bundle.entry[0]' });
  });

  test.each(['Nonsense?identifier=x', 'Patient?', 'Patient?shoe-size=1', 'Patient?birthdate=x'])('%s refuses the whole', (criteria) =>
    transact([naming(criteria)]).then(({ status, body }) => {
      expect(body.resourceType).toBe('OperationOutcome');
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }));
});

describe('conditional writes', () => {
  test('a conditional create that finds one answers 200 with it, and references lead there', async () => {
    await seed('found', { identifier: identifier('found') });
    const { body } = await represented([
      post(patient({ identifier: identifier('found') }), { fullUrl: UUID(1) }, { ifNoneExist: `identifier=${SYSTEM}|found` }),
      post(observation({ subject: { reference: UUID(1) } })),
    ]);
    expect(statuses(body)).toEqual(['200', '201']);
    expect(body.entry[0].resource.id).toBe('found');
    expect(body.entry[0].response.location).toBe(`${server.base}/Patient/found/_history/1`);
    expect(body.entry[1].resource.subject.reference).toBe('Patient/found');
  });

  test('a conditional create that finds none creates, and references lead there', async () => {
    const { body } = await represented([
      post(patient({ identifier: identifier('new') }), { fullUrl: UUID(1) }, { ifNoneExist: `identifier=${SYSTEM}|new` }),
      post(observation({ subject: { reference: UUID(1) } })),
    ]);
    expect(statuses(body)).toEqual(['201', '201']);
    expect(body.entry[1].resource.subject.reference).toBe(`Patient/${body.entry[0].resource.id}`);
  });

  test('the same conditional create twice in one transaction makes one resource', async () => {
    const once = (digit: number) => post(patient({ identifier: identifier('twice') }), { fullUrl: UUID(digit) }, { ifNoneExist: `identifier=${SYSTEM}|twice` });
    const { body } = await represented([once(1), once(2), post(observation({ subject: { reference: UUID(2) } }))]);
    expect(statuses(body)).toEqual(['201', '200', '201']);
    expect(body.entry[1].resource.id).toBe(body.entry[0].resource.id);
    expect(body.entry[2].resource.subject.reference).toBe(`Patient/${body.entry[0].resource.id}`);
    expect((await get(`Patient?identifier=${SYSTEM}|twice`)).body.entry).toHaveLength(1);
  });

  test('a conditional update updates the match or creates', async () => {
    await seed('updated', { identifier: identifier('cu') });
    const update = (value: string) => ({ resource: patient({ identifier: identifier(value), active: true }), request: { method: 'PUT', url: `Patient?identifier=${SYSTEM}|${value}` } });
    const { body } = await represented([update('cu'), update('cu-new')]);
    expect(statuses(body)).toEqual(['200', '201']);
    expect(body.entry[0].resource).toMatchObject({ id: 'updated', active: true });
  });

  test('a conditional delete deletes the match', async () => {
    await seed('swept', { identifier: identifier('swept') });
    expect(statuses((await transact([asks('DELETE', `Patient?identifier=${SYSTEM}|swept`)])).body)).toEqual(['204']);
    expect((await get('Patient/swept')).status).toBe(410);
  });

  test('ifMatch of an entry is kept: a stale one refuses the whole', async () => {
    await seed('versioned');
    await refused([post(patient()), put(patient({ id: 'versioned' }) as never, {}, { ifMatch: 'W/"8"' })], 412, { code: 'conflict', expression: 'Bundle.entry[1].resource' });
    expect((await transact([put(patient({ id: 'versioned', active: true }) as never, {}, { ifMatch: 'W/"1"' })])).status).toBe(200);
    await refused([post(patient()), asks('DELETE', 'Patient/versioned', { ifMatch: 'W/"1"' })], 412, { code: 'conflict', expression: 'Bundle.entry[1]' });
  });

  test('ifNoneMatch: * of an entry is kept', async () => {
    await seed('present');
    await refused([put(patient({ id: 'present' }) as never, {}, { ifNoneMatch: '*' })], 412);
  });
});

describe('one bad entry rolls all back', () => {
  const good = [post(patient({ identifier: identifier('rollback') })), put(patient({ id: 'rollback' }) as never)];

  test.each([
    ['a resource that is not valid', post(patient({ birthDate: 'x' })), 400, 'Bundle.entry[2].resource.birthDate'],
    ['a fault deep inside', post(patient({ contact: [{}, { gender: 'none' }] })), 400, 'Bundle.entry[2].resource.contact[1].gender'],
    ['another type than its url', { resource: observation(), request: { method: 'POST', url: 'Patient' } }, 400, 'Bundle.entry[2]'],
    ['another id than its url', { resource: patient({ id: 'b' }), request: { method: 'PUT', url: 'Patient/a' } }, 400, 'Bundle.entry[2].resource.id'],
    ['no resource', asks('POST', 'Patient'), 400, 'Bundle.entry[2]'],
    ['a resource that is null', { resource: null, request: { method: 'POST', url: 'Patient' } }, 400, 'Bundle.entry[2]'],
    ['no request', { resource: patient() }, 400, 'Bundle.entry[2].request'],
    ['an unknown type', post({ resourceType: 'Nonsense' }), 404, 'Bundle.entry[2].request.url'],
    ['a read of what is not there', asks('GET', 'Patient/nobody'), 404, 'Bundle.entry[2]'],
    ['a method that its url does not take', asks('PATCH', 'Patient/x/_history'), 405, 'Bundle.entry[2].request.url'],
    ['a purge', asks('DELETE', 'Patient/x/_history'), 400, 'Bundle.entry[2].request'],
    ['a search with a bad value', asks('GET', 'Patient?birthdate=x'), 400, 'Bundle.entry[2]'],
    ['a Bundle', { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '/' } }, 400, 'Bundle.entry[2].request'],
  ])('%s', (_what, entry, status, expression) => refused([...good, entry], status, { expression }));

  test('and what was there before is as it was', async () => {
    await seed('before', { active: true });
    await refused([put(patient({ id: 'before', active: false }) as never), asks('DELETE', 'Patient/old'), post(patient({ nickname: 'x' }))], 400);
    expect((await get('Patient/before')).body).toMatchObject({ active: true, meta: { versionId: '1' } });
  });
});

describe('two entries for one resource are refused', () => {
  const uuid = { fullUrl: UUID(1) };
  test.each([
    ['the same fullUrl', [post(patient(), uuid), post(patient(), uuid)]],
    ['two updates', [put(patient({ id: 'two' }) as never), put(patient({ id: 'two', active: true }) as never)]],
    ['an update and a delete', [put(patient({ id: 'two' }) as never), asks('DELETE', 'Patient/two')]],
    ['two deletes', [asks('DELETE', 'Patient/two'), asks('DELETE', 'Patient/two')]],
    ['a conditional update and an update', [put(patient({ id: 'two' }) as never), { resource: patient(), request: { method: 'PUT', url: `Patient?identifier=${SYSTEM}|two` } }]],
    ['a conditional delete and an update', [put(patient({ id: 'two' }) as never), asks('DELETE', `Patient?identifier=${SYSTEM}|two`)]],
  ])('%s', async (_what, entries) => {
    await seed('two', { identifier: identifier('two') });
    await refused(entries, 400, { code: 'invalid' });
  });
});

test('written resources come back only under return=representation', async () => {
  const entries = [post(patient({ active: true }))];
  expect((await transact(entries)).body.entry[0]).not.toHaveProperty('resource');
  expect((await represented(entries)).body.entry[0].resource).toMatchObject({ active: true });
});

test('a transaction without entries is answered without entries', async () => {
  expect((await transact([])).status).toBeLessThan(500);
  const { status, body } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction' } });
  expect({ status, body }).toEqual({ status: 200, body: { resourceType: 'Bundle', type: 'transaction-response' } });
});

test('five hundred entries are written at once, each with its reference', async () => {
  const entries = Array.from({ length: 499 }, (_, index) => post(observation({ subject: { reference: UUID(1) }, valueInteger: index })));
  const { status, body } = await transact([...entries, post(patient({ identifier: identifier('big') }), { fullUrl: UUID(1) })]);
  expect(status).toBe(200);
  expect(new Set(statuses(body))).toEqual(new Set(['201']));
  const [, id] = /Patient\/([^/]+)/.exec(body.entry[499].response.location) ?? [];
  expect((await get(`Observation?subject=Patient/${id}&_summary=count`)).body.total).toBe(499);
});

test('transactions that write the same resources in opposite orders do not stop each other', async () => {
  const ids = ['x1', 'x2', 'x3', 'x4'];
  for (const id of ids) await seed(id);
  const entries = (turn: number) => ids.map((id) => put(patient({ id, birthDate: `2000-01-${10 + turn}` }) as never));
  const answers = await Promise.all(Array.from({ length: 10 }, (_, turn) => transact(turn % 2 ? entries(turn) : entries(turn).reverse())));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect((await get('Patient/x1')).body.meta.versionId).toBe('11');
});
