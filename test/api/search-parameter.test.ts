// Search parameters that an administrator posts and switches on. https://hl7.org/fhir/R4/searchparameter.html
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type Answer, type TestServer } from '../server.js';

jest.setTimeout(120_000);

const EXT = 'http://e.example/StructureDefinition';
let server: TestServer;
let admin: string;
beforeAll(async () => {
  server = await startServer();
  admin = server.tokens.admin;
});
afterAll(() => server.close());

const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => server.send(method, path, { token: admin, ...(body !== undefined && { body }), headers });
const get = (path: string): Promise<Answer> => send('GET', path);
const ids = ({ body }: Answer): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === 'match').map((entry: any) => entry.resource.id);
const found = async (search: string): Promise<string[]> => ids(await get(search)).sort();
/** Strict: an unknown parameter is refused. */
const asked = (search: string): Promise<Answer> => send('GET', search, undefined, { prefer: 'handling=strict' });

const parameter = (id: string, more: object = {}): any => ({
  resourceType: 'SearchParameter', id, url: `http://e.example/SearchParameter/${id}`, name: id, status: 'active', description: id, code: id, base: ['Basic'], type: 'string', expression: `Basic.extension('${EXT}/${id}').value`, ...more,
});
const post = async (resource: any): Promise<Answer> => send('PUT', `SearchParameter/${resource.id}`, resource);

async function done(answer: Answer): Promise<any> {
  expect(answer.status).toBe(202);
  const job = String(answer.headers['content-location']).slice(server.base.length + 1);
  for (let tries = 0; tries < 600; tries += 1) {
    const state = await get(job);
    if (state.status === 200) return Object.fromEntries(state.body.parameter.map(({ name, ...value }: any) => [name, Object.values(value)[0]]));
    expect([state.status, state.text]).toEqual([202, '']);
    await sleep(50);
  }
  throw new Error('the job does not end');
}

async function switchOn(resource: any): Promise<any> {
  expect((await post(resource)).status).toBeLessThan(300);
  return done(await send('POST', `SearchParameter/${resource.id}/$activate`));
}

const basic = (id: string, extension: readonly object[] = [], more: object = {}): Promise<Answer> =>
  send('PUT', `Basic/${id}`, { resourceType: 'Basic', id, code: { text: 'x' }, ...(extension.length > 0 && { extension }), ...more });
const ext = (name: string, value: object): object => ({ url: `${EXT}/${name}`, ...value });

