// Another terminology server, asked for what is not held here. https://hl7.org/fhir/R4/terminology-service.html
import { createHash } from 'node:crypto';
import type { Parameters, ParametersParameter, ValueSet } from '@medplum/fhirtypes';

export interface RemoteQuestion {
  /** Itself, or the canonical URL of one that only the other server may know. */
  readonly valueSet?: ValueSet | string;
  readonly system?: string;
  readonly version?: string;
  readonly code: string;
  readonly display?: string;
}

export interface RemoteVerdict {
  readonly result: boolean;
  readonly message?: string;
  readonly display?: string;
}

/** Every answer is undefined where that server does not know either, or gives none in time. */
export interface Remote {
  readonly url: string;
  validateCode(question: RemoteQuestion): Promise<RemoteVerdict | undefined>;
  expand(valueSet: ValueSet, parameters: readonly ParametersParameter[]): Promise<ValueSet | undefined>;
}

const WAIT_MS = 3000;
/** A server that gave no answer is left in peace: writes must not wait for it one after another. */
const QUIET_MS = 10_000;
/** What another server says of a code seldom changes. */
const KEPT_MS = 300_000;
const MOST_KEPT = 5000;
const LONGEST_ANSWER = 32 * 1024 * 1024;

export function createRemote(url: string, now: () => number = Date.now): Remote {
  const base = url.replace(/\/+$/, '');
  const kept = new KeptVerdicts(now);
  let quietUntil = -Infinity;
  const post = async (path: string, body: string): Promise<unknown> => {
    if (now() < quietUntil) return undefined;
    try {
      const headers = { 'content-type': 'application/fhir+json', accept: 'application/fhir+json' };
      const response = await fetch(`${base}/${path}`, { method: 'POST', headers, body, signal: AbortSignal.timeout(WAIT_MS), redirect: 'error' });
      if (!response.ok || Number(response.headers.get('content-length') ?? 0) > LONGEST_ANSWER) return undefined;
      return await response.json();
    } catch {
      quietUntil = now() + QUIET_MS; // unreachable, too slow or not JSON: the caller is told that nobody knows
      return undefined;
    }
  };
  const bodyOf = (parameter: readonly ParametersParameter[]): string => JSON.stringify({ resourceType: 'Parameters', parameter });
  return {
    url,
    async validateCode({ valueSet, system, version, code, display }) {
      const about: ParametersParameter[] = [{ name: 'code', valueCode: code }, ...(display === undefined ? [] : [{ name: 'display', valueString: display }])];
      const [path, body] = valueSet
        ? ['ValueSet/$validate-code', bodyOf([setOf(valueSet), ...about, ...uri('system', system), ...text('systemVersion', version)])]
        : ['CodeSystem/$validate-code', bodyOf([...uri('url', system), ...about, ...text('version', version)])];
      return kept.of(path + body, async () => readVerdict(await post(path, body)));
    },
    async expand(valueSet, parameters) {
      const answer = await post('ValueSet/$expand', bodyOf([{ name: 'valueSet', resource: valueSet }, ...parameters]));
      return isValueSet(answer) ? answer : undefined;
    },
  };
}

/** The last so many verdicts. */
class KeptVerdicts {
  private readonly verdicts = new Map<string, { readonly at: number; readonly verdict: RemoteVerdict }>();

  constructor(private readonly now: () => number) {}

  /** A question may hold a whole value set: its digest stands for it. */
  async of(question: string, ask: () => Promise<RemoteVerdict | undefined>): Promise<RemoteVerdict | undefined> {
    const key = createHash('sha256').update(question).digest('base64');
    const known = this.verdicts.get(key);
    if (known && this.now() - known.at < KEPT_MS) return known.verdict;
    const verdict = await ask();
    this.verdicts.delete(key);
    if (verdict) this.verdicts.set(key, { at: this.now(), verdict });
    const [oldest] = this.verdicts.keys();
    if (this.verdicts.size > MOST_KEPT && oldest !== undefined) this.verdicts.delete(oldest);
    return verdict;
  }
}

const setOf = (valueSet: ValueSet | string): ParametersParameter => (typeof valueSet === 'string' ? { name: 'url', valueUri: valueSet } : { name: 'valueSet', resource: valueSet });
const uri = (name: string, valueUri: string | undefined): ParametersParameter[] => (valueUri === undefined ? [] : [{ name, valueUri }]);
const text = (name: string, valueString: string | undefined): ParametersParameter[] => (valueString === undefined ? [] : [{ name, valueString }]);

function readVerdict(answer: unknown): RemoteVerdict | undefined {
  if (typeof answer !== 'object' || answer === null || !('resourceType' in answer) || answer.resourceType !== 'Parameters') return undefined;
  const { parameter } = answer as Parameters;
  if (!Array.isArray(parameter)) return undefined;
  const find = (name: string): ParametersParameter | undefined => parameter.find((one) => one.name === name);
  const result = find('result')?.valueBoolean;
  if (typeof result !== 'boolean') return undefined;
  const message = find('message')?.valueString;
  const display = find('display')?.valueString;
  return { result, ...(typeof message === 'string' && { message }), ...(typeof display === 'string' && { display }) };
}

const isValueSet = (answer: unknown): answer is ValueSet =>
  typeof answer === 'object' && answer !== null && 'resourceType' in answer && answer.resourceType === 'ValueSet' && 'expansion' in answer;
