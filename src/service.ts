// Joins the rooms into one service over a database: what main serves, what the tests drive, what the command line loads data through.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createAccess } from './access/access.js';
import { createClauses } from './access/clauses.js';
import { documentRule, fileRule } from './access/file-rule.js';
import { createFileTypesRule } from './access/file-types.js';
import { createFindIdentified } from './access/identified.js';
import { OwnOrganizations } from './access/own-organizations.js';
import { createStanding } from './access/standing.js';
import { type App, type AppLog, createApp } from './app.js';
import { createEvents } from './audit/events.js';
import { startRecording } from './audit/recording.js';
import { sealAll } from './audit/seal.js';
import { refuseChange, serverMadeRule } from './audit/server-made.js';
import { Floods } from './audit/floods.js';
import { Trail } from './audit/trail.js';
import { createBudgets } from './budgets/budgets.js';
import { createBudgetSweep } from './budgets/sweep.js';
import { createChargeableStatus } from './chargeable-status/chargeable-status.js';
import { vmRefusal } from './chargeable-status/vm-refusal.js';
import { writeLapses } from './chargeable-status/lapse.js';
import { placeWaiting } from './chargeable-status/person-sweep.js';
import { isDevelopment, isLoopback, mayAnybodySignIn, serviceBase, type Config } from './config.js';
import type { Database } from './db/database.js';
import type { Definitions } from './definitions/model.js';
import { LiveDefinitions } from './definitions/live.js';
import { openPackages, type Packages } from './definitions/packages.js';
import { openPublished } from './definitions/published.js';
import { createBundleHandler } from './dispatch/bundle.js';
import { createCapabilities } from './dispatch/capabilities.js';
import { createOperationHandler } from './dispatch/operation.js';
import { createDeferral, pathOf } from './dispatch/respond-async.js';
import { createRouter, type Router } from './dispatch/router.js';
import { createRoutes } from './dispatch/routes.js';
import { authorizationMetadata, PATHS, smartConfiguration } from './dispatch/smart.js';
import type { Caller } from './fhir/caller.js';
import { createIds } from './fhir/id.js';
import type { FhirRequest, FhirResponse } from './fhir/request.js';
import { createAddressLimit } from './http/address-limit.js';
import { watchOverload, type Overload } from './http/overload.js';
import { createRateLimit } from './http/rate-limit.js';
import { createPresented } from './http/client-certificate.js';
import { createTransportCheck } from './http/transport.js';
import { createIdentity, type Authority, type Identity } from './identity/identity.js';
import { openSigner, type Signer } from './identity/notification-key.js';
import { DEVELOPMENT_ISSUER } from './identity/trusted-issuer.js';
import { amend } from './interactions/amend.js';
import type { Parts } from './interactions/context.js';
import { perform, refusalResponse } from './interactions/perform.js';
import { createExportKind } from './jobs/export.js';
import { EXPORT_KEPT_MS, exportReport } from './jobs/export-report.js';
import { createIngestKind } from './jobs/ingest-feed.js';
import { ingestReport } from './jobs/ingest-report.js';
import { createJobDoor } from './jobs/job-door.js';
import { ANSWER_KEPT_MS, createDeferredKind, deferredReport } from './jobs/deferred-request.js';
import { createJobRunner, type JobKind } from './jobs/job-runner.js';
import { publishDefinitions } from './jobs/publish-definitions.js';
import { createPublication } from './jobs/publish-standard.js';
import { createReindexKind } from './jobs/reindex.js';
import { createReindexReport } from './jobs/reindex-report.js';
import { repeat, type Repeated } from './jobs/repeat.js';
import { createOperations } from './operations/operations.js';
import { createParameterRule } from './operations/parameter-rule.js';
import { createDefinitionRule, fetchProfiles } from './operations/stored-profiles.js';
import { createTerminologyRule, findStored } from './operations/stored-terminology.js';
import type { SwitchParts } from './operations/switch-parameter.js';
import type { Resource } from './fhir/resource.js';
import type { Transaction } from './store/store.js';
import { createExtractor } from './search/extract.js';
import { createShifter } from './search/shift.js';
import { AddedParameters } from './store/added-parameters.js';
import { sweepRequests } from './store/request-keys.js';
import { baseFinder, readTls, signingBase } from './serving.js';
import { createStore } from './store/postgres-store.js';
import { createCodeChecker } from './validation/code-checker.js';
import type { Network } from './subscriptions/network.js';
import { createOutbox } from './subscriptions/outbox.js';
import { startPostman } from './subscriptions/postman.js';
import { Subscribers } from './subscriptions/subscribers.js';
import { createSubscriptionRule } from './subscriptions/subscription-rule.js';
import { createProfileChecker } from './validation/profile-checker.js';
import { contentRules, defaultRules } from './validation/profile-rules.js';
import { createTerminology, type Terminology } from './terminology/terminology.js';
import { createValidator, type Validator } from './validation/validator.js';
import { createXml } from './xml/xml.js';

