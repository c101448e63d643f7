// Which of the scopes that a client asks for it is given. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { cutScope, readScope, scopeText, type SmartScope } from '../fhir/smart-scope.js';
import { OAuthError } from './oauth-error.js';

/** Everything that a role has: what a token says when the client asks for nothing less. */
export const EVERYTHING = 'system/*.cruds';

/**
 * The scopes of a token without a user: those asked for, cut to the registered ones. Never none: a token that says nothing would say everything.
 * Throws an OAuthError invalid_scope for words that are no system scope, and when nothing is left.
 */
export function grantScope(asked: string | undefined, registered: string | undefined): string {
  const most = systemScopes(registered ?? EVERYTHING);
  const granted = asked === undefined ? most : cutAll(systemScopes(asked), most);
  if (granted.length === 0) throw new OAuthError('invalid_scope', 'None of the scopes asked for is registered for this client');
  return [...new Set(granted.map(scopeText))].join(' ');
}

const LEVELS: readonly SmartScope['level'][] = ['patient', 'user', 'system'];

/** What both lists allow, each scope at the level it was asked for: a patient's rows are among a user's, and those among a system's. */
export const cutAll = (asked: readonly SmartScope[], most: readonly SmartScope[]): SmartScope[] =>
  asked.flatMap((one) => most.filter(({ level }) => LEVELS.indexOf(level) >= LEVELS.indexOf(one.level)).map((limit) => cutScope(one, limit)).filter((cut) => cut !== undefined));

/** A registration may name scopes of people's too, for when somebody signs in by this client: without anybody they are none. */
function systemScopes(text: string): SmartScope[] {
  return text.split(' ').filter((word) => word !== '').map((word) => {
    const scope = readScope(word);
    if (scope?.level !== 'system') throw new OAuthError('invalid_scope', `A client without a user asks for scopes such as system/Observation.rs, not ${word.slice(0, 60)}`);
    return scope;
  });
}
