// The CapabilityStatement, derived from the tables the server runs on: what it says is what is there.
// https://hl7.org/fhir/R4/capabilitystatement.html
import type { Definitions, SearchParameter } from '../definitions/model.js';
import { fail } from '../fhir/errors.js';
import type { FhirRequest } from '../fhir/request.js';
import { readSubset } from '../interactions/subset.js';
import type { Operation } from '../operations/operation.js';
import { isReady } from '../search/added.js';
import { searchableSlot } from '../search/criterion.js';
import type { Route } from './router.js';
import { securitySection, type AuthorizationServer } from './smart.js';
import { terminologyCapabilities } from './terminology-capabilities.js';

export interface CapabilityParts {
  readonly definitions: Definitions;
  readonly routes: Readonly<Record<string, Route>>;
  readonly operations: readonly Operation[];
  readonly authorization: AuthorizationServer;
  readonly conditionalDelete: 'single' | 'multiple';
  readonly version: string;
  /** When this build was made: the statement's date. */
  readonly date: string;
}

/**
 * The text of what `mode` asks for (https://hl7.org/fhir/R4/http.html#capabilities), for a base URL; made once for both and kept until a search
 * parameter is switched on or off. As of any resource, `_summary` and `_elements` ask for some of it. Throws 400 for another mode or summary.
 */
export function createCapabilities(parts: CapabilityParts): (base: string, query?: FhirRequest['query']) => string {
  const { definitions } = parts;
  const profiles = profilesByType(definitions);
  const texts = new Map<string, string>();
  let made: { readonly revision: number; readonly resource: readonly { readonly type: string }[] } | undefined;
  return (base, query = []) => {
    const mode = modeOf(query);
    const { revision } = definitions.searchVersion();
    if (made?.revision !== revision) {
      const referring = parametersByTarget(definitions);
      made = { revision, resource: definitions.resourceTypes.map((type) => resourceEntry(type, parts, { supported: profiles.get(type), referring: referring.get(type) ?? [] })) };
      texts.clear();
    }
    const key = `${mode} ${base}`;
    let text = texts.get(key);
    const subset = readSubset(definitions, query);
    if (text === undefined) {
      text = mode === 'terminology' ? terminologyCapabilities(base, parts) : JSON.stringify(statement(base, mode === 'full' ? made.resource : made.resource.filter(({ type }) => NORMATIVE.has(type)), parts));
      // The base follows the Host header: a caller who invents hosts must not fill the memory.
      if (texts.size < 48) texts.set(key, text);
    }
    return subset ? subset.match(mode === 'terminology' ? 'TerminologyCapabilities' : 'CapabilityStatement', text) : text;
  };
}

const MODES = ['full', 'normative', 'terminology'] as const;

function modeOf(query: FhirRequest['query']): (typeof MODES)[number] {
  const asked = query.find(([name]) => name === 'mode')?.[1] ?? 'full';
  const mode = MODES.find((one) => one === asked);
  if (!mode) throw fail('invalid-parameter', { text: `mode is ${MODES.join(', ')}; it is ${asked.slice(0, 40)}`, expression: 'mode' });
  return mode;
}

/** https://hl7.org/fhir/R4/resourcelist.html: marked N. */
const NORMATIVE: ReadonlySet<string> = new Set([
  'Binary', 'Bundle', 'CapabilityStatement', 'CodeSystem', 'Observation', 'OperationDefinition', 'OperationOutcome', 'Parameters', 'Patient', 'StructureDefinition', 'ValueSet',
]);

