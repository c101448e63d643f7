// Who did what to a budget and why: the Provenance that stands for a movement of money without a Claim or PaymentNotice (ruling 16).
import { provenanceOn, type Act } from '../../fhir/provenance.js';
import type { Resource } from '../../fhir/resource.js';

export interface BudgetAct extends Act {
  /** Logical id of the Account and the version that the act made. */
  readonly account: string;
  readonly version: number;
}

export const provenanceOf = ({ account, version, ...act }: BudgetAct): Resource => provenanceOn([`Account/${account}/_history/${version}`], act);