describe('a parameter that is switched on', () => {
  const kinds: [string, object, [string, object][], [string, string[]][]][] = [
    ['colour', { type: 'string' }, [['red', { valueString: 'Crimson' }], ['blue', { valueString: 'Azure' }]], [['colour=crim', ['red']], ['colour:exact=Azure', ['blue']], ['colour:missing=true', ['none']], ['colour:missing=false', ['blue', 'red']], ['colour:contains=zur', ['blue']]]],
    ['shade', { type: 'token' }, [['dark', { valueCodeableConcept: { coding: [{ system: 'urn:s', code: 'd', display: 'Dark thing' }] } }], ['light', { valueCodeableConcept: { coding: [{ system: 'urn:s', code: 'l' }] } }]], [['shade=urn:s|d', ['dark']], ['shade=l', ['light']], ['shade:not=d', ['light', 'none']], ['shade:text=dark', ['dark']], ['shade:missing=true', ['none']]]],
    ['seen', { type: 'date' }, [['early', { valueDate: '2020-02-01' }], ['late', { valueDateTime: '2024-05-06T07:08:09Z' }]], [['seen=2020', ['early']], ['seen=gt2021', ['late']], ['seen:missing=false', ['early', 'late']]]],
    ['weight', { type: 'quantity' }, [['heavy', { valueQuantity: { value: 90, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } }], ['slight', { valueQuantity: { value: 4.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } }]], [['weight=gt10||kg', ['heavy']], ['weight=4.5', ['slight']]]],
    ['count', { type: 'number' }, [['one', { valueInteger: 1 }], ['ten', { valueDecimal: 10 }]], [['count=1', ['one']], ['count=ge5', ['ten']]]],
    ['page', { type: 'uri' }, [['here', { valueUri: 'http://a/b' }]], [['page=http://a/b', ['here']], ['page=http://a', []]]],
    ['owner', { type: 'reference', target: ['Patient', 'Organization'] }, [['hers', { valueReference: { reference: 'Patient/owner-1' } }], ['theirs', { valueReference: { reference: 'Organization/owner-2' } }]], [['owner=Patient/owner-1', ['hers']], ['owner=owner-2', ['theirs']], ['owner:Patient.family=Owning', ['hers']], ['owner:missing=true', ['none']]]],
  ];

  test.each(kinds)('%s: finds what was there before, what came since, and nothing else', async (code, more, values, searches) => {
    await send('PUT', 'Patient/owner-1', { resourceType: 'Patient', id: 'owner-1', name: [{ family: 'Owning' }] });
    await send('PUT', 'Organization/owner-2', { resourceType: 'Organization', id: 'owner-2', name: 'Owning' });
    const made = async (prefix: string): Promise<void> => {
      for (const [id, value] of values) expect((await basic(`${code}-${prefix}-${id}`, [ext(code, value)])).status).toBe(201);
      await basic(`${code}-${prefix}-none`);
    };
    await made('old');
    expect((await asked(`Basic?${searches[0]?.[0] ?? ''}`)).status).toBe(400);
    const report = await switchOn(parameter(code, more));
    expect(report).toMatchObject({ parameter: `http://e.example/SearchParameter/${code}`, state: 'active' });
    await made('new');
    const narrow = (search: string): string => `Basic?_id=${['old', 'new'].flatMap((prefix) => [...values.map(([id]) => id), 'none'].map((id) => `${code}-${prefix}-${id}`)).join(',')}&${search}`;
    for (const [search, expected] of searches) {
      expect([search, await found(narrow(search))]).toEqual([search, ['old', 'new'].flatMap((prefix) => expected.map((id) => `${code}-${prefix}-${id}`)).sort()]);
    }
    const plain = searches[0] as [string, string[]];
    expect((await found(`Basic?${plain[0]}`)).length).toBe(plain[1].length * 2);
  });

  test('is in the CapabilityStatement', async () => {
    const entry = (await get('metadata')).body.rest[0].resource.find((one: any) => one.type === 'Basic');
    expect(entry.searchParam).toContainEqual({ name: 'colour', definition: 'http://e.example/SearchParameter/colour', type: 'string' });
    expect(entry.searchInclude).toContain('Basic:owner');
    expect((await get('metadata')).body.rest[0].resource.find((one: any) => one.type === 'Patient').searchRevInclude).toContain('Basic:owner');
  });

  test('sorts, includes, is chained through and asked of what refers', async () => {
    expect(ids(await get('Basic?seen:missing=false&_sort=seen')).map((id) => id.split('-')[2])).toEqual(['early', 'early', 'late', 'late']);
    expect(ids(await get('Basic?seen:missing=false&_sort=-seen')).map((id) => id.split('-')[2])).toEqual(['late', 'late', 'early', 'early']);
    // Along the index: those without a value come last, on whichever page.
    const walked: string[] = [];
    for (let path: string | undefined = 'Basic?_sort=-seen&_count=3'; path !== undefined;) {
      const page: Answer = await get(path);
      walked.push(...ids(page));
      path = page.body.link.find((link: any) => link.relation === 'next')?.url.slice(server.base.length + 1);
    }
    expect(walked.slice(0, 4).map((id) => id.split('-')[2])).toEqual(['late', 'late', 'early', 'early']);
    expect(walked).toHaveLength((await get('Basic?_summary=count')).body.total);
    expect(new Set(walked).size).toBe(walked.length);
    const included = (await get('Basic?owner=Patient/owner-1&_include=Basic:owner')).body.entry.filter((entry: any) => entry.search.mode === 'include');
    expect(included.map((entry: any) => entry.resource.id)).toEqual(['owner-1']);
    expect((await get('Patient?_id=owner-1&_revinclude=Basic:owner')).body.entry.map((entry: any) => entry.resource.id).sort()).toEqual(['owner-1', 'owner-new-hers', 'owner-old-hers']);
    expect(await found('Patient?_has:Basic:owner:_id=owner-old-hers')).toEqual(['owner-1']);
    expect((await get('Basic?owner=Patient/owner-1&_include=*')).body.entry.some((entry: any) => entry.resource.id === 'owner-1')).toBe(true);
  });

  test('follows updates and deletions', async () => {
    await basic('changing', [ext('colour', { valueString: 'Violet' })]);
    expect(await found('Basic?colour=violet')).toEqual(['changing']);
    await basic('changing', [ext('colour', { valueString: 'Ochre' })]);
    expect([await found('Basic?colour=violet'), await found('Basic?colour=ochre')]).toEqual([[], ['changing']]);
    await basic('changing');
    expect(await found('Basic?colour=ochre&_id=changing')).toEqual([]);
    await basic('changing', [ext('colour', { valueString: 'Ochre' })]);
    await send('DELETE', 'Basic/changing');
    expect(await found('Basic?colour=ochre')).toEqual([]);
  });

  test('serves conditional writes', async () => {
    const body = { resourceType: 'Basic', code: { text: 'x' }, extension: [ext('colour', { valueString: 'Sienna' })] };
    const once = await send('POST', 'Basic', body, { 'if-none-exist': 'colour:exact=Sienna' });
    const again = await send('POST', 'Basic', body, { 'if-none-exist': 'colour:exact=Sienna' });
    expect([once.status, again.status]).toEqual([201, 200]);
  });

  test('a composite is made of parameters of the same base', async () => {
    const component = [{ definition: 'http://e.example/SearchParameter/shade', expression: `extension('${EXT}/shade').value` }, { definition: 'http://e.example/SearchParameter/seen', expression: `extension('${EXT}/seen').value` }];
    await basic('both-old', [ext('shade', { valueCodeableConcept: { coding: [{ code: 'pair' }] } }), ext('seen', { valueDate: '2019-03-03' })]);
    await switchOn(parameter('shade-seen', { type: 'composite', expression: 'Basic', component }));
    await basic('both-new', [ext('shade', { valueCodeableConcept: { coding: [{ code: 'pair' }] } }), ext('seen', { valueDate: '2018-03-03' })]);
    expect(await found('Basic?shade-seen=pair$2019')).toEqual(['both-old']);
    expect(await found('Basic?shade-seen=pair$lt2019')).toEqual(['both-new']);
  });

  test('for all types is everybody\'s', async () => {
    await send('PUT', 'Group/tagged', { resourceType: 'Group', id: 'tagged', type: 'person', actual: true, implicitRules: 'http://e.example/rules' });
    const { resources } = await switchOn(parameter('rules', { base: ['Resource'], type: 'uri', expression: 'Resource.implicitRules' }));
    expect(resources).toBeGreaterThan(100);
    expect(await found('Group?rules=http://e.example/rules')).toEqual(['tagged']);
    expect((await get('?_type=Group,Basic&rules=http://e.example/rules')).body.entry.map((entry: any) => entry.resource.id)).toEqual(['tagged']);
    await done(await send('POST', 'SearchParameter/rules/$deactivate'));
  });
});

