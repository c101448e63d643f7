// The code of types and profiles, made before anybody waits for it: nothing is left to make, and the verdicts are the same.
import { loadDefinitions } from '../../src/definitions/load.js';
import { openPackages } from '../../src/definitions/packages.js';
import type { Resource } from '../../src/fhir/resource.js';
import { inSpareTime } from '../../src/jobs/spare-time.js';
import { createProfileChecker } from '../../src/validation/profile-checker.js';
import { Scope } from '../../src/validation/scope.js';
import { createValidator } from '../../src/validation/validator.js';
import { change, definitions, example, validator } from './examples.js';

const compile = jest.spyOn(Scope.prototype, 'compile');

test('a prepared type has its code, and finds what any other finds', () => {
  const prepared = createValidator(definitions);
  const steps = [...prepared.preparation(['Patient'])];
  expect(steps.length).toBeGreaterThan(20);
  const broken = change(example('patient'), 'birthDate', 'yesterday');
  const expected = validator.validate(broken);
  compile.mockClear();
  expect(prepared.validate(example('patient'))).toEqual([]);
  expect(prepared.validate(broken)).toEqual(expected);
  expect(expected).not.toEqual([]);
  expect(compile).not.toHaveBeenCalled();
});

test('a type that was not prepared makes its code when it is needed', () => {
  const prepared = createValidator(definitions);
  compile.mockClear();
  expect(prepared.validate(example('patient'))).toEqual([]);
  expect(compile).toHaveBeenCalled();
});

test('the profiles of the project have theirs', () => {
  const checker = createProfileChecker({ definitions: loadDefinitions(), packages: openPackages('/nowhere'), rules: [], fetch: () => Promise.resolve([]), unknownProfile: 'error', now: () => 0 });
  expect([...checker.preparation()].length).toBeGreaterThan(30);
  compile.mockClear();
  const empty: Resource = { resourceType: 'Account', status: 'active' };
  const issues = checker.check(empty, { also: ['https://fhir.entitle.example/StructureDefinition/phb-account'] });
  expect(issues).not.toEqual([]);
  expect(compile).not.toHaveBeenCalled();
});

describe('in spare time', () => {
  beforeEach(() => { jest.useFakeTimers(); });
  afterEach(() => { jest.useRealTimers(); });

  test('a step at a time, to the end', () => {
    const done: number[] = [];
    inSpareTime((function* work() { for (const step of [1, 2, 3]) { done.push(step); yield; } })(), () => undefined);
    expect(done).toEqual([]);
    jest.advanceTimersToNextTimer();
    expect(done).toEqual([1]);
    jest.runAllTimers();
    expect(done).toEqual([1, 2, 3]);
  });

  test('a step that fails is told, and the last', () => {
    const told: unknown[] = [];
    const error = new Error('no');
    inSpareTime((function* work() { yield; throw error; })(), (one) => told.push(one));
    jest.runAllTimers();
    expect(told).toEqual([error]);
  });
});
