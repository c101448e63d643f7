// Token shares as PostgreSQL's statistics have them.
import type { Database } from '../../src/db/database.js';
import { TokenFrequencies } from '../../src/store/token-frequency.js';
import { create, NO_ROWS, openFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  const tokens = (n: number) => [BigInt(n) + 1000n, n % 2 === 0 ? -9223372036854775808n : 9223372036854775807n, n % 10 === 0 ? 10n : 11n];
  await fixture.store.write(Array.from({ length: 2000 }, (_, n) => create('Patient', `p${String(n)}`, { rows: { ...NO_ROWS, tokens: tokens(n) } })));
  await fixture.database.query({ text: 'analyze fhir."Patient"', values: [] });
});
afterAll(() => fixture.close());

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

it('knows the share of common tokens, to the last of 64 bits, and none of rare ones', async () => {
  const frequencies = new TokenFrequencies(fixture.database, () => 0);
  await frequencies.refresh('Patient');
  const frequency = frequencies.of('Patient');
  expect(frequency?.rows).toBe(2000);
  expect(frequency?.shares.get(-9223372036854775808n)).toBeCloseTo(0.5);
  expect(frequency?.shares.get(9223372036854775807n)).toBeCloseTo(0.5);
  expect(frequency?.shares.get(10n)).toBeCloseTo(0.1);
  expect(frequency?.shares.get(1500n)).toBeUndefined();
});

it('answers at once with what it knows, and asks again only after five minutes', async () => {
  let now = 0;
  let asked = 0;
  const counting: Database = { ...fixture.database, beside: { query: (statement) => ((asked += 1), fixture.database.query(statement)) } };
  const frequencies = new TokenFrequencies(counting, () => now);
  expect(frequencies.of('Patient')).toBeUndefined();
  expect(frequencies.of('Patient')).toBeUndefined();
  await settled();
  expect(frequencies.of('Patient')?.rows).toBe(2000);
  expect(asked).toBe(1);
  now = 5 * 60_000 + 1;
  expect(frequencies.of('Patient')?.rows).toBe(2000);
  expect(frequencies.of('Patient')?.rows).toBe(2000);
  expect(asked).toBe(2);
  await settled();
});

it('knows nothing of a table that was never analysed', async () => {
  const frequencies = new TokenFrequencies(fixture.database, () => 0);
  await frequencies.refresh('Observation');
  expect(frequencies.of('Observation')).toBeUndefined();
});

it('keeps what it knew when the database fails', async () => {
  let now = 0;
  let broken = false;
  const failing: Database = { ...fixture.database, beside: { query: (statement) => (broken ? Promise.reject(new Error('down')) : fixture.database.query(statement)) } };
  const frequencies = new TokenFrequencies(failing, () => now);
  await frequencies.refresh('Patient');
  broken = true;
  now = 10 * 60_000;
  expect(frequencies.of('Patient')?.rows).toBe(2000);
  await settled();
  expect(frequencies.of('Patient')?.rows).toBe(2000);
});
