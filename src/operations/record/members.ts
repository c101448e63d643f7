// The patients who are members of a Group now. https://hl7.org/fhir/R4/group.html
import { asObject, asObjects, asText, referenceId } from '../../fhir/elements.js';
import { fail } from '../../fhir/errors.js';
import type { Context } from '../../interactions/context.js';
import { present } from '../present.js';

/** Their ids, each once; throws what a read of the Group would. */
export async function membersOf(id: string, context: Pick<Context, 'store' | 'grant' | 'now'>): Promise<readonly string[]> {
  const { grant } = context;
  if (!grant.allows('read', 'Group')) throw fail('forbidden', { text: `The role ${grant.caller.role} may not read Group` });
  const group = await present('Group', id, context);
  const now = new Date(context.now).toISOString();
  const active = asObjects(group['member']).filter((member) => member['inactive'] !== true && (asText(asObject(member['period'])?.['end']) ?? now) >= now.slice(0, 10));
  return [...new Set(active.flatMap((member) => referenceId(member['entity'], 'Patient') ?? []))];
}
