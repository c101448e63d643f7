// By which TLS version did a request come to the proxy before us? Below the floor it is refused (VM-30).
import type { IncomingHttpHeaders } from 'node:http';
import { spineError } from '../chargeable-status/vm/spine-error.js';

/** Throws 403 ACCESS_DENIED_SSL. */
export type TransportCheck = (headers: IncomingHttpHeaders) => void;

const VERSIONS = ['1.0', '1.1', '1.2', '1.3'];

/** `header` is the one that a trusted proxy sets on every request: one without it came round the proxy. Undefined where there is no proxy, and nothing is checked. */
export function createTransportCheck(header: string | undefined, floor: string): TransportCheck {
  if (header === undefined) return () => undefined;
  // nginx and Envoy write TLSv1.3, others the bare number.
  const taken = new Set<unknown>(VERSIONS.slice(VERSIONS.indexOf(floor)).flatMap((version) => [version, `TLSv${version}`, `TLS${version}`]));
  return (headers) => {
    if (!taken.has(headers[header])) throw spineError('ACCESS_DENIED_SSL', `Connect by TLS ${floor} or later`);
  };
}
