// $define-feed: an administrator makes or changes a feed, which is a row of data; $status-feeds lists them (domain.md 2.2 P4).
import { BASE } from '../../chargeable-status/codes.js';
import type { Category, Basic } from '../../chargeable-status/status/category.js';
import { allFeeds, feedByCode, feedFaults, saveFeed, type FeedDefinition, type FeedStatus } from '../../chargeable-status/feed/feed-definition.js';
import { asText } from '../../fhir/elements.js';
import { fail, failWith } from '../../fhir/errors.js';
import type { JsonObject } from '../../fhir/resource.js';
import { AT, readInput, type Input } from '../input.js';
import type { IngestOperationParts } from './ingest-status-feed.js';
import type { Operation } from '../operation.js';
import { output, outputParts, parametersResponse, type OutputParameter } from '../output.js';

type FeedParts = Pick<IngestOperationParts, 'db' | 'clock'> & { readonly validate: Parameters<typeof readInput>[2] };

export function createDefineFeedOperation({ db, clock, validate }: FeedParts): Operation {
  return {
    code: 'define-feed',
    definition: `${BASE}/OperationDefinition/define-feed`,
    system: true,
    types: [],
    instances: [],
    affectsState: true,
    async handle(request) {
      const feed = feedIn(readInput(request, { code: 'text', name: 'text', rank: 'count', organization: 'text', client: 'text*', mapping: 'part*', active: 'boolean' }, validate));
      const faults = feedFaults(feed);
      if (faults.length > 0) throw failWith(422, faults.map((text) => ({ severity: 'error', code: 'business-rule', text, expression: AT })));
      const isNew = await db.transaction(async (tx) => {
        refuseSharedClients(feed, await allFeeds(tx));
        const before = await feedByCode(tx, feed.code);
        await saveFeed(tx, feed, clock());
        return before === undefined;
      });
      return { ...parametersResponse(feedParameters(feed)), status: isNew ? 201 : 200 };
    },
  };
}

export function createFeedsOperation({ db, validate }: FeedParts): Operation {
  return {
    code: 'status-feeds',
    definition: `${BASE}/OperationDefinition/status-feeds`,
    system: true,
    types: [],
    instances: [],
    affectsState: false,
    async handle(request) {
      readInput(request, {}, validate);
      return parametersResponse((await allFeeds(db)).map((feed) => outputParts('feed', feedParameters(feed))));
    },
  };
}

/** The source of a statement follows from the client, so a client has one feed. */
function refuseSharedClients(feed: FeedDefinition, others: readonly FeedDefinition[]): void {
  const taken = feed.clients.find((client) => others.some((other) => other.code !== feed.code && other.clients.includes(client)));
  if (taken !== undefined) throw fail('duplicate', { text: `The client ${taken} is that of another feed: a client speaks for one source` });
}

function feedIn(input: Input): FeedDefinition {
  const organization = input.text('organization');
  return {
    code: input.text('code') ?? '',
    name: input.text('name') ?? '',
    rank: input.count('rank') ?? 0,
    ...(organization !== undefined && { organization }),
    clients: [...new Set(input.texts('client'))],
    mapping: Object.fromEntries(input.parts('mapping').map(statusIn)),
    active: input.flag('active') ?? true,
  };
}

function statusIn(parts: readonly JsonObject[]): [string, FeedStatus] {
  const text = (name: string): string | undefined => {
    const part = parts.find((one) => one['name'] === name) ?? {};
    return asText(Object.entries(part).find(([member]) => member.startsWith('value'))?.[1]);
  };
  const category = text('category');
  const basic = text('basic');
  return [text('status') ?? '', { ...(category !== undefined && { category: category as Category }), ...(basic !== undefined && { basic: basic as Basic }) }];
}

/** In the form that defines it, so that what is listed can be sent again. */
function feedParameters({ code, name, rank, organization, clients, mapping, active }: FeedDefinition): (OutputParameter | undefined)[] {
  return [
    output('code', 'valueCode', code),
    output('name', 'valueString', name),
    output('rank', 'valuePositiveInt', rank),
    output('organization', 'valueString', organization),
    ...clients.map((client) => output('client', 'valueString', client)),
    ...Object.entries(mapping).map(([status, { category, basic }]) =>
      outputParts('mapping', [output('status', 'valueCode', status), output('category', 'valueCode', category), output('basic', 'valueCode', basic)])),
    output('active', 'valueBoolean', active),
  ];
}
