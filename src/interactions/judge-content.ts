// May this stand as a resource? It must be FHIR, and meet the profiles that it claims.
import { failWith } from '../fhir/errors.js';
import type { Issue } from '../fhir/issue.js';
import type { Write } from '../store/rule.js';
import { placed, type Asked } from './asked.js';
import type { Context } from './context.js';

/** Is it FHIR? */
export function judgeContent(asked: Asked, write: Write, context: Context): void {
  if (!write.after) return;
  const faults = context.parts.validate(write.after).filter((issue) => issue.severity === 'error' || issue.severity === 'fatal');
  if (faults.length === 0) return;
  // A patch that would make it invalid: https://www.rfc-editor.org/rfc/rfc5789#section-2.2. Its text was never the caller's: no line or column.
  if (asked.method === 'PATCH') throw failWith(422, faults);
  // 400 for what base FHIR does not allow; 422 is for profiles and the rules of the service. https://hl7.org/fhir/R4/http.html#create
  throw failWith(400, asked.document ? placed(faults, asked.document) : faults);
}

/** Does it meet the profiles it claims and its content demands? Asked after the rules of the domain, whose words say more. */
export function checkProfiles(asked: Asked, { after }: Write, context: Context): void | Promise<void> {
  if (!after) return;
  const found = context.parts.profiles.check(after);
  if (found instanceof Promise) return found.then((issues) => { refuseFaults(issues, asked); });
  refuseFaults(found, asked);
}

function refuseFaults(issues: readonly Issue[], { method, document }: Asked): void {
  const faults = issues.filter(({ severity }) => severity === 'error');
  if (faults.length > 0) throw failWith(422, document && method !== 'PATCH' ? placed(faults, document) : faults);
}
