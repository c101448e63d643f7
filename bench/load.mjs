// A bounded load: `count` requests over a few kept-alive connections, to this machine only.
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** One request; gives status and body. Refuses any address but loopback. */
export function send({ url, method = 'GET', headers = {}, body }) {
  const { hostname, port, pathname, search } = new URL(url);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) throw new Error(`The bench talks to loopback only, not to ${hostname}`);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = http.request({ hostname, port, path: pathname + search, method, agent, headers: { ...headers, ...length } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends `count` requests made by `make(index)`, `clients` at a time; throws on the first answer that is not `expect`ed. */
export async function load({ count, clients, make, expect }) {
  let next = 0;
  const client = async () => {
    while (next < count) {
      const { status, text } = await send(make(next++));
      if (status !== expect) throw new Error(`answered ${status}, not ${expect}: ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

export const close = () => agent.destroy();
