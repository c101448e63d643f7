// A payment as the provider that sold what was paid may ask about it: providers see no payments, but may say that they gave money back
// (domain.md section 4, the row of $refund; ruling 28).
import { paidClaim, paymentKind } from '../../budgets/payment/payment.js';
import { speaksFor } from '../../budgets/referred.js';
import { referenceId } from '../../fhir/elements.js';
import { outcomeText } from '../../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../../fhir/request.js';
import type { Resource } from '../../fhir/resource.js';
import { serverGrant } from '../../search/grant.js';
import { currentOf, type Current, type Inside } from '../act.js';

/** The PaymentNotice that the URL names, if it pays the caller's own organisation's sale; else it is not there. */
export async function ownSale(request: FhirRequest, inside: Inside): Promise<Current> {
  const { grant, tx } = inside;
  const { id = '' } = request;
  const all = serverGrant();
  const notice = await currentOf('PaymentNotice', request, { ...inside, grant: { ...all, absent: () => grant.absent('PaymentNotice', id) } }, 'optional');
  const read = async (type: string, which: string | undefined): Promise<Resource | undefined> => {
    const found = which === undefined ? undefined : await tx.read(all, type, which);
    return found?.text == null ? undefined : (JSON.parse(found.text) as Resource);
  };
  const claim = paymentKind(notice.resource) === 'payment' ? await read('Claim', paidClaim(notice.resource)) : undefined;
  const seller = await read('Organization', referenceId(claim?.['provider'], 'Organization'));
  if (!seller || !speaksFor(seller, grant)) throw grant.absent('PaymentNotice', id);
  return notice;
}

/** What a provider is told of its proposal: nothing of the patient. */
export function proposedWords({ status }: FhirResponse): FhirResponse {
  return { status, outcome: true, body: outcomeText([{ severity: 'information', code: 'informational', text: 'The refund is proposed: the budget manager carries it out' }]) };
}
