// Searches made at random over a small world, through HTTP, against what plain code finds in the resources that were sent.
import fc from 'fast-check';
import { startServer, type TestServer } from '../server.js';

const NAMES = ['Adams', 'Adamson', 'Brown', 'Brownlow', 'Clark', 'Mac Clark'];
const CITIES = ['North', 'South', 'Northwest'];

interface Person { readonly id: string; readonly family?: string | undefined; readonly given: readonly string[]; readonly gender?: string | undefined; readonly birth?: string | undefined; readonly org?: string | undefined; readonly active?: boolean | undefined; readonly codes: readonly string[] }
interface Measured { readonly id: string; readonly of: string; readonly status: string; readonly code: string; readonly value?: number | undefined; readonly day?: string | undefined }

/** The same world each time: a mixed bag by remainders. */
const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % (list.length + 1)];
const orgs = Array.from({ length: 5 }, (_, n) => ({ id: `o${n}`, name: `${CITIES[n % CITIES.length]} Trust ${n}`, partOf: n === 0 ? undefined : `o${(n - 1) >> 1}` }));
const people: readonly Person[] = Array.from({ length: 60 }, (_, n) => ({
  id: `p${String(n).padStart(2, '0')}`, family: pick(NAMES, n), given: NAMES.slice(n % 3, n % 4), gender: pick(['male', 'female', 'other'], n * 7), birth: pick(['1950-01-31', '1970-06-01', '1970-06-30', '1999-12-31', '2004-02-29'], n * 3),
  org: pick(orgs, n * 5)?.id, active: pick([true, false], n), codes: n % 4 === 0 ? ['a', 'b'] : [`c${n % 5}`],
}));
const measured: readonly Measured[] = Array.from({ length: 120 }, (_, n) => ({
  id: `m${String(n).padStart(3, '0')}`, of: people[(n * 11) % people.length]?.id ?? '', status: ['final', 'preliminary', 'amended'][n % 3] ?? '', code: `k${n % 7}`,
  value: n % 5 === 0 ? undefined : (n * 13) % 50, day: n % 6 === 0 ? undefined : `2026-0${1 + (n % 9)}-1${n % 10}`,
}));

const patient = ({ id, family, given, gender, birth, org, active, codes }: Person) => ({
  resourceType: 'Patient', id, ...((family !== undefined || given.length > 0) && { name: [{ ...(family !== undefined && { family }), ...(given.length > 0 && { given }) }] }), ...(gender && { gender }), ...(birth && { birthDate: birth }),
  ...(org && { managingOrganization: { reference: `Organization/${org}` } }), ...(active !== undefined && { active }), identifier: codes.map((value) => ({ system: 'urn:codes', value })),
});
const observation = ({ id, of, status, code, value, day }: Measured) => ({
  resourceType: 'Observation', id, status, code: { coding: [{ system: 'urn:k', code }] }, subject: { reference: `Patient/${of}` }, ...(value !== undefined && { valueQuantity: { value, system: 'urn:u', code: 'u' } }), ...(day && { effectiveDateTime: day }),
});
const organization = ({ id, name, partOf }: (typeof orgs)[number]) => ({ resourceType: 'Organization', id, name, ...(partOf !== undefined && { partOf: { reference: `Organization/${partOf}` } }) });

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const resources = [...orgs.map(organization), ...people.map(patient), ...measured.map(observation)];
  const entry = resources.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  const { status, text } = await server.send('POST', '', { token: server.tokens.admin, body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(text);
});
afterAll(() => server.close());

const get = async (path: string) => {
  const answer = await server.send('GET', path.replace(`${server.base}/`, ''), { token: server.tokens.admin });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
  return answer.body;
};
const idsOf = (body: any, mode = 'match'): string[] => (body.entry ?? []).filter((entry: any) => entry.search.mode === mode).map((entry: any) => entry.resource.id);

