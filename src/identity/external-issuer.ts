// An external issuer as it is configured: whose tokens, by which keys, and whom its claims stand for. JSON -> ExternalIssuer, checked.
import { ROLES, type Role } from '../fhir/caller.js';

/** The configuration can't be taken; the message says where and what to give. */
export class BadIssuers extends Error {}

/** A reference: by the logical id in a claim, or by a business identifier in a claim. */
export type Named = { readonly id: string } | { readonly system: string; readonly value: string };

/** `token`: what the token says, and nothing where it says nothing; `role`: the role's whole column; else these scopes. */
export type RuleScope = string;

/** The first rule whose `when` holds of a token says who it is. */
export interface IssuerRule {
  /** Claim -> the values it may have (one that ends in `*` is a beginning); all claims must hold. */
  readonly when: Readonly<Record<string, readonly string[]>>;
  /** `registered`: the one role that the client's registration has. */
  readonly role: Role | 'registered';
  /** Claim with the id of the client; else client_id, azp or sub. */
  readonly client: string | undefined;
  readonly organization: string | undefined;
  readonly patient: Named | undefined;
  readonly practitionerRole: Named | undefined;
  readonly relatedPerson: Named | undefined;
  readonly scope: RuleScope;
}

/** CIS2: the national role codes of staff (`S8000:G8000:R8000`, or its last part) to ours. */
export interface Cis2Mapping {
  readonly roles: Readonly<Record<string, Role>>;
  readonly scope: RuleScope;
}

export interface ExternalIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Undefined: found by discovery. */
  readonly jwksUrl: string | undefined;
  readonly algorithms: readonly string[];
  /** Neither these nor cis2: its tokens carry our claims. */
  readonly rules: readonly IssuerRule[] | undefined;
  readonly cis2: Cis2Mapping | undefined;
}

/** Asymmetric only: `none` is never authentication, and a shared secret is nobody's signature. https://www.rfc-editor.org/rfc/rfc8725#section-3.1 */
export const EXTERNAL_ALGORITHMS: readonly string[] = ['RS512', 'RS384', 'RS256', 'PS512', 'PS384', 'PS256', 'ES512', 'ES384', 'ES256'];

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number';
const MEMBERS = ['issuer', 'audience', 'jwksUrl', 'algorithms', 'rules', 'cis2'];
const RULE_MEMBERS = ['when', 'role', 'client', 'organization', 'patient', 'practitionerRole', 'relatedPerson', 'scope'];

type Json = Readonly<Record<string, unknown>>;

/** Throws a BadIssuers. */
export function readIssuers(text: string): readonly ExternalIssuer[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new BadIssuers('it is not JSON');
  }
  if (!Array.isArray(given) || given.length === 0) throw new BadIssuers('it must be a JSON array of issuers');
  const issuers = given.map((one: unknown, index) => readIssuer(object(one, `[${index}]`, MEMBERS), `[${index}]`));
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) throw new BadIssuers('two issuers have the same name');
  return issuers;
}

function readIssuer(json: Json, at: string): ExternalIssuer {
  const issuer = text(json, 'issuer', at) ?? missing(at, 'issuer');
  const jwksUrl = text(json, 'jwksUrl', at);
  if (jwksUrl === undefined && !isSafeUrl(issuer)) throw new BadIssuers(`${at}.jwksUrl is missing: only an issuer that is an https URL can be discovered`);
  if (jwksUrl !== undefined && !isSafeUrl(jwksUrl)) throw new BadIssuers(`${at}.jwksUrl must be a URL that begins with https://`);
  const algorithms = json['algorithms'] === undefined ? EXTERNAL_ALGORITHMS : texts(json['algorithms'], `${at}.algorithms`);
  const weak = algorithms.find((one) => !EXTERNAL_ALGORITHMS.includes(one));
  if (weak !== undefined) throw new BadIssuers(`${at}.algorithms may hold ${EXTERNAL_ALGORITHMS.join(', ')}, not ${weak}`);
  if (json['rules'] !== undefined && json['cis2'] !== undefined) throw new BadIssuers(`${at}: give rules or cis2, not both`);
  const { rules, cis2 } = json;
  if (rules !== undefined && (!Array.isArray(rules) || rules.length === 0)) throw new BadIssuers(`${at}.rules must be an array of rules`);
  return {
    issuer, jwksUrl, algorithms,
    audiences: texts(typeof json['audience'] === 'string' ? [json['audience']] : json['audience'], `${at}.audience`),
    rules: Array.isArray(rules) ? rules.map((rule: unknown, index) => readRule(object(rule, `${at}.rules[${index}]`, RULE_MEMBERS), `${at}.rules[${index}]`)) : undefined,
    cis2: cis2 === undefined ? undefined : readCis2(object(cis2, `${at}.cis2`, ['roles', 'scope']), `${at}.cis2`),
  };
}

