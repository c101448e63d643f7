// Two roads, one rule: a file leaves the same statements, answers, versions, worklist and counts as its statements sent one by one.
import fc from 'fast-check';
import { startServer, type TestServer } from '../server.js';
import { ingest, NDJSON } from './feed-files.js';
import { deliver, numbers, patientBody, statementBody } from './people.js';

let file: TestServer;
let single: TestServer;
const newNumber = numbers(999_700_000);
const people = Array.from({ length: 4 }, () => newNumber());
let runs = 0;

beforeAll(async () => {
  [file, single] = await Promise.all([startServer(), startServer()]);
});
afterAll(() => Promise.all([file.close(), single.close()]));

const DEMOGRAPHICS = { name: [{ family: 'Sample', given: ['Ada'] }], gender: 'female', birthDate: '1980-02-29', address: [{ postalCode: 'LS1 4AP' }] };

interface Told {
  readonly key: number;
  readonly status: string;
  readonly day: string;
  readonly person: number;
}

const told: fc.Arbitrary<Told> = fc.record({
  key: fc.nat(9),
  status: fc.constantFrom('paid-or-exempt', 'likely-chargeable', 'british-citizen', 'british-citizen', 'unheard-of'),
  day: fc.constantFrom('2026-01-01', '2026-02-01T10:00:00Z', '2026-02-01T11:00:00+01:00', '2026-03-01', '2999-01-01'),
  // Two who are known, one who is replaced by the first, one unknown, one by demographics, one by none that fits.
  person: fc.nat(5),
});

function statement({ key, status, day, person }: Told, run: number): any {
  const contained = (rest: object) => ({ contained: [{ resourceType: 'Patient', id: 'p', ...DEMOGRAPHICS, ...rest }], subject: { reference: '#p' } });
  const rest = person === 4 ? contained({}) : person === 5 ? contained({ gender: 'male' }) : {};
  return statementBody(people[person] ?? '', status, day, `R${run}-${key}`, rest);
}

async function world(server: TestServer, run: number): Promise<void> {
  const put = async (id: string, body: object): Promise<void> => {
    const { status, text } = await server.send('PUT', `Patient/${id}`, { token: server.tokens.admin, body: { ...body, id } });
    if (status > 201) throw new Error(text);
  };
  const plain = { name: [{ family: `Known${run}` }] };
  await put(`r${run}-0`, patientBody(people[0]!, plain));
  await put(`r${run}-1`, patientBody(people[1]!, DEMOGRAPHICS));
  await put(`r${run}-2`, { ...patientBody(people[2]!, plain), link: [{ type: 'replaced-by', other: { reference: `Patient/r${run}-0` } }] });
}

/** Everything but made-up ids and moments. */
async function tables(server: TestServer): Promise<unknown> {
  const list = async (text: string): Promise<readonly any[]> => (await server.database.query<any>({ text, values: [] })).rows;
  const blank = (text: string): string => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').replace(/"lastUpdated":"[^"]*Z"/, '').replace(/"(authoredOn|lastModified)":"[^"]*"/g, '');
  const texts = async (sql: string): Promise<string[]> => (await list(sql)).map(({ res }) => blank(res)).sort();
  return {
    keys: await list('select key, source from fhir.home_office_key order by key'),
    places: await list('select k.key, s.source, s.number, s.person, s.patient, s.claim, s.settled from fhir.home_office_statement s join fhir.home_office_key k on k.statement = s.id order by k.key'),
    answers: (await list('select c.patient, c.changes, c.source, c.basic, c.category, c.decided, k.key from fhir.chargeable_status c left join fhir.home_office_key k on k.statement = c.winner order by c.patient')),
    numbers: await list('select number, patient, waiting from fhir.nhs_number order by number'),
    observations: await texts('select res from fhir."Observation"'),
    patients: await texts('select res from fhir."Patient"'),
    history: await texts('select res from fhir.history where type = \'Patient\' and res is not null'),
    tasks: await texts('select res from fhir."Task"'),
    strings: await list('select param, value, raw, id from fhir.string_index where id like \'r%\' order by 1, 2, 3, 4'),
    rows: await list('select id, array(select unnest(tokens) order by 1)::text as tokens, refs, present, subject, date_lo, date_hi from fhir."Patient" order by id'),
    dates: await list('select param, lo, hi, id from fhir.date_index where id like \'r%\' order by 1, 2, 3, 4'),
    conflicts: await list('select key, id, res from fhir.home_office_conflict order by key, id'),
  };
}

const EMPTY = ['"Observation"', '"Patient"', '"Task"', 'history', 'chargeable_status', 'chargeable_status_past', 'nhs_number', 'home_office_key', 'home_office_statement', 'home_office_conflict', 'string_index', 'date_index'];

test('a file and single writes leave the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 25 }), async (list) => {
      const run = runs++;
      for (const server of [file, single]) {
        for (const table of EMPTY) await server.database.query({ text: `delete from fhir.${table}`, values: [] });
        await world(server, run);
      }
      const statements = list.map((one) => statement(one, run));
      const { counts } = await ingest(file, statements.map((one) => JSON.stringify(one)).join('\n'), { headers: NDJSON });
      const answers: number[] = [];
      for (const one of statements) answers.push((await deliver(single, one)).status);
      expect(await tables(file)).toEqual(await tables(single));
      const having = (status: number): number => answers.filter((one) => one === status).length;
      expect([counts['received'], counts['accepted'], Number(counts['unchanged']) + Number(counts['conflicting']), counts['refused'] - counts['conflicting']]).toEqual([list.length, having(201), having(200), having(422)]);
    }),
    { numRuns: 15 },
  );
}, 120_000);
