// The parameters of an OAuth request: each once, or not at all. https://www.rfc-editor.org/rfc/rfc6749#section-3.1
import { OAuthError } from './oauth-error.js';

/** Undefined where it is missing or empty. Throws invalid_request where it comes twice, or holds a NUL, which no column takes. */
export function once(form: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = form.getAll(name);
  if (others.length > 0) throw new OAuthError('invalid_request', `${name} is given more than once`);
  if (value?.includes('\0')) throw new OAuthError('invalid_request', `${name} holds the character NUL`);
  return value === '' ? undefined : value;
}

/** The same, and it must be there. */
export function required(form: URLSearchParams, name: string): string {
  const value = once(form, name);
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`);
  return value;
}
