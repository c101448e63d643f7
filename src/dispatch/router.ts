// Which interaction does a method and a path below the base name? The same answer for HTTP and for a Bundle entry.
import { fail } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import type { FhirRequest, Interaction } from '../fhir/request.js';
import type { Handler } from '../interactions/context.js';

/** One row of the table in routes.ts. */
export interface Route {
  readonly interaction: Interaction;
  readonly handler: Handler;
}

export interface Routed extends Route {
  readonly parts: Pick<FhirRequest, 'interaction' | 'type' | 'id' | 'version' | 'operation'>;
}

/** Throws 404 for what is not there, 405 for a method it does not take. `path` has no query and no leading slash. */
export type Router = (method: string, path: string) => Routed;

interface Shape {
  readonly shape: string;
  readonly parts: Pick<FhirRequest, 'type' | 'id' | 'version' | 'operation'>;
}

export function createRouter(routes: Readonly<Record<string, Route>>, resourceTypes: readonly string[]): Router {
  const types = new Set(resourceTypes);
  const table = new Map(Object.entries(routes));
  return (method, path) => {
    const { shape, parts } = readShape(path, types);
    const route = table.get(`${method === 'HEAD' ? 'GET' : method} ${shape}`);
    if (!route) throw noRoute(method, shape, table);
    return { ...route, parts: { interaction: route.interaction, ...parts } };
  };
}

function noRoute(method: string, shape: string, table: ReadonlyMap<string, Route>): Error {
  const allowed = [...table.keys()].filter((row) => row.endsWith(` ${shape}`)).map((row) => row.slice(0, -shape.length - 1));
  if (allowed.length === 0) return fail('unknown-route');
  return fail('method-not-allowed', { text: `${method} is not for this URL, which takes ${allowed.join(', ')}` }, { allow: allowed.join(', ') });
}

/** `Patient/1/_history/2` -> `[type]/[id]/_history/[version]` and its parts. */
function readShape(path: string, types: ReadonlySet<string>): Shape {
  const segments = (path.endsWith('/') ? path.slice(0, -1) : path).split('/');
  const [first = '', second, third, fourth] = segments;
  if (segments.length > 4) throw fail('unknown-route');
  if (first === '' || first === 'metadata' || first.startsWith('_') || first.startsWith('$')) {
    if (second !== undefined) throw fail('unknown-route');
    return first.startsWith('$') ? { shape: '$[operation]', parts: { operation: first.slice(1) } } : { shape: first, parts: {} };
  }
  if (!types.has(first)) throw fail('unknown-type', { text: `There is no resource type ${first.slice(0, 64)} in FHIR R4: names are case-sensitive` });
  return belowType(first, second, third, fourth);
}

function belowType(type: string, second: string | undefined, third: string | undefined, fourth: string | undefined): Shape {
  if (second === undefined) return { shape: '[type]', parts: { type } };
  if (second.startsWith('$')) return below({ shape: '[type]/$[operation]', parts: { type, operation: second.slice(1) } }, third);
  if (second.startsWith('_')) return below({ shape: `[type]/${second}`, parts: { type } }, third);
  const id = readId(second);
  if (third === undefined) return { shape: '[type]/[id]', parts: { type, id } };
  if (third.startsWith('$')) return below({ shape: '[type]/[id]/$[operation]', parts: { type, id, operation: third.slice(1) } }, fourth);
  if (third !== '_history') throw fail('unknown-route');
  if (fourth === undefined) return { shape: '[type]/[id]/_history', parts: { type, id } };
  return { shape: '[type]/[id]/_history/[version]', parts: { type, id, version: fourth } };
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
