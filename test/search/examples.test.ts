// Each value that a search parameter finds in an example of the specification finds that example. EXAMPLES names a folder of more, such as HL7's own package.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchParameter } from '../../src/definitions/model.js';
import type { Resource } from '../../src/fhir/resource.js';
import { compilePath } from '../../src/fhirpath/compile-path.js';
import { searchStatement } from '../../src/search/compile.js';
import { createExtractor } from '../../src/search/extract.js';
import type { PackedRow } from '../../src/search/packed-page.js';
import { parseSearch } from '../../src/search/parse.js';
import { slotsOf } from '../../src/search/slots.js';
import { ALL, create, definitions, openFixture, type Fixture } from '../store/fixture.js';
import { askedValue } from './asked-value.js';

const FOLDERS = [join(__dirname, '../fhirpath/fixtures'), join(__dirname, '../validation/examples'), ...(process.env.EXAMPLES === undefined ? [] : [process.env.EXAMPLES])];

const extract = createExtractor(definitions);

function readExamples(): readonly Resource[] {
  const byKey = new Map<string, Resource>();
  for (const folder of FOLDERS) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const resource = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Resource;
      if (definitions.resourceTypes.includes(resource.resourceType) && typeof resource.id === 'string') byKey.set(`${resource.resourceType}/${resource.id}`, resource);
    }
  }
  return [...byKey.values()];
}

const resources = readExamples();

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  for (let at = 0; at < resources.length; at += 200) {
    await fixture.store.write(resources.slice(at, at + 200).map((resource) => create(resource.resourceType, String(resource.id), { text: JSON.stringify(resource), rows: extract(resource) })));
  }
});
afterAll(() => fixture.close());

/** What a client could write for one of the values that the parameter finds. */
function valuesOf(resource: Resource, type: string, { type: kind, expression = '', components }: SearchParameter): string[] {
  if (kind === 'composite') return togetherOf(resource, type, expression, components ?? []);
  const found: string[] = [];
  compilePath(expression, type, definitions)(resource, (of, value) => {
    const asked = askedValue(kind, of, value);
    if (asked !== undefined) found.push(asked);
  });
  return found;
}

function togetherOf(resource: Resource, type: string, expression: string, components: NonNullable<SearchParameter['components']>): string[] {
  const found: string[] = [];
  const kinds = components.map(({ definition }) => [...definitions.searchParameters(type).values()].find(({ url }) => url === definition)?.type ?? 'string');
  compilePath(expression, type, definitions)(resource, (of, node) => {
    const parts = components.map((component, index) => {
      let asked: string | undefined;
      compilePath(component.expression, of, definitions)(node as object, (one, value) => { asked ??= askedValue(kinds[index] ?? 'string', one, value); }, resource);
      return asked;
    });
    if (parts.every((part) => part !== undefined)) found.push(parts.join('$'));
  });
  return found;
}

async function finds(type: string, name: string, value: string, id: string): Promise<boolean> {
  const { query } = parseSearch({ definitions, type, pairs: [[name, value], ['_id', id]], handling: 'strict', defaultCount: 1, maxCount: 1, now: Date.now() });
  const statement = searchStatement(definitions, query, ALL);
  return statement.read((await fixture.database.query<PackedRow>(statement)).rows).length === 1;
}

const SEARCHED = ['token', 'string', 'reference', 'date', 'number', 'quantity', 'uri', 'composite', 'special'];

test('every value finds the example it stands in, and the parameter is not missing there', async () => {
  const wrong: string[] = [];
  const asked = new Set<string>();
  const tried = new Set<string>();
  for (const resource of resources) {
    const type = resource.resourceType;
    for (const { parameter } of slotsOf(definitions, type).byCode.values()) {
      if (parameter.expression === undefined || parameter.code === '_lastUpdated' || parameter.code === '_id') continue;
      // The one composite whose components are named crosswise: see slots.ts.
      if (parameter.code === 'relationship' && parameter.type === 'composite') continue;
      const [value] = valuesOf(resource, type, parameter);
      const key = `${type}.${parameter.code}`;
      if (value === undefined || (process.env.EXAMPLES !== undefined && [...tried].filter((one) => one.startsWith(`${key} `)).length >= 3)) continue;
      tried.add(`${key} ${String(resource.id)}`);
      asked.add(parameter.type);
      const id = String(resource.id);
      try {
        if (!(await finds(type, parameter.code, value, id))) wrong.push(`${type}/${id} is not found by ${parameter.code}=${value}`);
        if (await finds(type, `${parameter.code}:missing`, 'true', id)) wrong.push(`${type}/${id} is found by ${parameter.code}:missing=true`);
      } catch (error) {
        wrong.push(`${type}?${parameter.code}=${value}: ${String(error)}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect([...asked].sort()).toEqual(expect.arrayContaining(SEARCHED.filter((kind) => kind !== 'special' || process.env.EXAMPLES !== undefined).sort()));
  expect(tried.size).toBeGreaterThan(200);
}, 600_000);
