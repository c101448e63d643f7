// The refusal of a change that a budget's rules do not allow (422, FORBIDDEN_UPDATE): the words say what to do instead.
import { fail, type FhirError } from '../fhir/errors.js';
import { businessError } from './codes.js';

export const forbiddenUpdate = (text: string, expression: string): FhirError =>
  fail('business-rule', { text, expression, coding: businessError('FORBIDDEN_UPDATE') });
