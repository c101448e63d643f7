// Which of the scopes that a client asks for it is given. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { OAuthError } from './oauth-error.js';

const SYSTEM_SCOPE = /^system\/(\*|[A-Z][A-Za-z]*)\.(read|write|\*|(?=[cruds])c?r?u?d?s?)$/;
const LETTERS = 'cruds';
const WORDS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

interface Scope {
  readonly type: string;
  readonly letters: string;
}

/** Everything that a role has: what a token says when the client asks for nothing less. */
export const EVERYTHING = 'system/*.cruds';

/**
 * The scopes of the token: those asked for, cut to the registered ones. Never none: a token that says nothing would say everything.
 * Throws an OAuthError invalid_scope for words that are no system scope, and when nothing is left.
 */
export function grantScope(asked: string | undefined, registered: string | undefined): string {
  const most = parse(registered ?? EVERYTHING);
  const granted = asked === undefined ? most : parse(asked).flatMap((one) => most.flatMap((limit) => cut(one, limit)));
  if (granted.length === 0) throw new OAuthError('invalid_scope', 'None of the scopes asked for is registered for this client');
  return [...new Set(granted.map(({ type, letters }) => `system/${type}.${letters}`))].join(' ');
}

function parse(text: string): Scope[] {
  return text.split(' ').filter((word) => word !== '').map((word) => {
    const [, type, letters] = SYSTEM_SCOPE.exec(word) ?? [];
    if (type === undefined || letters === undefined) throw new OAuthError('invalid_scope', `A client without a user asks for scopes such as system/Observation.rs, not ${word.slice(0, 60)}`);
    return { type, letters: WORDS[letters] ?? letters };
  });
}

function cut(asked: Scope, limit: Scope): Scope[] {
  if (asked.type !== '*' && limit.type !== '*' && asked.type !== limit.type) return [];
  const letters = Array.from(LETTERS).filter((letter) => asked.letters.includes(letter) && limit.letters.includes(letter)).join('');
  return letters === '' ? [] : [{ type: asked.type === '*' ? limit.type : asked.type, letters }];
}
