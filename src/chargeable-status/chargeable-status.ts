// The chargeable-status half of the product, as main hands it to perform: rules that every write meets, and answers only it can give.
import type { Answerer } from '../store/answerer.js';
import type { WriteRule } from '../store/rule.js';
import { createAssertionRule } from './assertion-rule.js';
import type { NonePolicy } from './status/effective-status.js';
import { createEvidenceRule } from './assessment/evidence-rule.js';
import { createPatientRule } from './patient-rule.js';
import { createVmAccreditation } from './vm/vm-accreditation.js';
import { createVmHistory } from './vm/vm-history.js';
import { createVmRead } from './vm/vm-read.js';
import { createVmSearch, type VmParts } from './vm/vm-search.js';

export interface ChargeableStatus {
  readonly rules: readonly WriteRule[];
  readonly answerers: readonly Answerer[];
}

export function createChargeableStatus(parts: VmParts & { readonly nonePolicy: NonePolicy }): ChargeableStatus {
  const { nonePolicy } = parts;
  return {
    // In this order those of a transaction are stored: an assessment finds its patient and its evidence.
    rules: [createPatientRule(nonePolicy), createEvidenceRule(nonePolicy), createAssertionRule(nonePolicy)],
    answerers: [createVmSearch(parts), createVmAccreditation(parts.clients), createVmRead(), createVmHistory(nonePolicy)],
  };
}
