// /metadata says what the server does: no more, no less. https://hl7.org/fhir/R4/http.html#capabilities
import { loadDefinitions } from '../../src/definitions/load.js';
import { createValidator } from '../../src/validation/validator.js';
import { startServer, type TestServer } from '../server.js';

const definitions = loadDefinitions();
let server: TestServer;
let statement: any;
let rest: any;
beforeAll(async () => {
  server = await startServer();
  statement = (await server.send('GET', 'metadata')).body;
  [rest] = statement.rest;
});
afterAll(() => server.close());

const of = (type: string): any => rest.resource.find((one: any) => one.type === type);
const codes = (list: any[]): string[] => list.map(({ code }) => code).sort();

test('is a CapabilityStatement of R4 for this base', () => {
  expect(statement).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', kind: 'instance', status: 'active', format: expect.arrayContaining(['application/fhir+json']) });
  expect(statement.implementation.url).toBe(server.base);
  expect(rest.security.service[0].coding[0].code).toBe('OAuth');
});

test('is itself a valid resource', () => {
  expect(createValidator(definitions).validate(statement).filter(({ severity }) => severity === 'error')).toEqual([]);
});

test('names every resource type of R4 once', () => {
  const types = rest.resource.map((one: any) => one.type);
  expect(types).toHaveLength(definitions.resourceTypes.length);
  expect([...types].sort()).toEqual([...definitions.resourceTypes].sort());
  // 148 types that are not abstract: https://hl7.org/fhir/R4/resourcelist.html
  expect(types.length).toBeGreaterThanOrEqual(145);
});

test('names the interactions that the routes answer', async () => {
  const { token } = { token: server.tokens.admin };
  const asked: Record<string, [string, string]> = {
    read: ['GET', 'Basic/x'], vread: ['GET', 'Basic/x/_history/1'], 'history-instance': ['GET', 'Basic/x/_history'], 'history-type': ['GET', 'Basic/_history'], 'search-type': ['GET', 'Basic'],
    create: ['POST', 'Basic'], update: ['PUT', 'Basic/x'], patch: ['PATCH', 'Basic/x'], delete: ['DELETE', 'Basic/x'],
  };
  const said = codes(of('Basic').interaction);
  for (const [code, [method, path]] of Object.entries(asked)) {
    const answer = await server.send(method, path, { token });
    const routed = answer.status !== 405 && !/has nothing at this URL/.test(answer.text);
    expect({ code, routed }).toEqual({ code, routed: said.includes(code) });
  }
  expect(codes(rest.interaction)).toEqual(['batch', 'history-system', 'search-system', 'transaction']);
});

test('names conditional interactions that there are', async () => {
  expect(of('Patient')).toMatchObject({ versioning: 'versioned-update', readHistory: true, updateCreate: true, conditionalCreate: true, conditionalRead: 'full-support', conditionalUpdate: true, conditionalDelete: 'single' });
});

test('every search parameter it names is understood', async () => {
  for (const type of ['Patient', 'Observation', 'Claim', 'Encounter', 'ValueSet']) {
    const { searchParam } = of(type);
    expect(searchParam.length).toBeGreaterThan(10);
    for (const { name } of searchParam) {
      const { status, text } = await server.send('GET', `${type}?${name}:missing=false&_count=1`, { token: server.tokens.admin, headers: { prefer: 'handling=strict' } });
      // Some take no :missing (_id): that is a refusal of the modifier, not of the name.
      if (status !== 200) expect(text).toMatch(/modifier|:missing/);
    }
  }
});

test('names the well-known search parameters with their types and definitions', () => {
  const param = (type: string, name: string) => of(type).searchParam.find((one: any) => one.name === name);
  expect(param('Patient', 'identifier')).toEqual({ name: 'identifier', type: 'token', definition: 'http://hl7.org/fhir/SearchParameter/Patient-identifier' });
  expect(param('Observation', 'date')).toMatchObject({ type: 'date' });
  expect(param('Observation', 'value-quantity')).toMatchObject({ type: 'quantity' });
  expect(param('Patient', '_lastUpdated')).toMatchObject({ type: 'date' });
});

test('names the operations, and they answer where it says', async () => {
  const [operation] = of('Patient').operation;
  expect(operation).toMatchObject({ name: 'chargeable-status', definition: expect.stringMatching(/^https:.*OperationDefinition\/chargeable-status$/) });
  const { body } = await server.send('GET', `OperationDefinition?url=${operation.definition}`, { token: server.tokens.supplier });
  expect(body.entry).toHaveLength(1);
  const named = rest.resource.flatMap(({ type, operation: list = [] }: any) => list.map((one: any) => `${type}/$${one.name}`));
  expect(named).toEqual(expect.arrayContaining(['Account/$balance', 'Account/$open-budget', 'Patient/$chargeable-status', 'Patient/$everything', 'ValueSet/$expand']));
  for (const path of named) {
    const [type, code] = path.split('/');
    const answers = await Promise.all([path, `${type}/none/${code}`].map((url) => server.send('POST', url, { token: server.tokens.admin, body: { resourceType: 'Parameters' } })));
    // Known at the type or at the instance: anything but the refusal of an unknown operation.
    expect({ path, known: answers.some(({ body }) => body?.issue?.[0]?.code !== 'not-supported') }).toEqual({ path, known: true });
  }
});

