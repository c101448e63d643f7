// The page of the development authorization server on which a developer says who signs in. Plain HTML, no script.
import { REQUEST_PARAMETERS, type AnswerTo } from './authorization-request.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const FIELDS: readonly (readonly [name: string, label: string])[] = [
  ['patient', 'Patient (logical id): who signs in, or whose record is opened'],
  ['organization', 'Organisation (ODS code)'],
  ['practitioner_role', 'PractitionerRole (logical id)'],
  ['related_person', 'RelatedPerson (logical id), for a nominee'],
  ['encounter', 'Encounter (logical id)'],
];

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head><body><main><h1>${escaped(title)}</h1>${body}</main></body></html>`;

/** `scope` is what would be granted; `problem` what was wrong with the form before. */
export function signInPage(form: URLSearchParams, { client }: AnswerTo, scope: string, problem?: string): string {
  const kept = REQUEST_PARAMETERS.flatMap((name) => form.getAll(name).map((value) => `<input type="hidden" name="${name}" value="${escaped(value)}">`)).join('');
  const roles = client.roles.map((role) => `<option${role === form.get('role') ? ' selected' : ''}>${role}</option>`).join('');
  const fields = FIELDS.map(([name, label]) => `<p><label>${label}<br><input name="${name}" value="${escaped(form.get(name) ?? '')}" autocomplete="off"></label></p>`).join('');
  return page('Sign in for development', `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
<p>${escaped(client.name)} asks for: ${escaped(scope)}</p>
<form method="post">${kept}<p><label>Role<br><select name="role">${roles}</select></label></p>${fields}
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Refuse</button></p></form>`);
}

/** For what can't be sent back to the app. */
export const faultPage = (words: string): string => page('This sign-in can not go on', `<p role="alert">${escaped(words)}</p>`);
