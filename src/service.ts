// Joins the rooms into one service over a database: what main serves, what the tests drive, what the command line loads data through.
import type { App } from './app.js';
import { openPublished } from './definitions/published.js';
import { openSigner } from './identity/notification-key.js';
import type { Parts } from './interactions/context.js';
import { publishDefinitions } from './jobs/publish-definitions.js';
import { createPublication, type Publication } from './jobs/publish-standard.js';
import { startClockwork } from './service/clockwork.js';
import { openDoors } from './service/doors.js';
import type { Given } from './service/given.js';
import { makeParts, type Made } from './service/parts.js';

/** What the two programmes write most. */
const MOST_WRITTEN = ['Patient', 'Observation', 'Claim', 'Account', 'Bundle', 'Organization', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Coverage', 'CarePlan', 'Encounter', 'PaymentNotice', 'DocumentReference', 'Task', 'Consent', 'Parameters', 'StructureDefinition'];

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
export async function createService(given: Given): Promise<Service> {
  const made = await makeParts(given, { reindexQueued: () => { clockwork.wake('reindexes'); }, incomplete: (types) => publication.missing(types) });
  await publishDefinitions(given.definitions.conformanceResources, made.parts);
  const publication = publicationOf(given, made);
  const signer = await openSigner(given.database);
  const doors = openDoors(given, made, { signer, wake: (queue) => { clockwork.wake(queue); } });
  const { app, performLater } = doors;
  const clockwork = await startClockwork(given, made, { signer, performLater, port: () => listeningPort(app) });
  return {
    app,
    parts: made.parts,
    preparation: () => preparationOf(made),
    publish: async ({ all } = { all: false }) => {
      await publication.look();
      const done = publication.run();
      if (all) await done;
    },
    stop: async () => {
      doors.stop();
      await Promise.all([publication.stop(), clockwork.stop()]);
    },
  };
}

const publicationOf = ({ definitions, log }: Given, { parts }: Made): Publication => createPublication({
  ...parts, published: openPublished(), own: definitions.conformanceResources,
  onFailure: (error) => { log.error({ err: error }, "HL7's definitions could not be stored; tried again soon"); },
});

function* preparationOf({ validator, profiles }: Made): Generator<void> {
  yield* validator.preparation(MOST_WRITTEN);
  yield* profiles.preparation();
}

function listeningPort(app: App): number | undefined {
  const address = app.server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
