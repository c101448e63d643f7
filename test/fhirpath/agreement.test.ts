// Examples of the specification (CC0, without narrative): the compiled paths against fhirpath.js, over every parameter.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { SearchParameter } from '../../src/definitions/model.js';
import type { Resource } from '../../src/fhir/resource.js';
import { compilePath } from '../../src/fhirpath/compile-path.js';
import { compileVisit, planPath, type Visited } from '../../src/fhirpath/compile-visit.js';

const folder = join(__dirname, 'fixtures');
const model = loadDefinitions({ profiles: false });
let nodes = 0;

describe('agrees with fhirpath.js', () => {
  test.each(readdirSync(folder))('on %s', (file) => {
    const resource = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Resource;
    const parameters = [...model.searchParameters(resource.resourceType).values()].filter(({ expression }) => expression !== undefined);
    const compiled = parameters.map(({ code, expression = '' }) => [code, compiledNodes(expression, resource)]);
    const interpreted = parameters.map(({ code, expression = '' }) => [code, interpretedNodes(expression, resource)]);
    expect(compiled).toEqual(interpreted);
    expect(visitedNodes(parameters, resource)).toEqual(compiled);
  });

  test('the examples give it enough to disagree on', () => {
    expect(nodes).toBeGreaterThan(400);
  });
});

/** Sorted, without duplicates: fhirpath.js drops those of a union. */
function distinct(found: readonly string[]): readonly string[] {
  return [...new Set(found)].sort();
}

function compiledNodes(expression: string, resource: Resource): readonly string[] {
  const found: string[] = [];
  compilePath(expression, resource.resourceType, model)(resource, (type, value) => found.push(line(type.includes('.') ? 'BackboneElement' : type, value)));
  nodes += found.length;
  return distinct(found);
}

/** As compiledNodes, of all parameters in one visit. */
function visitedNodes(parameters: readonly SearchParameter[], resource: Resource): (readonly [string, readonly string[]])[] {
  const found = new Map(parameters.map(({ code }) => [code, [] as string[]]));
  const visited = parameters.flatMap(({ code, expression = '' }): Visited[] => {
    const plan = planPath(expression, resource.resourceType, model);
    return plan ? [{ plan, take: (type, node) => `xTake(${JSON.stringify(code)}, ${JSON.stringify(type)}, ${node}, s);` }] : [];
  });
  const take = (code: string, type: string, value: Resource, into: typeof found): void => {
    const own = type === 'Resource' ? value.resourceType : type;
    into.get(code)?.push(line(own.includes('.') ? 'BackboneElement' : own, value));
  };
  expect(visited).toHaveLength(parameters.length);
  compileVisit<typeof found>(resource.resourceType, visited, { before: '', after: '', constants: new Map([['xTake', take]]) })(resource, found);
  return [...found].map(([code, lines]) => [code, distinct(lines)]);
}

function interpretedNodes(expression: string, resource: Resource): readonly string[] {
  const found: unknown[] = fhirpath.evaluate(structuredClone(resource), inWordsOfFhirpathJs(expression), {}, r4, { resolveInternalTypes: false }) as unknown[];
  const types = fhirpath.types(found);
  const values = fhirpath.resolveInternalTypes(found) as unknown[];
  return distinct(values.map((value, index) => line((types[index] ?? '').replace(/^FHIR\./, ''), value)));
}

function line(type: string, value: unknown): string {
  // fhirpath.js knows a boolean it worked out, and the id of a resource, by their System types.
  return `${type.replace('System.Boolean', 'boolean').replace(/^(System\.String|id)$/, 'string')} ${JSON.stringify(value)}`;
}

/** It fetches what it resolves, knows no hasExtension, and refuses `as` where there are several nodes. */
function inWordsOfFhirpathJs(expression: string): string {
  return expression
    .replace(/resolve\(\) is (\w+)/g, "(reference.startsWith('$1/') or reference.contains('/$1/'))")
    .replace(/hasExtension\(('[^']*')\)/g, 'extension($1).exists()')
    .replace(/\(([\w.]+) as (\w+)\)/g, '$1.ofType($2)')
    .replace(/\.as\(/g, '.ofType(');
}
