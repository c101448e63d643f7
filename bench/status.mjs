// npm run bench -- status --scale: the two status surfaces over a million patients of whom three assertions each are held, loaded by SQL as
// the server would have stored them; prints the plan of the look-up on that data.

const PATIENTS = 1_000_000;
const ASSERTIONS_EACH = 3;
/** Numbers that are asked about: drawn from all over the table. */
const ASKED = 100_000;

const NUMBERS = `
  create temporary table numbered as
  select row_number() over (order by stem) as n, stem::text || mod(11 - mod(sum, 11), 11)::text as number
  from (select stem, (select sum(substr(stem::text, place, 1)::int * (11 - place)) from generate_series(1, 9) place) as sum
        from generate_series(400000000, 400000000 + ${Math.ceil(PATIENTS * 1.12)}) stem) sums
  where mod(11 - mod(sum, 11), 11) <> 10 limit ${PATIENTS}`;

const PATIENT = `'{"resourceType":"Patient","id":"s' || n || '","meta":{"versionId":"2","lastUpdated":"2026-05-01T00:00:00.000Z"},"identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"' || number || '"}],"name":[{"family":"Family' || mod(n, 997) || '"}],"gender":"female","birthDate":"1980-01-01"}'`;
const ASSERTION = `'{"resourceType":"Observation","id":"s' || n || '-' || k || '","status":"final","code":{"coding":[{"system":"https://fhir.entitle.example/CodeSystem/status-assertion","code":"ho-status"}]},"subject":{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"' || number || '"}},"effectiveDateTime":"2026-0' || k || '-01T00:00:00Z","valueCodeableConcept":{"coding":[{"system":"https://fhir.entitle.example/CodeSystem/ho-status","code":"paid-or-exempt"}]}}'`;
/** As src/chargeable-status/assertion.ts has it. */
const HELD = `'[' || (select string_agg('{"id":"s' || n || '-' || k || '","source":"HO","decidedAt":' || (1767225600000 + k * 2592000000)::text || ',"decided":"2026-0' || k || '-01T00:00:00Z","receivedAt":1777593600000,"basic":"N","category":"B"}', ',' order by k) from generate_series(1, ${ASSERTIONS_EACH}) k) || ']'`;
const RESOURCE = 'version, updated, self, id, method, present, tokens, refs, res';

const LOAD = [
  NUMBERS,
  `insert into fhir."Patient" (${RESOURCE}) select 2, 1777593600000, n, 's' || n, 'PUT', '', '{}', '{}', ${PATIENT} from numbered`,
  `insert into fhir."Observation" (${RESOURCE}) select 1, 1777593600000, n * ${ASSERTIONS_EACH} + k, 's' || n || '-' || k, 'POST', '', '{}', '{}', ${ASSERTION} from numbered, generate_series(1, ${ASSERTIONS_EACH}) k`,
  `insert into fhir.nhs_number (number, patient, held) select number, 's' || n, true from numbered`,
  `insert into fhir.chargeable_status (patient, number, held, assertions, observation, changes, changed, winner, source, basic, category, decided, decided_at, steps, known)
    select 's' || n, number, true, ${HELD}, 'chargeable-status-s' || n, ${ASSERTIONS_EACH}, 1777593600000, 's' || n || '-${ASSERTIONS_EACH}', 'HO', 'N', 'B', '2026-0${ASSERTIONS_EACH}-01T00:00:00Z', 1775001600000, ${ASSERTIONS_EACH}, 1777593600000 from numbered`,
  `insert into fhir.chargeable_status_past (patient, step, known_from, changes, changed, assertions) select patient, steps, known, changes, changed, assertions from fhir.chargeable_status where patient like 's%'`,
];

const LOOK_UP = 'select summary from fhir.chargeable_status where number = $1 and held';

/** Loads the server's tables and the floor's; gives the numbers to ask about. */
export async function loadStatusAtScale({ server, floor }) {
  console.error(`loading ${PATIENTS} patients and ${PATIENTS * ASSERTIONS_EACH} assertions`);
  for (const text of LOAD) await server.query({ text, values: [] });
  const { rows } = await server.query({ text: `select number from numbered order by md5(n::text) limit ${ASKED}`, values: [] });
  const numbers = rows.map(({ number }) => number);
  const { rows: all } = await server.query({ text: 'select number from numbered', values: [] });
  const answer = JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'determined', valueBoolean: true }, { name: 'note', valueString: 'x'.repeat(500) }] });
  for (let n = 0; n < all.length; n += 100_000) await floor.query({ text: 'insert into status select unnest($1::text[]), $2', values: [all.slice(n, n + 100_000).map(({ number }) => number), answer] });
  return numbers;
}

export async function printPlan({ server }, number) {
  const { rows } = await server.query({ text: `explain (analyze, buffers) ${LOOK_UP.replace('$1', `'${number}'`)}`, values: [] });
  console.log(rows.map((row) => row['QUERY PLAN']).join('\n'));
}
