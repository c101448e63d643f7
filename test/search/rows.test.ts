// The rows that searches find, against what a plain look at each resource says. Every search runs on each road: found by
// the GIN, walked along a sort index with all tokens taken for common, as a condition for reads under a Grant, and counted.
import { clauseSql } from '../../src/search/clause-sql.js';
import { cursorOf, searchStatement, totalStatement } from '../../src/search/compile.js';
import type { PackedRow, SearchRow } from '../../src/search/packed-page.js';
import { createExtractor } from '../../src/search/extract.js';
import type { Grant } from '../../src/search/grant.js';
import { parseSearch } from '../../src/search/parse.js';
import type { Clause, Query } from '../../src/search/query.js';
import type { FrequencyOf } from '../../src/search/token-frequency.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';
import { common, rare } from './frequencies.js';
import { world } from './small-world.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const BASE = 'https://fhir.example.org/R4';
const LOINC = 'http://loinc.org';

const extract = createExtractor(definitions);
/** One millisecond apart, so that _lastUpdated orders them. */
const updatedOf = new Map(world.map((resource, index) => [resource, 1_700_000_000_000 + index * 1000]));

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.store.write(world.map((resource) => create(resource.resourceType, String(resource.id), {
    updated: updatedOf.get(resource) ?? 0, text: JSON.stringify(resource), rows: extract(resource),
  })));
});
afterAll(() => fixture.close());

function parse(type: string, text: string): Query {
  const pairs = text.split('&').filter((pair) => pair !== '').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return parseSearch({ definitions, type, pairs, handling: 'strict', base: BASE, defaultCount: 50, maxCount: 1000, now: NOW }).query;
}

async function run(query: Query, frequencyOf: FrequencyOf = rare, grant: Grant = ALL): Promise<readonly SearchRow[]> {
  const statement = searchStatement(definitions, query, grant, frequencyOf);
  return statement.read((await fixture.database.query<PackedRow>(statement)).rows);
}

const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

