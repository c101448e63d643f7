// Numbers and amounts through HTTP: units that convert, ranges, samples, and values that stand together. https://hl7.org/fhir/R4/search.html#quantity
import { startServer, type TestServer } from '../server.js';

const UCUM = 'http://unitsofmeasure.org';

const amount = (value: number, code: string, system = UCUM) => ({ value, unit: code, system, code });
const coded = (code: string) => ({ coding: [{ system: 'urn:codes', code }] });
const dose = (id: string, more: object) => ({ resourceType: 'Observation', id, status: 'final', code: coded('dose'), ...more });
const condition = (id: string, onset: object) => ({ resourceType: 'Condition', id, subject: { display: 'x' }, ...onset });
const variant = (start: number, end: number) => ({ start, end, observedAllele: 'A', referenceAllele: 'C' });

const RESOURCES = [
  dose('g1', { valueQuantity: amount(1, 'g') }),
  dose('mg1000', { valueQuantity: amount(1000, 'mg') }),
  dose('mg5-4', { valueQuantity: amount(5.4, 'mg') }),
  dose('iu', { valueQuantity: amount(1000, '[iU]') }),
  dose('words', { valueQuantity: { value: 1000, unit: 'mg' } }),
  dose('other-system', { valueQuantity: amount(1000, 'mg', 'urn:units') }),
  dose('warm', { valueQuantity: amount(37, 'Cel') }),
  dose('warm-f', { valueQuantity: amount(98.6, '[degF]') }),
  dose('sampled', { valueSampledData: { origin: amount(0, 'mg'), period: 10, factor: 0.1, lowerLimit: -5, upperLimit: 90, dimensions: 1, data: '10 200 E U 300' } }),
  condition('forty', { onsetAge: amount(40, 'a') }),
  condition('teens', { onsetRange: { low: amount(13, 'a'), high: amount(19, 'a') } }),
  condition('adult', { onsetRange: { low: amount(18, 'a') } }),
  condition('child', { onsetRange: { high: amount(12, 'a') } }),
  { resourceType: 'Invoice', id: 'paid', status: 'issued', totalNet: { value: 19.95, currency: 'GBP' } },
  { resourceType: 'RiskAssessment', id: 'between', status: 'final', subject: { display: 'x' }, prediction: [{ probabilityRange: { low: { value: 10, system: UCUM, code: '%' }, high: { value: 20, system: UCUM, code: '%' } } }] },
  { resourceType: 'RiskAssessment', id: 'at', status: 'final', subject: { display: 'x' }, prediction: [{ probabilityDecimal: 15 }] },
  { resourceType: 'DocumentReference', id: 'new', status: 'current', content: [{ attachment: { title: 'x' } }], relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/old' } }, { code: 'signs', target: { reference: 'DocumentReference/other' } }] },
  { resourceType: 'DocumentReference', id: 'old', status: 'superseded', content: [{ attachment: { title: 'x' } }] },
  { resourceType: 'DocumentReference', id: 'other', status: 'current', content: [{ attachment: { title: 'x' } }] },
  { resourceType: 'MolecularSequence', id: 'seq', coordinateSystem: 0, referenceSeq: { genomeBuild: 'GRCh37', chromosome: coded('1'), windowStart: 100, windowEnd: 200 }, variant: [variant(110, 120), variant(150, 160)] },
];

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const entry = RESOURCES.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
});
afterAll(() => server.close());

const get = (query: string) => server.send('GET', encodeURI(query), { token: server.tokens.admin });

