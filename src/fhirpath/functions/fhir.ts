// What FHIR adds to FHIRPath: extensions, references, value sets, profiles; with the tree and the clock.
// https://hl7.org/fhir/R4/fhirpath.html#functions
import type { Surroundings } from '../environment.js';
import { EvaluationError } from '../expression.js';
import { booleanItems, EMPTY, isSystem, single, textOf, type Item, type Items } from '../item.js';
import { pushAllChildren, pushChildren } from '../navigate.js';
import { temporalAt, type Temporal } from '../temporal.js';
import type { FunctionTable } from './plain-function.js';
import { resolved } from './resolve.js';

const BOOLEAN = 'System.Boolean';
const R4_TYPES = 'http://hl7.org/fhir/StructureDefinition/';

export const FHIR_FUNCTIONS: FunctionTable = {
  children: { takes: [0, 0], run: (input, _, world) => children(input, world) },
  descendants: { takes: [0, 0], run: (input, _, world) => descendants(input, world) },
  extension: { takes: [1, 1], gives: 'Extension', run: (input, [url = EMPTY], world) => extensions(input, url, world) },
  hasExtension: { takes: [1, 1], gives: BOOLEAN, run: (input, [url = EMPTY], world) => booleanItems(extensions(input, url, world).length > 0) },
  resolve: { takes: [0, 0], run: (input, _, { host }) => input.flatMap((item) => resolved(item, host)) },
  memberOf: { takes: [1, 1], gives: BOOLEAN, run: memberOf },
  conformsTo: { takes: [1, 1], gives: BOOLEAN, run: conformsTo },
  htmlChecks: { takes: [0, 0], gives: BOOLEAN, run: (input, _, { host }) => booleanItems(input.every(({ value }) => typeof value !== 'string' || (host.htmlChecks?.(value) ?? true))) },
  type: { takes: [0, 0], run: (input, _, world) => input.map((item) => typeInfo(item, world)) },
  now: { takes: [0, 0], gives: 'System.DateTime', run: (_, __, world) => clock(world, 'DateTime') },
  today: { takes: [0, 0], gives: 'System.Date', run: (_, __, world) => clock(world, 'Date') },
  timeOfDay: { takes: [0, 0], gives: 'System.Time', run: (_, __, world) => clock(world, 'Time') },
};

function children(input: Items, { model, steps }: Surroundings): Items {
  const found: Item[] = [];
  for (const item of input) pushAllChildren(item, model, found);
  steps.take(found.length);
  return found;
}

function descendants(input: Items, { model, steps }: Surroundings): Items {
  const found: Item[] = [];
  for (const item of input) pushAllChildren(item, model, found);
  for (let place = 0; place < found.length; place++) {
    const before = found.length;
    pushAllChildren(found[place] as Item, model, found);
    steps.take(found.length - before + 1);
  }
  return found;
}

function extensions(input: Items, url: Items, { model }: Surroundings): Items {
  const wanted = textOf(url, 'extension()');
  const found: Item[] = [];
  for (const item of input) pushChildren(item, 'extension', model, found);
  return found.filter(({ value }) => wanted !== undefined && (value as { url?: unknown }).url === wanted);
}

function memberOf(input: Items, [valueSet = EMPTY]: readonly (Items | undefined)[], { host }: Surroundings): Items {
  const item = single(input, 'memberOf()');
  const url = textOf(valueSet, 'memberOf()');
  if (item === undefined || url === undefined) return EMPTY;
  return booleanItems(host.memberOf?.(item.value, item.type, url));
}

function conformsTo(input: Items, [profile = EMPTY]: readonly (Items | undefined)[], { host, model }: Surroundings): Items {
  const item = single(input, 'conformsTo()');
  const url = textOf(profile, 'conformsTo()');
  if (item === undefined || url === undefined) return EMPTY;
  const asked = host.conformsTo?.(item.value, item.type, url);
  if (asked !== undefined) return booleanItems(asked);
  const type = url.startsWith(R4_TYPES) ? url.slice(R4_TYPES.length) : '';
  if (!model.isResource(type) && !model.element(type, 'id')) throw new EvaluationError(`the profile ${url} is not known`);
  return booleanItems(model.isA(item.type, type));
}

function typeInfo(item: Item, { model }: Surroundings): Item {
  const value = isSystem(item) ? { namespace: 'System', name: item.type.slice('System.'.length) } : { namespace: 'FHIR', name: item.type };
  const backbone = item.type.includes('.') && model.isA(item.type, 'BackboneElement');
  return { type: 'System.TypeInfo', value: backbone ? { namespace: 'FHIR', name: 'BackboneElement' } : value };
}

function clock({ host }: Surroundings, kind: Temporal['kind']): Items {
  if (!host.now) throw new EvaluationError('now() needs a clock, and there is none here');
  return [{ type: `System.${kind}`, value: temporalAt(host.now(), kind) }];
}
