// All functions with evaluated arguments, by name.
import { CONVERSION } from './conversion.js';
import { EXISTENCE } from './existence.js';
import { FHIR_FUNCTIONS } from './fhir.js';
import { MATH } from './math.js';
import type { FunctionTable } from './plain-function.js';
import { STRINGS } from './strings.js';
import { SUBSETS } from './subsets.js';

export const PLAIN_FUNCTIONS: FunctionTable = {
  ...EXISTENCE,
  ...SUBSETS,
  ...STRINGS,
  ...MATH,
  ...CONVERSION,
  ...FHIR_FUNCTIONS,
  /** Shows nothing to anybody. */
  trace: { takes: [1, 2], gives: 'input', run: (input) => input },
};
