// Packs HL7's pristine R4 definitions into profiles/r4/definitions.json, the one file src/definitions/load.ts reads,
// and profiles/r4/terminology.ndjson, which scripts/pack-terminology.mjs explains.
//
//   node scripts/build-definitions.mjs [folder]
//
// `folder` is an unpacked hl7.fhir.r4.examples 4.0.1 (CC0); without it the package is fetched by `npm pack` into a
// temporary folder. The output is the same, byte for byte, for the same package.
//
// HL7's own profiles go into profiles/r4/profiles.json, which scripts/pack-profiles.mjs explains, and all that the API serves of
// HL7's into profiles/r4/conformance.ndjson.br: scripts/pack-conformance.mjs.
//
// Why a file of our own: the raw definitions take 500 ms and 100 MB to load. Base types only (derivation =
// specialization), and of HL7's extensions where they may stand and what type of value they have.
//
// Shape. A list of words is one string with spaces between, or an array where a word has a space itself.
//   types       { name: { kind: r|c|p|b, base?, abstract?: 1, regex?, rules?: [number], own: [element] } }
//               `own` leaves out what the base type has just so; an element named as one of the base's takes its place.
//   element     [name, min, max (-1 = *), types, { targets?, bind?: [strength r|e|p|x, value set], rules?, summary?: 1 }?]
//   constraints [[key, severity e|w, human, expression]]
//               `rules` are places in this list; what the base or the element's type says already is left out (ele-1, ext-1 …).
//   search      [[code, type, url, bases, { expression?, targets? (any type when absent), components?: [[definition, expression]] }]]
//   systems     { url: codes }                  the code systems that required value sets use whole
//   valueSets   { url: { include, exclude? } }  of required bindings; include: [{ system?, codes?, valueSet? }]
//   compartments { name: { type: parameters } }
//   extensions  { id: [contexts (elements), types of value[x] ('' for none), modifier?: 1] }
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackage } from './hl7-package.mjs';
import { conformanceBytes } from './pack-conformance.mjs';
import { profilesText } from './pack-profiles.mjs';
import { listedSystems, terminologyLines } from './pack-terminology.mjs';

const TYPE_URL = 'http://hl7.org/fhir/StructureDefinition/';
const FHIR_TYPE = `${TYPE_URL}structuredefinition-fhir-type`;
const SYSTEM = 'http://hl7.org/fhirpath/System.';
const REGEX = `${TYPE_URL}regex`;
const STRENGTH = { required: 'r', extensible: 'e', preferred: 'p', example: 'x' };
// HL7's documentation examples lie among the real definitions and name the same codes.
const EXAMPLES = new Set(['example', 'example-extension', 'example-reference']);

