// Directories and what they list, in the shapes that clients send.
import { made, extension, gbp } from './budgets.js';
import { BASE } from './people.js';
import type { TestServer } from '../server.js';

const coded = (system: string, code: string, display?: string): object => ({ coding: [{ system, code, ...(display !== undefined && { display }) }] });

export const directoryBody = (owner: string, rest: object = {}): any => ({
  resourceType: 'List', extension: [extension('directory-owner', { valueReference: { reference: `Organization/${owner}` } })],
  status: 'current', mode: 'working', title: 'What budgets buy', code: coded(`${BASE}/CodeSystem/list-code`, 'phb-directory'), ...rest,
});

export interface EntryBody {
  readonly directory: string;
  readonly provider: string;
  readonly name?: string;
  readonly category?: string;
  readonly price?: unknown;
  readonly unit?: string;
  readonly period?: object;
  readonly rest?: object;
}

export const price = (amount: unknown, unit = 'item', period?: object): object => extension('price', {
  extension: [
    { url: 'amount', valueMoney: typeof amount === 'number' ? gbp(amount) : amount }, { url: 'unit', valueCode: unit },
    ...(period === undefined ? [] : [{ url: 'effectivePeriod', valuePeriod: period }]),
  ],
});

export function entryBody({ directory, provider, name = 'Riser recliner chair', category = 'equipment', price: amount, unit, period, rest = {} }: EntryBody): any {
  return {
    resourceType: 'HealthcareService',
    extension: [extension('directory', { valueReference: { reference: directory.startsWith('urn:') ? directory : `List/${directory}` } }), ...(amount === undefined ? [] : [price(amount, unit, period)])],
    active: true, providedBy: { reference: `Organization/${provider}` }, category: [coded(`${BASE}/CodeSystem/directory-category`, category)], name, ...rest,
  };
}

export const directory = async (server: TestServer, owner: string, rest: object = {}): Promise<string> => (await made(server, directoryBody(owner, rest))).id;
export const entry = (server: TestServer, body: EntryBody): Promise<any> => made(server, entryBody(body));
