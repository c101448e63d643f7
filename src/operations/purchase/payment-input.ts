// What $pay is told and what it answers, of a purchase and of an advance alike.
import { referred } from '../../budgets/referred.js';
import { collectionText } from '../../fhir/bundle.js';
import { referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import type { WriteContext } from '../../store/rule.js';
import type { Change } from '../../store/store.js';
import type { Inside } from '../act.js';
import { AT, type Input, type InputNames } from '../input.js';
import { pastDay } from './payment-date.js';

export const PAY_NAMES: InputNames = { amount: 'Money', paymentDate: 'text', paymentIdentifier: 'Identifier', allocationId: 'text', payee: 'Reference', kind: 'text' };

export interface Payment {
  /** Pence, above zero. */
  readonly amount: bigint;
  /** FHIR date. */
  readonly paymentDate: string;
  readonly identifier: JsonObject | undefined;
  /** lineId. */
  readonly allocationId: string | undefined;
  /** Who is paid, where the caller says so: found under the Grant and, if a person, the budget's patient (a logical id) or related to that one; else 422. */
  payeeIn(inside: Inside, patient: string | undefined): Promise<string | undefined>;
}

const PAYEES = ['Organization', 'Practitioner', 'PractitionerRole', 'Patient', 'RelatedPerson'];

/** Throws 422 for what is missing or no payment. */
export function paymentOf(input: Input, now: number): Payment {
  const payee = input.reference('payee');
  return {
    amount: amountOf(input, '$pay'),
    paymentDate: pastDay(input, 'paymentDate', now),
    identifier: input.value('paymentIdentifier'),
    allocationId: input.text('allocationId'),
    payeeIn: async (inside, patient) => {
      if (!input.has('payee')) return undefined;
      const found = await referred(payee, PAYEES, AT, seenIn(inside));
      if (personOf(found) !== undefined && personOf(found) !== patient) throw fail('business-rule', { text: `${payee} is not the patient of this budget, nor related to that one: leave payee out, or name who is paid for it`, expression: AT });
      return payee;
    },
  };
}

/** Logical id of the patient that this is, or is related to; undefined of others. */
function personOf(payee: Resource): string | undefined {
  if (payee.resourceType === 'Patient') return payee.id;
  return payee.resourceType === 'RelatedPerson' ? referenceId(payee['patient'], 'Patient') ?? '' : undefined;
}

/** The parameter amount, in pence above zero; throws 422. */
export function amountOf(input: Input, operation: string): bigint {
  const amount = input.pence('amount');
  if (amount === undefined) throw fail('required', { text: `${operation} needs amount, a Money`, expression: AT });
  if (amount <= 0n) throw fail('invalid', { text: 'amount is above 0', expression: AT });
  return amount;
}

export const seenIn = ({ tx, grant }: Inside): Pick<WriteContext, 'tx' | 'grant' | 'caller'> => ({ tx, grant, caller: grant.caller });

/** The PaymentReconciliation and the PaymentNotice, as they are stored. They need not name the patient, a logical id: the record of who did what does. */
export function paymentAnswer(made: readonly Change[], patient: string | undefined, { base }: FhirRequest): FhirResponse {
  return { status: 200, about: patient === undefined ? [] : [patient], body: collectionText(base, made.map(({ type, id, text }) => ({ type, id, text: text ?? '' }))) };
}
