// What a reference leads to: something contained, an entry of the same Bundle, or what the host can find.
// https://hl7.org/fhir/R4/bundle.html#references
import type { PathEnvironment } from '../environment.js';
import { EMPTY, type Item, type Items } from '../item.js';
import { resourceTypeOf } from '../navigate.js';

type Json = Readonly<Record<string, unknown>>;

/** Empty where it can't be found. `item`: a Reference, or a uri or canonical. */
export function resolved({ value }: Item, host: PathEnvironment): Items {
  const url = typeof value === 'string' ? value : text(value, 'reference');
  if (url === undefined) return EMPTY;
  const found = url.startsWith('#') ? contained(url.slice(1), host) : (entryOf(url, host.rootResource) ?? host.resolve?.(url));
  return found === undefined ? EMPTY : [{ type: resourceTypeOf(found, 'Resource'), value: found }];
}

/** `#` alone is the resource that contains. */
function contained(id: string, { resource, rootResource }: PathEnvironment): object | undefined {
  if (id === '') return rootResource;
  return [resource, rootResource].flatMap((within) => list(within, 'contained')).find((item) => text(item, 'id') === id);
}

function entryOf(url: string, bundle: object): object | undefined {
  if (text(bundle, 'resourceType') !== 'Bundle') return undefined;
  const [plain = ''] = url.split('/_history/');
  const entry = list(bundle, 'entry').find((item) => {
    const fullUrl = text(item, 'fullUrl');
    return fullUrl !== undefined && (fullUrl === plain || (!plain.includes(':') && fullUrl.endsWith(`/${plain}`)));
  });
  const resource = (entry as Json | undefined)?.['resource'];
  return typeof resource === 'object' && resource !== null ? resource : undefined;
}

function list(node: unknown, member: string): readonly object[] {
  const items = typeof node === 'object' && node !== null ? (node as Json)[member] : undefined;
  return Array.isArray(items) ? (items as readonly unknown[]).filter((item) => typeof item === 'object' && item !== null) : [];
}

function text(node: unknown, member: string): string | undefined {
  const value = typeof node === 'object' && node !== null ? (node as Json)[member] : undefined;
  return typeof value === 'string' ? value : undefined;
}
