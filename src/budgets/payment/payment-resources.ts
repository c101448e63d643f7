// The resources that stand for money that moved: what a PaymentReconciliation and a PaymentNotice of a budget say (domain.md 3.2, 3.3).
import type { Caller } from '../../fhir/caller.js';
import { instantText } from '../../fhir/date-time.js';
import type { JsonObject, Resource } from '../../fhir/resource.js';
import { BASE, BUDGET, CLAWBACK, PAYEE_PERSON, PAYMENT_KIND, REVERSAL, REVERSES } from '../codes.js';
import { moneyOf } from '../ledger/money.js';
import type { PaymentKind } from './payment.js';

const HL7 = 'http://terminology.hl7.org/CodeSystem';

/** What both resources are about. */
export interface PaymentFacts {
  readonly kind: PaymentKind;
  /** `Claim/1`, or `Account/1`. */
  readonly request: string;
  /** Logical id of the Account that is charged. */
  readonly budget: string;
  /** Logical id of the Organization whose money it is. */
  readonly owner: string;
  /** Pence, above zero. */
  readonly amount: bigint;
  /** FHIR date. */
  readonly paymentDate: string;
  /** Who gets the money: `Organization/1`, `Patient/1`. */
  readonly payee: string | undefined;
  /** Who hands it out, where that is an organisation: its logical id. */
  readonly issuer: string | undefined;
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const reference = (text: string): JsonObject => ({ reference: text });
const coded = (system: string, code: string): object => ({ coding: [{ system: `${HL7}/${system}`, code }] });

/** Elements for who is paid take organisations and professionals; a person is told by an extension. */
const isPerson = (payee: string): boolean => /^(Patient|RelatedPerson)\//.test(payee);

const DETAIL: Readonly<Record<Exclude<PaymentKind, 'refund'>, string>> = { payment: 'payment', advance: 'advance', clawback: 'adjustment' };

/** A clawback is an adjustment below zero: the payments of a budget add up to what is out. */
export function reconciliationOf(id: string, kind: Exclude<PaymentKind, 'refund'>, facts: PaymentFacts, identifier?: JsonObject): Resource {
  const { request, budget, issuer, amount, paymentDate, payee, caller, now } = facts;
  const money = moneyOf(kind === 'clawback' ? -amount : amount);
  const organization = payee === undefined || isPerson(payee) ? undefined : { payee: reference(payee) };
  return stored({
    resourceType: 'PaymentReconciliation',
    id,
    meta: { profile: [`${BASE}/StructureDefinition/phb-payment`] },
    extension: [{ url: BUDGET, valueReference: reference(`Account/${budget}`) }],
    status: 'active',
    created: instantText(now),
    ...(issuer !== undefined && { paymentIssuer: reference(`Organization/${issuer}`) }),
    ...(caller.practitionerRole !== undefined && { requestor: reference(`PractitionerRole/${caller.practitionerRole}`) }),
    outcome: 'complete',
    paymentDate,
    paymentAmount: money,
    ...(identifier && { paymentIdentifier: identifier }),
    detail: [{ type: coded('payment-type', DETAIL[kind]), request: reference(request), date: paymentDate, ...organization, amount: money }],
  });
}

/** What only some kinds have. */
export interface NoticeRest {
  /** Logical id of the PaymentReconciliation. */
  readonly payment: string;
  /** Logical id of the PaymentNotice that is given back. */
  readonly reverses?: string;
  readonly clawback?: ClawbackFacts;
}

/** What the law asks to be on record of a clawback (SI 2013/1617, regulation 15). */
export interface ClawbackFacts {
  readonly ground: string;
  /** FHIR dates: when the holder was told in writing, and by when it had to be paid. */
  readonly noticeDate: string;
  readonly deadline: string | undefined;
  /** Who pays back: `Patient/1`. */
  readonly payer: string | undefined;
}

export function noticeOf(id: string, facts: PaymentFacts, { payment, reverses, clawback }: NoticeRest): Resource {
  const { kind, request, budget, owner, amount, paymentDate, payee, now } = facts;
  const person = payee !== undefined && isPerson(payee);
  return stored({
    resourceType: 'PaymentNotice',
    id,
    meta: { profile: [`${BASE}/StructureDefinition/phb-payment-notice`] },
    extension: [
      { url: PAYMENT_KIND, valueCode: kind },
      { url: BUDGET, valueReference: reference(`Account/${budget}`) },
      ...(person ? [{ url: PAYEE_PERSON, valueReference: reference(payee) }] : []),
      ...(reverses === undefined ? [] : [{ url: REVERSES, valueReference: reference(`PaymentNotice/${reverses}`) }]),
      ...(clawback ? [clawbackExtension(clawback)] : []),
    ],
    // A plain client must not read it as a payment.
    ...((kind === 'refund' || kind === 'clawback') && { modifierExtension: [{ url: REVERSAL, valueCode: kind }] }),
    status: 'active',
    request: reference(request),
    created: instantText(now),
    payment: reference(`PaymentReconciliation/${payment}`),
    paymentDate,
    ...(payee !== undefined && !person && { payee: reference(payee) }),
    recipient: reference(`Organization/${owner}`),
    amount: moneyOf(amount),
    paymentStatus: coded('paymentstatus', 'paid'),
  });
}

function clawbackExtension({ ground, noticeDate, deadline, payer }: ClawbackFacts): object {
  return {
    url: CLAWBACK,
    extension: [
      { url: 'ground', valueCode: ground },
      { url: 'noticeDate', valueDate: noticeDate },
      ...(deadline === undefined ? [] : [{ url: 'deadline', valueDate: deadline }]),
      ...(payer === undefined ? [] : [{ url: 'payer', valueReference: reference(payer) }]),
    ],
  };
}

/** Amounts in it are exact numbers, which only text can hold. */
const stored = (resource: { readonly resourceType: string; readonly id: string; readonly [member: string]: unknown }): Resource => resource as unknown as Resource;
