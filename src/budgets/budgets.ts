// The budgets half of the product, as the service hands it to perform: the rules that every write meets.
import type { WriteRule } from '../store/rule.js';
import { createAccountRule } from './account-rule.js';
import { createTaskRule } from './task-rule.js';

export interface Budgets {
  readonly rules: readonly WriteRule[];
}

export function createBudgets(): Budgets {
  return { rules: [createAccountRule(), createTaskRule()] };
}
