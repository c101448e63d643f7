// What the work is done with: the parts of every interaction and what they stand on, made once.
import { randomBytes } from 'node:crypto';
import { createAccess } from '../access/access.js';
import { createClauses } from '../access/clauses.js';
import { createDocumentRule, createFileRule } from '../access/file-rule.js';
import { createFileTypesRule } from '../access/file-types.js';
import { createFindIdentified } from '../access/identified.js';
import { OwnOrganizations } from '../access/own-organizations.js';
import { createStanding } from '../access/standing.js';
import { createEvents } from '../audit/events.js';
import { Floods } from '../audit/floods.js';
import { refuseChange, serverMadeRule } from '../audit/server-made.js';
import { Trail } from '../audit/trail.js';
import { createBudgets } from '../budgets/budgets.js';
import { createChargeableStatus } from '../chargeable-status/chargeable-status.js';
import { vmRefusal } from '../chargeable-status/vm/vm-refusal.js';
import { isDevelopment, mayAnybodySignIn, type Config } from '../config.js';
import type { Database } from '../db/database.js';
import { LiveDefinitions } from '../definitions/live.js';
import type { Definitions } from '../definitions/model.js';
import { openPackages } from '../definitions/packages.js';
import { createIds } from '../fhir/id.js';
import { createIdentity, type Identity } from '../identity/identity.js';
import type { Parts } from '../interactions/context.js';
import { createParameterRule, type ParameterRuleParts } from '../operations/search-parameter/parameter-rule.js';
import { createDefinitionRule, fetchProfiles } from '../operations/resource/stored-profiles.js';
import { createTerminologyRule, findStored } from '../operations/terminology/stored-terminology.js';
import { createExtractor } from '../search/extract.js';
import { createShifter } from '../search/shift.js';
import { AddedParameters } from '../store/added-parameters.js';
import { createStore } from '../store/postgres-store.js';
import type { Store } from '../store/store.js';
import type { Network } from '../subscriptions/network.js';
import { createOutbox } from '../subscriptions/outbox.js';
import { Subscribers } from '../subscriptions/subscribers.js';
import { createSubscriptionRule } from '../subscriptions/subscription-rule.js';
import { createTerminology, type Terminology } from '../terminology/terminology.js';
import { createProfileChecker, type ProfileChecker } from '../validation/profile-checker.js';
import { contentRules, defaultRules } from '../validation/profile-rules.js';
import { createValidator, type Validator } from '../validation/validator.js';
import type { Given } from './given.js';

/** What is asked for by the parts, and is there once more of the service stands. */
export interface Later {
  /** Told when there is something to be indexed anew. */
  readonly reindexQueued: () => void;
  readonly incomplete: Parts['incomplete'];
}

export interface Made {
  readonly parts: Parts;
  readonly identity: Identity;
  readonly validator: Validator;
  readonly profiles: ProfileChecker;
  readonly terminology: Terminology;
  /** Search parameters that an administrator switches on and off. */
  readonly switching: ParameterRuleParts & { readonly added: AddedParameters };
  readonly subscribers: Subscribers;
  readonly network: Network;
  readonly floods: Floods;
  /** Milliseconds that only grow. */
  readonly tick: () => number;
}