describe('while the job goes through what was there', () => {
  test('a search is refused by name, in whatever place, and writes are indexed', async () => {
    // A transaction that is open holds the job back: what it writes under the parameters of before is not committed yet.
    const hold = async (work: () => Promise<void>): Promise<void> => server.database.transaction(async (tx) => {
      await tx.query({ text: 'select pg_current_xact_id()', values: [] });
      await work();
    });
    await basic('waits-old', [ext('waits', { valueString: 'Before' })]);
    let answer: Answer | undefined;
    await hold(async () => {
      await post(parameter('waits'));
      answer = await send('POST', 'SearchParameter/waits/$activate');
      expect(answer.status).toBe(202);
      await basic('waits-new', [ext('waits', { valueString: 'Between' })]);
      for (const search of ['Basic?waits=between', 'Basic?waits:missing=true', 'Basic?_sort=waits']) {
        const refused = await get(search);
        expect([search, refused.status, refused.body.issue[0].code, refused.body.issue[0].expression]).toEqual([search, 409, 'incomplete', ['waits']]);
        expect(refused.headers['retry-after']).toBeDefined();
      }
      expect((await get('metadata')).body.rest[0].resource.find((one: any) => one.type === 'Basic').searchParam.some(({ name }: any) => name === 'waits')).toBe(false);
      expect((await send('POST', 'SearchParameter/waits/$activate')).status).toBe(409);
      await sleep(300);
      expect((await get('Basic?waits=between')).status).toBe(409);
    });
    await done(answer as Answer);
    expect([await found('Basic?waits=between'), await found('Basic?waits=before')]).toEqual([['waits-new'], ['waits-old']]);
  });
});