/** Search, and the ids that a person reading small-world.ts would name. */
type Case = readonly [search: string, ids: string];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'Patient by token': [
    ['identifier=9000000009', 'p1 p3'],
    ['identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009', 'p1'],
    ['identifier=https://fhir.nhs.uk/Id/nhs-number|', 'p1 p2'],
    ['identifier=|9000000009', 'p3'],
    ['identifier=urn:local|A\\|1', 'p1'],
    ['identifier=9000000017,urn:local|9000000009', 'p2 p3'],
    ['identifier=9000000009&identifier=urn:local|', 'p1 p3'],
    ['identifier:not=9000000009', 'P5 p2 p4 p6'],
    ['identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|NH|9000000009', 'p1'],
    ['identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|9000000009', ''],
    ['identifier:text=national num', 'p1'],
    ['identifier:missing=true', 'P5 p4 p6'],
    ['identifier:missing=false', 'p1 p2 p3'],
    ['gender=female', 'p1'],
    ['gender=FEMALE', ''],
    ['gender=http://hl7.org/fhir/administrative-gender|female', 'p1'],
    ['gender=http://hl7.org/fhir/administrative-gender|', 'p1 p2 p3 p4'],
    ['gender=urn:other|female', ''],
    ['gender=|female', 'p1'],
    ['gender=male,other', 'p2 p3'],
    ['gender:not=male,other', 'P5 p1 p4 p6'],
    ['active=true', 'P5 p1'],
    ['active:not=true', 'p2 p3 p4 p6'],
    ['deceased=true', 'p2 p3'],
    ['telecom=anna@example.org', 'p1'],
    ['telecom=home|0113 496 0001', 'p1'],
    ['telecom=phone|0113 496 0001', 'p1'],
    ['telecom=work|0113 496 0001', ''],
    ['email=anna@example.org', 'p1'],
    ['phone=anna@example.org', ''],
    ['_tag=urn:tags|red', 'p1'],
    ['_tag=urn:tags|', 'P5 p1'],
    ['_tag:not=red', 'P5 p2 p3 p4 p6'],
    ['_security=R', 'p1'],
    ['_profile=http://example.org/StructureDefinition/one', 'p1'],
    ['_id=p1,p3,nobody', 'p1 p3'],
    ['_id:not=p1,p3', 'P5 p2 p4 p6'],
    ['_id=p1&active=false', ''],
  ],
  'Patient by string': [
    ['family=smith', 'p1 p2'],
    ['family=SMITH', 'p1 p2'],
    ['family=muller', 'p3'],
    ['family=Mü', 'p3'],
    ['given=zoe', 'p3'],
    ['given=anna', 'P5 p1'],
    ['given=bob,zoe', 'p2 p3'],
    ['given=anna&given=maria', 'p1'],
    ['name=dr', 'p3'],
    ['name=smith', 'p1 p2 p4'],
    ['phonetic=smith', 'p1 p2 p4'],
    ['phonetic:missing=true', 'p6'],
    ["family=o'n", 'P5'],
    ['name=smith&gender=male', 'p2'],
    ['family:exact=Smith', 'p1'],
    ['family:exact=smith', ''],
    ['given:exact=Zoë', 'p3'],
    ['given:exact=Zoe', ''],
    ['name:contains=ITH', 'p1 p2 p4'],
    ['name:contains=100%', 'p4'],
    ['name:contains=0%_s', 'p4'],
    ['name:contains=%', 'p4'],
    ['name:contains=h_y', ''],
    ['address=leeds', 'p1 p3'],
    ['address=2 low road\\, leeds', 'p3'],
    ['address-city=koln', 'p2'],
    ['address-postalcode=LS1', 'p1'],
    ['address:missing=true', 'P5 p4 p6'],
    ['family:missing=true', 'p4 p6'],
  ],
  'Patient by date': [
    ['birthdate=1980', 'p1 p2 p3'],
    ['birthdate=1980-03', 'p1 p3'],
    ['birthdate=1980-03-05', 'p1'],
    ['birthdate=ne1980-03', 'P5 p2'],
    ['birthdate=gt1980-03-05', 'P5 p2 p3'],
    ['birthdate=lt1980-03-05', 'p2 p3'],
    ['birthdate=ge1980-03', 'P5 p1 p2 p3'],
    ['birthdate=le1980-03-05', 'p1 p2 p3'],
    ['birthdate=sa1980-03-05', 'P5'],
    ['birthdate=eb1980-03-05', ''],
    ['birthdate=eb1981', 'p1 p2 p3'],
    ['birthdate=1980-03-05,1999-12-31', 'P5 p1'],
    ['birthdate=ge1980-01-01&birthdate=lt1990', 'p1 p2 p3'],
    ['birthdate=ap1981', 'p1 p2 p3'],
    ['birthdate:missing=true', 'p4 p6'],
    ['death-date=2021-05', 'p2'],
    ['death-date=ge2022', ''],
    ['_lastUpdated=ge2023-11-14T22:13:22Z&_lastUpdated=lt2023-11-14T22:13:24Z', 'p3 p4'],
    ['_lastUpdated=2023-11-14T22:13:21Z', 'p2'],
    ['_lastUpdated=le2023-11-14T22:13:21Z', 'p1 p2'],
  ],
  'Patient by reference': [
    ['organization=Organization/org1', 'p1'],
    ['organization=org1', 'p1'],
    ['organization=org1,org2', 'p1 p2'],
    ['organization:Organization=org2', 'p2'],
    [`organization=${BASE}/Organization/org1`, 'p1'],
    ['organization:identifier=urn:ods|X26', 'p4'],
    ['organization:identifier=X26', 'p4'],
    ['organization:missing=true', 'P5 p3 p6'],
    ['general-practitioner=Practitioner/dr1', 'p1 p2'],
    ['general-practitioner=Practitioner/dr1&general-practitioner=dr2', 'p2'],
    ['organization.name=leeds', 'p1'],
    ['organization.partof=org1', 'p2'],
    ['organization:Organization.partof.name=leeds', 'p2'],
    ['organization.identifier=urn:ods|RR8', 'p1'],
    ['general-practitioner.name=watson', 'p1 p2'],
    ['general-practitioner:Practitioner.name=who', 'p2'],
    ['_has:Observation:patient:code=11557-6', 'P5 p1'],
    ['_has:Observation:patient:code=11557-6&gender=female', 'p1'],
    ['_has:Observation:focus:code=11557-6', 'p2'],
    ['_has:Group:member:type=person', 'p3'],
    ['_has:Observation:subject:performer:Practitioner.name=watson', 'p1'],
    ['_has:Encounter:patient:_has:Observation:encounter:code=29463-7', 'p1'],
    ['_has:Condition:patient:onset-age=40', 'p2'],
  ],
  'Observation by subject': [
    ['patient=p1', 'o1 o2 o7 o8'],
    ['subject=Patient/p1', 'o1 o2 o7 o8'],
    ['subject=p1', 'o1 o2 o7 o8'],
    ['subject:Patient=p1', 'o1 o2 o7 o8'],
    ['subject:Group=g1', 'o10'],
    ['subject=Group/g1', 'o10'],
    ['patient=Group/g1', ''],
    ['patient=p1,p3', 'o1 o2 o5 o6 o7 o8'],
    ['subject=http://elsewhere.example/fhir/Patient/p1', 'o12'],
    ['subject:identifier=9000000009', 'o11'],
    ['subject:missing=true', ''],
    ['patient:missing=false', 'o1 o12 o2 o3 o4 o5 o6 o7 o8 o9'],
    ['patient.identifier=9000000009', 'o1 o2 o5 o6 o7 o8'],
    ['subject:Patient.identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009&code=11557-6', 'o7 o8'],
    ['subject:Patient.name=smith', 'o1 o2 o3 o4 o7 o8'],
    ['subject.type=person', 'o10'],
    ['patient.organization.name=leeds', 'o1 o2 o7 o8'],
    ['patient=p1&date=2024-01', 'o1 o2'],
    ['patient=p1&code=29463-7&status=amended', 'o2'],
    ['focus=Patient/p2', 'o7'],
    ['focus=p2', 'o7'],
    ['focus:Patient.name=smithson', 'o7'],
    ['derived-from=o1', 'o5'],
    ['derived-from:Observation.patient=p1', 'o5'],
    ['performer=dr1', 'o1'],
    ['encounter.location=l1', 'o1'],
  ],
  'Observation by code': [
    [`code=${LOINC}|29463-7`, 'o1 o2'],
    ['code=29463-7', 'o1 o2 o3 o4'],
    ['code=|29463-7', 'o4'],
    ['code=urn:other|', 'o3'],
    ['code:text=body', 'o1'],
    ['code:text=weight', 'o2'],
    ['code:not=29463-7', 'o10 o11 o12 o5 o6 o7 o8 o9'],
    ['combo-code=29463-7', 'o1 o10 o2 o3 o4'],
    ['combo-code=8480-6', 'o12 o5 o6'],
    ['combo-code:not=29463-7', 'o11 o12 o5 o6 o7 o8 o9'],
    ['component-code=8480-6', 'o5 o6'],
    ['component-code:missing=false', 'o10 o5 o6'],
    ['combo-code:missing=true', ''],
    ['combo-value-quantity:missing=true', 'o11 o7 o8 o9'],
    ['status=final&code=29463-7&value-quantity=gt99', 'o3 o4'],
    ['data-absent-reason=urn:absent|unknown', 'o11'],
    ['combo-data-absent-reason=unknown', 'o11'],
    ['value-concept=urn:values|high', 'o7'],
    ['value-concept:text=hi', 'o7'],
  ],
  'Observation by date': [
    ['date=2024-01-15', 'o1 o2'],
    ['date=2024-01', 'o1 o2 o3 o5'],
    ['date=2024', 'o1 o2 o3 o4 o5 o9'],
    ['date=ne2024-01', 'o4 o6 o7 o8 o9'],
    ['date=gt2024-01-15', 'o3 o4 o5 o6 o8 o9'],
    ['date=lt2024-01-15', 'o3 o4 o5 o7'],
    ['date=ge2024-01-15', 'o1 o2 o3 o4 o5 o6 o8 o9'],
    ['date=le2024-01-15', 'o1 o2 o3 o4 o5 o7'],
    ['date=sa2024-01-15', 'o6 o8 o9'],
    ['date=eb2024-01-15', 'o7'],
    ['date=eb2024-01-16', 'o1 o2 o7'],
    ['date=2025-06-01T00:00:00Z', 'o8'],
    ['date=2024-01-15T10:00:00Z', 'o1'],
    ['date=2024-01-15T11:00:00+01:00', 'o1'],
    ['date=2024-05', 'o9'],
    // 717 days before the tests' now: 72 days to either side.
    ['date=ap2024-01-15', 'o1 o2 o3 o4 o5 o6 o7'],
    ['date:missing=true', 'o10 o11 o12'],
    ['value-date=2024-03', 'o9'],
    ['value-date=gt2024-03-01', ''],
    ['date=ge2024-02-01&code=11557-6', 'o8 o9'],
  ],
  'Observation by quantity': [
    ['value-quantity=60', 'o1'],
    ['value-quantity=60.0', 'o1'],
    ['value-quantity=100', 'o2 o3'],
    ['value-quantity=100.0', ''],
    ['value-quantity=100.2', 'o2'],
    ['value-quantity=gt60', 'o12 o2 o3 o4'],
    ['value-quantity=ge60', 'o1 o12 o2 o3 o4'],
    ['value-quantity=lt99.5', 'o1'],
    ['value-quantity=le99.5', 'o1 o3'],
    ['value-quantity=sa131', 'o4'],
    ['value-quantity=eb99.5', 'o1'],
    ['value-quantity=ne60', 'o12 o2 o3 o4'],
    ['value-quantity=ap100', 'o2 o3'],
    ['value-quantity=gt60|http://unitsofmeasure.org|kg', 'o2 o3 o4'],
    ['value-quantity=gt60||kg', 'o2 o3'],
    ['value-quantity=gt60||kilogram', 'o2 o3'],
    ['value-quantity=gt60||mmHg', 'o12'],
    ['value-quantity=60||kg,220||[lb_av]', 'o1 o4'],
    ['component-value-quantity=131', 'o5 o6'],
    ['combo-value-quantity=131', 'o12 o5 o6'],
    ['combo-value-quantity=61', 'o10'],
  ],
  'Observation by composite': [
    [`component-code-value-quantity=${LOINC}|8480-6$gt130`, 'o5'],
    ['component-code-value-quantity=8480-6$gt130', 'o5'],
    ['component-code-value-quantity=8462-4$gt130||mmHg', 'o6'],
    ['component-code-value-quantity=8480-6$gt130,8462-4$gt130', 'o5 o6'],
    ['combo-code-value-quantity=8480-6$gt130', 'o12 o5'],
    ['combo-code-value-quantity=29463-7$61', 'o10'],
    [`code-value-quantity=${LOINC}|29463-7$gt99`, 'o2'],
    ['code-value-quantity=|29463-7$gt99', 'o4'],
    ['code-value-concept=11557-6$urn:values|high', 'o7'],
    ['code-value-concept=11557-6$high', 'o7'],
    ['code-value-concept=11557-6$|high', ''],
    ['combo-code-value-concept=11557-6$high', 'o7'],
    ['code-value-string=11557-6$trace', 'o8'],
    ['code-value-string=29463-7$trace', ''],
    ['code-value-date=11557-6$2024-03-01', 'o9'],
    ['code-value-date=11557-6$lt2024', ''],
    ['code-value-date=11557-6$sa2023', 'o9'],
  ],
  'RiskAssessment by number': [
    ['probability=0.5', 'r1 r2 r4'],
    ['probability=+0.5', 'r1 r2 r4'],
    ['probability=0.50', 'r1'],
    ['probability=0.1', 'r5'],
    ['probability=100', 'r6 r7'],
    ['probability=100.0', 'r6'],
    ['probability=1e2', 'r6 r7'],
    ['probability=gt0.54', 'r3 r5 r6 r7'],
    ['probability=lt0.45', 'r10 r5 r8'],
    ['probability=ge0.9', 'r5 r6 r7'],
    ['probability=le-3', 'r8'],
    ['probability=-3', 'r8'],
    ['probability=0', 'r10 r4 r5'],
    ['probability=ne0.5', 'r10 r3 r5 r6 r7 r8'],
    ['probability=sa0.55', 'r5 r6 r7'],
    ['probability=eb0', 'r8'],
    ['probability=ap0.5', 'r1 r2 r3 r4'],
    ['probability:missing=true', 'r9'],
    ['probability=0.1&probability=0.9', 'r5'],
  ],
  'ValueSet by uri': [
    ['url=http://example.org/fhir/ValueSet/a', 'v1'],
    ['url=http://example.org/fhir/ValueSet/a,http://example.org/fhir', 'v1 v3'],
    ['url=http://example.org/fhir/ValueSet/A', ''],
    ['url:above=http://example.org/fhir/ValueSet/a/b/c', 'v1 v2 v3'],
    ['url:missing=true', ''],
    ['context-type-quantity=age$5', 'v2'],
    ['context-type-value=venue$home', 'v3'],
    ['context-type-value=age$home', ''],
    ['context-quantity=gt4||a', 'v2'],
    ['title=fir&date=2020', 'v1'],
  ],
  'Condition by what is not promoted': [
    ['recorded-date=2011', 'c1'],
    ['recorded-date=gt2011-02-03', 'c2'],
    ['recorded-date=2011,2012-03', 'c1 c2'],
    ['onset-date=2010', 'c1'],
    ['onset-age=gt39|http://unitsofmeasure.org|a', 'c2'],
    ['recorded-date=ge2011&onset-age=40', 'c2'],
  ],
  'Encounter by parts that repeat': [
    ['location-period=2024-01', 'e1'],
    // Neither lies a part of the period after the 16th, nor the whole of it within.
    ['location-period=ge2024-01-16', ''],
    ['location-period=ge2024-01-15', 'e1'],
    ['location-period=sa2024-01-16', ''],
    ['class=urn:class|AMB', 'e1'],
  ],
};