/** Something to ask, as an expression and as a criterion where it can be one, and what it means. */
interface Ask<T> { readonly filter: string; readonly pair?: readonly [string, string]; readonly is: (one: T) => boolean }

const dated = (birth: string | undefined, operator: string, day: string): boolean => birth !== undefined && ({
  eq: birth.startsWith(day), ne: !birth.startsWith(day), gt: birth > `${day}~`, ge: birth >= day, lt: birth < day, le: birth < day || birth.startsWith(day), sa: birth > `${day}~`, eb: birth < day,
} as Record<string, boolean>)[operator] === true;
const compared = (value: number | undefined, operator: string, than: number): boolean => value !== undefined && ({ gt: value > than, ge: value >= than, lt: value < than, le: value <= than } as Record<string, boolean>)[operator] === true;
const lower = (text: string): string => text.toLowerCase();
const orgOf = (id: string | undefined) => orgs.find((one) => one.id === id);

const operators = fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sa', 'eb');
const days = fc.constantFrom('1970', '1970-06', '1970-06-01', '1999-12-31', '2004-02', '1950');
const orders = fc.constantFrom('gt', 'ge', 'lt', 'le');
const parts = fc.constantFrom('Adams', 'brown', 'low', 'mac clark', 'clark', 'son', 'x');

const observed: fc.Arbitrary<Ask<Measured>> = fc.oneof(
  fc.constantFrom('final', 'preliminary', 'amended', 'cancelled').map((status): Ask<Measured> => ({ filter: `status eq ${status}`, pair: ['status', status], is: (one) => one.status === status })),
  fc.constantFrom('k1', 'k6', 'none').map((code): Ask<Measured> => ({ filter: `code eq urn:k|${code}`, pair: ['code', `urn:k|${code}`], is: (one) => one.code === code })),
  fc.tuple(orders, fc.integer({ min: 0, max: 50 })).map(([operator, than]): Ask<Measured> => ({ filter: `value-quantity ${operator} ${than}`, pair: ['value-quantity', `${operator}${than}`], is: ({ value }) => compared(value, operator, than) })),
  fc.constantFrom('true', 'false').map((there): Ask<Measured> => ({ filter: `date pr ${there}`, pair: ['date:missing', there === 'true' ? 'false' : 'true'], is: ({ day }) => (day !== undefined) === (there === 'true') })),
);

