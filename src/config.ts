// Environment -> one frozen, checked Config. Nobody else reads process.env; the README's table of settings is made from these rows.
import { isIP } from 'node:net';
import { resolve } from 'node:path';

/** A setting the process can't start with. The message names the variable and says what to give. */
export class ConfigError extends Error {}

interface Setting<T> {
  readonly variable: string;
  /** As it would be written in the environment; undefined where the setting may be left unset. */
  readonly fallback: string | undefined;
  /** Throws a plain Error that completes the sentence "<variable> must be …". */
  readonly read: (text: string) => T;
  readonly sentence: string;
}

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const NONE_POLICIES = ['all', 'own'] as const;
const UNKNOWN_PROFILES = ['warning', 'error'] as const;
const VM_PROFILES = ['modern', 'legacy', 'both'] as const;
const NETWORKS = ['public', 'private'] as const;
const CONDITIONAL_DELETES = ['single', 'multiple'] as const;
const SIGN_INS = ['loopback', 'on', 'off'] as const;
const TLS_VERSIONS = ['1.2', '1.3'] as const;
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const ANY_ADDRESS = ['0.0.0.0', '::'];
const MIB = 1024 * 1024;

const SETTINGS = {
  port: required('PORT', '8080', integer(0, 65_535), 'The port to listen on; 0 takes any free one.'),
  host: required('HOST', '127.0.0.1', word, 'The address to listen on; 0.0.0.0 for all.'),
  dataDir: required('DATA_DIR', './data', directory, 'Where the embedded database and the development key are kept.'),
  databaseUrl: optional('DATABASE_URL', url('postgres:', 'postgresql:'), 'The PostgreSQL database to use, 15 or later; unset, the server starts its own.'),
  databasePoolSize: required('DATABASE_POOL_SIZE', '10', integer(2, 1000), 'Connections to the database, at most; two more look up posted profiles and codes.'),
  databasePrepared: required('DATABASE_PREPARED', '1', flag, '0 does without prepared statements, for poolers that lose them.'),
  basePath: required('BASE_PATH', '/fhir/R4', path, 'The path of the FHIR service.'),
  publicUrl: optional('PUBLIC_URL', origin, 'The origin that clients see, for links, behind a proxy; unset, it is made of HOST and PORT.'),
  bodyLimitBytes: required('BODY_LIMIT_BYTES', String(32 * MIB), integer(1024, 512 * MIB), 'The longest request body the server takes.'),
  conditionalDelete: required('CONDITIONAL_DELETE', 'single', choice(CONDITIONAL_DELETES), 'What a delete by criteria may delete: a `single` match, or `multiple`.'),
  conditionalDeleteLimit: required('CONDITIONAL_DELETE_LIMIT', '1000', integer(1, 100_000), 'How many matches a delete by criteria may delete, where it may delete multiple; more are refused.'),
  headerLimitBytes: required('HEADER_LIMIT_BYTES', '16384', integer(4096, MIB), 'The longest URL and headers of a request together.'),
  requestTimeoutMs: required('REQUEST_TIMEOUT_MS', '120000', integer(1000, 86_400_000), 'How long a request may take to arrive, headers and body, in milliseconds.'),
  statementTimeoutMs: required('STATEMENT_TIMEOUT_MS', '30000', integer(50, 86_400_000), 'How long one statement of the database may take, in milliseconds; then the request is answered 503.'),
  overloadLagMs: required('OVERLOAD_LAG_MS', '2000', integer(0, 600_000), 'How far behind this process may be for most of a second before it answers 503, in milliseconds; 0 for however far.'),
  rateLimit: required('RATE_LIMIT', '20000', integer(1, 10_000_000), 'Requests a second of one client, in each process; a client that is registered with a rate has its own.'),
  refusalLimit: required('REFUSAL_LIMIT', '1000', integer(1, 10_000_000), 'Requests a second without a valid token from one address; what comes on top is answered 429.'),
  jsonDepthLimit: required('JSON_DEPTH_LIMIT', '100', integer(20, 500), 'How deep objects and arrays of a body may be nested.'),
  bundleEntryLimit: required('BUNDLE_ENTRY_LIMIT', '50000', integer(1, 1_000_000), 'The most entries of a batch or transaction.'),
  pageLimit: required('PAGE_LIMIT', '1000', integer(1, 10_000), 'The most matches on one page of a search, versions on one of a history and rows on one of a `$statement`; a larger _count is cut to it.'),
  includeLimit: required('INCLUDE_LIMIT', '1000', integer(1, 10_000), 'The most resources that are included in one page of a search; a warning says where there are more.'),
  criteriaLimit: required('CRITERIA_LIMIT', '64', integer(1, 500), 'The most criteria of one search.'),
  chainLimit: required('CHAIN_LIMIT', '12', integer(1, 20), 'The most hops of one chain or _has in a search.'),
  corsOrigins: optional('CORS_ORIGINS', origins, 'Origins whose web pages may read answers, divided by commas, or `*` for any; unset, none.'),
  trustedProxies: optional('TRUSTED_PROXIES', addresses, 'Addresses and networks (`10.0.0.0/8`) of the proxies before us, divided by commas: callers\' addresses are then those of X-Forwarded-For.'),
  matchEveryMs: required('MATCH_EVERY_MS', '30000', integer(100, 86_400_000), 'How often statements without NHS number are compared with the patients that have come or changed.'),
  fileLimitBytes: required('FILE_LIMIT_BYTES', String(2048 * MIB), integer(1024, 65_536 * MIB), 'The longest file of statements the server takes.'),
  binaryTypes: optional('BINARY_TYPES', mediaTypes, 'The media types of the files that Binary keeps, divided by commas: `application/pdf,image/*`; unset, all.'),
  authIssuer: optional('AUTH_ISSUER', word, 'The `iss` of the tokens to trust; set, it switches the development tokens off.'),
  authIssuers: optional('AUTH_ISSUERS', file, 'A JSON file of several issuers to trust, each with its keys, audience and the rules by which its claims become roles; instead of AUTH_ISSUER.'),
  authJwksUrl: optional('AUTH_JWKS_URL', url('https:', 'http:'), 'Where the public keys of AUTH_ISSUER are.'),
  authAudience: optional('AUTH_AUDIENCE', word, 'The `aud` that a token of AUTH_ISSUER must carry.'),
  developmentSignIn: required('DEVELOPMENT_SIGN_IN', 'loopback', choice(SIGN_INS), 'Who may sign in at the development authorization server, as whoever they say: nobody (`off`), whoever reaches a `loopback` HOST, or anybody who reaches the server (`on`).'),
  nonePolicy: required('NONE_POLICY', 'all', choice(NONE_POLICIES), 'What an assessment of category NONE negates: `all` earlier statements, or only the `own` ones of Overseas Visitors Managers.'),
  vmProfile: required('VM_PROFILE', 'modern', choice(VM_PROFILES), 'The headers of the Visitors and Migrants search: `modern` (X-Request-ID), `legacy` (Ssp-* and the audit claims of Spine), or `both`, told apart by an Ssp header.'),
  vmAsid: optional('VM_ASID', asid, 'The ASID of this service, which Ssp-To must name in the legacy profile; unset, it may name any.'),
  vmUnsignedTokens: required('VM_UNSIGNED_TOKENS', '0', flag, '1 takes unsigned tokens of the legacy profile as the development supplier\'s, for a sandbox; only with a loopback HOST.'),
  tlsCert: optional('TLS_CERT', file, 'The server\'s certificate with its chain, in PEM: set with TLS_KEY, the server speaks https itself.'),
  tlsKey: optional('TLS_KEY', file, 'The private key of TLS_CERT, in PEM.'),
  tlsClientCa: optional('TLS_CLIENT_CA', file, 'Certificate authorities of clients, in PEM: tokens can then be bound to the certificate a client shows (mutual TLS).'),
  clientCertHeader: optional('CLIENT_CERT_HEADER', headerName, 'The header in which one of TRUSTED_PROXIES passes on the certificate that a client showed, such as x-client-cert; from anybody else it counts for nothing.'),
  tlsHeader: optional('TLS_HEADER', headerName, 'The header in which a trusted proxy says by which TLS version a request came, such as x-tls-version; set, a request without it is refused.'),
  tlsFloor: required('TLS_FLOOR', '1.2', choice(TLS_VERSIONS), 'The lowest TLS version that TLS_HEADER may name.'),
  terminologyUrl: optional('TERMINOLOGY_URL', url('https:', 'http:'), 'The base of a FHIR terminology server to ask about codes of systems that are not held here.'),
  profileDefaults: optional('PROFILE_DEFAULTS', profileDefaults, 'Profiles that every resource of a type must meet, divided by `;`: `Patient=https://…`, or `Observation[category.coding.code=\'vital-signs\']=https://…` for those of which the FHIRPath is true.'),
  unknownProfile: required('UNKNOWN_PROFILE', 'warning', choice(UNKNOWN_PROFILES), 'What a profile in meta.profile is that nobody here knows: a `warning`, which lets the write pass, or an `error`.'),
  subscriptionNetwork: required('SUBSCRIPTION_NETWORK', 'public', choice(NETWORKS), 'Where notifications of Subscriptions may go: `public` addresses by https, or also those of `private` networks, by http too. This machine itself is allowed with development tokens.'),
  subscriptionRetryMs: required('SUBSCRIPTION_RETRY_MS', '1000', integer(10, 3_600_000), 'The first pause after a notification that was not taken, in milliseconds; it doubles with each further failure, up to 300 times as long.'),
  subscriptionGiveUpMs: required('SUBSCRIPTION_GIVE_UP_MS', String(24 * 3_600_000), integer(0, 1e10), 'How long a notification is tried before it is given up and its Subscription is put in error, in milliseconds.'),
  logLevel: required('LOG_LEVEL', 'info', choice(LOG_LEVELS), `The least that is logged: ${LOG_LEVELS.join(', ')}.`),
  clockOffsetMs: required('CLOCK_OFFSET_MS', '0', integer(-1e13, 1e13), 'Shifts the server\'s clock, for tests; only with a loopback HOST.'),
} as const;

