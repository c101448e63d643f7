// Which composite parameters are no more than their two parts together: where each part has one place on the resource itself,
// values that are both there stand together. `code-value-quantity` is one, `component-code-value-quantity` is not.
// https://hl7.org/fhir/R4/search.html#composite
import type { Definitions, SearchParameter } from '../definitions/model.js';
import { alternatives, elementPaths, type ElementPath } from './element-path.js';

/** As much as is asked here of a slot and of the parts of a composite one. */
interface OfType {
  readonly type: string;
  readonly parameter: SearchParameter;
}
interface Part {
  readonly slot: OfType;
  readonly expression: string;
}

/** A quantity parameter takes these for their reach, which makes a pair no different. */
const UNMEASURED = new Set(['SampledData']);

/** References are resolved as values of their own parameter only: those stay pairs. */
const KINDS: ReadonlySet<string> = new Set(['token', 'quantity', 'date', 'string']);

export function isBothParts(definitions: Definitions, { type, parameter }: OfType, parts: readonly Part[]): boolean {
  const contexts = elementPaths(definitions, type, parameter.expression ?? '');
  if (contexts?.length !== 1 || contexts[0]?.path !== type) return false;
  return parts.every((part) => KINDS.has(part.slot.parameter.type) && isSameSingle(definitions, type, part));
}

/** Is the component one element that does not repeat, and just what the parameter finds that it names? */
function isSameSingle(definitions: Definitions, type: string, { slot, expression }: Part): boolean {
  const within = alternatives(expression).map((branch) => `${type}.${branch}`).join(' | ');
  const component = elementPaths(definitions, type, within);
  const named = elementPaths(definitions, type, slot.parameter.expression ?? '');
  if (!component || !named || component.length === 0) return false;
  const [first] = component;
  return component.every(({ path, single }) => single && path === first?.path) && valuesOf(slot, component) === valuesOf(slot, named);
}

/** `Observation.value datetime,period`. Some definitions write DateTime. */
function valuesOf({ parameter }: OfType, paths: readonly ElementPath[]): string {
  const types = paths.flatMap((path) => path.types.filter((type) => parameter.type !== 'quantity' || !UNMEASURED.has(type)));
  return `${[...new Set(paths.map(({ path }) => path))].join(' ')} ${types.map((type) => type.toLowerCase()).sort().join()}`;
}
