// What a single write of a statement meets, the Home Office's or a further feed's: whose it is, its key, its patient, its conflicts.
import { fail, type FhirError } from '../../fhir/errors.js';
import type { Resource } from '../../fhir/resource.js';
import type { Write, WriteContext } from '../../store/rule.js';
import { withAssertion } from '../status/assertion.js';
import type { NonePolicy } from '../status/effective-status.js';
import { refuse } from '../../fhir/faults.js';
import { feedByCode, feedOfClient } from './feed-definition.js';
import { changeAssertions } from '../status/patient-status.js';
import { placeAll } from './placing.js';
import { conflictId, conflictTask, quarantineTask } from './quarantine.js';
import { assertionOf, claimOf, saysTheSame, sourceNamed, statementFaults, statementKey } from './statement.js';
import { keepConflicts, locateStatement, registerStatements, takeKeys } from './statement-register.js';
import { feedSource, HOME_OFFICE, type StatementSource } from './statement-source.js';

export type StatementMark = StatementSource['mark'];

/** The source in whose name a caller writes this statement: it follows from the caller, not from what the resource says. 403 for another's. */
export async function sourceFor(statement: Resource, mark: StatementMark, { caller, tx }: Pick<WriteContext, 'caller' | 'tx'>): Promise<StatementSource> {
  if (mark === 'ho-status') return HOME_OFFICE;
  const named = sourceNamed(statement);
  if (caller.role !== 'feed') {
    const feed = named === undefined ? undefined : await feedByCode(tx.db, named);
    if (feed) return feedSource(feed);
    throw fail('code-invalid', { text: 'No feed is defined for the system of this key: define it with $define-feed', expression: 'Observation.identifier.system' });
  }
  const own = await feedOfClient(tx.db, caller.client);
  if (!own) throw noFeed(caller.client);
  if (named !== undefined && named !== own.code) throw otherFeed(own.code);
  return feedSource(own);
}

export const noFeed = (client: string): FhirError => fail('forbidden', { text: `No feed is registered for the client ${client.slice(0, 64)}: ask for it to be defined` });
export const otherFeed = (own: string): FhirError => fail('forbidden', { text: `Your client is that of the feed ${own}, which speaks for no other source` });

export async function checkNewStatement(statement: Resource, mark: StatementMark, context: WriteContext): Promise<void> {
  const source = await sourceFor(statement, mark, context);
  refuse(statementFaults(statement, source, context.now));
  const key = statementKey(statement, source.keySystem) ?? '';
  if ((await takeKeys(context.tx.db, source.code, [{ key, statement: statement.id ?? '' }])).size === 1) return;
  throw fail('duplicate', { text: 'There is a statement under this key: deliver it with If-None-Exist, and a changed status under a new key', expression: 'Observation.identifier' });
}

/** A statement that came again: with other content it is kept aside, once, for a person to look at. */
export async function keepConflict(write: Write, existing: Resource, mark: StatementMark, context: WriteContext): Promise<void> {
  const source = await sourceFor(existing, mark, context);
  if (!write.after || saysTheSame(existing, write.after)) return;
  const text = write.document?.text.slice(write.document.start, write.document.end) ?? '';
  const key = statementKey(existing, source.keySystem) ?? '';
  const id = conflictId(source.code, key, text);
  const kept = await keepConflicts(context.tx.db, [{ key, id, text }], context.now);
  if (kept.has(id)) await context.put(conflictTask(id, existing.id ?? '', text, context.now));
}

/** After the statement is stored: it goes to its patient, or waits for one. */
export async function applyStatement(write: Write, statement: Resource, mark: StatementMark, context: WriteContext, nonePolicy: NonePolicy): Promise<void> {
  const { tx: { db }, now } = context;
  const known = write.before ? await locateStatement(db, write.id) : undefined;
  const claim = known ? known.claim ?? claimOf(statement, HOME_OFFICE) : undefined;
  if (known && claim) {
    if (known.patient !== undefined) await add(known.patient, known.received, claim);
    return;
  }
  const source = await sourceFor(statement, mark, context);
  const said = claimOf(statement, source);
  const [placed] = await placeAll(db, [statement]);
  await registerStatements(db, source.code, [{ id: write.id, number: placed?.number, person: placed?.person, patient: placed?.patient, claim: said }], now);
  if (placed?.patient !== undefined) await add(placed.patient, now, said);
  else if (placed?.why) await context.put(quarantineTask(write.id, placed.why, now));

  async function add(patient: string, received: number, asserted: typeof claim & object): Promise<void> {
    context.about(patient);
    await changeAssertions(patient, (list) => withAssertion(list, assertionOf(statement, asserted, received)), context, nonePolicy);
  }
}