const asked: fc.Arbitrary<Ask<Person>> = fc.oneof(
  fc.constantFrom('male', 'female', 'other', 'unknown').map((gender): Ask<Person> => ({ filter: `gender eq ${gender}`, pair: ['gender', gender], is: (one) => one.gender === gender })),
  fc.constantFrom('male', 'female').map((gender): Ask<Person> => ({ filter: `gender ne ${gender}`, is: (one) => one.gender !== undefined && one.gender !== gender })),
  fc.constantFrom('male', 'female').map((gender): Ask<Person> => ({ filter: `not (gender eq ${gender})`, pair: ['gender:not', gender], is: (one) => one.gender !== gender })),
  fc.tuple(operators, days).map(([operator, day]): Ask<Person> => ({ filter: `birthdate ${operator} ${day}`, pair: ['birthdate', operator + day], is: (one) => dated(one.birth, operator, day) })),
  parts.map((part): Ask<Person> => ({ filter: `family sw "${part}"`, pair: ['family', part], is: ({ family }) => family !== undefined && lower(family).startsWith(lower(part)) })),
  parts.map((part): Ask<Person> => ({ filter: `family co "${part}"`, pair: ['family:contains', part], is: ({ family }) => family !== undefined && lower(family).includes(lower(part)) })),
  parts.map((part): Ask<Person> => ({ filter: `family ew "${part}"`, is: ({ family }) => family !== undefined && lower(family).endsWith(lower(part)) })),
  parts.map((part): Ask<Person> => ({ filter: `given eq "${part}"`, is: ({ given }) => given.some((name) => lower(name) === lower(part)) })),
  parts.map((part): Ask<Person> => ({ filter: `given ne "${part}"`, is: ({ given }) => given.some((name) => lower(name) !== lower(part)) })),
  fc.constantFrom('true', 'false').map((there): Ask<Person> => ({ filter: `active pr ${there}`, pair: ['active:missing', there === 'true' ? 'false' : 'true'], is: ({ active }) => (active !== undefined) === (there === 'true') })),
  fc.constantFrom('a', 'c1', 'c2', 'zz').map((code): Ask<Person> => ({ filter: `identifier eq urn:codes|${code}`, pair: ['identifier', `urn:codes|${code}`], is: ({ codes }) => codes.includes(code) })),
  fc.constantFrom('o0', 'o3', 'o9').map((org): Ask<Person> => ({ filter: `organization re Organization/${org}`, pair: ['organization', `Organization/${org}`], is: (one) => one.org === org })),
  fc.constantFrom('north', 'south', 'northwest', 'trust').map((name): Ask<Person> => ({ filter: `organization.name sw ${name}`, pair: ['organization.name', name], is: (one) => lower(orgOf(one.org)?.name ?? '~').startsWith(name) })),
  fc.constantFrom('o0', 'o1').map((top): Ask<Person> => ({ filter: `organization.partof eq Organization/${top}`, pair: ['organization:Organization.partof', top], is: (one) => orgOf(one.org)?.partOf === top })),
  fc.constantFrom('north', 'south').map((name): Ask<Person> => ({ filter: `organization.partof.name sw ${name}`, pair: ['organization.partof.name', name], is: (one) => lower(orgOf(orgOf(one.org)?.partOf)?.name ?? '~').startsWith(name) })),
  observed.map(({ pair, is, filter }): Ask<Person> => ({ filter: `_has:Observation:patient:${filter}`, ...(pair && { pair: [`_has:Observation:patient:${pair[0]}`, pair[1]] as const }), is: (one) => measured.some((other) => other.of === one.id && is(other)) })),
  fc.tuple(observed, observed).map(([first, second]): Ask<Person> => ({
    filter: `_has:Observation:patient:${first.filter} and _has:Observation:patient:${second.filter}`,
    is: (one) => [first, second].every(({ is }) => measured.some((other) => other.of === one.id && is(other))),
  })),
);

/** Trees of them; without parentheses they are read from left to right. */
const expressions: fc.Arbitrary<Ask<Person>> = fc.letrec<{ tree: Ask<Person>; leaf: Ask<Person> }>((tie) => ({
  leaf: asked,
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.tuple(tie('tree'), tie('tree'), fc.boolean()).map(([a, b, and]): Ask<Person> => ({ filter: `(${a.filter}) ${and ? 'and' : 'or'} (${b.filter})`, is: (one) => (and ? a.is(one) && b.is(one) : a.is(one) || b.is(one)) })),
    tie('tree').map((a): Ask<Person> => ({ filter: `not (${a.filter})`, is: (one) => !a.is(one) })),
    fc.tuple(tie('leaf'), tie('leaf'), tie('leaf'), fc.boolean(), fc.boolean()).map(([a, b, c, first, second]): Ask<Person> => ({
      filter: `(${a.filter}) ${first ? 'and' : 'or'} (${b.filter}) ${second ? 'and' : 'or'} (${c.filter})`,
      is: (one) => { const left = first ? a.is(one) && b.is(one) : a.is(one) || b.is(one); return second ? left && c.is(one) : left || c.is(one); },
    })),
  ),
})).tree;

const RUNS = { numRuns: 120 };

it('finds by any expression what the expression is true of', async () => {
  await fc.assert(fc.asyncProperty(expressions, async ({ filter, is }) => {
    const body = await get(`Patient?_filter=${encodeURIComponent(filter)}&_count=100&_sort=_id`);
    expect({ filter, ids: idsOf(body) }).toEqual({ filter, ids: people.filter(is).map(({ id }) => id) });
  }), RUNS);
}, 120_000);

