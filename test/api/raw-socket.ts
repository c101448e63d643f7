// Bytes on a bare socket, for what no client library would send.
import { connect } from 'node:net';

export interface Said {
  /** Of each answer that came, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
}

/** All that the server says until it hangs up, or for as long as it says something. `parts` are sent one after the other. */
export function say(base: string, parts: readonly (string | Buffer)[], patienceMs = 3000): Promise<Said> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve({ statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)), text });
    };
    socket.setTimeout(patienceMs, done);
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
    socket.on('error', done);
    socket.on('close', done);
    socket.on('connect', () => { for (const part of parts) socket.write(part); });
  });
}

export interface Written {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** As they are, each a line. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A request as it stands on the wire, with nothing added. */
export const written = ({ method = 'GET', target = '/fhir/R4/Patient/there', version = 'HTTP/1.1', headers = [], body = '' }: Written): string => `${[`${method} ${target} ${version}`, ...headers].join('\r\n')}\r\n\r\n${body}`;
