// The row rules of the matrix: each is a piece of search tree for what exists and a test for what is being written.
import type { Definitions } from '../definitions/model.js';
import type { Caller } from '../fhir/caller.js';
import { asObject, asObjects } from '../fhir/elements.js';
import type { Resource } from '../fhir/resource.js';
import type { Clause } from '../search/query.js';
import { both, createClauses, either, NONE as NO_ROW, type Clauses } from './clauses.js';
import { odsToken, ownOrganization } from './organizations.js';
import type { RowRule } from './rights.js';
import { SENDER, SUBSCRIBER_TAG, subscriberCode } from './subscriber.js';

const BASE = 'https://fhir.entitle.example';
const ASSERTION = `${BASE}/CodeSystem/status-assertion`;
const EVIDENCE = [`${BASE}/CodeSystem/evidence-type`, 'http://terminology.hl7.eu/CodeSystem/v3-ActCode'];

export interface Rows {
  readonly clause: Clause;
  /** May a caller bound to these rows write this resource? */
  holds(resource: Resource): boolean;
  /** The same of what the caller sends, where the server is yet to fill something in. */
  takes?(resource: Resource): boolean;
}

const ALL: Rows = { clause: { kind: 'all' }, holds: () => true };
const NONE: Rows = { clause: { kind: 'none' }, holds: () => false };

/** Rows whose CodeableConcept under `member` has one of `tokens`: `system|` or `system|code`. */
function coded(definitions: Definitions, type: string, code: string, member: string, tokens: readonly string[], writable = tokens): Rows {
  const parameter = definitions.searchParameters(type).get(code);
  if (!parameter) throw new Error(`${type} has no search parameter ${code}`);
  return {
    clause: { kind: 'parameter', parameter, values: tokens.map((text) => ({ text })) },
    holds: (resource) => codings(resource[member]).some((coding) => writable.includes(`${coding.system}|`) || writable.includes(`${coding.system}|${coding.code}`)),
  };
}

function codings(concept: unknown): { system: string; code: string }[] {
  const list: unknown = typeof concept === 'object' && concept !== null && 'coding' in concept ? concept.coding : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((coding: unknown) => {
    if (typeof coding !== 'object' || coding === null) return [];
    const { system, code } = coding as Record<string, unknown>;
    return [{ system: String(system), code: String(code) }];
  });
}

/** Those that carry the caller's tag, which the server sets on what comes without. */
function ownSubscriptions(definitions: Definitions, caller: Caller): Rows {
  const parameter = definitions.searchParameters('Subscription').get('_tag');
  if (!parameter) throw new Error('Subscription has no search parameter _tag');
  const own = subscriberCode(caller);
  const tagsOf = (resource: Resource): unknown[] => asObjects(asObject(resource['meta'])?.['tag']).filter(({ system }) => system === SUBSCRIBER_TAG).map(({ code }) => code);
  return {
    clause: { kind: 'parameter', parameter, values: [{ text: `${SUBSCRIBER_TAG}|${own}` }] },
    holds: (resource) => tagsOf(resource).includes(own),
    takes: (resource) => tagsOf(resource).every((code) => code === own),
  };
}

/** Files that carry the feed that sent them, which the server sets on what comes without: those of others are not there. */
function ownFiles(clauses: Clauses, caller: Caller): Rows {
  const own = subscriberCode(caller);
  const senderOf = (resource: Resource): unknown => {
    const identifier = asObject(asObject(resource['securityContext'])?.['identifier']);
    return identifier?.['system'] === SENDER ? identifier['value'] : undefined;
  };
  return {
    clause: clauses.identified('Binary', 'security-context', `${SENDER}|${own}`),
    holds: (resource) => senderOf(resource) === own,
    takes: (resource) => resource['securityContext'] === undefined || senderOf(resource) === own,
  };
}

/** Those that differ from caller to caller. */
const OF_CALLER = {
  'own-files': (caller: Caller, _definitions: Definitions, clauses: Clauses): Rows => ownFiles(clauses, caller),
  'own-subscriptions': (caller: Caller, definitions: Definitions): Rows => ownSubscriptions(definitions, caller),
  'assessment-documents': (caller: Caller, _definitions: Definitions, clauses: Clauses): Rows => ({ clause: documents(clauses, caller), holds: () => true }),
  'assessment-files': (caller: Caller, _definitions: Definitions, clauses: Clauses): Rows => ({ clause: files(clauses, caller), holds: () => true }),
  'own-assessing': (caller: Caller, _definitions: Definitions, clauses: Clauses): Rows => ({ clause: ownAssessing(clauses, caller), holds: () => true }),
};

/** What the server recorded of assessments that the caller's own organisation made, corrected or took back. */
function ownAssessing(clauses: Clauses, { organization }: Caller): Clause {
  if (organization === undefined) return NO_ROW;
  const assessed = clauses.to('Provenance', 'target', 'Observation', clauses.coded('Observation', 'code', `${ASSERTION}|ovm-assessment`));
  return both(assessed, clauses.identified('Provenance', 'agent', odsToken(organization)));
}

/** Documents go with the assessments that cite them; before one does, they are their author's: the person in the role, or the trust (ruling 22). */
function documents(clauses: Clauses, caller: Caller): Clause {
  const cited = clauses.from('Observation', 'evidence', clauses.coded('Observation', 'code', `${ASSERTION}|ovm-assessment`));
  return either(cited, authored(clauses, caller, 'DocumentReference', 'author'));
}

function files(clauses: Clauses, caller: Caller): Clause {
  return either(clauses.from('DocumentReference', 'content', documents(clauses, caller)), authored(clauses, caller, 'Binary', 'security-context'));
}

function authored(clauses: Clauses, caller: Caller, type: string, code: string): Clause {
  const self = caller.practitionerRole === undefined ? [] : [`PractitionerRole/${caller.practitionerRole}`];
  return either(clauses.names(type, code, ...self), clauses.to(type, code, 'Organization', ownOrganization(clauses, caller)));
}

/** The row rules, made once from the definitions. */
export function createRows(definitions: Definitions): (rule: RowRule | undefined, caller: Caller) => Rows {
  const rules: Record<Exclude<RowRule, keyof typeof OF_CALLER>, Rows> = {
    none: NONE,
    'status-assertions': coded(definitions, 'Observation', 'code', 'code', [`${ASSERTION}|`], [`${ASSERTION}|ovm-assessment`]),
    'home-office-statements': coded(definitions, 'Observation', 'code', 'code', [`${ASSERTION}|ho-status`]),
    'feed-statements': coded(definitions, 'Observation', 'code', 'code', [`${ASSERTION}|feed-status`]),
    'entitlement-evidence': coded(definitions, 'Coverage', 'type', 'type', EVIDENCE.map((system) => `${system}|`)),
  };
  const clauses = createClauses(definitions);
  const isOfCaller = (rule: RowRule): rule is keyof typeof OF_CALLER => Object.hasOwn(OF_CALLER, rule);
  return (rule, caller) => (rule === undefined ? ALL : isOfCaller(rule) ? OF_CALLER[rule](caller, definitions, clauses) : rules[rule]);
}
