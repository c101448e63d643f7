import fc from 'fast-check';
import { withAssertion, type Assertion, type Source } from '../../src/chargeable-status/status/assertion.js';
import { basicOf, CATEGORIES, type Category } from '../../src/chargeable-status/status/category.js';
import { decisionOf } from '../../src/chargeable-status/status/decision.js';
import { effective, UNDETERMINED, winnerOf } from '../../src/chargeable-status/status/effective-status.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 3, 1);

let count = 0;
function assertion(part: Partial<Assertion> & { day: number }): Assertion {
  const { day, ...rest } = part;
  const decidedAt = START + day * DAY;
  return { id: `a${count++}`, source: 'HO', decidedAt, decided: new Date(decidedAt).toISOString(), receivedAt: decidedAt + DAY, basic: 'N', ...rest };
}
const ovm = (day: number, category: Category, rest: Partial<Assertion> = {}): Assertion =>
  assertion({ day, source: 'OVM', category, basic: basicOf(category, 'person'), ...rest });

const LATE = START + 1000 * DAY;

describe('the effective status', () => {
  test('of nobody\'s word is undetermined: U, and neither N nor A', () => {
    expect(effective([], LATE)).toBe(UNDETERMINED);
    expect(UNDETERMINED).toEqual({ determined: false, basic: 'U', expired: false });
  });

  test('is the latest decision, whoever made it and whenever it came', () => {
    const ho = assertion({ day: 11, basic: 'Y', receivedAt: START + 11 * DAY });
    const late = ovm(10, 'A', { receivedAt: START + 12 * DAY });
    expect(effective([ho, late], LATE)).toMatchObject({ basic: 'Y', source: 'HO', lastUpdated: ho.decided });
    expect(effective([ho, late], LATE)).not.toHaveProperty('category');
  });

  test('takes basic and category from one winner', () => {
    expect(effective([ovm(1, 'F'), assertion({ day: 2, basic: 'N' })], LATE)).toEqual({
      determined: true, basic: 'N', source: 'HO', lastUpdated: '2026-04-03T00:00:00.000Z', expired: false, winner: expect.any(String) as string,
    });
  });

  test('at one instant is the OVM\'s, then the Home Office\'s, then a feed\'s, then what came later', () => {
    const at = { day: 3, receivedAt: START + 4 * DAY };
    const all = [assertion({ ...at, source: 'FEED', id: 'feed' }), assertion({ ...at, source: 'HO', id: 'ho' }), assertion({ ...at, source: 'OVM', id: 'ovm' })];
    expect(winnerOf(all, LATE)?.id).toBe('ovm');
    expect(winnerOf(all.slice(0, 2), LATE)?.id).toBe('ho');
    const later = assertion({ day: 3, source: 'OVM', receivedAt: START + 9 * DAY, id: 'later' });
    expect(winnerOf([later, ...all], LATE)?.id).toBe('later');
  });

  test('compares instants, not strings', () => {
    const bst = { ...ovm(0, 'F'), decidedAt: Date.parse('2026-05-10T09:00:00+01:00'), decided: '2026-05-10T09:00:00+01:00' };
    const utc = { ...assertion({ day: 0, basic: 'N' }), decidedAt: Date.parse('2026-05-10T08:30:00Z'), decided: '2026-05-10T08:30:00Z' };
    expect(effective([bst, utc], LATE).lastUpdated).toBe('2026-05-10T08:30:00Z');
  });

  test('as of a moment leaves out what was decided after it', () => {
    const all = [ovm(1, 'A'), ovm(5, 'F')];
    expect(effective(all, START + 4 * DAY)).toMatchObject({ category: 'A', basic: 'N' });
    expect(effective(all, START)).toBe(UNDETERMINED);
  });

  test('counts a statement of a fast clock from when it came', () => {
    const fast = assertion({ day: 1, receivedAt: START + DAY - 60_000 });
    expect(effective([fast], START + DAY - 60_000).determined).toBe(true);
  });

  test('after NONE is U with category NONE, and starts afresh with the next statement', () => {
    const all = [assertion({ day: 1, basic: 'Y' }), ovm(2, 'NONE')];
    expect(effective(all, LATE)).toMatchObject({ determined: true, basic: 'U', category: 'NONE', lastUpdated: '2026-04-03T00:00:00.000Z' });
    expect(effective([...all, assertion({ day: 3, basic: 'Y' })], LATE)).toMatchObject({ basic: 'Y' });
  });

  test('under the policy `own` NONE negates what OVMs said and lets the Home Office stand', () => {
    const ho = assertion({ day: 1, basic: 'Y' });
    expect(effective([ho, ovm(2, 'F'), ovm(3, 'NONE')], LATE, 'own')).toMatchObject({ basic: 'Y', source: 'HO', lastUpdated: ho.decided });
    expect(effective([ovm(2, 'F'), ovm(3, 'NONE')], LATE, 'own')).toMatchObject({ basic: 'U', category: 'NONE' });
  });

  test('after DECISION_PENDING is U, whatever was before', () => {
    expect(effective([ovm(1, 'F'), ovm(2, 'DECISION_PENDING')], LATE)).toMatchObject({ basic: 'U', category: 'DECISION_PENDING' });
  });

  test('lapses to U without category at the end of its evidence, its date unchanged', () => {
    const card = ovm(1, 'C', { validUntil: '2026-05-31', lapsesAt: Date.parse('2026-05-31T23:00:00Z') });
    expect(effective([card], Date.parse('2026-05-31T22:59:59.999Z'))).toMatchObject({ basic: 'N', category: 'C', expired: false, validUntil: '2026-05-31' });
    const lapsed = effective([card], Date.parse('2026-05-31T23:00:00Z'));
    expect(lapsed).toMatchObject({ determined: true, basic: 'U', expired: true, lastUpdated: card.decided });
    expect(lapsed).not.toHaveProperty('category');
  });

  test('an older word does not come back when the winner lapses', () => {
    const card = ovm(5, 'C', { validUntil: '2026-05-31', lapsesAt: Date.parse('2026-05-31T23:00:00Z') });
    expect(effective([assertion({ day: 1, basic: 'Y' }), card], LATE)).toMatchObject({ basic: 'U', expired: true, source: 'OVM' });
  });
});

