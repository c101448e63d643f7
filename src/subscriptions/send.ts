// One HTTP request to a subscriber's endpoint: no redirect is followed, no answer read, no address reached that must not be.
import { lookup as systemLookup } from 'node:dns';
import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { addressFault, mayReach, type Network } from './network.js';

export interface Sending {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Empty for none. */
  readonly body: string;
}

const TIMEOUT_MS = 10_000;

/** Undefined when it was taken (2xx); else what went wrong, in words for whoever reads Subscription.error. */
export function send(sending: Sending, network: Network, signal: AbortSignal): Promise<string | undefined> {
  const fault = addressFault(sending.url, network);
  if (fault !== undefined) return Promise.resolve(fault);
  const { url, method, body } = sending;
  const options: RequestOptions = {
    method,
    headers: { ...sending.headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup: guardedLookup(network),
    // One connection per request: a kept one could lead to an address that was judged for another time.
    agent: false,
    signal,
  };
  return new Promise((resolve) => {
    const outgoing = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options);
    const timer = setTimeout(() => outgoing.destroy(new Error('no answer within 10 seconds')), TIMEOUT_MS);
    const end = (error: string | undefined): void => {
      clearTimeout(timer);
      resolve(error);
    };
    outgoing.on('error', (error) => { end(`The endpoint could not be reached: ${error.message}`); });
    outgoing.on('response', ({ statusCode = 0 }) => {
      end(answerFault(statusCode));
      outgoing.destroy();
    });
    outgoing.end(body);
  });
}

function answerFault(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400) return `The endpoint answered ${status}: redirects are not followed, give the address itself`;
  return `The endpoint answered ${status}`;
}

/** Leaves only addresses that may be reached; the connection is made to one of these. */
function guardedLookup(network: Network): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        callback(error, '', 0);
        return;
      }
      const allowed = found.filter(({ address }) => mayReach(address, network));
      const [first] = allowed;
      if (first === undefined) callback(Object.assign(new Error(`${hostname} is an address that notifications may not be sent to`), { code: 'EACCES' }), '', 0);
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
