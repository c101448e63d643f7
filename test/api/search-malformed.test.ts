// Whatever is written as a value, a prefix or a modifier: it is answered, or refused in words that name the parameter. Never a 500. https://hl7.org/fhir/R4/search.html#errors
import fc from 'fast-check';
import { startServer, type TestServer } from '../server.js';
import { loadSearchData } from './search-data.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await loadSearchData(server);
});
afterAll(() => server.close());

const ask = (path: string) => server.send('GET', path, { token: server.tokens.admin, headers: { prefer: 'handling=strict' } });

/** One parameter of each type, and those with rules of their own. */
const PARAMETERS = [
  ...['Patient?family', 'Patient?gender', 'Patient?identifier', 'Patient?telecom', 'Patient?organization', 'Patient?birthdate', 'Patient?deceased', 'Patient?_profile'],
  ...['Observation?date', 'Observation?value-quantity', 'Observation?subject', 'Observation?code', 'Observation?component-code-value-quantity', 'Observation?code-value-date'],
  ...['RiskAssessment?probability', 'ValueSet?url', 'Location?near', 'Encounter?location', 'DocumentReference?relationship', 'MolecularSequence?chromosome-variant-coordinate'],
  ...['Patient?_id', 'Patient?_lastUpdated', 'QuestionnaireResponse?questionnaire', 'Condition?onset-age', 'Patient?_sort'],
];
const MODIFIERS = ['', ':missing', ':exact', ':contains', ':not', ':text', ':in', ':not-in', ':above', ':below', ':of-type', ':identifier', ':Patient', ':nonsense', ':', ':iterate', '.name', ':Patient.'];
const PIECES = ['', 'eq', 'ne', 'gt', 'sa', 'ap', 'xx', '2024', '2024-02-30', '2024-13', '-1', '5.4', '1e9', '1e99999', '1e-400', '|', '||', '$', ',', '\\', '\\,', '\\|', 'kg', 'http://unitsofmeasure.org', 'Patient/anne', '#', '\u0000', '\ud83d\ude00', '\u202e', '%', "'", '"', ' ', 'T10:00', 'Z', '+01:00', '9'.repeat(40), 'true', 'ValueSet/vs', '51.5', '..', '/', '_history/1'];

test('a value of any kind with any modifier', async () => {
  const request = fc.record({ parameter: fc.constantFrom(...PARAMETERS), modifier: fc.constantFrom(...MODIFIERS), pieces: fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6, unit: 'binary' })), { maxLength: 5 }) });
  await fc.assert(fc.asyncProperty(request, async ({ parameter, modifier, pieces }) => {
    const value = pieces.join('');
    fc.pre(!/[\ud800-\udfff]/u.test(value));
    const { status, body, text } = await ask(`${parameter}${encodeURIComponent(modifier)}=${encodeURIComponent(value)}`);
    if (status !== 200) {
      if (status !== 400 && status !== 422) throw new Error(`${String(status)} ${text}`);
      expect(body.issue[0].details.text.length).toBeGreaterThan(10);
    }
  }), { numRuns: 1500 });
}, 240_000);

const WRONG: readonly (readonly [search: string, named: string])[] = [
  ['Patient?birthdate=2024-02-30', 'birthdate'], ['Patient?birthdate=xx2024', 'birthdate'], ['Patient?birthdate=', 'birthdate'], ['Observation?date=2024-01-01T25:00', 'date'], ['Observation?date=gt', 'date'],
  ['RiskAssessment?probability=ten', 'probability'], ['RiskAssessment?probability=1e99999', 'probability'], ['RiskAssessment?probability=~5', 'probability'],
  ['Observation?value-quantity=5|kg', 'value-quantity'], ['Observation?value-quantity=||kg', 'value-quantity'], ['Observation?value-quantity=5||', 'value-quantity'],
  ['Patient?gender=|', 'gender'], ['Patient?identifier=a|b|c', 'identifier'], ['Patient?identifier:of-type=a|b', 'identifier'], ['Patient?gender:exact=male', 'gender'], ['Patient?gender:missing=yes', 'gender'],
  ['Patient?family:below=x', 'family'], ['Patient?organization:Patient=x', 'organization'], ['Patient?organization=', 'organization'], ['Patient?family=', 'family'], ['ValueSet?url=', 'url'],
  ['Location?near=91|0', 'near'], ['Location?near=1|1|5|miles', 'near'], ['Patient?_id=a b', '_id'], ['Patient?_lastUpdated=yesterday', '_lastUpdated'],
  ['Observation?component-code-value-quantity=x', 'component-code-value-quantity'], ['Observation?component-code-value-quantity=x$y', 'value-quantity'], ['MolecularSequence?chromosome-variant-coordinate=1$2', 'chromosome-variant-coordinate'],
  ['DocumentReference?relationship=a$b$c', 'relationship'],
];

test.each(WRONG)('%s is refused, and %s is named', async (search, named) => {
  const { status, body } = await ask(encodeURI(search));
  expect(status).toBe(400);
  expect(JSON.stringify(body.issue[0])).toContain(named);
});
