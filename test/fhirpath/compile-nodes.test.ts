// Discriminators of slices, as StructureDefinitions write them.
import { loadDefinitions } from '../../src/definitions/load.js';
import { compileNodes } from '../../src/fhirpath/compile-nodes.js';
import type { TypedValue } from '../../src/fhirpath/model.js';

const model = loadDefinitions({ profiles: false });
const extension = [{ url: 'http://a.example', valueCode: 'x' }, { url: 'http://b.example', extension: [{ url: 'in', valueCoding: { code: 'c' } }] }];
const organization = { resourceType: 'Organization', id: 'o', type: [{ text: 'ward' }] };
const observation = { resourceType: 'Observation', contained: [organization], performer: [{ reference: '#o' }], extension, valueQuantity: { value: 1 }, code: { coding: [{ system: 's', code: 'c' }] } };
const env = { resource: observation, rootResource: observation };

test.each<[string, string, unknown, TypedValue[]]>([
  ['$this', 'Coding', { code: 'c' }, [{ type: 'Coding', value: { code: 'c' } }]],
  ['$this', 'code', 'c', [{ type: 'code', value: 'c' }]],
  ['code.coding.code', 'Observation', observation, [{ type: 'code', value: 'c' }]],
  ['url', 'Extension', extension[0], [{ type: 'uri', value: 'http://a.example' }]],
  ["extension('http://a.example').value", 'Observation', observation, [{ type: 'code', value: 'x' }]],
  ["extension('http://b.example').extension('in').value.code", 'Observation', observation, [{ type: 'code', value: 'c' }]],
  ['value.ofType(Quantity).value', 'Observation', observation, [{ type: 'decimal', value: 1 }]],
  ['value', 'Observation', observation, [{ type: 'Quantity', value: { value: 1 } }]],
  ['$this.resolve()', 'Reference', { reference: '#o' }, [{ type: 'Organization', value: organization }]],
  ['performer.resolve().type.text', 'Observation', observation, [{ type: 'string', value: 'ward' }]],
  ['performer.resolve().type.text', 'Observation', { performer: [{ reference: 'Organization/9' }] }, []],
  ['resource', 'Bundle.entry', { resource: organization }, [{ type: 'Organization', value: organization }]],
  ['resource.type.text', 'Bundle.entry', { resource: organization }, [{ type: 'string', value: 'ward' }]],
  ['birthDate', 'Patient', { _birthDate: { id: 'a' } }, [{ type: 'date', value: undefined }]],
])('%s of a %s', (path, type, node, expected) => {
  expect(compileNodes(path, type, model)(node, env)).toEqual(expected);
});

test('an extension of a primitive is found through its sibling', () => {
  const select = compileNodes("extension('http://a.example').value", 'date', model);
  expect(select('2020', env, { extension })).toEqual([{ type: 'code', value: 'x' }]);
  expect(select('2020', env)).toEqual([]);
});

test('what the host can find is resolved', () => {
  const select = compileNodes('resolve().type.text', 'Reference', model);
  expect(select({ reference: 'Organization/1' }, { ...env, resolve: () => organization })).toEqual([{ type: 'string', value: 'ward' }]);
});
