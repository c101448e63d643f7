// The list of operations: what is not here is not there. A list you can read beats a folder that loads itself.
import type { NonePolicy } from '../chargeable-status/effective-status.js';
import { createChargeableStatusOperation } from './chargeable-status.js';
import type { Operation } from './operation.js';

export const createOperations = (parts: { readonly nonePolicy: NonePolicy }): readonly Operation[] => [
  createChargeableStatusOperation(parts.nonePolicy),
];
