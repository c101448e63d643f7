// The command line: serve, migrate, doctor, token, client, demo, feed, terminology. Thin: each command reads the settings and calls the same parts as the server.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ConfigError, isDevelopment, readConfig } from './config.js';
import { SILENT } from './db/log.js';
import { ROLES, type Role } from './fhir/caller.js';
import type { Client } from './identity/client.js';
import type { Clients } from './identity/clients.js';
import { developmentKeys } from './identity/development-keys.js';
import { issueToken } from './identity/issue-token.js';
import { BadRegistration, readRegistration } from './identity/registration.js';
import type { DirectoryOptions, ImportOptions } from './directory-file.js';
import type { FeedOptions } from './feed-file.js';
import type { Progress } from './progress.js';

const MISUSE = 2;
const FAILURE = 1;

interface TokenOptions {
  readonly role: Role;
  readonly patient?: string;
  readonly relatedPerson?: string;
  readonly organization?: string;
  readonly practitionerRole?: string;
  readonly scope?: string;
  readonly client?: string;
  readonly expiresIn?: number;
}

/** The server's parts are loaded only for the commands that need them: `token` is to be quick. */
async function serveCommand(): Promise<void> {
  const config = readConfig();
  const { serve } = await import('./main.js');
  await serve(config);
}

/** What the server does at its start, and nothing more: for a database that a newer server is about to use. */
async function migrateCommand(): Promise<void> {
  const config = readConfig();
  const { openStorage } = await import('./main.js');
  const { database, embedded } = await openStorage(config, SILENT);
  await database.close();
  await embedded?.stop();
  console.log('The database is up to date.');
}