describe.each(Object.entries(CASES))('%s', (group, cases) => {
  const type = group.split(' ')[0] ?? '';

  it.each(cases)('%s', async (search, ids) => {
    const wanted = ids.split(' ').filter((id) => id !== '');
    const query = parse(type, search);
    expect(idsOf(await run(query))).toEqual(wanted);
    expect(idsOf(await run(query, common))).toEqual(wanted);
    expect(idsOf(await run(parse(type, `${search}&_sort=-_lastUpdated`), common)).sort()).toEqual(wanted);
    expect(await throughGrant(type, query.where)).toEqual(wanted);
    expect(await throughGrant(type, { kind: 'not', of: query.where })).toEqual(idsOfType(type).filter((id) => !wanted.includes(id)));
    expect(await counted(query)).toBe(wanted.length);
  });
});

const idsOfType = (type: string): string[] => world.filter(({ resourceType }) => resourceType === type).map(({ id }) => String(id)).sort();

/** As the condition that a read under a Grant is put to. */
async function throughGrant(type: string, clause: Clause): Promise<string[]> {
  const values: unknown[] = ['p0'];
  const text = `select t.id from fhir."${type}" t where t.id <> $1 and (${clauseSql(definitions, type, clause, 't', values)}) order by t.id`;
  return idsOf((await fixture.database.query<{ id: string }>({ text, values })).rows);
}

