// Which certificate did the client show? To us, or to a trusted proxy that tells of it in a header. https://www.rfc-editor.org/rfc/rfc8705
import { createHash, X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { Presented } from '../identity/verify-token.js';

/** What a request brings beside its token; undefined for most. */
export type PresentedBy = (request: FastifyRequest) => Presented | undefined;

export interface CertificateParts {
  /** Lower-case name; undefined where no proxy tells of certificates. */
  readonly header: string | undefined;
  /** Addresses and networks whose header is believed; anybody else's is not looked at. */
  readonly proxies: readonly string[];
}

const ROLE_PROFILE = 'nhsd-session-urid';

export function createPresented({ header, proxies }: CertificateParts): PresentedBy {
  const trusted = listOf(proxies);
  // A connection shows its certificate once, and may send thousands of requests.
  const shown = new WeakMap<TLSSocket, string>();
  const certificateOf = (request: FastifyRequest): string | undefined => {
    const { socket } = request.raw;
    if (header !== undefined) {
      const told = request.headers[header];
      return typeof told === 'string' && isTrusted(socket.remoteAddress, trusted) ? thumbprintOf(certificateIn(told)) : undefined;
    }
    return socket instanceof TLSSocket ? ofConnection(socket, shown) : undefined;
  };
  return (request) => {
    const certificate = certificateOf(request);
    const profile = request.headers[ROLE_PROFILE];
    if (certificate === undefined && profile === undefined) return undefined;
    return { certificate, roleProfile: typeof profile === 'string' ? profile : undefined };
  };
}

/** Only one that our certificate authority vouches for. */
function ofConnection(socket: TLSSocket, shown: WeakMap<TLSSocket, string>): string | undefined {
  const known = shown.get(socket);
  if (known !== undefined || !socket.authorized) return known;
  const { raw } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  const thumbprint = thumbprintOf(raw);
  if (thumbprint !== undefined) shown.set(socket, thumbprint);
  return thumbprint;
}

const thumbprintOf = (der: Buffer | undefined): string | undefined => der && createHash('sha256').update(der).digest('base64url');

/** As proxies write it: PEM with percent-escapes (nginx), `Cert="…"` of X-Forwarded-Client-Cert (Envoy), `:base64:` (RFC 9440) or bare base64. */
function certificateIn(told: string): Buffer | undefined {
  try {
    const plain = decodeURIComponent(/(?:^|;)Cert="([^"]+)"/i.exec(told)?.[1] ?? told);
    const text = plain.includes('BEGIN CERTIFICATE') ? plain : Buffer.from(plain.replace(/^:|:$/g, ''), 'base64');
    return new X509Certificate(text).raw;
  } catch {
    return undefined;
  }
}

function listOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isTrusted(address: string | undefined, trusted: BlockList): boolean {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  const family = isIP(plain);
  return family !== 0 && trusted.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}