test('every type can be validated', () => {
  const validate = { name: 'validate', definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate' };
  for (const { operation } of rest.resource) expect(operation).toContainEqual(validate);
});

test('the profiles it names can be read', async () => {
  for (const { supportedProfile = [] } of rest.resource) {
    for (const url of supportedProfile) {
      const { body } = await server.send('GET', `StructureDefinition?url=${encodeURIComponent(url)}`, { token: server.tokens.supplier });
      expect({ url, found: body.entry?.length }).toEqual({ url, found: 1 });
    }
  }
});

test('is the same for OPTIONS of the base, and for HEAD without the body', async () => {
  expect((await server.send('OPTIONS', '')).body).toEqual(statement);
  expect(await server.send('HEAD', 'metadata')).toMatchObject({ status: 200, text: '' });
});

test('takes _format and Accept as every URL does', async () => {
  expect((await server.send('GET', 'metadata?_format=json')).status).toBe(200);
  expect((await server.send('GET', 'metadata?_format=ttl')).status).toBe(406);
  expect((await server.send('GET', 'metadata?_format=xml')).text).toContain('<CapabilityStatement xmlns="http://hl7.org/fhir">');
  expect((await server.send('GET', 'metadata', { headers: { accept: 'application/fhir+xml' } })).headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
});

describe('what it promises', () => {
  const ask = (path: string): Promise<any> => server.send('GET', path, { token: server.tokens.admin, headers: { prefer: 'handling=strict' } });
  const VALUES: Readonly<Record<string, string>> = { number: '1', date: '2020', string: 'x', token: 'x', reference: 'Patient/x', composite: 'x$x', quantity: '1', uri: 'http://x' };

  test('each search parameter of each type is asked by, once', async () => {
    const refused: string[] = [];
    const ofType = rest.resource.flatMap(({ type, searchParam }: any) => searchParam.filter((one: any) => one.type !== 'special').map(({ type: kind, name, definition }: any) => ({ type, kind, name, definition })));
    // One of each name and kind: what a parameter of every type is asked on one is asked on all.
    const seen = new Set<string>();
    for (const { type, name, kind, definition } of ofType) {
      if (seen.has(definition)) continue;
      seen.add(definition);
      // Events are kept apart, and words have no absence.
      const missing = type === 'AuditEvent' || ['_content', '_text'].includes(name) ? { status: 200, text: '' } : await ask(`${type}?${name}:missing=true&_count=1`);
      const value = kind === 'composite' ? undefined : await ask(`${type}?${name}=${encodeURIComponent(VALUES[kind] ?? 'x')}&_count=1`);
      if (missing.status !== 200 || (value && value.status !== 200 && !/is not a value of/.test(value.text))) refused.push(`${type}.${name} ${missing.status} ${value?.status ?? ''} ${value?.text.slice(0, 200) ?? missing.text}`);
    }
    expect(refused).toEqual([]);
    expect(seen.size).toBeGreaterThan(1300);
  }, 300_000);

  test('each include and reverse include of a type is taken', async () => {
    for (const type of ['Patient', 'Observation', 'Organization', 'Claim']) {
      const { searchInclude, searchRevInclude } = of(type);
      expect(searchRevInclude.length).toBeGreaterThan(5);
      for (const [name, list] of [['_include', searchInclude], ['_revinclude', searchRevInclude]]) {
        for (let from = 0; from < list.length; from += 10) {
          const { status, text } = await ask(`${type}?_count=1&${list.slice(from, from + 10).map((one: string) => `${name}=${one}`).join('&')}`);
          expect([list.slice(from, from + 10), status, status === 200 ? '' : text]).toEqual([list.slice(from, from + 10), 200, '']);
        }
      }
    }
  }, 120_000);

  test('each operation is there, on each type that names it', async () => {
    const absent: string[] = [];
    const said = [...(rest.operation ?? []).map(({ name }: any) => `$${name}`), ...rest.resource.flatMap(({ type, operation = [] }: any) => operation.map(({ name }: any) => `${type}/$${name}`))];
    const onType = new Set(said);
    for (const path of onType) {
      const [type, code] = path.includes('/') ? path.split('/') : ['', path];
      const places = type === '' ? [path] : [path, `${type}/no-such-one/${code}`];
      const answers = await Promise.all(places.map((place) => server.send('POST', place, { token: server.tokens.admin, body: { resourceType: 'Parameters' } })));
      if (answers.every(({ text }) => /There is no operation/.test(text))) absent.push(path);
    }
    expect(absent).toEqual([]);
    expect(onType.size).toBeGreaterThan(40);
  }, 120_000);

  test('what it does not name is refused: a parameter, an operation, an interaction', async () => {
    expect((await ask('Patient?colour=red')).status).toBe(400);
    expect((await ask('?birthdate=2000&_type=Basic')).status).toBe(400);
    expect((await server.send('POST', 'Basic/$everything', { token: server.tokens.admin })).status).toBe(404);
    expect((await server.send('POST', 'Basic/x', { token: server.tokens.admin, body: { resourceType: 'Basic' } })).status).toBe(405);
    expect(rest.resource.some(({ operation = [] }: any) => operation.some(({ name }: any) => name === 'colour'))).toBe(false);
  });

  test('names what all types are searched by, and the compartments there are', async () => {
    expect(rest.searchParam.map(({ name }: any) => name)).toEqual(expect.arrayContaining(['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source']));
    for (const { name } of rest.searchParam) expect([name, (await ask(`?_type=Basic,Group&${name}:missing=true&_count=1`)).status]).toEqual([name, ['_id', '_lastUpdated'].includes(name) ? 200 : expect.any(Number)]);
    expect(rest.compartment).toContain('http://hl7.org/fhir/CompartmentDefinition/patient');
    for (const url of rest.compartment as string[]) {
      const name = url.split('/').at(-1) ?? '';
      const type = name.charAt(0).toUpperCase() + name.slice(1);
      expect([type, (await ask(`${type}/x/*`)).status]).toEqual([type, 200]);
    }
  });
});

describe('a part of it', () => {
  const part = async (query: string): Promise<any> => (await server.send('GET', `metadata?${query}`)).body;

  test('is given by _elements, with what every statement must say', async () => {
    const found = await part('_elements=software');
    expect(found.software).toEqual(statement.software);
    expect(found).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', meta: { tag: [{ code: 'SUBSETTED' }] } });
    expect(found).not.toHaveProperty('rest');
    expect(await part('mode=terminology&_elements=status')).not.toHaveProperty('codeSystem');
  });

  test('is given by _summary, and all of it by false', async () => {
    const found = await part('_summary=true');
    expect(found.rest[0].resource).toHaveLength(rest.resource.length);
    expect(JSON.stringify(found).length).toBeLessThan(JSON.stringify(statement).length / 4);
    expect(await part('_summary=false')).toEqual(statement);
    expect((await server.send('GET', 'metadata?_summary=some')).status).toBe(400);
  });
});

describe('mode', () => {
  test('full is what is told without one', async () => {
    expect((await server.send('GET', 'metadata?mode=full')).body).toEqual(statement);
  });

  test('normative tells of the normative types alone', async () => {
    const { body } = await server.send('GET', 'metadata?mode=normative');
    const types: string[] = body.rest[0].resource.map(({ type }: any) => type);
    expect(types).toHaveLength(11);
    expect(types).toEqual(expect.arrayContaining(['Patient', 'Observation', 'ValueSet']));
    expect(types).not.toContain('Claim');
  });

  test('terminology is a valid TerminologyCapabilities, whose parameters $expand takes and whose systems are known', async () => {
    const { body } = await server.send('GET', 'metadata?mode=terminology');
    expect(body).toMatchObject({ resourceType: 'TerminologyCapabilities', kind: 'instance', implementation: { url: server.base } });
    expect(createValidator(definitions).validate(body).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(body.expansion.parameter.map(({ name }: any) => name)).toEqual(expect.arrayContaining(['filter', 'offset', 'count', 'displayLanguage']));
    const [{ uri }] = body.codeSystem;
    expect((await server.send('GET', `CodeSystem?url=${uri}`, { token: server.tokens.admin })).body.total).toBe(1);
  });

  test.each(['nonsense', 'FULL', ''])('"%s" is refused', async (mode) => {
    const { status, body } = await server.send('GET', `metadata?mode=${mode}`);
    expect([status, body.issue[0].code, body.issue[0].expression]).toEqual([400, 'value', ['mode']]);
  });
});

test('$versions tells every caller which FHIR is spoken', async () => {
  const { status, body } = await server.send('GET', '$versions', { token: server.tokens.supplier });
  expect([status, body]).toEqual([200, { resourceType: 'Parameters', parameter: [{ name: 'version', valueCode: '4.0' }, { name: 'default', valueCode: '4.0' }] }]);
  expect((await server.send('GET', '$versions?version=5.0', { token: server.tokens.supplier })).status).toBe(400);
});

test('a caller that has the statement already is told so', async () => {
  const { headers: { etag = '' } } = await server.send('GET', 'metadata');
  expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
  const asked = async (path: string, tag: string) => {
    const { status, text, headers } = await server.send('GET', path, { headers: { 'if-none-match': tag } });
    return [status, text === '', headers['etag']];
  };
  expect(await asked('metadata', etag)).toEqual([304, true, etag]);
  expect(await asked('metadata', `"other", ${etag.slice(2)}`)).toEqual([304, true, etag]);
  expect(await asked('metadata', '*')).toEqual([304, true, etag]);
  expect(await asked('metadata', 'W/"other"')).toEqual([200, false, etag]);
  const [status, , other] = await asked('metadata?mode=terminology', etag);
  expect([status, other === etag]).toEqual([200, false]);
});
