// What every history is asked with: _count, _since, _at, _sort; _summary and _elements cut what it shows. https://hl7.org/fhir/R4/http.html#history
import { dateRange } from '../fhir/date-time.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';

const DEFAULT_COUNT = 100;

/** Times in milliseconds since the epoch. */
export interface HistoryParameters {
  readonly count: number;
  /** Inclusive. */
  readonly since?: number;
  /** Versions current at some moment from `lo`, and before `hi`. */
  readonly at?: { readonly lo: number; readonly hi: number };
  readonly ascending?: boolean;
  /** `_summary=count`: how many there are, and none of them. */
  readonly counted?: boolean;
}

type Reader = (value: string) => Partial<HistoryParameters>;

const READERS: Readonly<Record<string, Reader>> = {
  _count: (value) => ({ count: readCount(value) }),
  _since: (value) => ({ since: readRange('_since', value).lo }),
  _at: (value) => ({ at: readRange('_at', value) }),
  _sort: (value) => ({ ascending: readOrder(value) }),
  _format: () => ({}),
  _pretty: () => ({}),
  _summary: (value) => ({ counted: value === 'count' }),
  _elements: () => ({}),
};

/** `most`: versions on one page; a larger _count is cut to it. `others` are names that the history reads itself. Throws 400 for a bad value, and under `strict` for an unknown name. */
export function readHistoryParameters(request: FhirRequest, pairs: FhirRequest['query'], most: number, others: readonly string[] = []): HistoryParameters {
  let parameters: HistoryParameters = { count: DEFAULT_COUNT };
  for (const [name, value] of pairs) {
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (reader) parameters = { ...parameters, ...reader(value) };
    else if (!others.includes(name) && request.preferHandling === 'strict') throw fail('unknown-parameter', { text: `History has no parameter ${name}: use _count, _since, _at, _sort, _summary and _elements`, expression: name });
  }
  return { ...parameters, count: Math.min(parameters.count, most) };
}

function readCount(value: string): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) === 0) throw fail('invalid-parameter', { text: '_count must be a positive whole number', expression: '_count' });
  return Number(value);
}

function readRange(name: string, value: string): { lo: number; hi: number } {
  const range = dateRange(value);
  if (!range) throw fail('invalid-parameter', { text: `${name} must be a moment such as 2026-11-21T12:00:00Z, or a day`, expression: name });
  return range;
}

function readOrder(value: string): boolean {
  if (value !== '_lastUpdated' && value !== '-_lastUpdated') throw fail('invalid-parameter', { text: 'History is sorted by _lastUpdated or -_lastUpdated', expression: '_sort' });
  return value === '_lastUpdated';
}