/** What the two programmes write most. */
const MOST_WRITTEN = ['Patient', 'Observation', 'Claim', 'Account', 'Bundle', 'Organization', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Coverage', 'CarePlan', 'Encounter', 'PaymentNotice', 'DocumentReference', 'Task', 'Consent', 'Parameters', 'StructureDefinition'];

/** A lapse is to be seen on the Patient within a minute (domain.md ruling 8). */
const LAPSE_EVERY_MS = 30_000;

/** How soon a first payment sets the date of the first review. */
const REVIEW_EVERY_MS = 15_000;

/** How long the first answer to an X-Request-ID can be had again. */
const REQUESTS_KEPT_MS = 48 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;

/** Where a job was left by another process: those of this one are begun at once. */
const JOBS_EVERY_MS = 2000;
const SEAL_EVERY_MS = 2000;

/** How soon a server sees that another one has switched a search parameter on or off: until then it refuses searches by it. */
const LEARN_EVERY_MS = 1000;

export interface ServiceParts {
  readonly config: Config;
  /** Migrated. */
  readonly database: Database;
  readonly definitions: Definitions;
  readonly authority: Authority;
  readonly log: AppLog;
  readonly version: string;
  /** Packages of others; those in profiles/ when absent. */
  readonly packages?: Packages;
}

export interface Service {
  readonly app: App;
  readonly parts: Parts;
  /** Makes, a little at each step, what the first requests would wait for. */
  preparation(): Generator<void>;
  /** Stores HL7's own definitions where they are not there yet, in spare time. Resolves once it is known which, or with `all` when they are there. */
  publish(options?: { readonly all: boolean }): Promise<void>;
  /** Stops the jobs, and stores what is still to be recorded; the app and the database are closed by who opened them. */
  stop(): Promise<void>;
}

/** The service, its definitions published and its jobs running; not yet listening. */
export async function createService(given: ServiceParts): Promise<Service> {
  const { config, database, definitions, log, packages = openPackages() } = given;
  const clock = (): number => Date.now() + config.clockOffsetMs;
  const newId = createIds(clock, randomBytes);
  const identity = createIdentity({ db: database, clock, newId, authority: given.authority, selfSigned: config.vmProfile !== 'modern', unsigned: config.vmUnsignedTokens, signIn: mayAnybodySignIn(config), find: createFindIdentified(definitions, () => store) });
  const status = createChargeableStatus({ newId, clients: identity.clients, setting: { profile: config.vmProfile, asid: config.vmAsid }, nonePolicy: config.nonePolicy });
  const validator = createValidator(definitions);
  const organizations = new OwnOrganizations(createClauses(definitions), clock);
  const permit = createAccess({ definitions, clock, organizations });
  const tick = (): number => performance.now();
  const subscribers = new Subscribers(database.beside, tick);
  const network: Network = { private: config.subscriptionNetwork === 'private', loopback: isDevelopment(config) };
  // What an administrator switches on is for searches: access, subscriptions and the domain keep to what does not change.
  const live = new LiveDefinitions(definitions);
  const added = new AddedParameters(database, live);
  await added.refresh();
  const store = createStore({ database, definitions: live.definitions, now: clock, added, outbox: createOutbox({ subscribers, definitions, permit, clock }) });
  const beside = createStore({ database: { ...database, query: database.beside.query }, definitions: live.definitions, now: clock, added });
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
  const pageSecret = await readSecret(database, 'page-link');
  const trail = new Trail({ database, newId, pageSecret, log });
  const fixedParameters = fixedParametersOf(definitions);
  const floods = new Floods({ tick, onCounted: (source, count) => { trail.recordFlood(source, count); } });
  const overload = watchOverload({ lagMs: config.overloadLagMs, tick });
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
    rules: [serverMadeRule, fileRule, ...(config.binaryTypes ? [createFileTypesRule(config.binaryTypes)] : []), documentRule, ...status.rules, ...createBudgets(definitions).rules, createSubscriptionRule({ definitions, permit, network }), createDefinitionRule(profiles), createTerminologyRule(terminology.answers),
      createParameterRule({ added, fixedParameters, clock, reindexQueued: () => { reindexes.wake(); } })],
    answerers: [...status.answerers, createEvents({ definitions, limits, pageSecret })],
    clock,
    newId,
    wordRefusal: vmRefusal,
    pageSecret,
    mostDeleted: config.conditionalDelete === 'single' ? 1 : config.conditionalDeleteLimit,
    incomplete: (types) => publication.missing(types),
    onFailure: (error, request) => { log.error({ err: error, method: request.method, interaction: request.interaction, type: request.type }, 'a request failed'); },
  };
  await publishDefinitions(definitions.conformanceResources, parts);
  const publication = createPublication({
    ...parts, published: openPublished(), own: definitions.conformanceResources,
    onFailure: (error) => { log.error({ err: error }, "HL7's definitions could not be stored; tried again soon"); },
  });
  const put = (tx: Transaction, resource: Resource): Promise<void> => amend(resource, { tx, now: clock(), extract: parts.extract });
  const clockwork = (): { now: number; nonePolicy: Config['nonePolicy']; put: typeof put } => ({ now: clock(), nonePolicy: config.nonePolicy, put });
  const lapses = repeat(() => writeLapses({ ...parts, ...clockwork() }), {
    everyMs: LAPSE_EVERY_MS,
    onFailure: (error) => { log.error({ err: error }, 'lapsed statuses could not be written; tried again soon'); },
  });
  const reviews = repeat(createBudgetSweep(() => ({ ...parts, now: clock(), put })), {
    everyMs: REVIEW_EVERY_MS,
    onFailure: (error) => { log.error({ err: error }, 'reviews that are due could not be written; tried again soon'); },
  });
  const recording = await startRecording({ database, trail, newId, clock, host: hostname(), pid: process.pid });
  const seals = repeat(async () => { floods.look(); await recording.beat(); await sealAll(database); }, {
    everyMs: SEAL_EVERY_MS,
    onFailure: (error) => { log.error({ err: error }, 'the audit trail could not be sealed; tried again soon'); },
  });
  const sweep = repeat(async () => { await sweepRequests(database, clock() - REQUESTS_KEPT_MS); await identity.tidy(); }, {
    everyMs: SWEEP_EVERY_MS,
    onFailure: (error) => { log.error({ err: error }, 'old request ids and client assertions could not be forgotten; tried again later'); },
  });
  const waiting = repeat(() => placeWaiting({ ...parts, ...clockwork() }), {
    everyMs: config.matchEveryMs,
    onFailure: (error) => { log.error({ err: error }, 'waiting statements could not be placed; tried again soon'); },
  });
  const jobs = startJobs([createIngestKind({ ...parts, nonePolicy: config.nonePolicy })], given, parts);
  // Apart, since one may take hours: files of statements do not wait for it.
  const reindexes = startJobs([createReindexKind({ db: database, added })], given, parts);
  const exports = startJobs([createExportKind(parts)], given, parts, EXPORT_KEPT_MS);
  const learning = repeat(() => added.refresh(), {
    everyMs: LEARN_EVERY_MS,
    onFailure: (error) => { log.error({ err: error }, 'search parameters that were switched on or off could not be learnt; tried again soon'); },
  });
  const signer = await openSigner(database);
  const switching = { added, fixedParameters, reindexQueued: () => { reindexes.wake(); } };
  const { app, deferred } = createFhirApp(given, parts, { validator, terminology, identity, jobs, exports, signer, switching, trail, floods, overload, tick });
  const postman = startPostman({
    ...parts, db: database, subscribers, network, signer, tick,
    base: () => serviceBase(config, listeningPort(app)),
    lessee: newId(),
    retryMs: config.subscriptionRetryMs,
    giveUpMs: config.subscriptionGiveUpMs,
    onFailure: (error) => { log.error({ err: error }, 'notifications could not be delivered; tried again soon'); },
  });
  function* preparation(): Generator<void> {
    yield* validator.preparation(MOST_WRITTEN);
    yield* profiles.preparation();
  }
  return {
    app,
    parts,
    preparation,
    publish: async ({ all } = { all: false }) => {
      await publication.look();
      const done = publication.run();
      if (all) await done;
    },
    stop: async () => {
      overload.stop();
      floods.settle();
      await Promise.all([publication.stop(), lapses.stop(), reviews.stop(), waiting.stop(), sweep.stop(), jobs.stop(), deferred.stop(), reindexes.stop(), exports.stop(), learning.stop(), seals.stop(), postman.stop()]);
      await recording.end();
    },
  };
}