async function counted(query: Query): Promise<number> {
  const { rows } = await fixture.database.query<{ total: number }>(totalStatement(definitions, query, ALL));
  return Number(rows[0]?.total);
}

describe('an order', () => {
  const ORDERS: readonly Case[] = [
    ['', 'o1 o10 o11 o12 o2 o3 o4 o5 o6 o7 o8 o9'],
    ['_sort=-_id', 'o9 o8 o7 o6 o5 o4 o3 o2 o12 o11 o10 o1'],
    ['_sort=_lastUpdated', 'o1 o2 o3 o4 o5 o6 o7 o8 o9 o10 o11 o12'],
    ['_sort=-_lastUpdated', 'o12 o11 o10 o9 o8 o7 o6 o5 o4 o3 o2 o1'],
    // By the beginning; an open one is the earliest. Without a date: last either way.
    ['_sort=date', 'o7 o3 o4 o5 o2 o1 o6 o9 o8 o10 o11 o12'],
    ['_sort=-date', 'o8 o9 o6 o1 o2 o5 o4 o3 o7 o12 o11 o10'],
    ['_sort=-date&status=final', 'o8 o9 o6 o1 o5 o4 o3 o7 o12 o11'],
    ['_sort=date&status=final', 'o7 o3 o4 o5 o1 o6 o9 o8 o11 o12'],
    ['_sort=-date&date=ge2024-01-15', 'o8 o9 o6 o1 o2 o5 o4 o3'],
    ['_sort=-date&patient=p1', 'o8 o1 o2 o7'],
    ['_sort=date&patient=p1,p2', 'o7 o3 o4 o2 o1 o8'],
    ['_sort=value-quantity', 'o1 o3 o2 o12 o4 o10 o11 o5 o6 o7 o8 o9'],
    ['_sort=-value-quantity,_lastUpdated', 'o4 o12 o2 o3 o1 o5 o6 o7 o8 o9 o10 o11'],
    ['_sort=subject,-date', 'o10 o9 o8 o1 o2 o7 o4 o3 o6 o5 o12 o11'],
    ['_sort=value-string,_id', 'o8 o1 o10 o11 o12 o2 o3 o4 o5 o6 o7 o9'],
  ];

  describe.each(['rare', 'common'] as const)('with tokens that are %s', (frequency) => {
    it.each(ORDERS)('"%s" holds from page to page', async (search, ids) => {
      for (const count of [1, 3, 12, 13]) expect(await allPages('Observation', search, count, frequency === 'rare' ? rare : common)).toEqual(ids.split(' '));
    });
  });

  it.each<Case>([
    ['_sort=given,-_id', 'p1 P5 p2 p3 p6 p4'],
    ['_sort=-family', 'p2 p1 P5 p3 p6 p4'],
  ])('of names takes the first of several, or the last: %s', async (search, ids) => {
    expect(await allPages('Patient', search, 2, rare)).toEqual(ids.split(' '));
  });
});

