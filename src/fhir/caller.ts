// Who is asking: what a verified token says, and nothing more.

export const ROLES = [
  'admin', 'patient', 'nominee', 'care-coordinator', 'broker', 'budget-manager', 'commissioner', 'provider',
  'third-party', 'practice', 'ovm', 'supplier', 'home-office', 'feed',
] as const;
export type Role = (typeof ROLES)[number];

/** A verified caller. Everything access decides, it decides from this and the request. */
export interface Caller {
  readonly role: Role;
  /** The OAuth client that was given the token. */
  readonly client: string;
  readonly subject: string;
  /** As the token has them; empty where it names none, and then it carries all of its role's column. Words that are no scope of resources grant nothing. */
  readonly scopes: readonly string[];
  /** Logical ids, where the token names them. */
  readonly patient?: string;
  readonly relatedPerson?: string;
  readonly practitionerRole?: string;
  /** ODS code of the caller's organisation. */
  readonly organization?: string;
  /** SHA-256 of the certificate that the token is bound to, in base64url. */
  readonly certificate?: string;
  /** The claims that say who asks for whom and why, as the V&M API has them; not yet judged. */
  readonly audit?: Readonly<Record<string, unknown>>;
}