function readAll(folder, type) {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${type}-`) && name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

function words(list) {
  return list.some((word) => /\s/.test(word) || word === '') ? list : list.join(' ');
}

function withoutVersion(canonical) {
  return canonical.replace(/\|.*$/, '');
}

function sorted(entries) {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

// -- types ------------------------------------------------------------------------------------------------------------

function baseName(definition) {
  return definition.baseDefinition?.replace(TYPE_URL, '');
}

function isBaseType(definition) {
  const root = definition.id === 'Element' || definition.id === 'Resource';
  return definition.kind !== 'logical' && (root || definition.derivation === 'specialization');
}

/** An element with children in the same snapshot is a type of its own, named by its path. */
function backbonePaths(definition) {
  const paths = definition.snapshot.element.map((element) => element.path);
  const parents = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('.'))));
  return paths.slice(1).filter((path) => parents.has(path));
}

function typeCode(element, type) {
  if (element.path === 'Resource.id' || element.base?.path === 'Resource.id') return 'id'; // the snapshot's "string" is an erratum
  const code = type.extension?.find((extension) => extension.url === FHIR_TYPE)?.valueUrl ?? type.code;
  return code === `${SYSTEM}String` ? 'string' : code;
}

function typesOf(element, backbones) {
  if (element.contentReference) return [element.contentReference.slice(1)];
  if (backbones.has(element.path)) return [element.path];
  return [...new Set(element.type.map((type) => typeCode(element, type)))];
}

function targetsOf(element) {
  const profiles = (element.type ?? []).flatMap((type) => type.targetProfile ?? []);
  const names = [...new Set(profiles.map((profile) => profile.replace(TYPE_URL, '')))];
  return names.length === 0 || names.includes('Resource') ? undefined : names;
}

/** Every type in HL7's order, each backbone after the type it lies in: { name, kind, base, root, children, extra }. */
function listTypes(definitions) {
  return definitions.flatMap((definition) => {
    const { element: elements } = definition.snapshot;
    const kind = definition.kind[0];
    const value = elements.find((element) => kind === 'p' && element.path.endsWith('.value'));
    const regex = value?.type[0].extension?.find((extension) => extension.url === REGEX)?.valueString;
    const childrenOf = (path) => elements.filter((child) => child !== value && child.path.slice(0, child.path.lastIndexOf('.')) === path);
    const extra = { ...(definition.abstract && { abstract: 1 }), ...(regex && { regex }) };
    const own = { name: definition.id, kind, base: baseName(definition), root: elements[0], children: childrenOf(definition.id), extra };
    const backbones = backbonePaths(definition).map((path) => {
      const root = elements.find((element) => element.path === path);
      return { name: path, kind: 'b', base: root.type[0].code, root, children: childrenOf(path), extra: {} };
    });
    return [own, ...backbones];
  });
}

function packTypes(definitions) {
  const list = listTypes(definitions);
  const byName = new Map(list.map((type) => [type.name, type]));
  const backbones = new Set(list.filter((type) => type.kind === 'b').map((type) => type.name));
  const chain = (name) => (byName.has(name) ? [byName.get(name), ...chain(byName.get(name).base)] : []);

  // Rules are numbered, not named: three different ones are called inv-1.
  const constraints = [];
  const numbers = new Map();
  const numberOf = (rule) => {
    const row = [rule.key, rule.severity[0], rule.human, rule.expression];
    const text = JSON.stringify(row);
    if (!numbers.has(text)) numbers.set(text, constraints.push(row) - 1);
    return numbers.get(text);
  };
  const newRules = (element, knownTypes) => {
    const known = new Set(knownTypes.flatMap(chain).flatMap((type) => (type.root.constraint ?? []).map((rule) => rule.key)));
    return (element.constraint ?? []).filter((rule) => !known.has(rule.key)).map(numberOf);
  };

  const packElement = (element) => {
    const types = typesOf(element, backbones);
    const rules = backbones.has(element.path) ? [] : newRules(element, types); // a backbone's rules are its type's
    const targets = targetsOf(element);
    const { binding } = element;
    const more = {
      ...(targets && { targets: words(targets) }),
      ...(binding?.valueSet && { bind: [STRENGTH[binding.strength], withoutVersion(binding.valueSet)] }),
      ...(rules.length > 0 && { rules }),
      ...(element.isSummary && { summary: 1 }),
    };
    const max = element.max === '*' ? -1 : Number(element.max);
    const row = [element.path.slice(element.path.lastIndexOf('.') + 1), element.min, max, words(types)];
    return Object.keys(more).length > 0 ? [...row, more] : row;
  };

  const packed = list.map(({ name, kind, base, root, children, extra }) => {
    const inherited = new Set((byName.get(base)?.children ?? []).map((element) => JSON.stringify(packElement(element))));
    const own = children.map(packElement).filter((row) => !inherited.has(JSON.stringify(row)));
    const rules = newRules(root, base ? [base] : []);
    return [name, { kind, ...(base && { base }), ...extra, ...(rules.length > 0 && { rules }), own }];
  });
  return { types: sorted(packed), constraints };
}

// -- extensions -------------------------------------------------------------------------------------------------------

function isExtension(definition) {
  return definition.type === 'Extension' && definition.derivation === 'constraint' && definition.url === TYPE_URL + definition.id;
}

function packExtensions(definitions) {
  return sorted(definitions.filter(isExtension).map(({ id, context, snapshot }) => {
    if (context.some(({ type }) => type !== 'element')) throw new Error(`The context of ${id} is not only elements: pack its type too`);
    const value = snapshot.element.find((element) => element.path === 'Extension.value[x]');
    const types = value.max === '0' ? [] : [...new Set(value.type.map((type) => type.code))];
    return [id, [words(context.map(({ expression }) => expression)), types.join(' '), ...(snapshot.element[0].isModifier ? [1] : [])]];
  }));
}

// -- search parameters and compartments -------------------------------------------------------------------------------

/** HL7 spells "any type" out, with one or two forgotten. */
function searchTargets(parameter) {
  return parameter.target?.length > 130 ? undefined : parameter.target;
}

function packSearch(parameters) {
  const real = parameters.filter((parameter) => parameter.base && !EXAMPLES.has(parameter.id));
  return real.map((parameter) => {
    const more = {
      ...(parameter.expression && { expression: parameter.expression.replace(/\s+/g, ' ').trim() }),
      ...(searchTargets(parameter) && { targets: words(parameter.target) }),
      ...(parameter.component && { components: parameter.component.map((part) => [withoutVersion(part.definition), part.expression]) }),
    };
    return [parameter.code, parameter.type, parameter.url, words(parameter.base), more];
  });
}

function packCompartments(definitions) {
  const real = definitions.filter((definition) => !EXAMPLES.has(definition.id));
  return sorted(real.map((definition) => {
    // `{def}` says that the resource in the middle is in its own compartment: no parameter, and so for all five.
    const rows = definition.resource.map((row) => [row.code, (row.param ?? []).filter((code) => code !== '{def}')]);
    const members = rows.filter(([, codes]) => codes.length > 0).map(([type, codes]) => [type, words(codes)]);
    return [definition.code, sorted(members)];
  }));
}

// -- terminology of required bindings ---------------------------------------------------------------------------------

function allCodes(concepts = []) {
  return concepts.flatMap((concept) => [concept.code, ...allCodes(concept.concept)]);
}

function requiredValueSets(types) {
  const urls = Object.values(types).flatMap((type) => type.own.map((element) => element[4]?.bind).filter((bind) => bind?.[0] === 'r'));
  return [...new Set(urls.map((bind) => bind[1]))];
}

function packTerminology(types, valueSets, codeSystems) {
  const setByUrl = new Map(valueSets.map((set) => [set.url, set]));
  const systemByUrl = new Map(codeSystems.map((system) => [system.url, system]));
  const packedSets = new Map();
  const packedSystems = new Map();
  const packPart = (part) => {
    if (part.filter) throw new Error(`A required value set filters ${part.system}: pack its hierarchy first`);
    const system = systemByUrl.get(part.system);
    if (!part.concept && system?.content === 'complete') packedSystems.set(system.url, words(allCodes(system.concept)));
    const imports = part.valueSet?.map(withoutVersion);
    imports?.forEach(pack);
    return {
      ...(part.system && { system: part.system }),
      ...(part.concept && { codes: words(part.concept.map((concept) => concept.code)) }),
      ...(imports && { valueSet: words(imports) }),
    };
  };
  // A set without a definition in the package is left out: the reader takes it as one that can't be listed.
  const pack = (url) => {
    const set = setByUrl.get(url);
    if (!set?.compose || packedSets.has(url)) return;
    packedSets.set(url, {});
    const { include, exclude } = set.compose;
    packedSets.set(url, { include: include.map(packPart), ...(exclude && { exclude: exclude.map(packPart) }) });
  };
  requiredValueSets(types).forEach(pack);
  return { systems: sorted(packedSystems), valueSets: sorted(packedSets) };
}

// ---------------------------------------------------------------------------------------------------------------------

function build(folder) {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (version !== '4.0.1') throw new Error(`${folder} holds version ${version}, not 4.0.1`);
  const codeSystems = [...readAll(folder, 'CodeSystem'), ...listedSystems(JSON.parse(readFileSync(join(folder, 'Bundle-valueset-expansions.json'), 'utf8')))];
  const valueSets = readAll(folder, 'ValueSet');
  const structures = readAll(folder, 'StructureDefinition');
  const { types, constraints } = packTypes(structures.filter(isBaseType));
  const packed = {
    version,
    types,
    constraints,
    search: packSearch(readAll(folder, 'SearchParameter')),
    ...packTerminology(types, valueSets, codeSystems),
    compartments: packCompartments(readAll(folder, 'CompartmentDefinition')),
    extensions: packExtensions(structures),
  };
  writeFileSync(new URL('../profiles/r4/definitions.json', import.meta.url), `${JSON.stringify(packed)}\n`);
  writeFileSync(new URL('../profiles/r4/profiles.json', import.meta.url), profilesText(structures.filter(({ id }) => !EXAMPLES.has(id))));
  writeFileSync(new URL('../profiles/r4/terminology.ndjson', import.meta.url), terminologyLines([...codeSystems, ...valueSets, ...readAll(folder, 'ConceptMap')]));
  writeFileSync(new URL('../profiles/r4/conformance.ndjson.br', import.meta.url), conformanceBytes((type) => readAll(folder, type)));
}

const [folder] = process.argv.slice(2);
if (folder) build(folder);
else fetchPackage(build);