async function allPages(type: string, search: string, count: number, frequencyOf: FrequencyOf): Promise<string[]> {
  const query = { ...parse(type, search), count };
  const seen: string[] = [];
  let after: Query['after'];
  do {
    const rows = await run({ ...query, ...(after && { after }) }, frequencyOf);
    expect(rows.length).toBeLessThanOrEqual(count + 1);
    const shown = rows.slice(0, count);
    const last = shown.at(-1);
    seen.push(...idsOf(shown));
    after = rows.length > count && last ? cursorOf(last) : undefined;
  } while (after);
  return seen;
}

describe('what is included', () => {
  const INCLUDES: readonly (readonly [type: string, search: string, matches: string, included: string])[] = [
    ['Observation', '_id=o1&_include=Observation:patient', 'o1', 'Patient/p1'],
    ['Observation', '_id=o1,o2&_include=Observation:subject', 'o1 o2', 'Patient/p1'],
    ['Observation', '_id=o10&_include=Observation:patient', 'o10', ''],
    ['Observation', '_id=o1,o10&_include=Observation:subject:Group', 'o1 o10', 'Group/g1'],
    ['Observation', '_id=o1&_include=Observation:*', 'o1', 'Encounter/e1 Patient/p1 Practitioner/dr1'],
    ['Observation', '_id=o1&_include=*', 'o1', 'Encounter/e1 Patient/p1 Practitioner/dr1'],
    ['Observation', '_id=o1&_include=Observation:patient&_include=Observation:performer', 'o1', 'Patient/p1 Practitioner/dr1'],
    ['Observation', '_id=o1&_include=Observation:patient&_include=Patient:organization', 'o1', 'Patient/p1'],
    ['Observation', '_id=o1&_include=Observation:patient&_include:iterate=Patient:organization', 'o1', 'Organization/org1 Patient/p1'],
    ['Observation', 'status=amended&_include=Observation:patient', 'o2', 'Patient/p1'],
    ['Observation', 'status=final&component-code=8480-6&_sort=-date&_include=Observation:derived-from', 'o6 o5', 'Observation/o1'],
    ['Observation', '_id=o12&_include=Observation:subject', 'o12', ''],
    ['Observation', '_id=o1,o5&_include=Observation:derived-from', 'o1 o5', ''],
    ['Patient', '_id=p2&_revinclude=Observation:patient', 'p2', 'Observation/o3 Observation/o4'],
    ['Patient', '_id=p2&_revinclude=Observation:focus', 'p2', 'Observation/o7'],
    ['Patient', '_id=p2&_revinclude=Observation:*', 'p2', 'Observation/o3 Observation/o4 Observation/o7'],
    ['Patient', '_id=p3&_revinclude=Group:member&_revinclude=Observation:subject', 'p3', 'Group/g1 Observation/o5 Observation/o6'],
    ['Organization', '_id=org2&_revinclude=Patient:organization&_revinclude:iterate=Condition:patient', 'org2', 'Condition/c2 Patient/p2'],
    ['Organization', '_id=org2&_include:iterate=Organization:partof', 'org2', 'Organization/org1'],
    ['Patient', '_sort=-_id&_include=Patient:general-practitioner', 'p6 p4 p3 p2 p1 P5', 'Practitioner/dr1 Practitioner/dr2'],
  ];

  it.each(INCLUDES)('%s?%s', async (type, search, matches, included) => {
    for (const frequencyOf of [rare, common]) {
      const rows = await run(parse(type, search), frequencyOf);
      expect(idsOf(rows.filter(({ type: kind }) => kind === undefined))).toEqual(matches.split(' '));
      expect(rows.filter(({ type: kind }) => kind !== undefined).map((row) => `${row.type}/${row.id}`).sort()).toEqual(included.split(' ').filter((id) => id !== ''));
    }
  });

  it('belongs to the rows of the page, not to the one that only tells of a next', async () => {
    const rows = await run({ ...parse('Observation', '_id=o1,o3&_include=Observation:patient'), count: 1 });
    expect(rows.map(({ type: included, id }) => (included === undefined ? id : `included ${included}/${id}`))).toEqual(['o1', 'o3', 'included Patient/p1']);
  });
});

