// R4's published invariants that do not say what they mean, with what they mean: the reason stands beside each.
// https://hl7.org/fhir/R4/conformance-rules.html

/** By the text as published: those that are wrong wherever they stand. */
const CORRECTIONS: ReadonlyMap<string, string> = new Map([
  // que-7: `Boolean` is FHIRPath's own type; an answer in a resource is FHIR's `boolean`, so the rule as written can't be met.
  ["operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"],
  // que-12: "if there are more than one enableWhen", says the text; HL7's validator checks > 1, and R4B corrected it.
  ['enableWhen.count() > 2 implies enableBehavior.exists()', 'enableWhen.count() > 1 implies enableBehavior.exists()'],
  // ras-2: nothing `is` a type, so a prediction without a probability would fail.
  ['probability is decimal implies (probability as decimal) <= 100', 'probability.empty() or (probability is decimal implies (probability as decimal) <= 100)'],
  // bdl-8: an entry without a fullUrl would fail: contains() of nothing is nothing. R5 asks only where there is one.
  ["fullUrl.contains('/_history/').not()", "fullUrl.empty() or fullUrl.contains('/_history/').not()"],
  // ref-1: so would a reference that is an identifier or display alone; and `#` is the container itself, which has no entry in `contained`.
  [
    "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
    "reference.empty() or reference = '#' or reference.startsWith('#').not() or (reference.substring(1) in %rootResource.contained.id)",
  ],
  // md-1: so would a focus without a max, which is optional.
  ["max='*' or (max.toInteger() > 0)", "max.empty() or max = '*' or max.toInteger() > 0"],
  // cnl-0 and its like (pdf-0, vsd-0 …): meant of the whole name, and only where there is one; R4B says both.
  ["name.matches('[A-Z]([A-Za-z0-9_]){0,254}')", "name.empty() or name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')"],
]);

/** By type and text: those that are wrong where they stand. */
const MISPLACED: ReadonlyMap<string, string> = new Map([
  // cid-0: a ChargeItemDefinition has a title and no name; the rule was copied from the other definitions.
  ["ChargeItemDefinition name.matches('[A-Z]([A-Za-z0-9_]){0,254}')", 'true'],
  // ras-1: stands on probability[x], and asks for the low and high that the Range of the choice has and the decimal has not.
  ["decimal (low.empty() or ((low.code = '%') and (low.system = %ucum))) and (high.empty() or ((high.code = '%') and (high.system = %ucum)))", 'true'],
]);

/** eld-19, eld-20: the path of an ElementDefinition, written when matches() meant the whole text. */
const PATHS: readonly string[] = [String.raw`path.matches('[^\\s\\.,:;`, "path.matches('[A-Za-z][A-Za-z0-9]*("];

/** The expression to check a node of that type by. */
export function corrected(expression: string, contextType: string): string {
  if (PATHS.some((path) => expression.startsWith(path))) return expression.replace('path.matches(', 'path.matchesFull(');
  return MISPLACED.get(`${contextType} ${expression}`) ?? CORRECTIONS.get(expression) ?? expression;
}
