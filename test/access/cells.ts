// The cells of expected-matrix.ts as requests: each knows what is to be answered and asks for it through the front door.
import type { Resource } from '../../src/fhir/resource.js';
import { makeWorld, type World } from '../domain/world.js';
import { startServer, type Answer, type TestServer } from '../server.js';
import { EXPECTED } from './expected-matrix.js';
import { rowsOf } from './rows.js';

export interface Cell {
  readonly name: string;
  readonly expected: unknown;
  readonly ask: () => Promise<unknown>;
}

export const BEARERS = Object.keys(EXPECTED);
/** Who gets 403 NO_RELATIONSHIP instead of 404, and where not (ruling 21). */
const COORDINATORS = ['coordinator', 'stranger', 'broker'];
const NO_PATIENT = ['Group', 'List', 'HealthcareService', 'Measure', 'MeasureReport'];
/** Their rows do not depend on the caller: what they may not write is 403, and test/api/access.test.ts tells more. */
const FIXED = ['ovm', 'supplier', 'homeOffice'];

const missOf = (bearer: string, type: string): number => (COORDINATORS.includes(bearer) && !NO_PATIENT.includes(type) ? 403 : 404);
export const lettersOf = (bearer: string, type: string): string => EXPECTED[bearer]?.letters[type] ?? '';
export const seesRow = (bearer: string, key: string): boolean => EXPECTED[bearer]?.sees.includes(key) ?? false;
export const typeOf = (key: string): string => key.slice(0, key.indexOf('/'));
const found = ({ body }: Answer): string[] => (body.entry ?? []).filter((entry: any) => entry.search?.mode !== 'outcome').map((entry: any) => `${entry.resource.resourceType}/${entry.resource.id}`);
const bundle = (type: 'batch' | 'transaction', method: string, url: string, resource?: object): object => ({ resourceType: 'Bundle', type, entry: [{ ...(resource && { resource }), request: { method, url } }] });

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
/** A resource that is refused for what it is, whoever sends it: what is asked is whether criteria find the hidden row. */
const unlike = (resource: object): object => ({ ...resource, nothing: 'that FHIR knows' });

/** The server fills the recorder in. */
const recordedByNobody = (claim: any): object => ({ ...claim, extension: (claim.extension ?? []).filter(({ url }: { url: string }) => !url.endsWith('/ext-recorded-by')), supportingInfo: undefined, insurance: [{ sequence: 1, focal: true, coverage: { display: 'made by the server' } }] });