export async function makeParts(given: Given, later: Later): Promise<Made> {
  const { config, database, definitions, log } = given;
  const clock = (): number => Date.now() + config.clockOffsetMs;
  const tick = (): number => performance.now();
  const newId = createIds(clock, randomBytes);
  const organizations = new OwnOrganizations(createClauses(definitions), clock);
  const permit = createAccess({ definitions, clock, organizations });
  const subscribers = new Subscribers(database.beside, tick);
  const network: Network = { private: config.subscriptionNetwork === 'private', loopback: isDevelopment(config) };
  // What an administrator switches on is for searches: access, subscriptions and the domain keep to what does not change.
  const live = new LiveDefinitions(definitions);
  const added = new AddedParameters(database, live);
  await added.refresh();
  const switching = { added, fixedParameters: fixedParametersOf(definitions), clock, reindexQueued: later.reindexQueued };
  const store = createStore({ database, definitions: live.definitions, now: clock, added, outbox: createOutbox({ subscribers, definitions, permit, clock }) });
  const identity = createIdentity({ db: database, clock, newId, authority: given.authority, selfSigned: config.vmProfile !== 'modern', unsigned: config.vmUnsignedTokens, signIn: mayAnybodySignIn(config), find: createFindIdentified(definitions, () => store) });
  const status = createChargeableStatus({ newId, clients: identity.clients, setting: { profile: config.vmProfile, asid: config.vmAsid }, nonePolicy: config.nonePolicy });
  const knowledge = openKnowledge(given, { store, beside: createStore({ database: { ...database, query: database.beside.query }, definitions: live.definitions, now: clock, added }), clock });
  const { validator, profiles, terminology } = knowledge;
  const pageSecret = await readSecret(database, 'page-link');
  const trail = new Trail({ database, newId, pageSecret, log });
  const limits = { page: config.pageLimit, included: config.includeLimit, criteria: config.criteriaLimit, hops: config.chainLimit };
  const parts: Parts = {
    audit: trail,
    limits,
    definitions: live.definitions,
    store,
    db: database,
    permit: (caller, request) => { refuseChange(request); return permit(caller, request); },
    standing: createStanding(store, organizations),
    validate: (resource) => validator.validate(resource),
    extract: createExtractor(live.definitions),
    shift: createShifter(live.definitions),
    profiles,
    terminology,
    rules: [serverMadeRule, ...fileRules(config, definitions), ...status.rules, ...createBudgets(definitions).rules, createSubscriptionRule({ definitions, permit, network }), createDefinitionRule(profiles), createTerminologyRule(terminology.answers), createParameterRule(switching)],
    answerers: [...status.answerers, createEvents({ definitions, limits, pageSecret })],
    clock,
    newId,
    wordRefusal: vmRefusal,
    pageSecret,
    mostDeleted: config.conditionalDelete === 'single' ? 1 : config.conditionalDeleteLimit,
    incomplete: later.incomplete,
    onFailure: (error, request) => { log.error({ err: error, method: request.method, interaction: request.interaction, type: request.type }, 'a request failed'); },
  };
  const floods = new Floods({ tick, onCounted: (source, count) => { trail.recordFlood(source, count); } });
  return { parts, identity, ...knowledge, switching, subscribers, network, floods, tick };
}

interface Stores {
  readonly store: Store;
  /** For what is asked while a transaction may be open. */
  readonly beside: Store;
  readonly clock: () => number;
}

/** What resources and codes are judged by. */
function openKnowledge({ config, database, definitions, packages = openPackages() }: Given, { store, beside, clock }: Stores): Pick<Made, 'validator' | 'profiles' | 'terminology'> {
  const terminology = createTerminology({
    own: definitions.conformanceResources,
    packages,
    findStored: findStored(store, definitions),
    db: database,
    beside: { findStored: findStored(beside, definitions), db: database.beside },
    remoteUrl: config.terminologyUrl,
    now: clock,
  });
  const profiles = createProfileChecker({
    definitions,
    packages,
    rules: [...contentRules(), ...defaultRules(config.profileDefaults ?? [], definitions)],
    fetch: fetchProfiles(beside, definitions),
    codes: terminology.answers,
    unknownProfile: config.unknownProfile,
    now: clock,
  });
  return { terminology, profiles, validator: createValidator(definitions) };
}

const fileRules = ({ binaryTypes }: Config, definitions: Definitions): Parts['rules'] =>
  [createFileRule(definitions), ...(binaryTypes ? [createFileTypesRule(binaryTypes)] : []), createDocumentRule(definitions)];

/** URLs of the parameters that run whatever is posted. */
const fixedParametersOf = (definitions: Definitions): ReadonlySet<string> =>
  new Set(definitions.resourceTypes.flatMap((type) => [...definitions.searchParameters(type).values()].map(({ url }) => url)));

async function readSecret(database: Database, name: string): Promise<string> {
  const { rows } = await database.query<{ value: string }>({ text: 'select value from fhir.secret where name = $1', values: [name] });
  const [row] = rows;
  if (!row) throw new Error(`The secret ${name} is missing from fhir.secret`);
  return row.value;
}
