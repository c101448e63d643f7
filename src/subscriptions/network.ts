// Which addresses notifications may go to: a subscriber must not make the server speak to what only the server can reach.
// https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
import { BlockList, isIP } from 'node:net';

export interface Network {
  /** Addresses of private networks, and plain http to them; for a server that serves one network only. */
  readonly private: boolean;
  /** This machine itself, also by plain http: with development tokens only. */
  readonly loopback: boolean;
}

type Reach = 'public' | 'private' | 'loopback' | 'never';

const LOOPBACK = blockList([['127.0.0.0', 8]], [['::1', 128]]);
/** RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE = blockList([['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10]], [['fc00::', 7]]);
/** Nobody's, link-local (where clouds keep their metadata), for documentation, multicast, and IPv6 that wraps IPv4. */
const NEVER = blockList(
  [['0.0.0.0', 8], ['169.254.0.0', 16], ['192.0.0.0', 24], ['192.0.2.0', 24], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 3]],
  [['::', 128], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8], ['64:ff9b::', 96], ['2002::', 16], ['2001::', 32], ['2001:db8::', 32], ['100::', 64]],
);

function blockList(four: readonly (readonly [string, number])[], six: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of four) list.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of six) list.addSubnet(net, prefix, 'ipv6');
  return list;
}

function reachOf(address: string): Reach {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  // An IPv4 address written as IPv6 (::ffff:10.0.0.1) is judged by BlockList as the IPv4 it is.
  if (NEVER.check(address, family)) return 'never';
  if (LOOPBACK.check(address, family)) return 'loopback';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** May a connection to this address be made? Asked of the address that is really connected to, so that no name can change its mind. */
export function mayReach(address: string, network: Network): boolean {
  const reach = reachOf(address);
  return reach === 'public' || (reach === 'private' && network.private) || (reach === 'loopback' && network.loopback);
}

/** What is wrong with an endpoint, as far as its text tells; undefined where nothing is. */
export function addressFault(endpoint: string, network: Network): string | undefined {
  if (!URL.canParse(endpoint)) return 'The endpoint must be an absolute URL: https://…';
  const { protocol, hostname, username, password, hash } = new URL(endpoint);
  if (username !== '' || password !== '' || hash !== '') return 'The endpoint must hold no user, password or fragment: send credentials as channel.header';
  const host = hostnameOf(hostname);
  const literal = isIP(host) !== 0;
  const local = host === 'localhost' || (literal && reachOf(host) === 'loopback');
  if (literal && !mayReach(host, network)) return 'The endpoint is an address that notifications may not be sent to: give one that is public';
  if (local && !network.loopback) return 'The endpoint is this machine itself: give one that is public';
  if (protocol === 'https:') return undefined;
  if (protocol === 'http:' && (local || network.private)) return undefined;
  return 'The endpoint must begin with https://';
}

/** `[::1]` is `::1`. */
export const hostnameOf = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');
