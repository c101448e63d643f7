// R4's published invariants that do not say what they mean, with what they mean: the reason stands beside each.
// https://hl7.org/fhir/R4/conformance-rules.html

/** By the text as published: those that are wrong wherever they stand. */
const CORRECTIONS: ReadonlyMap<string, string> = new Map([
  // que-7: `Boolean` is FHIRPath's own type; an answer in a resource is FHIR's `boolean`, so the rule as written can't be met.
  ["operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"],
  // que-12: "if there are more than one enableWhen", says the text; HL7's validator checks > 1, and R4B corrected it.
  ['enableWhen.count() > 2 implies enableBehavior.exists()', 'enableWhen.count() > 1 implies enableBehavior.exists()'],
]);

/** By type and text: those that are wrong where they stand. */
const MISPLACED: ReadonlyMap<string, string> = new Map([
  // cid-0: a ChargeItemDefinition has a title and no name; the rule was copied from the other definitions.
  ["ChargeItemDefinition name.matches('[A-Z]([A-Za-z0-9_]){0,254}')", 'true'],
  // ras-1: stands on probability[x], and asks for the low and high that the Range of the choice has and the decimal has not.
  ["decimal (low.empty() or ((low.code = '%') and (low.system = %ucum))) and (high.empty() or ((high.code = '%') and (high.system = %ucum)))", 'true'],
]);

/** The expression to check a node of that type by. */
export function corrected(expression: string, contextType: string): string {
  return CORRECTIONS.get(expression) ?? MISPLACED.get(`${contextType} ${expression}`) ?? expression;
}