/** One checked value per setting; `dataDir` is absolute, `basePath` and `publicUrl` have no slash at the end. */
export type Config = { readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and checks all settings; an empty variable counts as unset. Throws a ConfigError that names the first bad one. */
export function readConfig(environment: Environment = process.env): Config {
  const values = Object.entries(SETTINGS).map(([key, setting]) => [key, valueOf(setting, environment)]);
  const config = Object.freeze(Object.fromEntries(values)) as Config;
  refuseContradictions(config);
  return config;
}

/** The absolute URL of the FHIR service, without a slash at the end. `port` is the one really listened on, where PORT is 0. */
export function serviceBase(config: Config, port: number = config.port): string {
  return (config.publicUrl ?? `${config.tlsCert === undefined ? 'http' : 'https'}://${linkHost(config.host)}:${port}`) + config.basePath;
}

/** Does the server listen to this machine alone? */
export const isLoopback = ({ host }: Pick<Config, 'host'>): boolean => LOOPBACK.includes(host);

/** Are the tokens of the built-in development authorization server taken? */
export const isDevelopment = ({ authIssuer, authIssuers }: Pick<Config, 'authIssuer' | 'authIssuers'>): boolean => authIssuer === undefined && authIssuers === undefined;

/** May people sign in at it, as whoever they say? */
export const mayAnybodySignIn = (config: Config): boolean => isDevelopment(config) && (config.developmentSignIn === 'on' || (config.developmentSignIn === 'loopback' && isLoopback(config)));

/** The README's table of settings, in markdown. */
export function settingsTable(): string {
  const rows = Object.values(SETTINGS).map(({ variable, fallback, sentence }) => `| \`${variable}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${sentence} |`);
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

function required<T>(variable: string, fallback: string, read: (text: string) => T, sentence: string): Setting<T> {
  return { variable, fallback, read, sentence };
}

function optional<T>(variable: string, read: (text: string) => T, sentence: string): Setting<T | undefined> {
  return { variable, fallback: undefined, read, sentence };
}

function valueOf(setting: Setting<unknown>, environment: Environment): unknown {
  const given = environment[setting.variable]?.trim();
  const text = given === undefined || given === '' ? setting.fallback : given;
  if (text === undefined) return undefined;
  try {
    return setting.read(text);
  } catch (error) {
    throw new ConfigError(`${setting.variable} must be ${(error as Error).message}; it is ${JSON.stringify(shown(setting.variable, text))}`);
  }
}

/** A database URL holds a password, and error messages end up in logs. */
function shown(variable: string, text: string): string {
  return variable === 'DATABASE_URL' ? '(not shown)' : text;
}

function refuseContradictions(config: Config): void {
  if (config.clockOffsetMs !== 0 && !isLoopback(config)) {
    throw new ConfigError(`CLOCK_OFFSET_MS is for tests and needs a loopback HOST (${LOOPBACK.join(', ')}); HOST is ${config.host}`);
  }
  if (config.vmUnsignedTokens && (!isLoopback(config) || !isDevelopment(config))) {
    throw new ConfigError(`VM_UNSIGNED_TOKENS is for a sandbox and needs a loopback HOST (${LOOPBACK.join(', ')}) and no AUTH_ISSUER`);
  }
  if (config.authIssuers !== undefined && config.authIssuer !== undefined) throw new ConfigError('AUTH_ISSUERS and AUTH_ISSUER can\'t both be set: put the issuer into the file');
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) throw new ConfigError(`TLS_CERT and TLS_KEY go together; also set ${config.tlsCert === undefined ? 'TLS_CERT' : 'TLS_KEY'}`);
  if (config.tlsClientCa !== undefined && config.tlsCert === undefined) throw new ConfigError('TLS_CLIENT_CA needs TLS_CERT and TLS_KEY: without them clients show their certificates to the proxy (CLIENT_CERT_HEADER)');
  if (config.clientCertHeader !== undefined && config.trustedProxies === undefined) throw new ConfigError('CLIENT_CERT_HEADER needs TRUSTED_PROXIES: the header of anybody else is not believed');
  if (config.clientCertHeader !== undefined && config.tlsClientCa !== undefined) throw new ConfigError('CLIENT_CERT_HEADER and TLS_CLIENT_CA can\'t both be set: clients show their certificates to the proxy, or to this server');
  const auth = { AUTH_ISSUER: config.authIssuer, AUTH_JWKS_URL: config.authJwksUrl, AUTH_AUDIENCE: config.authAudience };
  const missing = Object.entries(auth).filter(([, value]) => value === undefined).map(([variable]) => variable);
  if (missing.length > 0 && missing.length < 3) {
    throw new ConfigError(`AUTH_ISSUER, AUTH_JWKS_URL and AUTH_AUDIENCE go together; also set ${missing.join(' and ')}`);
  }
}

function linkHost(host: string): string {
  if (ANY_ADDRESS.includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most) throw new Error(`a whole number from ${least} to ${most}`);
    return value;
  };
}

