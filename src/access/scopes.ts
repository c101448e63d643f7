// SMART v2 scopes: what a token's scope leaves of its role's rights. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html

const SCOPE = /^(?:patient|user|system)\/(\*|[A-Za-z]+)\.(?:(c?r?u?d?s?)|(read|write|\*))$/;
const WORDS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * A test `(type, letter)` of the scopes' own; a token without resource scopes carries all of its role's column (ruling 34).
 * Scopes that are not of the form `system/Patient.rs` (openid, launch) say nothing about resources.
 */
export function scopeTest(scopes: readonly string[]): (type: string, letter: string) => boolean {
  const granted = scopes.flatMap((scope) => {
    const match = SCOPE.exec(scope);
    return match ? [{ type: match[1] ?? '', letters: match[2] ?? WORDS[match[3] ?? ''] ?? '' }] : [];
  });
  if (granted.length === 0) return () => true;
  return (type, letter) => granted.some((grant) => (grant.type === '*' || grant.type === type) && grant.letters.includes(letter.toLowerCase()));
}
