import type { Issue } from '../../src/fhir/issue.js';
import { outcomeText } from '../../src/fhir/outcome.js';

interface Outcome {
  resourceType: string;
  id?: string;
  issue: { severity: string; code: string; details: { text: string; coding?: object[] }; expression?: string[]; diagnostics?: string; extension?: object[] }[];
}
const outcome = (issues: readonly Issue[], id?: string): Outcome => JSON.parse(outcomeText(issues, id === undefined ? {} : { id })) as Outcome;

test('every part of an issue has its place', () => {
  const coding = { system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode', code: 'INVALID_VALUE', display: 'Invalid value' };
  expect(outcome([{ severity: 'error', code: 'value', text: 'Say "when"', coding, expression: 'Claim.item[1].net', diagnostics: 'd', line: 3, column: 9 }], 'o1')).toEqual({
    resourceType: 'OperationOutcome',
    id: 'o1',
    issue: [{
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line', valueInteger: 3 },
        { url: 'http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col', valueInteger: 9 },
      ],
      severity: 'error',
      code: 'value',
      details: { coding: [coding], text: 'Say "when"' },
      diagnostics: 'd',
      expression: ['Claim.item[1].net'],
    }],
  });
});

test('what is not known is left out', () => {
  expect(outcomeText([{ severity: 'fatal', code: 'exception', text: 'x' }])).toBe('{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception","details":{"text":"x"}}]}');
});

test.each([[100, 100, undefined], [101, 101, /^One further issue/], [250, 101, /^150 further issues/]])('of %i issues %i are written', (count, written, last) => {
  const { issue } = outcome(Array.from({ length: count }, (_, at) => ({ severity: 'error', code: 'invalid', text: `issue ${at}` })));
  expect(issue).toHaveLength(written);
  expect(issue[99]!.details.text).toBe('issue 99');
  if (last) expect(issue.at(-1)).toMatchObject({ severity: 'information', details: { text: expect.stringMatching(last) } });
});

test('no issue at all is said in one', () => {
  expect(outcome([]).issue).toEqual([{ severity: 'information', code: 'informational', details: { text: 'All is well' } }]);
});
