// Small numbers are left out, and nothing that is told lets them be worked out.
import fc from 'fast-check';
import { hiddenParts, isHiddenPart } from '../../src/budgets/report/suppression.js';

const cells = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 7 }).map((counts) => counts.map((count, index) => ({ key: String(index), count })));

it('hides nothing where no number is small', () => {
  expect(hiddenParts([{ key: 'a', count: 5 }, { key: 'b', count: 0 }, { key: 'c', count: 90 }]).size).toBe(0);
});

it('hides a further part, the smallest, where one would follow from the others', () => {
  expect([...hiddenParts([{ key: 'a', count: 3 }, { key: 'b', count: 40 }, { key: 'c', count: 90 }])].sort()).toEqual(['a', 'b']);
  expect([...hiddenParts([{ key: 'a', count: 1 }, { key: 'b', count: 2 }, { key: 'c', count: 9 }, { key: 'd', count: 90 }])].sort()).toEqual(['a', 'b', 'c']);
});

it('tells no small number, and hides together no small number unless all are hidden', () => {
  fc.assert(fc.property(cells, (parts) => {
    const hidden = hiddenParts(parts);
    const told = parts.filter(({ key, count }) => count > 0 && !hidden.has(key));
    expect(told.every(({ count }) => count >= 5)).toBe(true);
    const sum = parts.filter(({ key }) => hidden.has(key)).reduce((people, { count }) => people + count, 0);
    expect(hidden.size === 0 || told.length === 0 || (hidden.size > 1 && sum >= 5)).toBe(true);
  }));
});

it('hides a part beside which few are left', () => {
  expect([isHiddenPart(98, 100), isHiddenPart(2, 100), isHiddenPart(100, 100), isHiddenPart(0, 100), isHiddenPart(50, 100)]).toEqual([true, true, false, false, false]);
});
