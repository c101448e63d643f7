// Whom a token of an external issuer stands for, by the rules of its configuration. What no rule knows is refused.
import type { JWTPayload } from 'jose';
import type { Caller, Role } from '../fhir/caller.js';
import { fail } from '../fhir/errors.js';
import { isId } from '../fhir/id.js';
import { BadClaim, certificateIn } from './caller-claims.js';
import type { Clients } from './clients.js';
import type { Cis2Mapping, ExternalIssuer, IssuerRule, Named, RuleScope } from './external-issuer.js';
import { EXTERNAL_ALGORITHMS } from './external-issuer.js';
import { issuerKeys } from './issuer-keys.js';
import type { TrustedIssuer } from './trusted-issuer.js';

export interface MappingParts {
  readonly clients: Pick<Clients, 'find'>;
  /** The logical id of the one resource of a type with this identifier; undefined where there is none, or more. */
  readonly find: (type: string, system: string, value: string) => Promise<string | undefined>;
}

/** The claims of staff and their roles. https://digital.nhs.uk/services/care-identity-service */
const ROLE_PROFILE = 'https://fhir.nhs.uk/Id/sds-role-profile-id';

const TOLERANCE_SECONDS = 5;

export function trusted(external: ExternalIssuer, parts: MappingParts): TrustedIssuer {
  const { issuer, audiences, algorithms, jwksUrl, rules, cis2 } = external;
  const common = { issuer, audiences, algorithms, keyOf: issuerKeys(issuer, jwksUrl), toleranceSeconds: TOLERANCE_SECONDS };
  if (rules) return { ...common, callerOf: (claims) => byRules(claims, rules, parts) };
  return cis2 ? { ...common, callerOf: (claims, roleProfile) => byRole(claims, roleProfile, cis2, parts) } : common;
}

/** One issuer whose tokens carry our claims. */
export const plainIssuer = (external: { readonly issuer: string; readonly jwksUrl: string; readonly audience: string }): ExternalIssuer =>
  ({ issuer: external.issuer, audiences: [external.audience], jwksUrl: external.jwksUrl, algorithms: EXTERNAL_ALGORITHMS, rules: undefined, cis2: undefined });

async function byRules(claims: JWTPayload, rules: readonly IssuerRule[], parts: MappingParts): Promise<Caller> {
  const rule = rules.find(({ when }) => Object.entries(when).every(([claim, values]) => holds(claims[claim], values)));
  if (!rule) throw fail('forbidden', { text: 'The token is of nobody that this service knows: none of the rules for its issuer holds of it' });
  const client = rule.client === undefined ? clientIn(claims) : textIn(claims, rule.client);
  if (client === undefined) throw new BadClaim('the token names no client');
  const { role, organization } = rule.role === 'registered' ? await registered(client, parts) : { role: rule.role, organization: undefined };
  const own = rule.organization === undefined ? organization : textIn(claims, rule.organization);
  const [patient, practitionerRole, relatedPerson] = await Promise.all([
    resolve('Patient', rule.patient, claims, parts), resolve('PractitionerRole', rule.practitionerRole, claims, parts), resolve('RelatedPerson', rule.relatedPerson, claims, parts),
  ]);
  return Object.freeze({
    role, client, subject: claims.sub ?? client, scopes: scopesOf(rule.scope, claims), ...certificateIn(claims),
    ...(own !== undefined && { organization: own }), ...(patient !== undefined && { patient }), ...(practitionerRole !== undefined && { practitionerRole }), ...(relatedPerson !== undefined && { relatedPerson }),
  });
}

function holds(claim: unknown, values: readonly string[]): boolean {
  const said: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return said.some((one) => typeof one === 'string' && values.some((value) => (value.endsWith('*') ? one.startsWith(value.slice(0, -1)) : one === value)));
}

/** Application-restricted: an application is what an administrator registered it as. */
async function registered(id: string, { clients }: MappingParts): Promise<{ role: Role; organization: string | undefined }> {
  const client = await clients.find(id);
  if (client === undefined) throw fail('forbidden', { text: 'The client of this token is not registered here: an administrator registers it' });
  const [role, ...others] = client.roles;
  if (role === undefined || others.length > 0) throw fail('forbidden', { text: 'The client of this token is registered for several roles, and the token does not say which' });
  return { role, organization: client.organization };
}