function listeningPort(app: App): number | undefined {
  const address = app.server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

/** URLs of the parameters that run whatever is posted. */
const fixedParametersOf = (definitions: Definitions): ReadonlySet<string> =>
  new Set(definitions.resourceTypes.flatMap((type) => [...definitions.searchParameters(type).values()].map(({ url }) => url)));

/** Beside the files that are read in, which may take hours. */
function startDeferred(given: ServiceParts, parts: Parts, route: Router): Repeated {
  const performed = (request: FhirRequest, caller: Caller): Promise<FhirResponse> => perform(route(request.method, pathOf(request)).handler, request, caller, parts);
  return startJobs([createDeferredKind(performed)], given, parts, ANSWER_KEPT_MS);
}

function startJobs(kinds: readonly JobKind[], { database, log }: Pick<ServiceParts, 'database' | 'log'>, parts: Parts, keptMs?: number): Repeated {
  const onFailure = (error: unknown): void => { log.error({ err: error }, 'a job could not go on; tried again soon'); };
  const runner = createJobRunner({ database, store: parts.store, kinds, clock: parts.clock, owner: parts.newId(), onFailure, ...(keptMs !== undefined && { keptMs }) });
  let stopped = false;
  const jobs = repeat(() => runner.run(() => stopped), { everyMs: JOBS_EVERY_MS, onFailure });
  return {
    wake: () => { jobs.wake(); },
    stop: () => {
      stopped = true;
      return jobs.stop();
    },
  };
}

interface AppParts {
  readonly validator: Validator;
  readonly terminology: Terminology;
  readonly identity: Identity;
  readonly jobs: Repeated;
  readonly exports: Repeated;
  readonly signer: Pick<Signer, 'key'>;
  readonly switching: Pick<SwitchParts, 'added' | 'fixedParameters' | 'reindexQueued'>;
  readonly trail: Trail;
  readonly floods: Floods;
  readonly overload: Overload;
  /** Milliseconds that only grow. */
  readonly tick: () => number;
}

function createFhirApp(given: ServiceParts, parts: Parts, { validator, terminology, identity, jobs, exports, signer, switching, trail, floods, overload, tick }: AppParts): { readonly app: App; readonly deferred: Repeated } {
  const { config, database, definitions, log } = given;
  const operations = createOperations({
    nonePolicy: config.nonePolicy, terminology, definitions, validate: parts.validate, validator, profiles: parts.profiles, codes: createCodeChecker(definitions, terminology.answers), newId: parts.newId,
    db: database, clock: parts.clock, fileLimitBytes: config.fileLimitBytes, jobQueued: () => { jobs.wake(); }, exportQueued: () => { exports.wake(); }, ...switching,
  });
  const job = createJobDoor({ db: database, clock: parts.clock, reports: [ingestReport, deferredReport, exportReport, createReindexReport(switching.added)] });
  const makeJobs = new Set(operations.flatMap(({ code, makesJob }) => (makesJob ? [code] : [])));
  const later = createDeferral({ db: database, newId: parts.newId, clock: parts.clock, queued: () => { deferred.wake(); }, makeJobs });
  // A bundle's entries are routed by the same table that holds the bundle's own row.
  const routes = createRoutes({ bundle: createBundleHandler(() => route, config.bundleEntryLimit), operation: createOperationHandler(operations), capabilities: ({ base }) => Promise.resolve({ status: 200, body: capabilities(base) }), job, later });
  const route = createRouter(routes, definitions);
  const deferred = startDeferred(given, parts, route);
  const baseOf = baseFinder(config);
  const { server } = identity;
  const signBase = signingBase(config, baseOf);
  const originOf = (base: string): string => base.slice(0, base.length - config.basePath.length);
  const corsOrigins = config.corsOrigins ?? [];
  const issuer = given.authority.kind === 'external' ? given.authority.issuers[0]?.issuer ?? '' : DEVELOPMENT_ISSUER;
  const mutualTls = config.tlsClientCa !== undefined || config.clientCertHeader !== undefined;
  const authorization = { issuer, originOf: server && ((base: string) => originOf(isLoopback(config) ? base : serviceBase(config))), signIn: server?.authorize !== undefined, cors: corsOrigins.length > 0, mutualTls };
  const capabilities = createCapabilities({ definitions: parts.definitions, routes, operations, authorization, conditionalDelete: config.conditionalDelete, version: given.version, date: new Date(parts.clock()).toISOString() });
  const presented = createPresented({ header: config.clientCertHeader, proxies: config.trustedProxies ?? [] });
  const limitAddress = createAddressLimit({ rate: config.refusalLimit, tick });
  const requireTransport = createTransportCheck(config.tlsHeader, config.tlsFloor);
  const app = createApp({
    log,
    limits: { bodyBytes: config.bodyLimitBytes, headerBytes: config.headerLimitBytes, requestMs: config.requestTimeoutMs, proxies: config.trustedProxies ?? [] },
    browsers: { corsOrigins, tls: config.tlsHeader !== undefined || config.tlsCert !== undefined || config.publicUrl?.startsWith('https:') === true },
    record: (door, access) => {
      if (access.who !== undefined || floods.isRecorded(access.address)) trail.recordDoor(door, access);
    },
    health: { ready: () => database.ping() },
    keys: async () => JSON.stringify({ keys: [signer.key, ...(await identity.idTokenKeys())] }),
    tls: readTls(config),
    oauth: {
      server,
      placeOf: (host) => {
        const base = signBase(host);
        return { base, issuer: originOf(base), tokenUrl: originOf(base) + PATHS.token };
      },
      metadata: (base) => authorizationMetadata(authorization, base),
      authenticate: identity.authenticate,
      presented,
      requireTransport,
      limitAddress,
      onFailure: (error) => { log.error({ err: error }, 'a token could not be issued'); },
    },
    clients: identity.clients,
    cds: { authenticate: identity.authenticateCds, newId: parts.newId },
    fhir: {
      basePath: config.basePath,
      baseOf,
      route,
      requireTransport,
      xml: createXml(definitions, config.jsonDepthLimit),
      bodyLimitBytes: config.bodyLimitBytes,
      requireCapacity: overload.require,
      limitRate: createRateLimit({ rate: config.rateLimit, find: (client) => identity.clients.find(client), tick }),
      limitAddress,
      jsonDepth: config.jsonDepthLimit,
      smartConfiguration: (base) => smartConfiguration(authorization, base),
      authenticate: identity.authenticate,
      presented,
      perform: (handler, request, caller) => perform(handler, request, caller, parts),
      capabilities,
      refuse: (error, request, caller) => refusalResponse(error, request, caller, parts),
      recordRefusal: (caller, { status }, request, line, address) => {
        const isFlood = caller === undefined || status === 429;
        if (!isFlood || floods.isRecorded(caller?.client ?? address)) trail.recordUnread(caller, status, line, request, address);
      },
    },
  });
  return { app, deferred };
}

async function readSecret(database: Database, name: string): Promise<string> {
  const { rows } = await database.query<{ value: string }>({ text: 'select value from fhir.secret where name = $1', values: [name] });
  const [row] = rows;
  if (!row) throw new Error(`The secret ${name} is missing from fhir.secret`);
  return row.value;
}
