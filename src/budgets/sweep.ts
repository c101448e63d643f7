// What becomes due on budgets by the clock alone, looked for again and again by the server.
import { londonDate } from '../fhir/london.js';
import type { SweepParts } from '../store/sweep.js';
import { askForNewBasis } from './account/outgrown.js';
import { scheduleFirstReviews } from './task/review-sweep.js';

/** One run: reviews that first payments call for; birthdays once a day. */
export function createBudgetSweep(partsNow: () => SweepParts): () => Promise<void> {
  let birthdaysOf = '';
  return async () => {
    const parts = partsNow();
    while ((await scheduleFirstReviews(parts)) > 0);
    const today = londonDate(parts.now);
    if (today === birthdaysOf) return;
    while ((await askForNewBasis(parts)) > 0);
    birthdaysOf = today;
  };
}
