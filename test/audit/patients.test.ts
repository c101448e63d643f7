// Whom a text is about, as the trail finds it in the text itself.
import { addPatients, patientsIn } from '../../src/audit/patients.js';
import { heapHeld } from '../heap.js';

it.each([
  ['{"reference":"Patient/1"}', ['1']],
  ['{"reference":"Patient/1"},{"reference":"Patient/1"},{"reference":"Patient/12"},{"reference":"Patient/1"}', ['1', '12']],
  ['{"reference":"Patient/12"},{"reference":"Patient/1"}', ['12', '1']],
  ['{"reference":"Patient\\/1"}', ['1']],
  ['{"fullUrl":"http://x/Patient/1/_history/2","resource":{"resourceType":"Patient","id":"1"}}', ['1']],
  ['{"resourceType":"Patient","id":"a-b.c"}', ['a-b.c']],
  ['Patient/1', ['1']],
  ['{"reference":"OutPatient/1"},"a Patient/2 of ours","Patient"', []],
  [`{"reference":"Patient/${'x'.repeat(65)}"}`, []],
  ['{"reference":"Patient/"}', []],
])('%s', (text, patients) => expect(patientsIn(text)).toEqual(patients));

test('an id does not hold on to the page that it was found in', () => {
  const found = new Set<string>();
  const before = heapHeld();
  for (let n = 0; n < 300; n += 1) {
    const filler = String.fromCharCode(97 + (n % 26)).repeat(30_000);
    addPatients(JSON.stringify({ reference: `Patient/019ab0f2-1111-7222-8333-${String(n).padStart(12, '0')}`, filler }), found);
  }
  expect(found.size).toBe(300);
  // The pages are 9 MB.
  expect(heapHeld() - before).toBeLessThan(2_000_000);
});