describe('a parameter that is switched off', () => {
  test('is unknown at once, its rows go, and switched on again in another meaning it finds nothing of before', async () => {
    await basic('twice', [ext('first', { valueString: 'One' }), ext('second', { valueString: 'Two' })]);
    const named = parameter('twice', { expression: `Basic.extension('${EXT}/first').value` });
    await switchOn(named);
    expect(await found('Basic?twice=one')).toEqual(['twice']);
    await done(await send('POST', 'SearchParameter/twice/$deactivate'));
    expect((await asked('Basic?twice=one')).status).toBe(400);
    expect((await send('POST', 'SearchParameter/twice/$deactivate')).status).toBe(422);
    await switchOn({ ...named, expression: `Basic.extension('${EXT}/second').value` });
    expect([await found('Basic?twice=one'), await found('Basic?twice=two')]).toEqual([[], ['twice']]);
  });

  test.each([['retired', (id: string) => post({ ...parameter(id), status: 'retired' })], ['deleted', (id: string) => send('DELETE', `SearchParameter/${id}`)]])('also when it is %s', async (how, end) => {
    const id = `ends-${how}`;
    await switchOn(parameter(id));
    expect((await asked(`Basic?${id}=x`)).status).toBe(200);
    expect((await end(id)).status).toBeLessThan(300);
    for (let tries = 0; (await asked(`Basic?${id}=x`)).status !== 400; tries += 1) {
      expect(tries).toBeLessThan(100);
      await sleep(50);
    }
  });

  test('may not change its meaning while it is on, but its words', async () => {
    await switchOn(parameter('steady'));
    const refused = await post(parameter('steady', { expression: 'Basic.code.text' }));
    expect([refused.status, refused.body.issue[0].expression]).toEqual([409, ['SearchParameter.expression']]);
    expect((await post(parameter('steady', { description: 'Other words' }))).status).toBe(200);
  });
});