describe('under a Grant', () => {
  const values = (...texts: string[]) => texts.map((text) => ({ text }));
  const parameter = (type: string, code: string) => {
    const found = definitions.searchParameters(type).get(code);
    if (!found) throw new Error(`${type} has no ${code}`);
    return found;
  };
  /** Sees of the patients those called Smith, of the observations those of weight, and of practitioners none. */
  const some: Grant = {
    ...ALL,
    rows: (type) => {
      if (type === 'Patient') return { kind: 'parameter', parameter: parameter('Patient', 'name'), values: values('smith') };
      if (type === 'Observation') return { kind: 'parameter', parameter: parameter('Observation', 'code'), values: values('29463-7') };
      return { kind: type === 'Practitioner' ? 'none' : 'all' };
    },
  };
  const HIDDEN: readonly (readonly [type: string, search: string, rows: string])[] = [
    ['Patient', '', 'p1 p2 p4'],
    ['Practitioner', '', ''],
    ['Patient', 'identifier=9000000009', 'p1'],
    ['Observation', 'patient.gender=other', ''],
    ['Observation', 'patient.gender=female', 'o1 o2'],
    ['Patient', '_has:Observation:patient:code=11557-6', ''],
    ['Patient', '_has:Observation:patient:status=amended', 'p1'],
    ['Patient', 'general-practitioner.name=watson', ''],
    ['Observation', '_id=o1&_include=Observation:performer&_include=Observation:patient', 'o1 p1'],
    ['Patient', '_id=p1&_revinclude=Observation:patient', 'p1 o1 o2'],
    ['Observation', '_include=Observation:subject&_sort=-_id&status=final', 'o4 o3 o1 p1 p2'],
  ];

  it.each(HIDDEN)('%s?%s', async (type, search, ids) => {
    const wanted = ids.split(' ').filter((id) => id !== '');
    for (const frequencyOf of [rare, common]) {
      const found = idsOf(await run(parse(type, search), frequencyOf, some));
      expect([...found].sort()).toEqual([...wanted].sort());
    }
  });

  it('a chain of the Grant itself does not pass through the Grant again', async () => {
    const chain: Clause = { kind: 'chain', parameter: parameter('Observation', 'subject'), type: 'Patient', where: { kind: 'ids', ids: ['p2'] } };
    const none: Grant = { ...ALL, rows: (type) => (type === 'Observation' ? chain : { kind: 'none' }) };
    expect(idsOf(await run(parse('Observation', ''), rare, none))).toEqual(['o3', 'o4']);
  });
});
