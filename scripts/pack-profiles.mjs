// HL7's own profiles (vitalsigns, bp, lipidprofile …), of which profiles/r4/profiles.json keeps what a check needs: no words, no mappings.
// One array of StructureDefinitions with differentials, 90 KB; src/definitions/published-profiles.ts reads it when one is first asked for.

/** What tells nobody what is allowed. */
const WORDS = new Set(['definition', 'short', 'comment', 'requirements', 'mapping', 'alias', 'mustSupport', 'isSummary', 'example', 'base', 'label', 'meaningWhenMissing', 'isModifierReason']);
const RULE_WORDS = new Set(['mapping', 'xpath', 'source', 'requirements']);

function without(object, members) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !members.has(name)));
}

function elementOf(element) {
  const { constraint, ...rest } = without(element, WORDS);
  return { ...rest, ...(constraint && { constraint: constraint.map((rule) => without(rule, RULE_WORDS)) }) };
}

/** `definitions`: all StructureDefinitions of the package. Extensions are in definitions.json. */
export function profilesText(definitions) {
  const profiles = definitions.filter(({ derivation, type }) => derivation === 'constraint' && type !== 'Extension').map(({ id, url, name, version, kind, type, baseDefinition, differential }) => ({
    resourceType: 'StructureDefinition', id, url, name, version, kind, type, derivation: 'constraint', baseDefinition, differential: { element: differential.element.map(elementOf) },
  }));
  return `[\n${profiles.map((profile) => JSON.stringify(profile)).join(',\n')}\n]\n`;
}
