// Where in a resource does a client's FHIRPath lead? For FHIRPath Patch. https://hl7.org/fhir/R4/fhirpatch.html
import { createRequire } from 'node:module';
import { createContext, Script } from 'node:vm';
import { PathError } from './expression.js';
import { checkSelection } from './selection.js';

/** `['name', 0, 'given', 1]`: members as the JSON names them (`valueQuantity`) and items of lists; empty for the resource itself. */
export type Place = readonly (string | number)[];

/** Gives the places of the elements that an expression leads to, in order. Throws PathError where it can't be evaluated or leads to no elements. */
export type Locate = (expression: string, resource: () => object) => Place[];

interface ResourceNode {
  readonly data: unknown;
  readonly parentResNode: ResourceNode | null;
  readonly propName: string | null;
  readonly index: number | null;
}

interface Engine {
  compile(path: string, model: unknown, options: object): (node: object, variables: object) => unknown[];
}

const MAX_LENGTH = 1000;
/** What all paths of one patch may take together: an expression can be written that runs for years. */
const BUDGET_MS = 1000;

const load = createRequire(import.meta.url);
const room = createContext({ run: () => undefined });
const script = new Script('run()');

/** A locator for one patch; the resource it is given is its own to change. */
export function createLocate(): Locate {
  const engine = load('fhirpath') as Engine;
  const model: unknown = load('fhirpath/fhir-context/r4');
  const options = { resolveInternalTypes: false, async: false };
  let leftMs = BUDGET_MS;
  return (expression, resource) => {
    if (expression.length > MAX_LENGTH) throw new PathError(`A path may have ${MAX_LENGTH} characters`);
    const start = performance.now();
    try {
      return within(leftMs, () => {
        const path = withQuotedDiv(expression);
        checkSelection(path);
        const value = resource();
        return engine.compile(path, model, options)(value, { resource: value }).map((node) => placeOf(node, value));
      });
    } catch (error) {
      throw error instanceof PathError ? error : new PathError(reason(error), { cause: error });
    } finally {
      leftMs -= performance.now() - start;
    }
  };
}

const DIV = /'(?:\\.|[^'\\])*'|`[^`]*`|\.\s*div\b/g;

/** `Patient.text.div`, as HL7's own patches have it: FHIRPath keeps the word for division, but after a point it can only be the narrative's. */
function withQuotedDiv(expression: string): string {
  return expression.replace(DIV, (token) => (token.startsWith('.') ? '.`div`' : token));
}

/** Runs `work`, and ends it wherever it is after `ms`: nothing else stops a function that never comes back. */
function within<T>(ms: number, work: () => T): T {
  let result: T | undefined;
  room['run'] = () => {
    result = work();
  };
  script.runInContext(room, { timeout: Math.max(1, Math.ceil(ms)) });
  return result as T;
}

function reason(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'it takes too long';
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '').slice(0, 200) : 'it can not be evaluated';
}

function placeOf(value: unknown, resource: object): Place {
  const place: (string | number)[] = [];
  let node = value;
  for (; isNode(node) && node.parentResNode !== null && node.propName !== null; node = node.parentResNode) {
    if (node.index !== null) place.unshift(node.index);
    place.unshift(memberName(node.parentResNode.data, node.propName));
  }
  if (!isNode(node) || node.data !== resource) throw new PathError('it leads to a value, not to elements of the resource');
  return place;
}

const isNode = (value: unknown): value is ResourceNode => typeof value === 'object' && value !== null && 'parentResNode' in value;

/** `value` where the JSON has `valueQuantity`: fhirpath.js calls choices by either name. */
function memberName(parent: unknown, name: string): string {
  if (typeof parent !== 'object' || parent === null) return name;
  const members = Object.keys(parent).map((key) => (key.startsWith('_') ? key.slice(1) : key));
  if (members.includes(name)) return name;
  return members.find((key) => key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length))) ?? name;
}
