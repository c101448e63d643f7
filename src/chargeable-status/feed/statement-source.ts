// Who makes statements: the Home Office, and the feeds that are rows of data. What differs between them is here and nowhere else.
import type { Assertion } from '../status/assertion.js';
import { CATEGORIES, HOME_OFFICE_STATUSES, isHomeOfficeStatus, type Basic, type Category } from '../status/category.js';
import { FEED_KEYS, FEED_STATUSES, HO_STATUS, HOME_OFFICE_FEED } from '../codes.js';
import type { FeedDefinition, FeedStatus } from './feed-definition.js';

export type Said = Pick<Assertion, 'basic' | 'category'>;

/** What a statement asserts beside its date, and in whose name. */
export type Claim = Pick<Assertion, 'source' | 'feed' | 'rank' | 'basic' | 'category'>;

export interface StatementSource {
  /** HO, or the code of a feed: what separates its keys from those of others. */
  readonly code: string;
  readonly name: string;
  /** The code of its Observations, of status-assertion. */
  readonly mark: 'ho-status' | 'feed-status';
  readonly keySystem: string;
  readonly statusSystem: string;
  /** The statuses it knows. */
  readonly statuses: readonly string[];
  readonly label: Pick<Claim, 'source' | 'feed' | 'rank'>;
  says(status: string): Said | undefined;
}

export const HOME_OFFICE: StatementSource = {
  code: 'HO',
  name: 'the Home Office',
  mark: 'ho-status',
  keySystem: HOME_OFFICE_FEED,
  statusSystem: HO_STATUS,
  statuses: Object.keys(HOME_OFFICE_STATUSES),
  label: { source: 'HO' },
  says: (status) => (isHomeOfficeStatus(status) ? HOME_OFFICE_STATUSES[status] : undefined),
};

export function feedSource({ code, name, rank, mapping }: FeedDefinition): StatementSource {
  return {
    code,
    name: `the feed ${code} (${name})`,
    mark: 'feed-status',
    keySystem: FEED_KEYS + code,
    statusSystem: FEED_STATUSES + code,
    statuses: Object.keys(mapping),
    label: { source: 'FEED', feed: code, rank },
    says: (status) => (Object.hasOwn(mapping, status) ? saidBy(mapping[status]) : undefined),
  };
}

function saidBy(status: FeedStatus | undefined): Said | undefined {
  if (!status) return undefined;
  const { category, basic } = status;
  return { basic: basic ?? basicOfCategory(category), ...(category !== undefined && { category }) };
}

const basicOfCategory = (category: Category | undefined): Basic => (category === undefined ? 'U' : CATEGORIES[category].basic);
