// Amounts: read from the text as written, never from a double; pounds and whole pence only (domain.md 3.8 rules 1 and 2).
import { asObject } from '../../fhir/elements.js';
import { poundsText, toPence } from '../../fhir/decimal.js';
import { exactNumber, type ExactNumber } from '../../fhir/exact-json.js';
import { fail, type FhirError } from '../../fhir/errors.js';
import type { JsonDocument } from '../../fhir/json-text.js';
import { businessError } from '../codes.js';

/** £999,999,999.99. */
const MOST_PENCE = 99_999_999_999n;

/** Pence of the Money at an indexed path of the document (`extension[0].valueMoney`); throws 422 where it is no amount in pounds. Its sign is the caller's to judge. */
export function readPence(document: JsonDocument, money: unknown, path: string): bigint {
  const { resourceType } = document.value;
  const expression = `${typeof resourceType === 'string' ? `${resourceType}.` : ''}${path}`;
  const parts = asObject(money);
  if (parts?.['currency'] !== 'GBP') throw wrong('An amount is in pounds: currency GBP', `${expression}.currency`, true);
  const written = typeof parts['value'] === 'number' ? document.writtenNumber(`${path}.value`) : undefined;
  const pence = written === undefined ? undefined : toPence(written);
  if (pence === undefined) throw wrong('An amount has a value of whole pence: at most two places that are not zero', `${expression}.value`);
  if (pence > MOST_PENCE || pence < -MOST_PENCE) throw wrong('An amount is at most 999999999.99', `${expression}.value`);
  return pence;
}

function wrong(text: string, expression: string, currency = false): FhirError {
  return currency ? fail('business-rule', { text, expression, coding: businessError('CURRENCY_MISMATCH') }) : fail('invalid', { text, expression });
}

/** Money for exactJson and parametersResponse: two places, always. */
export const moneyOf = (pence: bigint | string): { readonly value: ExactNumber; readonly currency: 'GBP' } => ({ value: exactNumber(poundsText(pence)), currency: 'GBP' });
/** The same as JSON text. */
export const moneyText = (pence: bigint | string): string => `{"value":${poundsText(pence)},"currency":"GBP"}`;
