// What a chargeable status says to a person who treats the patient, and what is to be done. Care that can't wait is never to wait for it.
import { CATEGORIES, type Basic, type Category } from './category.js';

export interface CardFacts {
  readonly determined: boolean;
  readonly basic: Basic;
  readonly category?: Category | undefined;
  /** FHIR dateTime of the latest decision. */
  readonly lastUpdated?: string | undefined;
  readonly expired: boolean;
}

export interface StatusCard {
  /** Fewer than 140 characters. */
  readonly summary: string;
  readonly indicator: 'info' | 'warning';
  /** Markdown. */
  readonly detail: string;
}

const NEVER_WAIT = 'Care that is immediately necessary or urgent is never to be delayed or refused because of this.';

const TOLD: Readonly<Record<'Y' | 'N' | 'pending' | 'negated' | 'expired' | 'none' | 'unset', Omit<StatusCard, 'detail'> & { readonly next: string }>> = {
  Y: { summary: 'Chargeable for NHS services', indicator: 'warning', next: 'Tell the Overseas Visitors Manager before care that can wait, so that an estimate can be given and paid.' },
  N: { summary: 'Access to free NHS services subject to exceptions', indicator: 'info', next: 'Nothing is to be done. Some services are charged to everybody, prescriptions among them.' },
  pending: { summary: 'Chargeable status: decision pending', indicator: 'warning', next: 'Ask the Overseas Visitors Manager before care that can wait.' },
  negated: { summary: 'Chargeable status: none recorded that holds', indicator: 'warning', next: 'An earlier status was taken back. Ask the questions of your trust\'s baseline form, and send what you learn to the Overseas Visitors Manager.' },
  expired: { summary: 'Chargeable status: the evidence has expired', indicator: 'warning', next: 'Ask the patient for evidence that is valid now, and send it to the Overseas Visitors Manager.' },
  none: { summary: 'Chargeable status: not known', indicator: 'info', next: 'Nobody has recorded one: that says neither that the patient is chargeable nor that care is free. Ask the questions of your trust\'s baseline form.' },
  unset: { summary: 'Chargeable status: to be decided for each service', indicator: 'warning', next: 'Ask the Overseas Visitors Manager whether the service at hand is charged.' },
};

export function statusCard(facts: CardFacts): StatusCard {
  const { category, lastUpdated } = facts;
  const { summary, indicator, next } = TOLD[situationOf(facts)];
  const known = category === undefined || category === 'DECISION_PENDING' || category === 'NONE' ? '' : `**Category ${category}**: ${CATEGORIES[category].display}. `;
  const since = lastUpdated === undefined ? '' : `Last updated ${lastUpdated.slice(0, 10)}. `;
  return { summary, indicator, detail: `${known}${since}${next}\n\n${NEVER_WAIT}` };
}

function situationOf({ determined, basic, category, expired }: CardFacts): keyof typeof TOLD {
  if (!determined) return 'none';
  if (expired) return 'expired';
  if (category === 'DECISION_PENDING') return 'pending';
  if (category === 'NONE') return 'negated';
  return basic === 'U' ? 'unset' : basic;
}
