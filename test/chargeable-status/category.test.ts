import { readFileSync } from 'node:fs';
import { basicOf, BASIC_DISPLAY, CATEGORIES, HOME_OFFICE_STATUSES, isCategory, isHomeOfficeStatus, type Category } from '../../src/chargeable-status/status/category.js';
import { SPINE_ERRORS } from '../../src/chargeable-status/vm/spine-error.js';

interface Concept {
  readonly code: string;
  readonly display: string;
}

function concepts(id: string): Record<string, string> {
  const system = JSON.parse(readFileSync(`terminology/${id}.code-system.json`, 'utf8')) as { concept: Concept[] };
  return Object.fromEntries(system.concept.map(({ code, display }) => [code, display]));
}

test.each([
  ['A', 'N'], ['B', 'N'], ['C', 'N'], ['D', 'Y'], ['E', 'N'], ['F', 'Y'], ['DECISION_PENDING', 'U'], ['NONE', 'U'],
] as const)('category %s gives %s', (category, basic) => {
  expect(basicOf(category, 'person')).toBe(basic);
});

test('an exemption of one service says nothing general of the person; the scope of other categories does not matter', () => {
  const forService = Object.fromEntries((Object.keys(CATEGORIES) as Category[]).map((category) => [category, basicOf(category, 'service')]));
  expect(forService).toEqual({ A: 'N', B: 'N', C: 'U', D: 'Y', E: 'U', F: 'Y', DECISION_PENDING: 'U', NONE: 'U' });
});

test('the Home Office gives a category only for the surcharge', () => {
  expect(HOME_OFFICE_STATUSES).toEqual({
    'paid-or-exempt': { basic: 'N', category: 'B' }, 'likely-chargeable': { basic: 'Y' }, 'british-citizen': { basic: 'N' },
  });
});

test('codes are taken as they are written', () => {
  expect(['A', 'a', 'G', 'constructor', undefined].map(isCategory)).toEqual([true, false, false, false, false]);
  expect(['british-citizen', 'British-Citizen', 'toString'].map(isHomeOfficeStatus)).toEqual([true, false, false]);
});

test('displays are those of the published code systems', () => {
  expect(Object.fromEntries(Object.entries(CATEGORIES).map(([code, { display }]) => [code, display]))).toEqual(concepts('spine-category-status-1'));
  expect(BASIC_DISPLAY).toEqual(concepts('spine-chargeable-status-1'));
  expect(concepts('spine-error-or-warning-code-1')).toMatchObject(Object.fromEntries(Object.entries(SPINE_ERRORS).map(([code, { display }]) => [code, display])));
  expect(Object.keys(concepts('spine-error-or-warning-code-1'))).toHaveLength(30);
});

test('the published map from category to basic says what the server does', () => {
  const map = JSON.parse(readFileSync('terminology/category-to-basic.concept-map.json', 'utf8')) as { group: { element: { code: Category; target: { code: string }[] }[] }[] };
  const pairs = map.group.flatMap(({ element }) => element.map(({ code, target }) => [code, target[0]?.code]));
  expect(Object.fromEntries(pairs)).toEqual(Object.fromEntries(Object.entries(CATEGORIES).map(([code, { basic }]) => [code, basic])));
});