async function resolve(type: string, named: Named | undefined, claims: JWTPayload, { find }: MappingParts): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const value = textIn(claims, 'id' in named ? named.id : named.value);
  if (value === undefined) throw new BadClaim(`the token does not say which ${type} it is about`);
  const id = 'id' in named ? value : await find(type, named.system, value);
  if (id === undefined || !isId(id)) throw fail('forbidden', { text: `The ${type} of this token is not known here` });
  return id;
}

interface StaffRole {
  readonly profile: string;
  readonly code: string;
  readonly organization: string | undefined;
  readonly activities: readonly string[];
}

async function byRole(claims: JWTPayload, roleProfile: string | undefined, { roles, scope }: Cis2Mapping, { find }: MappingParts): Promise<Caller> {
  const acting = actingRole(staffRoles(claims), roleProfile ?? textIn(claims, 'selected_roleid'));
  const role = mapped(roles, acting.code) ?? mapped(roles, acting.code.slice(acting.code.lastIndexOf(':') + 1));
  if (role === undefined) throw fail('forbidden', { text: `The national role ${acting.code} has no role in this service` });
  const subject = textIn(claims, 'nhsid_useruid') ?? claims.sub;
  if (subject === undefined) throw new BadClaim('the token names no member of staff (nhsid_useruid)');
  const practitionerRole = await find('PractitionerRole', ROLE_PROFILE, acting.profile);
  return Object.freeze({
    role, client: clientIn(claims) ?? subject, subject, scopes: [...scopesOf(scope, claims), ...acting.activities], ...certificateIn(claims),
    ...(acting.organization !== undefined && { organization: acting.organization }), ...(practitionerRole !== undefined && { practitionerRole }),
  });
}

const mapped = (roles: Cis2Mapping['roles'], code: string): Role | undefined => (Object.hasOwn(roles, code) ? roles[code] : undefined);

function staffRoles({ nhsid_nrbac_roles: list }: JWTPayload): readonly StaffRole[] {
  if (!Array.isArray(list)) throw new BadClaim('the token names no roles of staff (nhsid_nrbac_roles)');
  return list.flatMap((one: unknown) => {
    const { person_roleid: profile, role_code: code, org_code: organization, activity_codes: activities } = (typeof one === 'object' && one !== null ? one : {}) as Readonly<Record<string, unknown>>;
    if (typeof profile !== 'string' || typeof code !== 'string') return [];
    const codes = Array.isArray(activities) ? activities.filter((activity): activity is string => typeof activity === 'string' && /^B\d{4}$/.test(activity)) : [];
    return [{ profile, code, organization: typeof organization === 'string' ? organization : undefined, activities: codes }];
  });
}

/** Absent and ambiguous is 400; somebody else's role is 403. */
function actingRole(roles: readonly StaffRole[], profile: string | undefined): StaffRole {
  const [only, ...others] = profile === undefined ? roles : roles.filter((one) => one.profile === profile);
  if (only !== undefined && (others.length === 0 || profile !== undefined)) return only;
  if (only === undefined) throw fail('forbidden', { text: 'The member of staff of this token has no such role' });
  throw fail('bad-request', { text: 'The member of staff has several roles: say in NHSD-Session-URID which one (the id of the role profile)' });
}

/** Never an empty list, which would stand for everything: a token without scopes, where they count, may do nothing. */
function scopesOf(scope: RuleScope, claims: JWTPayload): readonly string[] {
  const said = scope === 'token' ? textIn(claims, 'scope') : scope === 'role' ? 'user/*.cruds' : scope;
  return said?.split(' ').filter((word) => word !== '') ?? ['none'];
}

const clientIn = (claims: JWTPayload): string | undefined => textIn(claims, 'client_id') ?? textIn(claims, 'azp') ?? claims.sub;

function textIn(claims: JWTPayload, name: string): string | undefined {
  const value = claims[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '') throw new BadClaim(`the claim ${name} must be a non-empty string`);
  return value;
}
