// Subscriptions as clients write them, and receivers of their notifications, for the tests of both.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, TestServer } from '../server.js';
import { BASE, VM_CODE } from './people.js';

export const TOPIC = `${BASE}/SubscriptionTopic/chargeable-status-changed`;
export const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport';
export const STATUS_CRITERIA = `Observation?code=${VM_CODE}|0001`;

/** In the words of R4. */
export const plainBody = (criteria: string, endpoint: string, rest: object = {}): any => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'Told of what changes',
  criteria,
  channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json', ...rest },
});

/** The topic form of the backport. */
export const topicBody = (endpoint: string, content: string, filter?: string): any => ({
  resourceType: 'Subscription',
  meta: { profile: [`${BACKPORT}/StructureDefinition/backport-subscription`] },
  status: 'requested',
  reason: 'Told of what changes',
  criteria: TOPIC,
  ...(filter !== undefined && { _criteria: { extension: [{ url: `${BACKPORT}/StructureDefinition/backport-filter-criteria`, valueString: filter }] } }),
  channel: {
    type: 'rest-hook',
    endpoint,
    payload: 'application/fhir+json',
    _payload: { extension: [{ url: `${BACKPORT}/StructureDefinition/backport-payload-content`, valueCode: content }] },
  },
});

export async function subscribe(server: TestServer, body: object, token = server.tokens.admin): Promise<string> {
  const answer = await server.send('POST', 'Subscription', { token, body });
  if (answer.status !== 201) throw new Error(`Subscription: ${answer.status} ${answer.text}`);
  return answer.body.id;
}

/** Resolves when `read` gives something else than undefined or false; rejects after `patienceMs`. */
export async function until<T>(what: string, read: () => Promise<T | undefined | false> | T | undefined | false, patienceMs = 20_000): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await read();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await sleep(25);
  }
}

export async function statusReached(server: TestServer, id: string, status: string): Promise<any> {
  return until(`Subscription/${id} ${status}`, async () => {
    const { body } = await server.send('GET', `Subscription/${id}`, { token: server.tokens.admin });
    return body?.status === status && body;
  });
}

/** Requested, and active by the time it resolves. */
export async function subscribed(server: TestServer, body: object, token = server.tokens.admin): Promise<string> {
  const id = await subscribe(server, body, token);
  await statusReached(server, id, 'active');
  return id;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Receiver {
  readonly endpoint: string;
  readonly received: Received[];
  /** Decides what each request is answered with; 0 hangs up. */
  answer: (received: Received) => number | Promise<number>;
  close(): Promise<void>;
}

/** In this process. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const one: Received = { method: request.method ?? '', url: request.url ?? '', headers: request.headers as Record<string, string>, body };
      const status = await receiver.answer(one);
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, status === 302 ? { location: receiver.endpoint } : {}).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: Receiver = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: (one) => {
      received.push(one);
      return 200;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export interface ReceiverProcess {
  readonly endpoint: string;
  received(): (Received & { readonly jti: string })[];
  start(): Promise<void>;
  /** With SIGKILL. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** In another process, which checks signatures and can be killed and started again. */
export function receiverProcess(port: number, keysUrl: string): ReceiverProcess {
  const folder = mkdtempSync(join(tmpdir(), 'entitle-receiver-'));
  const file = join(folder, 'received.ndjson');
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    endpoint: `http://127.0.0.1:${port}/hook`,
    received: () => (existsSync(file) ? wholeLines(readFileSync(file, 'utf8')) : []),
    async start() {
      child = spawn(process.execPath, [join(__dirname, 'receiver.mjs'), String(port), file, keysUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout as NodeJS.ReadableStream, 'data');
    },
    kill,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The parameters of a notification's status, by name; events by part name. */
export function notificationOf(body: string): { status: Record<string, any>; events: Record<string, any>[]; entries: any[] } {
  const bundle = JSON.parse(body);
  const { parameter } = bundle.entry[0].resource;
  const value = ({ name: _name, part: _part, ...rest }: any): unknown => Object.values(rest)[0];
  const events = parameter.filter(({ name }: any) => name === 'notification-event').map(({ part }: any) => Object.fromEntries(part.map((one: any) => [one.name, value(one)])));
  return { status: Object.fromEntries(parameter.map((one: any) => [one.name, value(one)])), events, entries: bundle.entry.slice(1) };
}

export const isEvent = ({ body }: Received): boolean => body !== '' && JSON.parse(body).resourceType === 'Bundle' && notificationOf(body).status['type'] === 'event-notification';

export const answersOf = (answer: Answer): any => answer.body;

/** A line that is being written, or was cut short by a kill, was not answered. */
function wholeLines(text: string): any[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
