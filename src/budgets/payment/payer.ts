// Who may pay from a line of which management model (domain.md section 4, the row of $pay).
import type { Role } from '../../fhir/caller.js';
import { fail } from '../../fhir/errors.js';
import type { WriteContext } from '../../store/rule.js';
import { businessError } from '../codes.js';
import { referred, speaksFor } from '../referred.js';

/** A direct payment was made by the patient or nominee from the money in hand: it is recorded, by them. Whose purchases each sees is the Grant's. */
const PAYERS: Readonly<Record<string, readonly Role[]>> = {
  notional: ['care-coordinator', 'budget-manager'],
  'third-party': ['budget-manager'],
  'direct-payment': ['patient', 'nominee'],
};

const WORDS: Readonly<Record<string, string>> = {
  notional: 'the care coordinator or budget manager pays',
  'third-party': 'the organisation that holds the line or the budget manager pays',
  'direct-payment': 'the patient or nominee, who has the money, records what was paid',
};

export interface PaidLine {
  readonly model: string;
  /** `Organization/1`. */
  readonly holder: string | undefined;
}

type Seen = Pick<WriteContext, 'tx' | 'grant' | 'caller'>;

/** Throws 403 NOT_PAYER unless this caller pays from all of these lines. */
export async function checkPayer(lines: readonly PaidLine[], seen: Seen): Promise<void> {
  for (const line of lines) {
    if (!(await pays(line, seen))) throw notPayer(`From a line of model ${line.model} ${WORDS[line.model] ?? 'nobody pays'}; this caller's role is ${seen.caller.role}`);
  }
}

async function pays({ model, holder }: PaidLine, seen: Seen): Promise<boolean> {
  const { role } = seen.caller;
  if (role === 'admin' || PAYERS[model]?.includes(role) === true) return true;
  if (role !== 'third-party' || holder?.startsWith('Organization/') !== true) return false;
  return speaksFor(await referred(holder, ['Organization'], 'Parameters.parameter', seen), seen);
}

/** Throws 403 NOT_PAYER: money is given to a holder by those who manage the budget. */
export function checkAdvancer({ caller }: Pick<Seen, 'caller'>): void {
  if (caller.role !== 'admin' && caller.role !== 'budget-manager') throw notPayer(`An advance is paid by the budget manager; this caller's role is ${caller.role}`);
}

const notPayer = (text: string) => fail('forbidden', { text, coding: businessError('NOT_PAYER') });
