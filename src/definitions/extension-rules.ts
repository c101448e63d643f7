// HL7's extensions and our own: where each may stand. https://hl7.org/fhir/R4/defining-extensions.html#context
import type { JsonObject, JsonValue, Resource } from '../fhir/resource.js';
import type { ExtensionRule } from './model.js';
import { wordsOf, type PackedDefinitions } from './packed.js';

const HL7 = 'http://hl7.org/fhir/StructureDefinition/';

/** By URL. */
export function extensionRules(packed: PackedDefinitions, own: readonly Resource[]): ReadonlyMap<string, ExtensionRule> {
  const rules = new Map<string, ExtensionRule>();
  for (const [id, [contexts, values, modifier]] of Object.entries(packed.extensions)) {
    rules.set(HL7 + id, {
      url: HL7 + id,
      contexts: wordsOf(contexts).map((expression) => ({ type: 'element', expression })),
      values: values === '' ? [] : values.split(' '),
      modifier: modifier === 1,
    });
  }
  for (const rule of own.flatMap(ownRule)) rules.set(rule.url, rule);
  return rules;
}

/** What an own extension holds, its profile says; this is where it may stand. */
function ownRule({ resourceType, type, derivation, url, context, differential, snapshot }: Resource): readonly ExtensionRule[] {
  if (resourceType !== 'StructureDefinition' || type !== 'Extension' || derivation !== 'constraint' || typeof url !== 'string') return [];
  const contexts = objectsIn(context).map((one) => ({ type: textOf(one.type), expression: textOf(one.expression) }));
  const [root] = [...objectsIn(memberOf(snapshot, 'element')), ...objectsIn(memberOf(differential, 'element'))];
  return [{ url, contexts, modifier: root?.isModifier === true }];
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item): item is JsonObject => typeof item === 'object' && item !== null && !Array.isArray(item)) : [];
}
