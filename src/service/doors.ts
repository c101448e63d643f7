// What opens to the outside: the app over its FHIR, OAuth and other doors, each handed what it needs.
import { createApp, type App, type AppParts } from '../app.js';
import { isLoopback, serviceBase } from '../config.js';
import { pathOf } from '../dispatch/respond-async.js';
import { authorizationMetadata, PATHS, smartConfiguration, type AuthorizationServer } from '../dispatch/smart.js';
import type { Caller } from '../fhir/caller.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { createAddressLimit } from '../http/address-limit.js';
import { createPresented } from '../http/client-certificate.js';
import type { FhirDoor } from '../http/fhir-door.js';
import type { OAuthDoor } from '../http/oauth-door.js';
import { watchOverload } from '../http/overload.js';
import { createRateLimit } from '../http/rate-limit.js';
import { createTransportCheck } from '../http/transport.js';
import type { Signer } from '../identity/notification-key.js';
import { DEVELOPMENT_ISSUER } from '../identity/trusted-issuer.js';
import { perform, refusalResponse } from '../interactions/perform.js';
import { keepXml } from '../xml/kept-xml.js';
import { createXml } from '../xml/xml.js';
import { baseFinder, readTls, signingBase } from './addresses.js';
import type { Given } from './given.js';
import type { Made } from './parts.js';
import type { Queue } from './queues.js';
import { createRouting, type Routing } from './routing.js';

export interface Doors {
  readonly app: App;
  /** Does a request whose caller was told to ask for the answer. */
  readonly performLater: (request: FhirRequest, caller: Caller) => Promise<FhirResponse>;
  /** What watches the doors ends; the app is closed by who opened it. */
  stop(): void;
}

/** What each door asks of who comes. */
type Guards = Pick<FhirDoor & OAuthDoor, 'authenticate' | 'presented' | 'requireTransport' | 'limitAddress'>;

export function openDoors(given: Given, made: Made, { signer, wake }: { readonly signer: Pick<Signer, 'key'>; readonly wake: (queue: Queue) => void }): Doors {
  const { config, database, log } = given;
  const { parts, identity, floods, tick } = made;
  const proxies = config.trustedProxies ?? [];
  const authorization = authorizationOf(given, made);
  const routing = createRouting(given, made, { authorization, wake });
  const overload = watchOverload({ lagMs: config.overloadLagMs, tick });
  const guards = {
    authenticate: identity.authenticate,
    presented: createPresented({ header: config.clientCertHeader, proxies }),
    requireTransport: createTransportCheck(config.tlsHeader, config.tlsFloor),
    limitAddress: createAddressLimit({ rate: config.refusalLimit, tick }),
  };
  const app = createApp({
    log,
    limits: { bodyBytes: config.bodyLimitBytes, headerBytes: config.headerLimitBytes, requestMs: config.requestTimeoutMs, proxies },
    browsers: { corsOrigins: config.corsOrigins ?? [], tls: config.tlsHeader !== undefined || config.tlsCert !== undefined || config.publicUrl?.startsWith('https:') === true },
    record: (door, access) => {
      if (access.who !== undefined || floods.isRecorded(access.address)) parts.audit.recordDoor(door, access);
    },
    health: { ready: () => database.ping() },
    keys: async () => JSON.stringify({ keys: [signer.key, ...(await identity.idTokenKeys())] }),
    tls: readTls(config),
    oauth: oauthDoor(given, made, { authorization, guards }),
    clients: identity.clients,
    cds: { authenticate: identity.authenticateCds, newId: parts.newId },
    fhir: { ...fhirDoor(given, made, { routing, authorization, guards }), requireCapacity: overload.require },
  });
  return {
    app,
    performLater: (request, caller) => perform(routing.route(request.method, pathOf(request)).handler, request, caller, parts),
    stop: () => { overload.stop(); },
  };
}

function authorizationOf({ config, authority }: Given, { identity: { server } }: Made): AuthorizationServer {
  const originOf = originBelow(config.basePath);
  return {
    issuer: authority.kind === 'external' ? authority.issuers[0]?.issuer ?? '' : DEVELOPMENT_ISSUER,
    originOf: server && ((base) => originOf(isLoopback(config) ? base : serviceBase(config))),
    signIn: server?.authorize !== undefined,
    cors: (config.corsOrigins ?? []).length > 0,
    mutualTls: config.tlsClientCa !== undefined || config.clientCertHeader !== undefined,
  };
}

const originBelow = (basePath: string) => (base: string): string => base.slice(0, base.length - basePath.length);

function oauthDoor({ config, log }: Given, { identity }: Made, { authorization, guards }: { readonly authorization: AuthorizationServer; readonly guards: Guards }): AppParts['oauth'] {
  const signBase = signingBase(config, baseFinder(config));
  const originOf = originBelow(config.basePath);
  return {
    ...guards,
    server: identity.server,
    placeOf: (host) => {
      const base = signBase(host);
      return { base, issuer: originOf(base), tokenUrl: originOf(base) + PATHS.token };
    },
    metadata: (base) => authorizationMetadata(authorization, base),
    onFailure: (error) => { log.error({ err: error }, 'a token could not be issued'); },
  };
}

function fhirDoor({ config, definitions }: Given, { parts, identity, floods, tick }: Made, { routing, authorization, guards }: { readonly routing: Routing; readonly authorization: AuthorizationServer; readonly guards: Guards }): Omit<FhirDoor, 'requireCapacity'> {
  const xml = createXml(definitions, config.jsonDepthLimit);
  return {
    ...guards,
    ...routing,
    basePath: config.basePath,
    baseOf: baseFinder(config),
    xml,
    keptXml: { write: keepXml(xml.write) },
    bodyLimitBytes: config.bodyLimitBytes,
    limitRate: createRateLimit({ rate: config.rateLimit, find: (client) => identity.clients.find(client), tick }),
    jsonDepth: config.jsonDepthLimit,
    smartConfiguration: (base) => smartConfiguration(authorization, base),
    perform: (handler, request, caller) => perform(handler, request, caller, parts),
    refuse: (error, request, caller) => refusalResponse(error, request, caller, parts),
    recordRefusal: (caller, { status }, request, line, address) => {
      const isFlood = caller === undefined || status === 429;
      if (!isFlood || floods.isRecorded(caller?.client ?? address)) parts.audit.recordUnread(caller, status, line, request, address);
    },
  };
}
