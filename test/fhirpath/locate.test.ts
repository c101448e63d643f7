// The places that a client's FHIRPath leads to, and what is refused.
import { PathError } from '../../src/fhirpath/expression.js';
import { createLocate, type Place } from '../../src/fhirpath/locate.js';

const observation = () => ({
  resourceType: 'Observation',
  id: 'a',
  text: { status: 'generated', div: '<div/>' },
  status: 'final',
  _status: { extension: [{ url: 'http://example.org/u', valueString: 's' }] },
  effectiveDateTime: '2026-01-01',
  valueQuantity: { value: 1.5, unit: 'x' },
  note: [{ text: 'a' }, { text: 'b' }],
  component: [{ code: { text: 'c' }, valueString: 'q' }],
  contained: [{ resourceType: 'Patient', id: 'p', name: [{ given: ['a', null, 'c'], _given: [null, { extension: [{ url: 'http://example.org/z', valueCode: 'y' }] }] }] }],
});
const locate = (expression: string): Place[] => createLocate()(expression, observation);

test.each<[string, Place[]]>([
  ['Observation', [[]]],
  ['$this', [[]]],
  ['Observation.status', [['status']]],
  ['status', [['status']]],
  ['Observation.note[1].text', [['note', 1, 'text']]],
  ['Observation.note.where(text = \'b\')', [['note', 1]]],
  ['Observation.note.last()', [['note', 1]]],
  ['Observation.note', [['note', 0], ['note', 1]]],
  ['Observation.value', [['valueQuantity']]],
  ['Observation.value.ofType(Quantity).unit', [['valueQuantity', 'unit']]],
  ['(Observation.value as Quantity).value', [['valueQuantity', 'value']]],
  ['Observation.effective', [['effectiveDateTime']]],
  ['Observation.component.value', [['component', 0, 'valueString']]],
  ['Observation.status.extension', [['status', 'extension', 0]]],
  ['Observation.status.extension.value', [['status', 'extension', 0, 'valueString']]],
  ['Observation.contained.name.given[1].extension', [['contained', 0, 'name', 0, 'given', 1, 'extension', 0]]],
  ['Observation.text.div', [['text', 'div']]],
  ['Observation.text.`div`', [['text', 'div']]],
  ['%resource.note.first()', [['note', 0]]],
  ['Observation.bodySite', []],
  ['Patient.name', []],
])('%s', (expression, places) => {
  expect(locate(expression)).toEqual(places);
});

test.each([
  ['text that is no FHIRPath', 'Observation..note'],
  ['a value that is made, not found', 'Observation.status.toString()'],
  ['a sum', '1 + 1'],
  ['resolve()', 'Observation.subject.resolve()'],
  ['resolve() of what is there', 'Observation.resolve()'],
  ['a server asked for a code', 'Observation.status.memberOf(\'http://example.org/vs\')'],
  ['elements multiplied', 'Observation.note.select(%resource.note)'],
  ['strings doubled until the process dies', `'x'${'.select($this & $this)'.repeat(30)}.toChars()`],
  ['a function in backticks', 'Observation.`repeat`(note)'],
  ['a pattern that takes for ever', 'Observation.note.where(text.matches(\'(a+)+$\'))'],
  ['something printed', 'Observation.note.trace(\'x\')'],
  ['an element made', 'Patient { active: true }'],
  ['parentheses without end', `${'('.repeat(480)}Observation${')'.repeat(480)}.foo()`],
  ['more than may be sent', `Observation.note${'.where(true)'.repeat(100)}`],
])('refused: %s', (_name, expression) => {
  expect(() => locate(expression)).toThrow(PathError);
});

test('an expression that would run for years is ended, and leaves nothing for the next of its patch', () => {
  const endless = `Observation.note.where(${'descendants().where('.repeat(12)}true${').exists()'.repeat(12)})`;
  const within = createLocate();
  const big = (): object => ({ ...observation(), note: Array.from({ length: 400 }, () => ({ text: 'x', extension: [{ url: 'http://example.org/a', valueString: 'b' }] })) });
  const repeated = `Observation.descendants().where(%resource.descendants().where(%resource.descendants().count() > 0).count() > 0)`;
  const start = performance.now();
  expect(() => within(repeated, big)).toThrow(/too long/);
  expect(performance.now() - start).toBeLessThan(5000);
  expect(() => within(endless, big)).toThrow(PathError);
  expect(createLocate()('Observation.status', observation)).toEqual([['status']]);
});
