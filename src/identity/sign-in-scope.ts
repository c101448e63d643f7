// Which scopes a client gets when somebody signs in by it: those about the sign-in, and those of resources within its registration.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { readScope, scopeText, type SmartScope } from '../fhir/smart-scope.js';
import { cutAll } from './grant-scope.js';
import { OAuthError } from './oauth-error.js';

/** Scopes of the sign-in itself. */
export const SIGN_IN_SCOPES: readonly string[] = ['openid', 'fhirUser', 'profile', 'launch', 'launch/patient', 'launch/encounter', 'offline_access', 'online_access'];

const MOST = 'patient/*.cruds user/*.cruds';

/** Words that are no scope are left out, as are those of systems: the answer says what was granted. Throws invalid_scope when nothing is left. */
export function grantSignInScope(asked: string, registered: string | undefined): string {
  const words = asked.split(' ').filter((word) => word !== '');
  const most = scopesIn((registered ?? MOST).split(' '));
  const granted = cutAll(scopesIn(words).filter(({ level }) => level !== 'system'), most);
  const all = [...words.filter((word) => SIGN_IN_SCOPES.includes(word)), ...granted.map(scopeText)];
  if (all.length === 0) throw new OAuthError('invalid_scope', 'None of the scopes asked for can be granted: ask for such as openid, launch/patient or patient/*.rs');
  return [...new Set(all)].join(' ');
}

/** What a refresh is given: no more than before. */
export function narrowScope(asked: string | undefined, before: string): string {
  if (asked === undefined) return before;
  const words = asked.split(' ').filter((word) => word !== '');
  const had = before.split(' ');
  const sameWords = words.filter((word) => SIGN_IN_SCOPES.includes(word));
  const cut = words.flatMap((word) => {
    const scope = readScope(word);
    return scope ? cutAll([scope], scopesIn(had)) : [];
  });
  if (words.length === 0 || sameWords.some((word) => !had.includes(word)) || sameWords.length + words.filter(readScope).length < words.length || (cut.length === 0 && sameWords.length < words.length))
    throw new OAuthError('invalid_scope', 'A refresh asks for the scopes that were granted, or for fewer');
  return [...new Set([...sameWords, ...cut.map(scopeText)])].join(' ');
}

const scopesIn = (words: readonly string[]): SmartScope[] => words.map(readScope).filter((scope) => scope !== undefined);
