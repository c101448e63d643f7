// Files of statements, and what their sender and an administrator are told of them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, TestServer } from '../server.js';
import { parametersOf } from './people.js';

export const COLUMNS = 'key,status,statusDate,nhsNumber,family,given,birthDate,gender,postcode,personRef';
export const CSV = { 'content-type': 'text/csv' };
export const NDJSON = { 'content-type': 'application/fhir+ndjson' };

export const csv = (...rows: readonly string[]): string => [COLUMNS, ...rows].join('\n');
export const row = (key: string, status: string, date: string, number = '', person = ',,,,'): string => `${key},${status},${date},${number},${person},`;

export interface Sending {
  readonly token?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function send(server: TestServer, body: unknown, { token = server.tokens.homeOffice, query = '', headers = CSV }: Sending = {}): Promise<Answer> {
  return server.send('POST', `$ingest-status-feed${query}`, { token, body, headers });
}

export const jobPath = (server: TestServer, answer: Answer): string => (answer.headers['content-location'] ?? '').slice(server.base.length + 1);

/** Waits for the end of the job; gives its path. */
export async function finished(server: TestServer, accepted: Answer, token = server.tokens.homeOffice): Promise<string> {
  if (accepted.status !== 202) throw new Error(`${accepted.status} ${accepted.text}`);
  const path = jobPath(server, accepted);
  for (let tries = 0; tries < 600; tries += 1) {
    const { status } = await server.send('GET', path, { token });
    if (status !== 202) return path;
    await sleep(20);
  }
  throw new Error(`${path} does not end`);
}

export interface Report {
  readonly counts: Record<string, any>;
  /** Reasons by line. */
  readonly lines: Record<number, string>;
}

export async function reportOf(server: TestServer, path: string, token: string): Promise<Report> {
  const { status, body, text } = await server.send('GET', path, { token });
  if (status !== 200) throw new Error(`${status} ${text}`);
  const lines = body.parameter.filter(({ name }: any) => name === 'line').map(({ part }: any) => [part[0].valueInteger, part[1].valueString]);
  const counts = parametersOf({ parameter: body.parameter.filter(({ name }: any) => name !== 'line') });
  return { counts, lines: Object.fromEntries(lines) };
}

/** Sends a file and gives what an administrator is told at its end. */
export async function ingest(server: TestServer, body: unknown, sending: Sending = {}): Promise<Report> {
  const path = await finished(server, await send(server, body, sending), sending.token);
  return reportOf(server, path, server.tokens.admin);
}
