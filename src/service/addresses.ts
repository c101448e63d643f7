// Under which URLs the service is reached, and by which certificate: from the settings.
import { readFileSync } from 'node:fs';
import { ConfigError, isLoopback, serviceBase, type Config } from '../config.js';

/** The base in links: PUBLIC_URL where it is set, else the host that the caller used. */
export function baseFinder(config: Config): (host: string | undefined) => string {
  const fixed = serviceBase(config);
  if (config.publicUrl !== undefined) return () => fixed;
  return (host) => (host !== undefined && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? `${config.tlsCert === undefined ? 'http' : 'https'}://${host}${config.basePath}` : fixed);
}

/**
 * The base that the authorization server goes by. Its origin is what clients sign for, so one that only a Host header names is taken on a
 * loopback address alone: elsewhere it would let another server send on what was signed for it.
 */
export function signingBase(config: Config, baseOf: (host: string | undefined) => string): (host: string | undefined) => string {
  const fixed = serviceBase(config);
  return isLoopback(config) ? baseOf : () => fixed;
}

/** The files of TLS_CERT, TLS_KEY and TLS_CLIENT_CA; undefined where the server speaks http. Throws a ConfigError. */
export function readTls({ tlsCert, tlsKey, tlsClientCa }: Config): { readonly cert: Buffer; readonly key: Buffer; readonly clientCa: Buffer | undefined } | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  try {
    return { cert: readFileSync(tlsCert), key: readFileSync(tlsKey), clientCa: tlsClientCa === undefined ? undefined : readFileSync(tlsClientCa) };
  } catch (error) {
    throw new ConfigError(`TLS_CERT, TLS_KEY and TLS_CLIENT_CA must name files that can be read: ${(error as Error).message}`);
  }
}