const FOUND: readonly (readonly [search: string, ids: string])[] = [
  [`Observation?value-quantity=1|${UCUM}|g`, 'g1 mg1000'],
  [`Observation?value-quantity=1000|${UCUM}|mg`, 'g1 mg1000'],
  [`Observation?value-quantity=1e6|${UCUM}|ug`, 'g1 mg1000'],
  [`Observation?value-quantity=0.0054|${UCUM}|g`, 'mg5-4'],
  [`Observation?value-quantity=5.40|${UCUM}|mg`, 'mg5-4'],
  [`Observation?value-quantity=gt1|${UCUM}|g`, ''],
  [`Observation?value-quantity=ge1|${UCUM}|g`, 'g1 mg1000'],
  [`Observation?value-quantity=ge0.000001|${UCUM}|t`, 'g1 mg1000'],
  [`Observation?value-quantity=1000|${UCUM}|[iU]`, 'iu'],
  ['Observation?value-quantity=1000', 'iu mg1000 other-system words'],
  ['Observation?value-quantity=1000||mg', 'mg1000 other-system words'],
  ['Observation?value-quantity=1000|urn:units|mg', 'other-system'],
  [`Observation?value-quantity=310|${UCUM}|K`, 'warm warm-f'],
  [`Observation?value-quantity=98.6|${UCUM}|[degF]`, 'warm warm-f'],
  [`Observation?value-quantity=gt80|${UCUM}|mg`, 'g1 mg1000 sampled'],
  [`Observation?value-quantity=sa80|${UCUM}|mg`, 'g1 mg1000'],
  [`Observation?value-quantity=lt2|${UCUM}|mg`, 'sampled'],
  [`Observation?value-quantity=ap50|${UCUM}|mg`, 'sampled'],
  [`Observation?code-value-quantity=dose$1|${UCUM}|g`, 'g1 mg1000'],
  [`Observation?combo-code-value-quantity=dose$1000|${UCUM}|mg`, 'g1 mg1000'],
  ['Condition?onset-age=40', 'forty'],
  [`Condition?onset-age=480|${UCUM}|mo`, 'forty'],
  ['Condition?onset-age=gt19', 'adult forty'],
  ['Condition?onset-age=ge19', 'adult forty teens'],
  ['Condition?onset-age=sa12', 'adult forty teens'],
  ['Condition?onset-age=sa15', 'adult forty'],
  ['Condition?onset-age=lt13', 'child'],
  ['Condition?onset-age=eb20', 'child teens'],
  ['Condition?onset-age=15', ''],
  ['Condition?onset-age=0e2', 'forty teens'],
  ['Condition?onset-age=ne0e2', 'adult child'],
  ['Condition?onset-age=ap16', 'teens'],
  ['Condition?onset-age=ap30', 'adult'],
  [`Condition?onset-age=gt239|${UCUM}|mo`, 'adult forty'],
  ['Condition?onset-age:missing=false', 'adult child forty teens'],
  ['Invoice?totalnet=19.95|urn:iso:std:iso:4217|GBP', 'paid'],
  ['Invoice?totalnet=gt19.95', ''],
  ['RiskAssessment?probability=ap15', 'at between'],
  ['RiskAssessment?probability=15', 'at'],
  ['RiskAssessment?probability=gt15', 'between'],
  ['RiskAssessment?probability=sa12', 'at'],
  ['DocumentReference?relationship=DocumentReference/old$replaces', 'new'],
  ['DocumentReference?relationship=old$replaces', 'new'],
  ['DocumentReference?relationship=DocumentReference/old$signs', ''],
  ['MolecularSequence?chromosome-variant-coordinate=1$lt115$ge120', 'seq'],
  ['MolecularSequence?chromosome-variant-coordinate=urn:codes|1$110$120', 'seq'],
  ['MolecularSequence?chromosome-variant-coordinate=1$110$160', ''],
  ['MolecularSequence?chromosome-variant-coordinate=2$110$120', ''],
  ['MolecularSequence?chromosome-window-coordinate=1$ge100$le200', 'seq'],
];

test.each(FOUND)('%s finds %s', async (search, ids) => {
  const { status, body } = await get(search);
  expect(status).toBe(200);
  expect((body.entry ?? []).map((entry: any) => entry.resource.id).sort()).toEqual(ids.split(' ').filter((id) => id !== ''));
});
