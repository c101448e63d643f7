// Further roads to the rows of the matrix: XML, the file of a Binary, compartments, criteria in references and in patches, CDS Hooks.
import { NHS } from '../domain/people.js';
import type { Answer } from '../server.js';
import { lettersOf, typeOf, type Cell, type Ground } from './cells.js';

const XML = { accept: 'application/fhir+xml' };
const PEOPLE = ['ada', 'bob', 'eve'] as const;
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
/** Who may ask for a status by number. */
const MAY_ASK = ['ovm', 'supplier'];

export interface FurtherRoads {
  formats(bearer: string, type?: string): Cell[];
  compartments(bearer: string, type?: string): Cell[];
  /** Hidden rows that criteria name, against rows that never were. */
  criteria(bearer: string, type?: string): Cell[];
  hooks(bearer: string): Cell[];
}

export function createFurtherRoads(ground: Ground): FurtherRoads {
  const { send, of, sees, readable, world, server } = ground;
  const status = async (bearer: string, path: string, headers: Readonly<Record<string, string>>): Promise<number> => (await send(bearer, 'GET', path, undefined, headers)).status;
  const typesOf = (only: string | undefined): string[] => [...new Set(of(only).map(([key]) => typeOf(key)))];
  const hidden = (bearer: string, only: string | undefined): [string, string][] => of(only).filter(([key]) => !sees(bearer, key));
  const words = (answer: Answer, id: string): string => JSON.stringify([answer.status, answer.body?.issue]).replaceAll(`_id=${id}`, 'X').replaceAll(`/${id}`, 'X');
  /** Is a row answered for in the words for none? */
  const alike = async (id: string, ask: (id: string) => Promise<Answer>): Promise<boolean> => {
    const [row, none] = [await ask(id), await ask('never')];
    return row.status >= 400 && words(row, id) === words(none, 'never');
  };

  return {
    formats: (bearer, type) => of(type).flatMap(([key, path]): Cell[] => {
      const expected = readable(bearer, key);
      const id = path.slice(path.indexOf('/') + 1);
      const listed = lettersOf(bearer, typeOf(key)).includes('S') && !(bearer === 'supplier' && typeOf(key) === 'Observation');
      return [
        { name: `XML ${key}`, expected, ask: () => status(bearer, path, XML) },
        { name: `XML vread ${key}`, expected, ask: () => status(bearer, `${path}/_history/1`, XML) },
        { name: `_format=xml ${key}`, expected, ask: () => status(bearer, `${path}?_format=xml`, {}) },
        ...(listed ? [{ name: `XML search ${key}`, expected: sees(bearer, key), ask: async () => (await send(bearer, 'GET', `${typeOf(key)}?_id=${id}`, undefined, XML)).text.includes(`<id value="${id}"/>`) }] : []),
        ...(typeOf(key) !== 'Binary' ? [] : ['', '/_history/1'].flatMap((rest) => ['*/*', 'application/pdf'].map((accept) => ({
          name: `file ${accept}${rest} ${key}`, expected, ask: () => status(bearer, `${path}${rest}`, { accept }),
        })))),
      ];
    }),

    compartments: (bearer, only) => PEOPLE.flatMap((name) => typesOf(only).map((type) => ({
      name: `Patient/${name}/${type}`,
      expected: [],
      ask: async () => {
        const { body } = await send(bearer, 'GET', `Patient/${world.patients[name]}/${type}?_count=500`);
        const found = new Set((body?.entry ?? []).map(({ resource }: any) => `${resource.resourceType}/${resource.id}`));
        return of(type).flatMap(([key, path]) => (found.has(path) && !sees(bearer, key) ? [key] : []));
      },
    }))),

    criteria: (bearer, only) => hidden(bearer, only).flatMap(([key, path]): Cell[] => {
      const type = typeOf(key);
      const id = path.slice(type.length + 1);
      const carry = carrierFor(bearer);
      return [
        ...(carry ? [{ name: `reference by criteria ${key}`, expected: true, ask: () => alike(id, (one) => send(bearer, 'POST', carry.type, carry.to(`${type}?_id=${one}`))) }] : []),
        ...(carry ? [{ name: `reference by criteria in a transaction ${key}`, expected: true, ask: () => alike(id, (one) => send(bearer, 'POST', '', inTransaction(carry.type, carry.to(`${type}?_id=${one}`)))) }] : []),
        ...(lettersOf(bearer, type).includes('U') ? [{ name: `PATCH by criteria ${key}`, expected: true, ask: () => alike(id, (one) => send(bearer, 'PATCH', `${type}?_id=${one}`, '[{"op":"test","path":"/id","value":"x"}]', JSON_PATCH)) }] : []),
      ];
    }),

    hooks: (bearer) => PEOPLE.map((name) => ({
      name: `CDS Hooks ${name}`,
      expected: MAY_ASK.includes(bearer) ? [200, true] : [403, true],
      ask: async () => {
        const ask = async (patientId: string, number: string): Promise<{ status: number; text: string }> => {
          const body = { hook: 'patient-view', hookInstance: 'x', context: { userId: 'Practitioner/1', patientId }, prefetch: { patient: { resourceType: 'Patient', identifier: [{ system: NHS, value: number }] } } };
          const response = await fetch(`${new URL(server.base).origin}/cds-services/chargeable-status`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${ground.tokenOf(bearer)}` }, body: JSON.stringify(body) });
          return { status: response.status, text: await response.text() };
        };
        // Nobody has a status here: who may ask is told that, of those whom we know and of those whom we do not.
        const [one, none] = [await ask(world.patients[name], world.nhsNumbers[name]), await ask('never', '9990000018')];
        return [one.status, MAY_ASK.includes(bearer) ? one.text.includes('"cards"') : one.text === none.text];
      },
    })),
  };
}

const inTransaction = (type: string, resource: object): object => ({ resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request: { method: 'POST', url: type } }] });

interface Carrier {
  readonly type: string;
  /** A resource that refers to anything, by what is given. It is refused for what it is, whatever the criteria find. */
  readonly to: (reference: string) => object;
}

/** What a bearer may send that can refer to every type. */
function carrierFor(bearer: string): Carrier | undefined {
  if (lettersOf(bearer, 'DocumentReference').includes('C')) {
    return { type: 'DocumentReference', to: (reference) => ({ resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }], context: { related: [{ reference }] }, nothing: 'that FHIR knows' }) };
  }
  return lettersOf(bearer, 'Observation').includes('C') ? { type: 'Observation', to: (reference) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, focus: [{ reference }], nothing: 'that FHIR knows' }) } : undefined;
}