/** Reads only. Says on which budgets the money does not add up; fails where there is one. */
async function doctorCommand(): Promise<void> {
  const config = readConfig();
  const [{ openStorage }, { examineBudgets }] = await Promise.all([import('./main.js'), import('./budgets/doctor.js')]);
  const { database, embedded } = await openStorage(config, SILENT);
  try {
    const { budgets, differences } = await examineBudgets(database);
    for (const { account, text } of differences) console.error(`Account/${account}: ${text}`);
    if (differences.length > 0) throw new Error(`${differences.length} differences in ${new Set(differences.map(({ account }) => account)).size} of ${budgets} budgets.`);
    console.log(`The ledger agrees with every total: ${budgets} budgets.`);
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

async function tokenCommand(options: TokenOptions): Promise<void> {
  const config = readConfig();
  const { dataDir, authIssuer, authIssuers, clockOffsetMs } = config;
  if (!isDevelopment(config)) throw new ConfigError(`${authIssuer === undefined ? 'AUTH_ISSUERS' : 'AUTH_ISSUER'} is set, so this server takes only the tokens of ${authIssuer ?? `the issuers in ${authIssuers}`}`);
  const { expiresIn, ...request } = options;
  const context = { keys: await developmentKeys(dataDir), now: Date.now() + clockOffsetMs, tokenId: randomUUID() };
  console.log(await issueToken({ ...request, ...(expiresIn === undefined ? {} : { lifetimeSeconds: expiresIn }) }, context));
}

async function demoCommand({ patients }: { readonly patients: number }): Promise<void> {
  const { loadDemo } = await import('./demo.js');
  await loadDemo(readConfig(), patients);
}

/** Into the database that the settings name; a server that runs on it answers from it at once. */
async function terminologyLoadCommand(path: string, options: { readonly system?: string; readonly version?: string; readonly name?: string }): Promise<void> {
  const [{ openStorage }, { loadTerminology }, { startProgress }] = await Promise.all([import('./main.js'), import('./terminology/load/load-terminology.js'), import('./progress.js')]);
  const { database, embedded } = await openStorage(readConfig(), SILENT);
  let progress: Progress | undefined;
  try {
    const loaded = await loadTerminology({ path, ...options }, {
      database,
      now: Date.now(),
      onStart: (bytes) => { progress = startProgress('bytes read', bytes); },
      onBytes: (count) => { progress?.add(count); },
    });
    progress?.end();
    console.log(`${loaded.concepts} concepts of ${loaded.system}, version ${loaded.version}, are loaded.`);
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

interface ClientOptions {
  readonly name?: string;
  readonly role: readonly string[];
  readonly organization?: string;
  readonly asid?: string;
  readonly interaction?: readonly string[];
  readonly issuer?: string;
  readonly jwks?: string;
  readonly jwksUri?: string;
  readonly scope?: string;
  readonly rate?: number;
  readonly redirectUri?: readonly string[];
  readonly public?: true;
  readonly certificateBound?: true;
}

/** The register in the database that the settings name; a server that runs on it knows of a change within a second. */
async function withClients(work: (clients: Clients) => Promise<void>): Promise<void> {
  const [{ openStorage }, { createClients }] = await Promise.all([import('./main.js'), import('./identity/clients.js')]);
  const { database, embedded } = await openStorage(readConfig(), SILENT);
  try {
    await work(createClients({ db: database, clock: Date.now, development: false }));
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

async function clientAddCommand(id: string, { role, interaction, jwks, redirectUri, ...rest }: ClientOptions): Promise<void> {
  const registration = { ...rest, roles: role, ...(redirectUri && { redirectUris: redirectUri }), ...(interaction && { interactions: interaction }), ...(jwks !== undefined && { jwks: await readJsonFile(jwks) }) };
  const client = readRegistration(id, registration);
  await withClients((clients) => clients.put(client));
  console.log(`The client ${id} is registered.`);
}

async function clientListCommand(): Promise<void> {
  await withClients(async (clients) => { console.log(JSON.stringify(await clients.all(), null, 2)); });
}

async function clientShowCommand(id: string): Promise<void> {
  await withClients(async (clients) => { console.log(JSON.stringify(await registered(id, clients), null, 2)); });
}

/** New keys in the place of the old, which count no more from the next request on: keys at a URL are rotated there. */
async function clientKeysCommand(id: string, { jwks, jwksUri }: Pick<ClientOptions, 'jwks' | 'jwksUri'>): Promise<void> {
  if ((jwks === undefined) === (jwksUri === undefined)) throw new ConfigError('Say where the new keys are: --jwks or --jwks-uri');
  const keys = jwks === undefined ? { jwksUri } : { jwks: await readJsonFile(jwks) };
  await withClients(async (clients) => {
    const { jwks: _old, jwksUri: _at, ...rest } = await registered(id, clients);
    await clients.put(readRegistration(id, { ...rest, ...keys }));
  });
  console.log(`The client ${id} has new keys.`);
}

async function registered(id: string, clients: Clients): Promise<Client> {
  const client = await clients.find(id);
  if (client === undefined) throw new Error(`No client ${id} has been registered`);
  return client;
}

async function clientSwitchCommand(id: string, active: boolean): Promise<void> {
  await withClients(async (clients) => {
    await clients.put({ ...(await registered(id, clients)), active });
  });
  console.log(`The client ${id} is switched ${active ? 'on' : 'off'}.`);
}

async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} can't be read as JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function feedCommand(options: FeedOptions): Promise<void> {
  const { feedFile } = await import('./feed-file.js');
  await feedFile(readConfig(), options, (line) => { console.log(line); });
}

async function defineFeedCommand(_own: unknown, command: Command): Promise<void> {
  // A name that the command above knows too is read by it.
  const { file, url, token } = command.optsWithGlobals<Partial<FeedOptions>>();
  if (file === undefined) throw new ConfigError('Say which file holds the definition: --file');
  const { defineFeed } = await import('./feed-file.js');
  await defineFeed(readConfig(), file, { ...(url !== undefined && { url }), ...(token !== undefined && { token }) }, (line) => { console.log(line); });
}

/** Seals what is due, then walks the chain: a fault ends the command with 1. */
async function auditVerifyCommand({ head }: { readonly head?: string }): Promise<void> {
  const [{ openStorage }, { sealAll }, { verifyTrail }] = await Promise.all([import('./main.js'), import('./audit/seal.js'), import('./audit/verify.js')]);
  const { database, embedded } = await openStorage(readConfig(), SILENT);
  try {
    await sealAll(database);
    const verified = await verifyTrail(database, head);
    if (verified.fault !== undefined) throw new Error(`The audit trail is broken: ${verified.fault}.`);
    console.log(`The audit trail is whole: ${verified.events} events. Its head is ${verified.head}; note it elsewhere, and give it with --head next time.`);
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

async function importDirectoryCommand(options: ImportOptions): Promise<void> {
  const { importDirectory } = await import('./directory-file.js');
  await importDirectory(readConfig(), options, (line) => { console.log(line); });
}

async function exportDirectoryCommand(options: DirectoryOptions): Promise<void> {
  const { exportDirectory } = await import('./directory-file.js');
  await exportDirectory(readConfig(), options, (line) => { console.log(line); });
}

function directoryReference(text: string): string {
  if (!/^List\/[A-Za-z0-9.-]{1,64}$/.test(text)) throw new InvalidArgumentError('Name the directory as List/[id].');
  return text;
}

function logicalId(text: string): string {
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(text)) throw new InvalidArgumentError('An id is 1 to 64 characters out of A-Z, a-z, 0-9, - and .');
  return text;
}

function word(text: string): string {
  if (!/^\S+$/.test(text)) throw new InvalidArgumentError('Give one word without spaces.');
  return text;
}

function seconds(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw new InvalidArgumentError('Give a whole number of seconds.');
  return Number(text);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 to 999999.');
  return Number(text);
}

function createProgram(): Command {
  const program = new Command('entitle-fhir').description('A FHIR R4 server for NHS chargeable status and personal health budgets').exitOverride().showHelpAfterError();
  program.command('serve', { isDefault: true }).description('start the server; settings come from the environment').action(serveCommand);
  program.command('migrate').description('bring the tables of the database up to date').action(migrateCommand);
  program.command('doctor').description('check that the money of all budgets adds up').action(doctorCommand);
  program.command('token').description('print a bearer token of the built-in development authorization server')
    .addOption(new Option('--role <role>', 'what the bearer is').choices(ROLES).makeOptionMandatory())
    .option('--patient <id>', 'the Patient the bearer is', logicalId)
    .option('--related-person <id>', 'the RelatedPerson the bearer is', logicalId)
    .option('--organization <ods>', 'ODS code of the bearer\'s organisation', word)
    .option('--practitioner-role <id>', 'the PractitionerRole the bearer acts in', logicalId)
    .option('--scope <scopes>', 'narrows what the role may do, e.g. "system/Patient.read"')
    .option('--client <id>', 'the OAuth client (default: development)', word)
    .option('--expires-in <seconds>', 'how long it lasts (default: thirty days)', seconds)
    .action(tokenCommand);
  addClientCommands(program.command('client').description('the client systems that may ask, as an administrator registers them'));
  program.command('demo').description('load made-up patients, their statuses and their budgets into the running server')
    .option('--patients <count>', 'how many', count, 1000)
    .action(demoCommand);
  const feed = program.command('feed').description('take in a file of statements of the Home Office or of a further feed, into the database of the settings or over --url')
    .option('--file <path>', 'CSV (.csv) or NDJSON')
    .option('--source <code>', 'whose statements they are: HO or the code of a feed', word, 'HO')
    .addOption(new Option('--mode <mode>', 'does the file say what is new, or all there is').choices(['delta', 'full']).default('delta'))
    .option('--job <id>', 'follow this job to its end instead: one that was broken off goes on where it was', logicalId)
    .option('--url <base>', 'the FHIR service to send it to', word)
    .option('--token <token>', 'a bearer token for it', word)
    .action(feedCommand);
  feed.command('define').description('define a feed: --file holds the Parameters of $define-feed').action(defineFeedCommand);
  addDirectoryCommands(program.command('directory').description('what budgets can buy, as a CSV file: in the database of the settings or over --url'));
  program.command('terminology').description('code systems that are too large for memory')
    .command('load <path>').description('load a SNOMED CT release (the folder of its RF2 snapshot) or a CSV file with the columns code, display, and perhaps definition, parent, synonym, active and properties')
    .option('--system <url>', 'canonical URL of the code system', word)
    .option('--version <version>', 'its version; one that is there already is replaced', word)
    .option('--name <name>', 'what it is called')
    .action(terminologyLoadCommand);
  program.command('audit').description('the record of who did what')
    .command('verify').description('walk the chain that seals the record, and name the first event that is not as it was recorded')
    .option('--head <head>', 'what an earlier run said the head was: the chain must still hold it', word)
    .action(auditVerifyCommand);
  return program;
}

function addDirectoryCommands(directory: Command): void {
  const both = (command: Command): Command => command
    .requiredOption('--file <path>', 'the CSV file; its columns are code,name,category,type,provider,active,comment,location,area,price,unit,from,until')
    .requiredOption('--directory <list>', 'the directory, as List/[id]', directoryReference)
    .option('--url <base>', 'the FHIR service that has it', word)
    .option('--token <token>', 'a bearer token for it', word);
  both(directory.command('import')).description('make and change entries as the file says, by their code; those that are as it says are left alone')
    .option('--all-or-nothing', 'import nothing where one line is refused')
    .action(importDirectoryCommand);
  both(directory.command('export')).description('write all entries to the file').action(exportDirectoryCommand);
}

function addClientCommands(client: Command): void {
  client.command('add <id>').description('register a client, or replace what is registered of it')
    .addOption(new Option('--role <roles...>', 'in which roles it comes').choices(ROLES).makeOptionMandatory())
    .option('--name <name>', 'what it is called (default: its id)')
    .option('--organization <ods>', 'ODS code of the organisation it speaks for', word)
    .option('--asid <asid>', 'its Accredited System ID; a supplier must have one', word)
    .option('--interaction <ids...>', 'Spine ids of the interactions that a supplier is accredited for; * for all')
    .option('--issuer <iss>', 'iss of the tokens that it signs itself (default: its id)', word)
    .option('--jwks <file>', 'its public keys, as a JWK Set')
    .option('--jwks-uri <url>', 'where its public keys are', word)
    .option('--scope <scopes>', 'the most it may ask for, e.g. "system/Observation.rs"')
    .option('--rate <count>', 'requests per second', count)
    .option('--redirect-uri <urls...>', 'where people who sign in by it are sent back to')
    .option('--public', 'an app that can keep no key')
    .option('--certificate-bound', 'its tokens are bound to the certificate it connects with')
    .action(clientAddCommand);
  client.command('list').description('print all clients as JSON').action(clientListCommand);
  client.command('show <id>').description('print one client as JSON').action(clientShowCommand);
  client.command('keys <id>').description('give a client new keys; the old ones count no more')
    .option('--jwks <file>', 'its public keys, as a JWK Set')
    .option('--jwks-uri <url>', 'where its public keys are', word)
    .action(clientKeysCommand);
  client.command('disable <id>').description('switch a client off: its tokens are refused from the next request on').action((id: string) => clientSwitchCommand(id, false));
  client.command('enable <id>').description('switch a client on again').action((id: string) => clientSwitchCommand(id, true));
}

async function run(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    // Commander has said its words already; help and version end with 0.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : MISUSE;
    else {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = error instanceof ConfigError || error instanceof BadRegistration ? MISUSE : FAILURE;
    }
  }
}

await run();
