// Every rule of R4's types and of the project's profiles is compiled: none is interpreted by fhirpath.js, and few are without code of their own.
import { loadDefinitions } from '../../src/definitions/load.js';
import type { TypeRule } from '../../src/definitions/model.js';
import { compileInvariant } from '../../src/fhirpath/compile-invariant.js';
import { corrected } from '../../src/fhirpath/errata.js';
import { UnsupportedError } from '../../src/fhirpath/expression.js';
import { generateTest } from '../../src/fhirpath/generate.js';
import { makeTest } from '../../src/fhirpath/make-plan.js';
import { parse } from '../../src/fhirpath/parse.js';

interface Rule {
  readonly key: string;
  readonly type: string;
  readonly expression: string;
}

interface ProfileElement {
  readonly path: string;
  readonly type?: readonly { readonly code: string }[];
  readonly constraint?: readonly { readonly key: string; readonly expression: string }[];
}

/** Rules that fhirpath.js interprets. */
const INTERPRETED: readonly string[] = [];

/** Rules that run as closures, with the reason; checked by hand, or rare. */
const WITHOUT_CODE: readonly string[] = [
  'CareTeam.participant ctm-1', // iif()
  'CodeSystem csd-1', // combine()
  'Count cnt-3', // toString()
  'ElementDefinition eld-19', // matches() of the whole text
  'ElementDefinition eld-2', // iif()
  'ElementDefinition eld-20', // matches() of the whole text
  'ImplementationGuide ig-2', // %context
  'ImplementationGuide.definition ig-1', // %context
  'MessageDefinition.focus md-1', // toInteger()
  'Questionnaire que-2', // descendants()
  'Range rng-2', // quantities are compared
  'Reference ref-1', // by hand
  'StructureDefinition sdf-9', // children()
  'StructureDefinition.differential sdf-8a', // tail()
  'StructureDefinition.snapshot sdf-8', // tail()
  'Timing.repeat tim-9', // a list in a list
  'decimal ras-1', // of a primitive
  'string eld-3', // of a primitive
  'xhtml txt-1', // by hand
  'xhtml txt-2', // by hand
];

const definitions = loadDefinitions();

function* rulesOf({ name, constraints, elements }: TypeRule, seen: Set<string>): Generator<Rule> {
  if (seen.has(name)) return;
  seen.add(name);
  for (const { key, expression } of constraints) yield { key, expression, type: name };
  for (const element of elements) {
    for (const type of element.types) {
      for (const { key, expression } of element.constraints ?? []) yield { key, expression, type };
      const rule = definitions.type(type);
      if (rule) yield* rulesOf(rule, seen);
    }
  }
}

/** The types that stand at `Claim.item.net`, `Extension.value[x]`. */
function typesAt(path: string): readonly string[] {
  const [root = '', ...names] = path.split('.');
  return names.reduce<readonly string[]>((types, name) => types.flatMap((type) => definitions.element(type, name.replace('[x]', ''))?.types ?? []), [root]);
}

function* rulesOfProfiles(): Generator<Rule> {
  for (const profile of definitions.conformanceResources) {
    if (profile.resourceType !== 'StructureDefinition') continue;
    const { element } = profile['differential'] as unknown as { readonly element: readonly ProfileElement[] };
    for (const { path, type: codes, constraint = [] } of element) {
      const types = typesAt(path).filter((type) => codes?.some(({ code }) => code === type) ?? true);
      for (const { key, expression } of constraint) for (const type of types) yield { key, expression, type };
    }
  }
}

function hasCode({ expression, type }: Rule): boolean {
  try {
    return generateTest(makeTest(parse(corrected(expression, type)), type, definitions)) !== '';
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

const named = ({ key, type }: Rule): string => `${type} ${key}`;
const seen = new Set<string>();
const base = definitions.resourceTypes.flatMap((name) => [...rulesOf(definitions.type(name) as TypeRule, seen)]);
const own = [...rulesOfProfiles()];

test('there are rules to look at', () => {
  expect(base.length).toBeGreaterThan(200);
  expect(own.length).toBeGreaterThan(30);
});

test('fhirpath.js interprets none of them', () => {
  const interpreted: string[] = [];
  for (const rule of [...base, ...own]) compileInvariant(rule.expression, rule.type, definitions, () => { interpreted.push(named(rule)); });
  expect(interpreted).toEqual(INTERPRETED);
});

test('those of the project have code, and those of R4 but for a few', () => {
  expect(own.filter((rule) => !hasCode(rule)).map(named)).toEqual([]);
  expect([...new Set(base.filter((rule) => !hasCode(rule)).map(named))].sort()).toEqual([...WITHOUT_CODE].sort());
});
