// A rule of a profile, asked of values of one type; compiled from its FHIRPath when first asked.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint
import { compileInvariant, type Invariant } from '../fhirpath/compile-invariant.js';
import { isObject } from './json-object.js';
import { note, reportConstraint } from './profile-reports.js';
import type { ProfileCheck } from './profile-run.js';
import type { ProfileConstraint } from './profile-tree.js';
import type { LazyCheck, ProfileWorld } from './profile-world.js';

/** Undefined where there is nothing to ask, or the base has asked it already. */
export function ruleOf(constraint: ProfileConstraint, type: string, profile: string, world: ProfileWorld): LazyCheck | undefined {
  const { expression, severity } = constraint;
  if (expression === undefined || isOfBase(constraint, type, world)) return undefined;
  const rule: LazyCheck = {
    check: (value, sibling, run, findings) => {
      if (severity === 'warning' && !run.advice) return;
      rule.check = checkBy(constraint, () => compileInvariant(expression, type, world.definitions), type, profile);
      rule.check(value, sibling, run, findings);
    },
  };
  return rule;
}

function checkBy({ key, severity, human }: ProfileConstraint, compile: () => Invariant, type: string, profile: string): ProfileCheck {
  try {
    const holds = compile();
    const isAdvice = severity === 'warning';
    return (value, sibling, run, findings) => {
      if (isAdvice && !run.advice) return;
      if (!holds(value, run, isObject(sibling) ? sibling : undefined)) reportConstraint(findings, { key, profile }, severity, human);
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return (_value, _sibling, _run, findings) => { note(findings, profile, key, `the rule ${key} can't be asked, since its expression is not one for ${type}: ${reason}`); };
  }
}

/** A snapshot repeats the rules of the base type, which have been asked already. */
function isOfBase({ key }: ProfileConstraint, type: string, { definitions }: ProfileWorld): boolean {
  if (/^(ele|ext|dom|ref|bdl)-\d+$/.test(key)) return true;
  for (let rule = definitions.type(type); rule; rule = rule.base === undefined ? undefined : definitions.type(rule.base)) {
    if (rule.constraints.some((one) => one.key === key)) return true;
  }
  return false;
}
