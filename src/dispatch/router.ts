// Which interaction does a method and a path below the base name? The same answer for HTTP and for a Bundle entry.
import type { Definitions } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import type { Compartment, FhirRequest, Interaction } from '../fhir/request.js';
import type { Handler } from '../interactions/context.js';

/** One row of the table in routes.ts. */
export interface Route {
  readonly interaction: Interaction;
  readonly handler: Handler;
}

export interface Routed extends Route {
  readonly parts: Pick<FhirRequest, 'interaction' | 'type' | 'id' | 'compartment' | 'version' | 'part' | 'operation'>;
}

/** Throws 404 for what is not there, 405 for a method it does not take. `path` has no query and no leading slash. */
export type Router = (method: string, path: string) => Routed;

interface Shape extends Pick<FhirRequest, 'type' | 'id' | 'compartment' | 'version' | 'part' | 'operation'> {
  readonly shape: string;
}

interface Known {
  readonly types: ReadonlySet<string>;
  readonly compartment: Definitions['compartment'];
}

export function createRouter(routes: Readonly<Record<string, Route>>, definitions: Pick<Definitions, 'resourceTypes' | 'compartment'>): Router {
  const known: Known = { types: new Set(definitions.resourceTypes), compartment: (name) => definitions.compartment(name) };
  const table = tableOf(routes);
  return (method, path) => {
    const { shape, type, id, compartment, version, part, operation } = readShape(path, known);
    const methods = table.get(shape);
    if (method === 'OPTIONS' && methods) return allowance(methods);
    const route = methods?.get(method === 'HEAD' ? 'GET' : method);
    if (!route) throw noRoute(method, methods);
    const { interaction, handler } = route;
    return { interaction, handler, parts: { interaction, type, id, compartment, version, part, operation } };
  };
}

/** The rows by shape, then by method. */
function tableOf(routes: Readonly<Record<string, Route>>): ReadonlyMap<string, ReadonlyMap<string, Route>> {
  const table = new Map<string, Map<string, Route>>();
  for (const [row, route] of Object.entries(routes)) {
    const [method = '', shape = ''] = row.split(' ');
    table.set(shape, (table.get(shape) ?? new Map<string, Route>()).set(method, route));
  }
  return table;
}

/** What the URL takes, in the order of the table; HEAD goes with GET. */
const allowedOf = (methods: ReadonlyMap<string, Route>): string =>
  [...methods.keys(), 'OPTIONS'].map((method) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');

/** OPTIONS of any URL there is: 204 with its methods. https://www.rfc-editor.org/rfc/rfc9110#name-options */
function allowance(methods: ReadonlyMap<string, Route>): Routed {
  const allow = allowedOf(methods);
  return { interaction: 'capabilities', handler: () => Promise.resolve({ status: 204, headers: { allow } }), parts: { interaction: 'capabilities' } };
}

function noRoute(method: string, methods: ReadonlyMap<string, Route> | undefined): Error {
  if (!methods) return fail('unknown-route');
  return fail('method-not-allowed', { text: `${method} is not for this URL, which takes ${[...methods.keys()].join(', ')}` }, { allow: allowedOf(methods) });
}

/** `Patient/1/_history/2` -> `[type]/[id]/_history/[version]` and its parts. */
function readShape(path: string, known: Known): Shape {
  const segments = (path.endsWith('/') ? path.slice(0, -1) : path).split('/');
  const [first = '', second, third, fourth] = segments;
  if (segments.length > 4) throw fail('unknown-route');
  if (first === '_jobs' && second !== undefined) return third === undefined ? { shape: '_jobs/[id]', id: readId(second), operation: 'job' } : below({ shape: '_jobs/[id]/[file]', id: readId(second), part: third, operation: 'job' }, fourth);
  if (first === '' || first === 'metadata' || first.startsWith('_') || first.startsWith('$')) {
    if (second !== undefined) throw fail('unknown-route');
    return first.startsWith('$') ? { shape: '$[operation]', operation: first.slice(1) } : { shape: first };
  }
  requireType(first, known);
  return belowType(known, first, second, third, fourth);
}

function requireType(name: string, { types }: Known): void {
  if (!types.has(name)) throw fail('unknown-type', { text: `There is no resource type ${name.slice(0, 64)} in FHIR R4: names are case-sensitive` });
}

function belowType(known: Known, type: string, second: string | undefined, third: string | undefined, fourth: string | undefined): Shape {
  if (second === undefined) return { shape: '[type]', type };
  if (second.startsWith('$')) return below({ shape: '[type]/$[operation]', type, operation: second.slice(1) }, third);
  if (second.startsWith('_')) return below({ shape: `[type]/${second}`, type }, third);
  const id = readId(second);
  if (third === undefined) return { shape: '[type]/[id]', type, id };
  if (third.startsWith('$')) return below({ shape: '[type]/[id]/$[operation]', type, id, operation: third.slice(1) }, fourth);
  if (third !== '_history') return inCompartment(known, { type, id }, third, fourth);
  if (fourth === undefined) return { shape: '[type]/[id]/_history', type, id };
  return { shape: '[type]/[id]/_history/[version]', type, id, version: fourth };
}

/** `Patient/1/Observation`, `Patient/1/*` and the same with `_search`, which without a type means all of them. https://hl7.org/fhir/R4/compartmentdefinition.html */
function inCompartment(known: Known, compartment: Compartment, searched: string, last: string | undefined): Shape {
  if (last !== undefined && last !== '_search') throw fail('unknown-route');
  const members = known.compartment(compartment.type);
  if (members.size === 0) throw fail('unknown-route', { text: `${compartment.type} has no compartment: Patient, Encounter, RelatedPerson, Practitioner and Device have` });
  if (searched === '_search' && last === undefined) return { shape: '[type]/[id]/_search', compartment };
  const shape = last === undefined ? '[type]/[id]/[compartment]' : '[type]/[id]/[compartment]/_search';
  if (searched === '*') return { shape, compartment };
  requireType(searched, known);
  return { shape, type: searched, compartment };
}

function below(shape: Shape, next: string | undefined): Shape {
  if (next !== undefined) throw fail('unknown-route');
  return shape;
}

function readId(segment: string): string {
  if (isId(segment)) return segment;
  const id = segment.includes('%') ? decodeOrUndefined(segment) : undefined;
  if (id !== undefined && isId(id)) return id;
  throw fail('invalid-id', { text: `An id is 1 to 64 characters out of A-Z, a-z, 0-9, - and .` });
}

function decodeOrUndefined(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
