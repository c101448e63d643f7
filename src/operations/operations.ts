// The list of operations: what is not here is not there. A list you can read beats a folder that loads itself.
import { chargeableStatus } from './chargeable-status.js';
import type { Operation } from './operation.js';

export const createOperations = (): readonly Operation[] => [chargeableStatus];