function choice<const T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((one) => one === text);
    if (value === undefined) throw new Error(`one of ${values.join(', ')}`);
    return value;
  };
}

/** `Type=canonical` or `Type[FHIRPath]=canonical`, in the order given. */
function profileDefaults(text: string): readonly { readonly type: string; readonly condition: string | undefined; readonly profile: string }[] {
  return text.split(';').filter((part) => part.trim() !== '').map((part) => {
    const [, type, condition, profile] = /^\s*([A-Z][A-Za-z]+)(?:\[(.+)\])?=(\S+)\s*$/.exec(part) ?? [];
    if (type === undefined || profile === undefined) throw new Error('a list such as Patient=https://example.org/StructureDefinition/patient, divided by ;');
    return { type, condition, profile };
  });
}

/** Scheme, host and port, as browsers write them in Origin. */
function origins(text: string): readonly string[] {
  const list = text.split(',').map((one) => one.trim());
  const isOrigin = (one: string): boolean => URL.canParse(one) && /^https?:$/.test(new URL(one).protocol) && new URL(one).origin === one;
  if (list.length === 0 || !(text === '*' || list.every(isOrigin))) throw new Error('* or origins such as https://app.example.nhs.uk, divided by commas');
  return list;
}

function addresses(text: string): readonly string[] {
  const list = text.split(',').map((one) => one.trim());
  const isNetwork = (one: string): boolean => {
    const [address = '', bits, ...rest] = one.split('/');
    const most = isIP(address) === 4 ? 32 : 128;
    return isIP(address) > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  };
  if (!list.every(isNetwork)) throw new Error('addresses or networks such as 10.0.0.0/8, divided by commas');
  return list;
}

