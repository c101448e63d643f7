// The invariants of a type or element, compiled from their FHIRPath when first asked. https://hl7.org/fhir/R4/conformance-rules.html#constraints
import type { Constraint, Definitions, TypeRule } from '../definitions/model.js';
import { compileInvariant, type Invariant } from '../fhirpath/compile-invariant.js';
import type { Faults } from './faults.js';

export interface Invariants {
  /** What a value of the type must meet, its base types' rules with it. */
  ofType(rule: TypeRule): readonly Asked[];
  /** What an element asks beyond its type. `type`: of its value. */
  ofElement(constraints: readonly Constraint[], type: string): readonly Asked[];
  /** Compiles, a rule at each step, what was given out and not asked yet. */
  preparation(): Generator<void>;
}

/** One rule, to be asked of values of one type. */
export interface Asked {
  readonly constraint: Constraint;
  ask(value: unknown, faults: Faults, segment: string): void;
}

/** Checked by hand, each where the comment says: structure-code.ts (ele-1, ext-1), contained.ts (dom-2 to dom-6), reference.ts (ref-1), narrative.ts (txt-1, txt-2). */
const BY_HAND: ReadonlySet<string> = new Set(['ele-1', 'ext-1', 'dom-2', 'dom-3', 'dom-4', 'dom-5', 'dom-6', 'ref-1', 'txt-1', 'txt-2']);

export function createInvariants(definitions: Pick<Definitions, 'type' | 'element' | 'isA' | 'isResource'>): Invariants {
  const unasked = new Set<() => Invariant>();
  const ofElement = (constraints: readonly Constraint[], type: string): Asked[] => {
    return constraints.filter(({ key }) => !BY_HAND.has(key)).map((constraint) => {
      let holds: Invariant | undefined;
      const compile = (): Invariant => {
        unasked.delete(compile);
        return (holds ??= compileInvariant(constraint.expression, type, definitions));
      };
      unasked.add(compile);
      return asked(constraint, compile);
    });
  };
  const ofType = (rule: TypeRule): Asked[] => {
    const all: Constraint[] = [];
    for (let at: TypeRule | undefined = rule; at !== undefined; at = at.base === undefined ? undefined : definitions.type(at.base)) all.push(...at.constraints);
    return ofElement(all, rule.name);
  };
  function* preparation(): Generator<void> {
    for (const compile of unasked) {
      // run once, which is when JavaScript's own compiler looks at it
      compile()({}, { resource: {}, rootResource: {} });
      yield;
    }
  }
  return { ofType, ofElement, preparation };
}

function asked(constraint: Constraint, compile: () => Invariant): Asked {
  let holds: Invariant | undefined;
  const warning = constraint.severity === 'warning';
  return {
    constraint,
    ask: (value, faults, segment) => {
      if (warning && !faults.hints) return;
      holds ??= compile();
      const { setting } = faults;
      setting.trouble = undefined;
      if (!holds(value, setting)) reportBroken(faults, segment, constraint, setting.trouble);
    },
  };
}

/** The rule's own words: they say what must be. `trouble`: why it could not be evaluated, which counts as broken. */
function reportBroken(faults: Faults, segment: string, { key, human, severity }: Constraint, trouble: string | undefined): void {
  const words = (): string => `${key}: ${human}${trouble === undefined ? '' : ` (it could not be checked: ${trouble})`}`;
  if (severity === 'error') faults.add('invariant', segment, words);
  else faults.hint('invariant', segment, words);
}
