import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadDefinitions } from '../../src/definitions/load.js';
import type { Definitions } from '../../src/definitions/model.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'definitions-'));
  mkdirSync(join(root, 'profiles'));
  symlinkSync(resolve('profiles/r4'), join(root, 'profiles/r4'));
});

afterEach(() => rmSync(root, { recursive: true }));

function load(files: Readonly<Record<string, unknown>>): Definitions {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return loadDefinitions({ root });
}

const parameter = { resourceType: 'SearchParameter', url: 'http://e.example/sp/band', code: 'band', type: 'token', base: ['Account', 'Patient'], expression: "Account.extension('http://e.example/band').value | Patient.extension('http://e.example/band').value" };

describe('conformance resources of our own', () => {
  test('are read from profiles/ and terminology/, in order, at any depth; HL7\'s are not among them', () => {
    const system = { resourceType: 'CodeSystem', url: 'http://e.example/cs' };
    const definitions = load({ 'terminology/b.json': system, 'profiles/x/y/a.json': parameter, 'profiles/x/readme.md': 'words' });
    expect(definitions.conformanceResources).toEqual([parameter, system]);
  });

  test('are left out when HL7\'s alone are asked for', () => {
    load({ 'profiles/a.json': parameter });
    expect(loadDefinitions({ root, profiles: false }).conformanceResources).toEqual([]);
  });

  test('a search parameter lies under each of its bases', () => {
    const definitions = load({ 'profiles/a.json': parameter });
    expect(definitions.searchParameters('Account').get('band')).toEqual({ code: 'band', type: 'token', url: parameter.url, expression: parameter.expression });
    expect(definitions.searchParameters('Patient').has('band')).toBe(true);
    expect(definitions.searchParameters('Group').has('band')).toBe(false);
  });

  test('a composite and a reference parameter keep their parts and targets', () => {
    const component = [{ definition: 'http://e.example/sp/a', expression: 'code' }, { definition: 'http://e.example/sp/b', expression: 'value' }];
    const definitions = load({ 'profiles/a.json': { ...parameter, type: 'composite', target: ['Patient'], component } });
    expect(definitions.searchParameters('Account').get('band')).toMatchObject({ targets: ['Patient'], components: component });
  });

  test('a parameter for Resource is every type\'s', () => {
    const definitions = load({ 'profiles/a.json': { ...parameter, base: ['Resource'], code: 'made-by', expression: 'Resource.meta.source' } });
    expect(definitions.resourceTypes.every((type) => definitions.searchParameters(type).has('made-by'))).toBe(true);
  });
});

describe('our own value sets', () => {
  const system = { resourceType: 'CodeSystem', url: 'http://e.example/cs', content: 'complete', concept: [{ code: 'a', concept: [{ code: 'a1' }] }, { code: 'b' }] };
  const set = (name: string, compose: unknown): unknown => ({ resourceType: 'ValueSet', url: `http://e.example/vs/${name}`, compose });
  const codes = (compose: unknown, others: Readonly<Record<string, unknown>> = {}): readonly string[] | undefined => {
    const listed = load({ 'terminology/system.json': system, 'terminology/set.json': set('it', compose), ...others }).codes('http://e.example/vs/it');
    return listed && [...listed].filter((code) => code.startsWith('|')).sort();
  };

  test('of a whole system hold its codes at every depth', () => {
    expect(codes({ include: [{ system: system.url }] })).toEqual(['|a', '|a1', '|b']);
  });

  test('of named codes hold those, with and without their system', () => {
    const listed = load({ 'terminology/set.json': set('it', { include: [{ system: 'http://snomed.info/sct', concept: [{ code: '1' }] }] }) }).codes('http://e.example/vs/it|2.0');
    expect([...(listed ?? [])]).toEqual(['http://snomed.info/sct|1', '|1']);
  });

  test('leave out what they exclude', () => {
    expect(codes({ include: [{ system: system.url }], exclude: [{ system: system.url, concept: [{ code: 'a' }] }] })).toEqual(['|a1', '|b']);
  });

  test('hold what a system and the sets of one include share, and what several includes add', () => {
    const other = set('other', { include: [{ system: system.url, concept: [{ code: 'a' }, { code: 'b' }] }] });
    const narrow = { system: system.url, concept: [{ code: 'b' }, { code: 'a1' }], valueSet: ['http://e.example/vs/other|1.0'] };
    expect(codes({ include: [narrow] }, { 'terminology/other.json': other })).toEqual(['|b']);
    expect(codes({ include: [narrow, { system: system.url, concept: [{ code: 'a1' }] }] }, { 'terminology/other.json': other })).toEqual(['|a1', '|b']);
  });

  test('may import HL7\'s', () => {
    expect(codes({ include: [{ valueSet: ['http://hl7.org/fhir/ValueSet/administrative-gender'] }] })).toEqual(['|female', '|male', '|other', '|unknown']);
  });

  test.each([
    ['a system that is not here', { include: [{ system: 'http://snomed.info/sct' }] }],
    ['a filter', { include: [{ system: system.url, filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }] }],
    ['a set that is not here', { include: [{ valueSet: ['http://e.example/vs/none'] }] }],
    ['itself', { include: [{ valueSet: ['http://e.example/vs/it'] }] }],
    ['nothing', undefined],
  ])('can\'t be listed with %s', (_, compose) => {
    expect(codes(compose)).toBeUndefined();
  });

  test('can\'t be listed where the system is a fragment', () => {
    expect(codes({ include: [{ system: system.url }] }, { 'terminology/system.json': { ...system, content: 'fragment' } })).toBeUndefined();
  });
});

describe('a mistake is told with the name of the file', () => {
  test.each([
    ['text that is not JSON', { 'profiles/x/a.json': '{' }, 'profiles/x/a.json is not JSON'],
    ['no resource', { 'terminology/a.json': [] }, 'terminology/a.json is not a FHIR resource'],
    ['an unknown type', { 'terminology/a.json': { resourceType: 'ValueSets' } }, 'terminology/a.json has the resourceType ValueSets'],
    ['a url used twice', { 'profiles/a.json': parameter, 'terminology/b.json': { resourceType: 'ValueSet', url: parameter.url } }, 'profiles/a.json and terminology/b.json both define http://e.example/sp/band'],
    ['a parameter without code', { 'profiles/a.json': { ...parameter, code: undefined } }, 'profiles/a.json: a SearchParameter needs code'],
    ['a parameter without expression', { 'profiles/a.json': { ...parameter, expression: undefined } }, 'profiles/a.json: a SearchParameter needs expression'],
    ['a parameter without base', { 'profiles/a.json': { ...parameter, base: [] } }, 'profiles/a.json: a SearchParameter needs a base'],
    ['a parameter of no type', { 'profiles/a.json': { ...parameter, type: 'text' } }, 'profiles/a.json: a SearchParameter needs a type'],
    ['a parameter for no resource', { 'profiles/a.json': { ...parameter, base: ['Acount'] } }, 'profiles/a.json: the base Acount is no resource type'],
    ['a part without definition', { 'profiles/a.json': { ...parameter, component: [{ expression: 'code' }] } }, 'profiles/a.json: a SearchParameter needs component.definition'],
  ])('%s', (_, files, words) => {
    expect(() => load(files)).toThrow(words);
  });

  test('a code that the type has already names both parameters', () => {
    expect(() => load({ 'profiles/a.json': { ...parameter, code: 'birthdate', base: ['Patient'] } })).toThrow(/Patient\.birthdate: .*individual-birthdate and http:\/\/e\.example\/sp\/band|Patient\.birthdate: http:\/\/e\.example\/sp\/band and/);
  });
});