function flag(text: string): boolean {
  if (text !== '0' && text !== '1') throw new Error('0 or 1');
  return text === '1';
}

function word(text: string): string {
  if (/\s/.test(text)) throw new Error('one word without spaces');
  return text;
}

function mediaTypes(text: string): readonly string[] {
  const types = text.toLowerCase().split(',').map((type) => type.trim());
  if (!types.every((type) => /^[\w.+-]+\/(?:[\w.+-]+|\*)$/.test(type))) throw new Error('a list of media types such as application/pdf,image/*');
  return types;
}

function headerName(text: string): string {
  const name = text.toLowerCase();
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error('the name of a header');
  return name;
}

function asid(text: string): string {
  if (!/^[0-9]{1,12}$/.test(text)) throw new Error('up to 12 digits');
  return text;
}

function file(text: string): string {
  return resolve(text);
}

function directory(text: string): string {
  return resolve(text);
}

function path(text: string): string {
  const bare = text.replace(/\/+$/, '');
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(bare)) throw new Error('a path such as /fhir/R4');
  return bare;
}

function url(...protocols: readonly string[]): (text: string) => string {
  return (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) throw new Error(`a URL that begins with ${protocols.join('// or ')}//`);
    return text;
  };
}

function origin(text: string): string {
  const bare = text.replace(/\/+$/, '');
  if (!/^https?:\/\//.test(bare) || !URL.canParse(bare) || new URL(bare).search + new URL(bare).hash !== '') throw new Error('an origin such as https://fhir.example.nhs.uk');
  return bare;
}