function readRule(json: Json, at: string): IssuerRule {
  const when = Object.entries(object(json['when'] ?? {}, `${at}.when`)).map(([claim, values]) => [claim, texts(typeof values === 'string' ? [values] : values, `${at}.when.${claim}`)] as const);
  const role = text(json, 'role', at);
  return {
    when: Object.fromEntries(when),
    role: role === 'registered' ? role : roleNamed(role, `${at}.role`),
    client: text(json, 'client', at),
    organization: text(json, 'organization', at),
    patient: named(json, 'patient', at),
    practitionerRole: named(json, 'practitionerRole', at),
    relatedPerson: named(json, 'relatedPerson', at),
    scope: text(json, 'scope', at) ?? 'token',
  };
}

/** `{ "id": claim }`, `{ "nhsNumber": claim }` or `{ "system": uri, "value": claim }`. */
function named(json: Json, member: string, at: string): Named | undefined {
  if (json[member] === undefined) return undefined;
  const where = `${at}.${member}`;
  const given = object(json[member], where, ['id', 'nhsNumber', 'system', 'value']);
  const [id, number, system, value] = [text(given, 'id', where), text(given, 'nhsNumber', where), text(given, 'system', where), text(given, 'value', where)];
  if (id !== undefined) return { id };
  if (number !== undefined) return { system: NHS_NUMBER, value: number };
  if (system !== undefined && value !== undefined) return { system, value };
  throw new BadIssuers(`${where} must name a claim: {"id": …}, {"nhsNumber": …} or {"system": …, "value": …}`);
}

function readCis2(json: Json, at: string): Cis2Mapping {
  const roles = Object.entries(object(json['roles'], `${at}.roles`)).map(([code, role]) => [code, roleNamed(role, `${at}.roles.${code}`)] as const);
  if (roles.length === 0) throw new BadIssuers(`${at}.roles must map at least one national role code`);
  return { roles: Object.fromEntries(roles), scope: text(json, 'scope', at) ?? 'token' };
}

function roleNamed(name: unknown, at: string): Role {
  const role = ROLES.find((one) => one === name);
  if (role === undefined) throw new BadIssuers(`${at} must be one of ${ROLES.join(', ')}`);
  return role;
}

function object(value: unknown, at: string, members?: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadIssuers(`${at} must be an object`);
  const unknown = members && Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) throw new BadIssuers(`${at} has no member ${unknown}: it takes ${members?.join(', ') ?? ''}`);
  return value as Json;
}

function text(json: Json, member: string, at: string): string | undefined {
  const value = json[member];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new BadIssuers(`${at}.${member} must be a non-empty string`);
}

function texts(value: unknown, at: string): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((one): one is string => typeof one === 'string' && one !== '')) return value;
  throw new BadIssuers(`${at} must be a string, or an array of strings`);
}

/** Fetched by the server: without TLS only from this machine. */
function isSafeUrl(uri: string): boolean {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname));
}

function missing(at: string, member: string): never {
  throw new BadIssuers(`${at}.${member} is missing`);
}
