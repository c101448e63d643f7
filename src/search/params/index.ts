// The search types, each in its file. A type without one does not compile.
import type { SearchType } from '../../definitions/model.js';
import { composite } from './composite.js';
import { date } from './date.js';
import { number } from './number.js';
import { quantity } from './quantity.js';
import { reference } from './reference.js';
import type { ParameterRules } from './rules.js';
import { special } from './special.js';
import { string } from './string.js';
import { token } from './token.js';
import { uri } from './uri.js';

export const PARAMETER_RULES: Readonly<Record<SearchType, ParameterRules>> = {
  composite, date, number, quantity, reference, special, string, token, uri,
};