type Sort = { readonly text: string; readonly keys: readonly ((one: Person) => string | undefined)[]; readonly down: readonly boolean[] };
const sortKeys = fc.constantFrom<readonly [string, (one: Person) => string | undefined]>(['birthdate', ({ birth }) => birth], ['family', ({ family }) => family && lower(family)], ['gender', ({ gender }) => gender], ['_id', ({ id }) => id]);
const sorts: fc.Arbitrary<Sort> = fc.uniqueArray(fc.tuple(sortKeys, fc.boolean()), { minLength: 1, maxLength: 4, selector: ([[name]]) => name }).map((keys) => ({
  text: keys.map(([[name], down]) => (down ? `-${name}` : name)).join(','), keys: keys.map(([[, key]]) => key), down: keys.map(([, down]) => down),
}));

/** Rows without a key come last either way; ties go by id, in the direction of the last key. */
function order({ keys, down }: Sort): (a: Person, b: Person) => number {
  return (a, b) => {
    for (const [index, key] of keys.entries()) {
      const [one, other] = [key(a), key(b)];
      if (one === other) continue;
      if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
      return (one < other ? -1 : 1) * (down[index] ? -1 : 1);
    }
    return (a.id < b.id ? -1 : 1) * (down.at(-1) ? -1 : 1);
  };
}

it('finds by criteria together what each is true of, in order, from page to page, with the right total', async () => {
  const criteria = fc.array(asked.filter(({ pair }) => pair !== undefined), { minLength: 0, maxLength: 3 });
  await fc.assert(fc.asyncProperty(criteria, sorts, fc.integer({ min: 1, max: 9 }), async (list, sort, count) => {
    const query = [...list.map(({ pair }) => pair as readonly [string, string]), ['_sort', sort.text], ['_count', String(count)], ['_total', 'accurate']].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    const wanted = people.filter((one) => list.every(({ is }) => is(one))).sort(order(sort)).map(({ id }) => id);
    let body = await get(`Patient?${query}`);
    const found = idsOf(body);
    expect({ query, total: body.total }).toEqual({ query, total: wanted.length });
    for (let pages = 1; found.length < wanted.length && pages < 6; pages += 1) {
      body = await get(body.link.find((one: any) => one.relation === 'next').url);
      found.push(...idsOf(body));
    }
    expect({ query, found }).toEqual({ query, found: wanted.slice(0, found.length) });
  }), RUNS);
}, 120_000);

it('includes what the matches of a page refer to and what refers to them, each once', async () => {
  await fc.assert(fc.asyncProperty(observed, fc.integer({ min: 1, max: 30 }), async ({ pair, is }, count) => {
    const query = `${pair?.[0]}=${encodeURIComponent(pair?.[1] ?? '')}&_sort=_id&_count=${count}`;
    const matches = measured.filter(is).slice(0, count);
    const patients = [...new Set(matches.map(({ of }) => of))];
    const trusts = [...new Set(patients.flatMap((id) => people.find((one) => one.id === id)?.org ?? []))];
    const body = await get(`Observation?${query}&_include=Observation:subject&_include:iterate=Patient:organization`);
    expect({ query, ids: idsOf(body) }).toEqual({ query, ids: matches.map(({ id }) => id) });
    expect({ query, included: idsOf(body, 'include').sort() }).toEqual({ query, included: [...patients, ...trusts].sort() });
    const back = await get(`Patient?_id=${patients.join(',') || 'nobody'}&_count=100&_revinclude=Observation:patient`);
    expect(idsOf(back, 'include').sort()).toEqual(measured.filter(({ of }) => patients.includes(of)).map(({ id }) => id));
  }), { numRuns: 40 });
}, 120_000);
