// What each status says, and which basic status follows from which category (domain.md 1.2, 1.3).

export type Basic = 'Y' | 'N' | 'U';
export type Category = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'DECISION_PENDING' | 'NONE';
export type HomeOfficeStatus = 'paid-or-exempt' | 'likely-chargeable' | 'british-citizen';

export const BASIC_DISPLAY: Readonly<Record<Basic, string>> = { Y: 'Chargeable', N: 'Not Chargeable', U: 'Unset' };

export const CATEGORIES: Readonly<Record<Category, { readonly display: string; readonly basic: Basic }>> = {
  A: { display: 'Standard NHS', basic: 'N' },
  B: { display: 'Surcharge Payee (or exempt)', basic: 'N' },
  C: { display: 'Charge exempt (EHIC/PRC/S2)', basic: 'N' },
  D: { display: 'Chargeable EEA', basic: 'Y' },
  E: { display: 'Charge exempt overseas/non-EEA', basic: 'N' },
  F: { display: 'Chargeable non-EEA', basic: 'Y' },
  DECISION_PENDING: { display: 'Decision Pending', basic: 'U' },
  NONE: { display: 'None', basic: 'U' },
};

/** What the Home Office knows. Only the surcharge makes a category: D, E or F can't be told from immigration data, and citizenship is not residence. */
export const HOME_OFFICE_STATUSES: Readonly<Record<HomeOfficeStatus, { readonly basic: Basic; readonly category?: Category }>> = {
  'paid-or-exempt': { basic: 'N', category: 'B' },
  'likely-chargeable': { basic: 'Y' },
  'british-citizen': { basic: 'N' },
};

export const isBasic = (code: unknown): code is Basic => typeof code === 'string' && Object.hasOwn(BASIC_DISPLAY, code);
export const isCategory = (code: unknown): code is Category => typeof code === 'string' && Object.hasOwn(CATEGORIES, code);
export const isHomeOfficeStatus = (code: unknown): code is HomeOfficeStatus => typeof code === 'string' && Object.hasOwn(HOME_OFFICE_STATUSES, code);

/**
 * The general answer. An exemption of one service (E by treatment, C by S2) says nothing of the person, so the general
 * answer is U with the category shown (domain.md ruling 7).
 */
export function basicOf(category: Category, scope: 'person' | 'service'): Basic {
  const exempt = category === 'C' || category === 'E';
  return exempt && scope === 'service' ? 'U' : CATEGORIES[category].basic;
}