describe('what is not switched on', () => {
  const refusals: [string, any, string][] = [
    ['a draft', parameter('draft', { status: 'draft' }), 'SearchParameter.status'],
    ['a code that is taken', parameter('author'), 'SearchParameter.code'],
    ['a code that is no name', parameter('odd', { code: 'odd.name' }), 'SearchParameter.code'],
    ['a special one', parameter('near', { type: 'special' }), 'SearchParameter.type'],
    ['a modifier that does not go with the type', parameter('modified', { modifier: ['below'] }), 'SearchParameter.modifier'],
    ['comparators of words', parameter('compared', { comparator: ['gt'] }), 'SearchParameter.comparator'],
    ['AuditEvents', parameter('audited', { base: ['AuditEvent'], expression: 'AuditEvent.outcomeDesc' }), 'SearchParameter.base'],
    ['one of HL7\'s URLs', parameter('url', { url: 'http://hl7.org/fhir/SearchParameter/Basic-code' }), 'SearchParameter.url'],
  ];
  test.each(refusals)('%s', async (_what, resource, expression) => {
    expect((await post(resource)).status).toBe(201);
    const answer = await send('POST', `SearchParameter/${resource.id}/$activate`);
    expect([answer.status, answer.body.issue[0].expression]).toEqual([422, [expression]]);
  });

  const faults: [string, any, string][] = [
    ['an expression that is none', parameter('bad1', { expression: 'Basic.(' }), 'SearchParameter.expression'],
    ['an element there is not', parameter('bad2', { expression: 'Basic.colour' }), 'SearchParameter.expression'],
    ['no expression', parameter('bad3', { expression: undefined }), 'SearchParameter.expression'],
    ['a composite of what is not there', parameter('bad5', { type: 'composite', expression: 'Basic', component: [{ definition: 'http://e.example/none', expression: 'code' }, { definition: 'http://e.example/none', expression: 'code' }] }), 'SearchParameter.component'],
  ];
  test.each(faults)('%s is not even stored', async (_what, resource, expression) => {
    const answer = await post(resource);
    expect([answer.status, answer.body.issue[0].expression]).toEqual([422, [expression]]);
  });

  test('HL7\'s own are stored as they come', async () => {
    expect((await post({ ...parameter('Basic-code'), url: 'http://hl7.org/fhir/SearchParameter/Basic-code', expression: 'Basic.whatever' })).status).toBe(201);
  });

  test('nothing by anybody but an administrator', async () => {
    for (const role of ['care-coordinator', 'commissioner', 'ovm'] as const) {
      const token = await server.token(role, { organization: 'RR8' });
      expect((await server.send('POST', 'SearchParameter/colour/$deactivate', { token })).status).toBe(403);
      expect((await server.send('PUT', 'SearchParameter/mine', { token, body: parameter('mine') })).status).toBe(403);
    }
    expect((await send('POST', 'SearchParameter/no-such/$activate')).status).toBe(404);
    expect((await send('GET', 'SearchParameter/colour/$activate')).status).toBe(405);
  });
});

describe('who sees only part of a type', () => {
  test('does not ask by it, nor through a chain', async () => {
    await switchOn(parameter('marital', { base: ['Patient'], type: 'token', expression: 'Patient.maritalStatus' }));
    await send('PUT', 'Patient/married', { resourceType: 'Patient', id: 'married', maritalStatus: { coding: [{ code: 'M' }] } });
    expect(await found('Patient?marital=M')).toEqual(['married']);
    const { ovm: token } = server.tokens;
    for (const search of ['Patient?marital=M', 'Patient?marital:missing=false', 'Patient?_sort=marital', 'Observation?subject:Patient.marital=M']) {
      const answer = await server.send('GET', search, { token });
      expect([search, answer.status]).toEqual([search, 403]);
    }
    // Roles that see no patient at all are told of none.
    for (const role of ['care-coordinator', 'commissioner', 'nominee'] as const) {
      const answer = await server.send('GET', 'Patient?marital=M', { token: await server.token(role, { organization: 'RR8' }) });
      expect(answer.status === 403 || (answer.status === 200 && answer.body.total === 0)).toBe(true);
    }
  });

  test('nor is it a part of what access or subscriptions go by', async () => {
    const criteria = 'Patient?marital=M';
    const answer = await send('POST', 'Subscription', { resourceType: 'Subscription', status: 'requested', reason: 'x', criteria, channel: { type: 'rest-hook', endpoint: 'https://e.example/hook', payload: 'application/fhir+json' } });
    expect(answer.status).toBe(422);
  });
});