/** What differs from the expected, by name; a few are asked at a time. */
export async function differing(cells: readonly Cell[]): Promise<object[]> {
  const wrong: object[] = [];
  const queue = [...cells];
  const worker = async (): Promise<void> => {
    for (let cell = queue.pop(); cell; cell = queue.pop()) {
      const got = await cell.ask().catch((error: unknown) => String(error));
      if (JSON.stringify(got) !== JSON.stringify(cell.expected)) wrong.push({ cell: cell.name, expected: cell.expected, got });
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return wrong;
}

/** Rows, and who sees which. */
export interface Expectation {
  readonly rowsOf: (world: World) => readonly Resource[];
  readonly sees: (bearer: string, key: string) => boolean;
  /** Are the people of the world rows too? Else they are around, and nothing is asked of them. */
  readonly asksOfPeople: boolean;
}

/** What further roads are built upon. */
export interface Ground {
  readonly server: TestServer;
  readonly world: World;
  /** `Type/name` -> `Type/id`, for rows of one type or of all. */
  of(type?: string): [key: string, path: string][];
  readonly sees: Expectation['sees'];
  /** Rejects if the answer names anybody whom the bearer may not see. */
  send(bearer: string, method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  tokenOf(bearer: string): string;
  /** The status of a read. */
  readable(bearer: string, key: string): number;
}

export interface Matrix {
  readonly server: TestServer;
  readonly ground: Ground;
  /** The types of which there are rows. */
  readonly types: readonly string[];
  /** Reads of every row on every road. */
  reads(bearer: string, type?: string): Cell[];
  /** Hidden rows against rows that never were. */
  absences(bearer: string): Cell[];
  searches(bearer: string, type?: string): Cell[];
  oracles(bearer: string): Cell[];
  /** Other people's rows by every method; rows of types that the bearer may not write. */
  writes(bearer: string, type?: string): Cell[];
}

const MATRIX: Expectation = { rowsOf, sees: seesRow, asksOfPeople: true };

/** A server with the world and its rows. */
export async function startMatrix({ rowsOf: made, sees, asksOfPeople }: Expectation = MATRIX): Promise<Matrix> {
  const server = await startServer();
  const world = await makeWorld(server);
  const rows = made(world);
  await server.seed(rows);
  /** `Type/name` of expected-matrix.ts -> `Type/id`. */
  const paths = new Map(rows.map(({ resourceType, id }) => [`${resourceType}/${id}`, `${resourceType}/${id}`]));
  if (asksOfPeople) {
    for (const [name, id] of Object.entries(world.patients)) paths.set(`Patient/${name}`, `Patient/${id}`);
    for (const [name, id] of Object.entries(world.related)) paths.set(`RelatedPerson/${name}`, `RelatedPerson/${id}`);
    paths.set('CareTeam/team', `CareTeam/${world.team}`);
  }
  const tokens: Record<string, string> = { ...server.tokens, ...world.tokens };
  const known = new Map([...paths].map(([key, path]) => [path, key]));
  const bodies = new Map(rows.map((row) => [`${row.resourceType}/${row.id}`, row]));

  /** What is known of people whom a bearer may not see at all: on no road does any of it come out, an error's words included. */
  const secretsOf = (bearer: string): string[] => Object.entries(world.nhsNumbers).flatMap(([name, number]) => (sees(bearer, `Patient/${name}`) ? [] : [number, `Sample${name}`, `City of ${name}`]));
  const secrets = new Map(BEARERS.map((bearer) => [bearer, secretsOf(bearer)]));
  const send = async (bearer: string, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const answer = await server.send(method, path, { token: tokens[bearer], body, headers });
    const said = path + JSON.stringify(body ?? '');
    for (const secret of secrets.get(bearer) ?? []) if (answer.text.includes(secret) && !said.includes(secret)) throw new Error(`${bearer}: ${method} ${path} tells ${secret}`);
    return answer;
  };
  const statusOf = async (bearer: string, method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<number> => (await send(bearer, method, path, body, headers)).status;
  const inBatch = async (bearer: string, method: string, path: string, body?: Resource): Promise<number> =>
    Number((await send(bearer, 'POST', '', bundle('batch', method, path, body))).body.entry[0].response.status.slice(0, 3));
  const of = (type: string | undefined): [string, string][] => [...paths].filter(([key]) => type === undefined || typeOf(key) === type);
  const readable = (bearer: string, key: string): number => {
    if (!lettersOf(bearer, typeOf(key)).includes('R')) return 403;
    return sees(bearer, key) ? 200 : missOf(bearer, typeOf(key));
  };

  return {
    server,
    ground: { server, world, of, sees, send, tokenOf: (bearer) => tokens[bearer] ?? '', readable },
    types: [...new Set([...paths.keys()].map(typeOf))],

    reads: (bearer, type) => of(type).flatMap(([key, path]) => {
      const expected = readable(bearer, key);
      return [
        { name: `GET ${key}`, expected, ask: () => statusOf(bearer, 'GET', path) },
        { name: `vread ${key}`, expected, ask: () => statusOf(bearer, 'GET', `${path}/_history/1`) },
        { name: `history ${key}`, expected, ask: () => statusOf(bearer, 'GET', `${path}/_history`) },
        { name: `batch ${key}`, expected, ask: () => inBatch(bearer, 'GET', path) },
        { name: `transaction ${key}`, expected, ask: () => statusOf(bearer, 'POST', '', bundle('transaction', 'GET', path)) },
        { name: `HEAD ${key}`, expected, ask: () => statusOf(bearer, 'HEAD', path) },
        { name: `summary ${key}`, expected, ask: () => statusOf(bearer, 'GET', `${path}?_summary=true`) },
        { name: `elements ${key}`, expected, ask: () => statusOf(bearer, 'GET', `${path}?_elements=id`) },
        { name: `unchanged ${key}`, expected: expected === 200, ask: async () => [200, 304].includes(await statusOf(bearer, 'GET', path, undefined, { 'if-none-match': 'W/"1"' })) },
        { name: `unchanged since ${key}`, expected: expected === 200, ask: async () => [200, 304].includes(await statusOf(bearer, 'GET', path, undefined, { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' })) },
      ];
    }),

    absences: (bearer) => of(undefined).filter(([key]) => !sees(bearer, key) && lettersOf(bearer, typeOf(key)).includes('R')).map(([key, path]) => ({
      name: key,
      expected: true,
      ask: async () => {
        const words = (answer: Answer, at: string): string => JSON.stringify([answer.status, answer.body.issue]).replaceAll(at, 'X');
        const never = `${typeOf(key)}/never`;
        return words(await send(bearer, 'GET', path), path) === words(await send(bearer, 'GET', never), never);
      },
    })),

    searches: (bearer, only) => [...new Set(of(only).map(([key]) => typeOf(key)))].flatMap((type) => {
      // The V&M surface answers a supplier's search.
      if (bearer === 'supplier' && type === 'Observation') return [];
      const named = (key: string): string => key.slice(key.indexOf('/') + 1);
      const visible = of(type).flatMap(([key, path]) => (sees(bearer, key) ? [path] : [])).sort();
      const mayNot = !lettersOf(bearer, type).includes('S');
      const inner = ({ body }: Answer): unknown => (body.entry[0].response.status.startsWith('200') ? found({ body: body.entry[0].resource } as Answer).sort() : Number(body.entry[0].response.status.slice(0, 3)));
      const listed = (answer: Answer): unknown => (answer.status === 200 ? found(answer).sort() : answer.status);
      const counted = (answer: Answer): unknown => (answer.status === 200 ? answer.body.total : answer.status);
      // The server's own record of these very requests lies beside those that were planted (test/domain/audit-trail.test.ts judges it), and so do its own Measures.
      const planted = type === 'AuditEvent' || type === 'Measure' ? `_id=${of(type).map(([, path]) => path.slice(type.length + 1)).join(',')}&` : '';
      return [
        { name: `search ${type}`, expected: mayNot ? 403 : visible, ask: async () => listed(await send(bearer, 'GET', `${type}?${planted}_count=500`)) },
        ...of(type).map(([key, path]) => ({
          name: `by id ${key}`, expected: mayNot ? 403 : sees(bearer, key) ? [path] : [], ask: async () => listed(await send(bearer, 'GET', `${type}?_id=${named(path)}`)),
        })),
        ...of(type).map(([key, path]) => ({
          name: `by id in a form, ids alone ${key}`, expected: mayNot ? 403 : sees(bearer, key) ? [path] : [], ask: async () => listed(await send(bearer, 'POST', `${type}/_search`, `_id=${named(path)}&_elements=id`, FORM)),
        })),
        ...of(type).map(([key, path]) => ({
          name: `count by id ${key}`, expected: mayNot ? 403 : sees(bearer, key) ? 1 : 0, ask: async () => counted(await send(bearer, 'GET', `${type}?_id=${named(path)}&_summary=count`)),
        })),
        { name: `summary of ${type}`, expected: mayNot ? 403 : visible, ask: async () => listed(await send(bearer, 'GET', `${type}?${planted}_count=500&_summary=true`)) },
        { name: `batch search ${type}`, expected: mayNot ? 403 : visible, ask: async () => inner(await send(bearer, 'POST', '', bundle('batch', 'GET', `${type}?${planted}_count=500`))) },
        { name: `system search of ${type}`, expected: mayNot ? [] : visible, ask: async () => listed(await send(bearer, 'GET', `?_type=${type}&${planted}_count=500`)) },
        { name: `sorted ${type}`, expected: mayNot ? 403 : visible, ask: async () => listed(await send(bearer, 'GET', `${type}?${planted}_count=500&_sort=-_lastUpdated`)) },
        { name: `count ${type}`, expected: mayNot ? 403 : visible.length, ask: async () => counted(await send(bearer, 'GET', `${type}?${planted}_summary=count`)) },
        { name: `total ${type}`, expected: mayNot ? 403 : visible.length, ask: async () => counted(await send(bearer, 'POST', `${type}/_search`, `${planted}_total=accurate&_count=1`, FORM)) },
      ];
    }),

    oracles: (bearer) => [
      ...['ada', 'bob', 'eve'].flatMap((name) => ['*', 'Account', 'Observation', 'Claim', '$everything'].map((what) => ({
        name: `compartment Patient/${name}/${what}`,
        expected: [],
        ask: async () => found(await send(bearer, 'GET', `${paths.get(`Patient/${name}`) ?? ''}/${what}?_count=500`)).filter((path) => known.has(path) && !sees(bearer, known.get(path) ?? '')),
      }))),
      ...[...new Set([...paths.keys()].map(typeOf)), ''].map((type) => ({
        name: `history of ${type === '' ? 'everything' : type}`,
        expected: [],
        ask: async () => found(await send(bearer, 'GET', `${type}${type === '' ? '' : '/'}_history?_count=1000`)).filter((path) => known.has(path) && !sees(bearer, known.get(path) ?? '')),
      })),
      ...ORACLES.filter(([type]) => lettersOf(bearer, type).includes('S')).map(([type, query, carrier, shown]) => ({
        name: query,
        expected: sees(bearer, carrier) && sees(bearer, shown) && lettersOf(bearer, typeOf(carrier)) !== '',
        ask: async () => found(await send(bearer, 'GET', `${type}?${query}&_count=500`)).includes(paths.get(shown) ?? ''),
      })),
      ...INCLUDING.filter((query) => lettersOf(bearer, query.slice(0, query.indexOf('?'))).includes('S')).map((query) => ({
        name: query,
        expected: [],
        ask: async () => found(await send(bearer, 'GET', `${query}&_count=500`)).filter((path) => known.has(path) && !sees(bearer, known.get(path) ?? '')),
      })),
    ],

    writes: (bearer, only) => [...bodies].filter(([key]) => only === undefined || typeOf(key) === only).flatMap(([key, body]): Cell[] => {
      const type = typeOf(key);
      const { id: _id, ...anonymous } = body;
      const expected = (letter: string): number => (lettersOf(bearer, type).includes(letter) ? missOf(bearer, type) : 403);
      const cells: Cell[] = [];
      if (!lettersOf(bearer, type).includes('C')) cells.push({ name: `POST ${key}`, expected: 403, ask: () => statusOf(bearer, 'POST', type, body) });
      if (sees(bearer, key) || FIXED.includes(bearer)) return cells;
      if (lettersOf(bearer, type).includes('C') && type !== 'Binary' && type !== 'List') {
        cells.push({ name: `POST ${key}`, expected: true, ask: async () => [400, 403, 422].includes(await statusOf(bearer, 'POST', type, anonymous)) });
      }
      if (type === 'Claim' && lettersOf(bearer, type).includes('C')) {
        // By whoever sends it, of an amount that any line has: nothing but the row itself is in the way.
        cells.push({ name: `POST ${key} as its recorder`, expected: true, ask: async () => [400, 403, 422].includes(await statusOf(bearer, 'POST', type, recordedByNobody(anonymous))) });
      }
      const { reference: about = '' } = (body['subject'] ?? {}) as { readonly reference?: string };
      if (type === 'DocumentReference' && lettersOf(bearer, type).includes('C') && !sees(bearer, known.get(about) ?? '')) {
        // With the file inside: nobody else's Binary is in the way, only the patient that it names. About one whom the bearer sees it is the bearer's own.
        const body = { ...anonymous, author: undefined, content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }] };
        cells.push({ name: `POST ${key} with its file`, expected: true, ask: async () => [400, 403, 422].includes(await statusOf(bearer, 'POST', type, body)) });
      }
      return [
        ...cells,
        { name: `PUT ${key}`, expected: expected('U'), ask: () => statusOf(bearer, 'PUT', key, body) },
        { name: `PUT ${key} of a version`, expected: expected('U'), ask: () => statusOf(bearer, 'PUT', key, body, { 'if-match': 'W/"99"' }) },
        { name: `POST ${key} if none exists`, expected: true, ask: async () => [400, 403, 422].includes(await statusOf(bearer, 'POST', type, unlike(anonymous), { 'if-none-exist': `_id=${key.slice(type.length + 1)}` })) },
        { name: `PUT ${key} by criteria`, expected: true, ask: async () => [400, 403, 404, 422].includes(await statusOf(bearer, 'PUT', `${type}?_id=${key.slice(type.length + 1)}`, unlike(anonymous))) },
        { name: `DELETE ${key} by criteria`, expected: true, ask: async () => [204, 403, 404].includes(await statusOf(bearer, 'DELETE', `${type}?_id=${key.slice(type.length + 1)}`)) },
        { name: `PUT ${type}/new`, expected: expected('U'), ask: () => statusOf(bearer, 'PUT', `${type}/new`, { ...body, id: 'new' }) },
        { name: `PATCH ${key}`, expected: expected('U'), ask: () => statusOf(bearer, 'PATCH', key, '[{"op":"test","path":"/id","value":"x"}]', JSON_PATCH) },
        { name: `DELETE ${key}`, expected: expected('D'), ask: () => statusOf(bearer, 'DELETE', key) },
        { name: `batch PUT ${key}`, expected: expected('U'), ask: () => inBatch(bearer, 'PUT', key, body) },
        { name: `transaction PUT ${key}`, expected: expected('U'), ask: () => statusOf(bearer, 'POST', '', bundle('transaction', 'PUT', key, body)) },
      ];
    }),
  };
}

/** Does the row that carries the criterion tell of the row that is shown? */
const ORACLES: readonly (readonly [type: string, query: string, carrier: string, shown: string])[] = [
  // Which rows point at a row that is seen?
  ['Patient', '_has:Account:patient:_id=care', 'Account/care', 'Patient/ada'], ['Patient', '_has:Claim:patient:_id=joint', 'Claim/joint', 'Patient/ada'],
  ['Patient', '_has:Observation:patient:_id=lab', 'Observation/lab', 'Patient/ada'], ['Patient', '_has:Condition:subject:_id=ada', 'Condition/ada', 'Patient/ada'],
  ['Patient', '_has:Group:member:_id=people', 'Group/people', 'Patient/ada'], ['Patient', '_has:Observation:patient:_id=assessment', 'Observation/assessment', 'Patient/ada'],
  ['Account', '_has:Claim:budget:_id=own', 'Claim/own', 'Account/ada'], ['Account', '_has:PaymentNotice:request:_id=advance', 'PaymentNotice/advance', 'Account/ada'],
  ['CarePlan', '_has:Account:careplan:_id=ada', 'Account/ada', 'CarePlan/ada'], ['CarePlan', '_has:Account:careplan:_id=bob', 'Account/bob', 'CarePlan/bob'],
  // What does a row that is seen point at?
  ['Account', 'subject:Patient.family=Sampleada', 'Patient/ada', 'Account/ada'], ['Account', 'partof:Account.type=joint-budget', 'Account/joint', 'Account/ada'],
  ['Claim', 'budget.type=phb', 'Account/ada', 'Claim/isf'], ['Claim', 'evidence:DocumentReference._id=cited', 'DocumentReference/cited', 'Claim/own'],
  ['PaymentNotice', 'request:Claim._id=isf', 'Claim/isf', 'PaymentNotice/isf'], ['Claim', 'coverage._id=ada', 'Coverage/ada', 'Claim/isf'],
];

const INCLUDING: readonly string[] = [
  'Account?_include=Account:*&_revinclude=Claim:budget&_revinclude=Task:focus&_revinclude=Provenance:target&_revinclude=PaymentNotice:request',
  'Claim?_include=Claim:*&_include:iterate=DocumentReference:*&_include:iterate=Account:*&_revinclude=PaymentNotice:request', 'HealthcareService?_include=HealthcareService:*&_revinclude=List:item',
  'PaymentNotice?_include=PaymentNotice:*&_include:iterate=Claim:*&_include:iterate=Account:*', 'Task?_include=Task:*',
];

/** Types of which there is a row that a role may not see. */
const HIDDEN_TYPES = ['Patient', 'RelatedPerson', 'Account', 'Claim', 'CarePlan', 'CareTeam', 'Coverage', 'Task', 'Consent', 'DocumentReference', 'Binary', 'PaymentNotice', 'PaymentReconciliation',
  'Observation', 'Group', 'List', 'MeasureReport', 'AuditEvent', 'Provenance'];

/** Bearers and the types of which they see some rows, or none, and there are others. */
export const EXPECTED_ROWS: readonly (readonly [bearer: string, type: string])[] = ['ada', 'nominee', 'coordinator', 'stranger', 'broker', 'manager', 'commissioner', 'authority', 'isf', 'practice', 'ovm'].flatMap((bearer) =>
  Object.entries(EXPECTED[bearer]?.letters ?? {}).flatMap(([type, letters]) => (HIDDEN_TYPES.includes(type) && letters.includes('R') && !(bearer === 'ovm' && type === 'Patient') ? [[bearer, type] as const] : [])));
