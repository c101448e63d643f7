// Another terminology server, asked for what is not held here. https://hl7.org/fhir/R4/terminology-service.html
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
const LONGEST_ANSWER = 32 * 1024 * 1024;

export function createRemote(url: string, send: typeof fetch = fetch): Remote {
  const base = url.replace(/\/+$/, '');
  const ask = async (path: string, parameter: readonly ParametersParameter[]): Promise<unknown> => {
    try {
      const headers = { 'content-type': 'application/fhir+json', accept: 'application/fhir+json' };
      const response = await send(`${base}/${path}`, { method: 'POST', headers, body: JSON.stringify({ resourceType: 'Parameters', parameter }), signal: AbortSignal.timeout(WAIT_MS), redirect: 'error' });
      if (!response.ok || Number(response.headers.get('content-length') ?? 0) > LONGEST_ANSWER) return undefined;
      return await response.json();
    } catch {
      return undefined; // unreachable, too slow or not JSON: the caller is told that nobody knows
    }
  };
  return {
    url,
    async validateCode({ valueSet, system, version, code, display }) {
      const about: ParametersParameter[] = [{ name: 'code', valueCode: code }, ...(display === undefined ? [] : [{ name: 'display', valueString: display }])];
      const answer = valueSet
        ? await ask('ValueSet/$validate-code', [setOf(valueSet), ...about, ...uri('system', system), ...text('systemVersion', version)])
        : await ask('CodeSystem/$validate-code', [...uri('url', system), ...about, ...text('version', version)]);
      return readVerdict(answer);
    },
    async expand(valueSet, parameters) {
      const answer = await ask('ValueSet/$expand', [{ name: 'valueSet', resource: valueSet }, ...parameters]);
      return isValueSet(answer) ? answer : undefined;
    },
  };
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