describe('for any history', () => {
  const sources: Source[] = ['HO', 'OVM', 'FEED'];
  const categories = Object.keys(CATEGORIES) as Category[];
  const arbitrary = fc
    .record({
      source: fc.constantFrom(...sources),
      decidedAt: fc.integer({ min: 0, max: 20 }).map((day) => START + day * DAY),
      delay: fc.integer({ min: 0, max: 5 }),
      category: fc.option(fc.constantFrom(...categories), { nil: undefined }),
      lapse: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
      withdrawn: fc.boolean(),
    })
    .map(({ source, decidedAt, delay, category, lapse, withdrawn }): Omit<Assertion, 'id'> => ({
      source, decidedAt, decided: new Date(decidedAt).toISOString(), receivedAt: decidedAt + delay * DAY,
      basic: category ? basicOf(category, 'person') : 'Y',
      ...(category && { category }),
      ...(lapse !== undefined && { lapsesAt: decidedAt + lapse * DAY, validUntil: '2026-01-01' }),
      ...(withdrawn && { withdrawn }),
    }));
  const histories = fc.array(arbitrary, { maxLength: 12 }).map((list) => list.map((one, index): Assertion => ({ ...one, id: `id${index}` })));
  const moments = fc.integer({ min: -1, max: 60 }).map((day) => START + day * DAY);
  const policies = fc.constantFrom('all' as const, 'own' as const);

  test('the order of arrival does not matter', () => {
    fc.assert(fc.property(histories.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))), moments, policies, ([list, shuffled], asOf, policy) => {
      expect(effective(shuffled, asOf, policy)).toEqual(effective(list, asOf, policy));
    }));
  });

  test('adding a statement and withdrawing it gives the former answer back', () => {
    fc.assert(fc.property(histories, arbitrary, moments, policies, (list, added, asOf, policy) => {
      const withdrawn = withAssertion(withAssertion(list, { ...added, id: 'x' }), { ...added, id: 'x', withdrawn: true });
      expect(effective(withdrawn, asOf, policy)).toEqual(effective(list, asOf, policy));
    }));
  });

  test('delivering a statement again changes nothing', () => {
    fc.assert(fc.property(histories.filter((list) => list.length > 0), moments, fc.nat(), (list, asOf, index) => {
      const again = list[index % list.length];
      expect(effective(again ? withAssertion(list, again) : [], asOf)).toEqual(effective(list, asOf));
    }));
  });

  test('the clock alone never makes a patient chargeable, and changes an answer to U only', () => {
    fc.assert(fc.property(histories, moments, moments, (list, one, other) => {
      const [before, after] = one < other ? [one, other] : [other, one];
      const said = list.filter((assertion) => Math.min(assertion.decidedAt, assertion.receivedAt) <= before);
      const first = effective(said, before);
      const then = effective(said, after);
      expect(then.lastUpdated).toBe(first.lastUpdated);
      if (then.basic !== first.basic) expect(then).toMatchObject({ basic: 'U', expired: true });
      if (first.expired) expect(then.expired).toBe(true);
    }));
  });

  test('what arrives backdated never displaces a later decision', () => {
    fc.assert(fc.property(histories, arbitrary, (list, added) => {
      const winner = winnerOf(list, Infinity);
      fc.pre(winner !== undefined && added.decidedAt < winner.decidedAt);
      expect(winnerOf([...list, { ...added, id: 'late', receivedAt: Number.MAX_SAFE_INTEGER }], Infinity)).toEqual(winner);
    }));
  });

  test('a category and its basic status agree, and a lapsed answer shows none', () => {
    fc.assert(fc.property(histories, moments, (list, asOf) => {
      const { basic, category, expired, determined } = effective(list, asOf);
      if (category) expect(basic).toBe(CATEGORIES[category].basic);
      if (expired) expect({ basic, category }).toEqual({ basic: 'U', category: undefined });
      if (!determined) expect(basic).toBe('U');
    }));
  });

  test('of statements of one instant the source decides, then the feed\'s rank, then the latest receipt', () => {
    const tied = fc.array(fc.record({ source: fc.constantFrom(...sources), rank: fc.integer({ min: 1, max: 3 }), received: fc.integer({ min: 0, max: 4 }) }), { minLength: 1, maxLength: 10 });
    fc.assert(fc.property(tied, (list) => {
      const made = list.map(({ source, rank, received }, index) => assertion({ day: 0, id: `t${index}`, source, receivedAt: START + received * DAY, ...(source === 'FEED' && { feed: `feed-${rank}`, rank }) }));
      // By hand: sorted by the words of the rule, the first wins.
      const place = { OVM: 0, HO: 1, FEED: 2 };
      const [first] = [...made].sort((a, b) => place[a.source] - place[b.source] || (a.rank ?? 0) - (b.rank ?? 0) || b.receivedAt - a.receivedAt || (a.id < b.id ? 1 : -1));
      expect(winnerOf(made, LATE)?.id).toBe(first?.id);
    }));
  });

  test('the offset in which an instant is written does not matter', () => {
    const offsets = fc.integer({ min: -14 * 60, max: 14 * 60 });
    const written = (instant: number, offset: number): string => {
      const sign = offset < 0 ? '-' : '+';
      const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) => String(part).padStart(2, '0'));
      return `${new Date(instant + offset * 60_000).toISOString().slice(0, 19)}${sign}${hours}:${minutes}`;
    };
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), offsets, offsets), { minLength: 1, maxLength: 8 }), (list) => {
      const winners = [1, 2].map((which) => winnerOf(list.map(([hour, ...both], index) => {
        const decided = decisionOf(written(START + hour * 3_600_000, both[which - 1] ?? 0));
        return assertion({ day: 0, id: `z${index}`, decidedAt: decided?.at ?? NaN, decided: decided?.text ?? '', receivedAt: START + DAY });
      }), LATE)?.id);
      expect(winners[0]).toBe(winners[1]);
    }));
  });
});