function statement(base: string, resource: readonly object[], parts: CapabilityParts) {
  const system = parts.operations.filter((operation) => operation.system);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    ...(parts.operations.some(({ code }) => code === 'export') && { instantiates: ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'] }),
    date: parts.date,
    publisher: 'entitle-fhir',
    kind: 'instance',
    software: { name: 'entitle-fhir', version: parts.version },
    implementation: { description: 'Chargeable status and personal health budgets', url: base },
    fhirVersion: '4.0.1',
    format: ['json', 'xml', 'application/fhir+json', 'application/fhir+xml'],
    patchFormat: ['application/json-patch+json', 'application/xml-patch+xml', 'application/fhir+json', 'application/fhir+xml'],
    rest: [
      {
        mode: 'server',
        ...('DELETE [type]/[id]/_history' in parts.routes && { documentation: PURGE }),
        security: securitySection(parts.authorization, base),
        resource,
        interaction: systemInteractions(parts.routes),
        searchParam: systemParams(parts.definitions),
        compartment: COMPARTMENTS.filter((name) => parts.definitions.compartment(name).size > 0).map((name) => `http://hl7.org/fhir/CompartmentDefinition/${name.charAt(0).toLowerCase()}${name.slice(1)}`),
        ...(system.length > 0 && { operation: operationEntries(system) }),
      },
    ],
  };
}

/** R4 has no code for it; R5's are delete-history and delete-history-version. */
const PURGE = 'Administrators may purge versions that are not current: `DELETE [type]/[id]/_history` (all of them) and `DELETE [type]/[id]/_history/[vid]` (one).';

const COMPARTMENTS = ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device'];

interface OfType {
  readonly supported: readonly string[] | undefined;
  /** `Observation:subject`. */
  readonly referring: readonly string[];
}

function resourceEntry(type: string, { definitions, routes, operations, conditionalDelete }: CapabilityParts, { supported, referring }: OfType) {
  const here = operations.filter((operation) => operation.types.includes(type) || operation.instances.includes(type));
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    ...(supported && { supportedProfile: supported }),
    interaction: typeInteractions(routes).map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: 'PUT [type]' in routes,
    conditionalDelete: 'DELETE [type]' in routes ? conditionalDelete : 'not-supported',
    referencePolicy: ['literal', 'logical', 'local'],
    searchInclude: ['*', ...parameters(definitions, type, 'reference').map((code) => `${type}:${code}`)],
    searchRevInclude: referring,
    searchParam: searchParams(definitions, type),
    ...(here.length > 0 && { operation: operationEntries(here) }),
  };
}

/** Type-level codes of the value set type-restful-interaction that the table of routes answers. */
function typeInteractions(routes: CapabilityParts['routes']): string[] {
  const codes = new Set<string>();
  for (const [row, { interaction }] of Object.entries(routes)) {
    if (!row.includes('[type]') || interaction === 'operation' || interaction === 'delete-history') continue;
    if (interaction === 'history') codes.add(row.includes('[id]') ? 'history-instance' : 'history-type');
    else codes.add(interaction === 'search' ? 'search-type' : interaction);
  }
  return [...codes].sort();
}

function systemInteractions(routes: CapabilityParts['routes']): object[] {
  const codes = ['POST ' in routes && 'transaction', 'POST ' in routes && 'batch', 'GET _history' in routes && 'history-system', 'GET ' in routes && 'search-system'];
  return codes.filter((code) => code !== false).map((code) => ({ code }));
}

/** What no element of the resource answers, and this server does. */
const WITHOUT_EXPRESSION: ReadonlySet<string> = new Set(['_content', '_filter', '_text']);

/** As searches find them (search/criterion.ts): those with an expression that are not still being made ready. */
function searchable(definitions: Definitions, type: string): SearchParameter[] {
  return [...definitions.searchParameters(type).values()].filter((parameter) => {
    return WITHOUT_EXPRESSION.has(parameter.code) || (isReady(parameter) && searchableSlot(definitions, type, parameter.code) !== undefined);
  });
}

/** R4 has no definition of _list. */
const searchParams = (definitions: Definitions, type: string): object[] => [...searchable(definitions, type).map(paramEntry), { name: '_list', type: 'special' }];

const paramEntry = ({ code, url, type }: SearchParameter): object => ({ name: code, definition: url, type });

function parameters(definitions: Definitions, type: string, kind: string): string[] {
  return searchable(definitions, type).filter((parameter) => parameter.type === kind).map((parameter) => parameter.code);
}

/** What every type is searched by, all types can be searched by at once. */
function systemParams(definitions: Definitions): object[] {
  const [first = '', ...others] = definitions.resourceTypes;
  return searchable(definitions, first).filter(({ url }) => others.every((type) => searchable(definitions, type).some((one) => one.url === url))).map(paramEntry);
}

/** By type, the reference parameters of all types that may point at it. */
function parametersByTarget(definitions: Definitions): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(definitions.resourceTypes.map((type) => [type, []]));
  for (const source of definitions.resourceTypes) {
    for (const { code, type, targets } of searchable(definitions, source)) {
      if (type !== 'reference') continue;
      for (const target of targets ?? definitions.resourceTypes) found.get(target)?.push(`${source}:${code}`);
    }
  }
  return found;
}

const operationEntries = (operations: readonly Operation[]): object[] =>
  operations.map(({ code, definition }) => ({ name: code, definition }));

/** Canonical URLs of the project's profiles by the resource type they constrain. */
function profilesByType(definitions: Definitions): ReadonlyMap<string, readonly string[]> {
  const profiles = new Map<string, string[]>();
  for (const { resourceType, type, url, derivation } of definitions.conformanceResources) {
    if (resourceType !== 'StructureDefinition' || derivation !== 'constraint' || typeof type !== 'string' || typeof url !== 'string') continue;
    profiles.set(type, [...(profiles.get(type) ?? []), url]);
  }
  return profiles;
}
