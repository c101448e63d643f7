// The search parameters of AuditEvent over the server's own events: a search tree -> SQL on their rows. https://hl7.org/fhir/R4/auditevent.html#search
import { dateRange, type TimeRange } from '../fhir/date-time.js';
import { fail, type FhirError } from '../fhir/errors.js';
import { splitEscaped, unescape } from '../search/escape.js';
import type { Clause, Prefix, SearchValue } from '../search/query.js';
import type { SqlScope } from '../search/sql-scope.js';
import { BALP_ENTITY, CALLER_ROLE, DICOM, ENTITY_TYPE, EVENT_TYPE, interactionsOf, LIFECYCLE, OBJECT_ROLE, RESOURCE_TYPES, RESTFUL } from './audit-event.js';
import { aboutPatient, leastId } from './event-row.js';
import { eventUuid } from './server-made.js';

interface Scope {
  readonly sql: SqlScope;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Condition = (value: SearchValue, scope: Scope) => string;
type TokenCondition = (code: string, sql: SqlScope) => string;

const NEVER = 'false';
/** Elements that these events never have. */
const ABSENT: Condition = () => NEVER;

const text = (value: string, { sql }: { readonly sql: SqlScope }): string => sql.bind(value, 'text');

/** By system; a code without one is looked for in all, `system|` finds any code of it. */
function token(systems: Readonly<Record<string, TokenCondition>>): Condition {
  return ({ text: written }, { sql }) => {
    const [first = '', second] = splitEscaped(written, '|').map(unescape);
    const tests = second === undefined ? Object.values(systems).map((test) => test(first, sql)) : [systems[first]?.(second, sql) ?? NEVER];
    return tests.length === 1 ? tests[0] ?? NEVER : `(${tests.join(' or ')})`;
  };
}

/** Of the server itself, and of doors that are not the FHIR service. */
const SERVER_EVENTS = `('start', 'stop', 'gap', 'flood', 'token', 'clients', 'notification')`;
/** A code that has one condition; `system|` alone is any of them. */
const oneOf = (codes: Readonly<Record<string, string>>): TokenCondition => (code) =>
  code === '' ? `(${Object.values(codes).join(' or ')})` : Object.hasOwn(codes, code) ? codes[code] ?? NEVER : NEVER;

const NAMES: Readonly<Record<string, string>> = { 'search-type': 'search', 'history-instance': 'history' };
const restful: TokenCondition = (code, sql) => {
  if (code === '') return `e.interaction not in ${SERVER_EVENTS}`;
  if (code === 'delete') return `e.interaction in ('delete', 'delete-history')`;
  return code === 'operation' ? `e.interaction like '$%'` : `e.interaction = ${sql.bind(NAMES[code] ?? code, 'text')}`;
};

/** As audit-event.ts names what was asked for. */
const ENTITY_NAME = `case when e.interaction like '$%' then lower(e.interaction) when e.interaction = 'delete-history' then '_history' end`;

const CODES: Readonly<Record<string, Condition>> = {
  type: token({
    [EVENT_TYPE]: oneOf({ rest: `e.interaction not in ${SERVER_EVENTS}` }),
    [LIFECYCLE]: oneOf({ transmit: `e.interaction = 'notification'` }),
    [DICOM]: oneOf({ 110100: `e.interaction in ('start', 'stop')`, 110113: `e.interaction in ('gap', 'flood', 'clients')`, 110114: `e.interaction = 'token'` }),
  }),
  subtype: token({ [RESTFUL]: restful, [DICOM]: oneOf({ 110120: `e.interaction = 'start'`, 110121: `e.interaction = 'stop'`, 110122: `e.interaction = 'token'`, 110137: `e.interaction = 'clients'` }) }),
  action: token({ 'http://hl7.org/fhir/audit-event-action': (code, sql) => actionTest(code, sql) }),
  outcome: token({ 'http://hl7.org/fhir/audit-event-outcome': oneOf({ 0: 'e.status < 400', 4: 'e.status between 400 and 499', 8: 'e.status >= 500' }) }),
  'agent-role': token({ [CALLER_ROLE]: (code, sql) => (code === '' ? 'a.role is not null' : `a.role = ${sql.bind(code, 'text')}`) }),
  altid: token({ '': (code, sql) => { const value = sql.bind(code, 'text'); return `(a.subject = ${value} or a.client = ${value})`; } }),
  'entity-type': token({
    [RESOURCE_TYPES]: (code, sql) => (code === '' ? 'e.what is not null' : `split_part(e.what, '/', 1) = ${sql.bind(code, 'text')}`),
    [ENTITY_TYPE]: oneOf({ 1: 'e.patient is not null', 2: 'e.query is not null', 4: `e.trace like '% _%'` }),
    [BALP_ENTITY]: oneOf({ XrequestId: `e.trace like '_% %'` }),
  }),
  'entity-role': token({ [OBJECT_ROLE]: oneOf({ 1: 'e.patient is not null', 4: 'e.what is not null', 24: 'e.query is not null' }) }),
  date: dateTest,
  _lastUpdated: dateTest,
  patient: ({ text: written, parts }, { sql }) => any((parts ?? [{ text: written }]).map((target) => (target.text.startsWith('Patient/') ? aboutPatient(target.text.slice('Patient/'.length), sql) : NEVER))),
  agent: ({ text: written, parts }, scope) => any((parts ?? [{ text: written }]).map((target) => agentTest(target.text, scope))),
  entity: ({ text: written, parts }, scope) => any((parts ?? [{ text: written }]).map((target) => entityTest(target.text, scope))),
  'entity-name': (value, scope) => `starts_with(${ENTITY_NAME}, lower(${text(unescape(value.text), scope)}))`,
  address: ABSENT, 'agent-name': ABSENT, policy: ABSENT, site: ABSENT, source: ABSENT,
};

function any(tests: readonly string[]): string {
  return tests.length === 0 ? NEVER : `(${tests.join(' or ')})`;
}

function actionTest(code: string, sql: SqlScope): string {
  const named = (names: readonly string[]): string => `= any(${sql.bind(names, 'text[]')})`;
  if (code === '') return 'true';
  if (code === 'E') return `not e.interaction ${named(['C', 'R', 'U', 'D'].flatMap(interactionsOf))}`;
  return `e.interaction ${named(interactionsOf(code))}`;
}

const AGENT_COLUMNS: Readonly<Record<string, string>> = { PractitionerRole: 'a.practitioner_role', RelatedPerson: 'a.related_person', Patient: 'a.patient' };

/** Who asked is told by the most telling reference the token has: the same order as in the event. */
function agentTest(target: string, scope: Scope): string {
  const [type = '', id = ''] = target.split('/');
  const column = AGENT_COLUMNS[type];
  return column === undefined ? NEVER : `${column} = ${text(id, scope)}`;
}

function entityTest(target: string, scope: Scope): string {
  const value = text(target, scope);
  const test = `(e.what = ${value} or starts_with(e.what, ${value} || '/'))`;
  return target.startsWith('Patient/') ? `(${test} or ${aboutPatient(target.slice('Patient/'.length), scope.sql)})` : test;
}

const DAY_MS = 86_400_000;

/** The time is in the id, so that ranges of time are ranges of the primary key. */
function dateTest({ text: written, prefix = 'eq' }: SearchValue, { sql, now }: Scope): string {
  const range = dateRange(written);
  if (!range) throw fail('invalid-parameter', { text: `"${written}" is not a date: write 2026-11-21 or an instant`, expression: 'date' });
  const at = (ms: number): string => `${sql.bind(leastId(ms), 'text')}::uuid`;
  return DATE_TESTS[prefix](range, at, now);
}

const within = ({ lo, hi }: TimeRange, at: (ms: number) => string): string => `(e.id >= ${at(lo)} and e.id < ${at(hi)})`;

const DATE_TESTS: Readonly<Record<Prefix, (range: TimeRange, at: (ms: number) => string, now: number) => string>> = {
  eq: within,
  ne: (range, at) => `not ${within(range, at)}`,
  gt: ({ hi }, at) => `e.id >= ${at(hi)}`,
  sa: ({ hi }, at) => `e.id >= ${at(hi)}`,
  ge: ({ lo }, at) => `e.id >= ${at(lo)}`,
  lt: ({ lo }, at) => `e.id < ${at(lo)}`,
  eb: ({ lo }, at) => `e.id < ${at(lo)}`,
  le: ({ hi }, at) => `e.id < ${at(hi)}`,
  // A tenth of the way from now, and a day at the least.
  ap: ({ lo, hi }, at, now) => {
    const far = Math.max(DAY_MS, Math.abs(now - (lo + hi) / 2) / 10);
    return within({ lo: lo - far, hi: hi + far }, at);
  },
};

/** Throws 400 for what these events can't be searched by: leaving it out would find too much. */
export function condition(clause: Clause, scope: Scope): string {
  switch (clause.kind) {
    case 'all': return 'true';
    case 'none': return NEVER;
    case 'and': return `(${clause.of.map((one) => condition(one, scope)).join(' and ')})`;
    case 'or': return any(clause.of.map((one) => condition(one, scope)));
    case 'not': return `(${condition(clause.of, scope)}) is not true`;
    case 'ids': return `e.id = any(${scope.sql.bind(clause.ids.flatMap((id) => eventUuid(id) ?? []), 'text[]')}::uuid[])`;
    case 'parameter': return parameterTest(clause, scope);
    default: throw refusal('chains and _has', undefined);
  }
}

function parameterTest({ parameter: { code, type }, modifier, values }: Extract<Clause, { kind: 'parameter' }>, scope: Scope): string {
  const test = CODES[code];
  if (!test) throw refusal(code, code);
  const isType = type === 'reference' && modifier !== undefined && /^[A-Z]/.test(modifier);
  if (modifier !== undefined && modifier !== 'not' && !isType) throw refusal(`${code}:${modifier}`, code);
  const found = any(values.map((value) => test(value, scope)));
  return modifier === 'not' ? `(${found}) is not true` : found;
}

const refusal = (what: string, expression: string | undefined): FhirError =>
  fail('unsupported-modifier', { text: `The events that the server records are not searched by ${what}: use date, patient, agent, agent-role, altid, entity, entity-type, action, outcome, type or subtype`, ...(expression !== undefined && { expression }) });
