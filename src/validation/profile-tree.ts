// A profile as a tree: its differential laid over those of the profiles it is based on, so no snapshot is needed.
// https://hl7.org/fhir/R4/profiling.html
import type { JsonObject, Resource } from '../fhir/resource.js';

export interface ElementType {
  readonly code: string;
  readonly profile?: readonly string[];
  readonly targetProfile?: readonly string[];
}

export interface Discriminator {
  readonly type: string;
  readonly path: string;
}

export interface Slicing {
  readonly discriminator?: readonly Discriminator[];
  readonly ordered?: boolean;
  readonly rules?: string;
}

export interface ProfileConstraint {
  readonly key: string;
  readonly severity: string;
  readonly human: string;
  readonly expression?: string;
}

/** One element or slice, with all that the profile and its bases say of it; what is undefined they leave as it is. */
export interface ProfileNode {
  /** `identifier`, `value[x]`; of a slice, its element's. At the root, the type. */
  readonly name: string;
  readonly sliceName?: string;
  min: number;
  max: number;
  types?: readonly ElementType[];
  /** `fixed[x]`, which may be false or 0. */
  fixed?: unknown;
  pattern?: unknown;
  binding?: { readonly strength: string; readonly valueSet: string };
  maxLength?: number;
  least?: unknown;
  most?: unknown;
  slicing?: Slicing;
  constraints: readonly ProfileConstraint[];
  readonly children: Map<string, ProfileNode>;
  /** Direct slices in order; a reslice `a/b` stands among the slices of `a`. */
  readonly slices: Map<string, ProfileNode>;
}

/** What a StructureDefinition must have for this; everything else in it is words. */
export interface ElementDefinition extends JsonObject {
  path: string;
}

/** `base`: the tree of its baseDefinition where that is a profile, too; it is left as it is. */
export function profileTree(definition: Resource, base: ProfileNode | undefined): ProfileNode {
  const elements = elementsOf(definition);
  const root = base ? cloned(base) : emptyNode(typeof definition['type'] === 'string' ? definition['type'] : '');
  const ids = new Map<string, string>();
  for (const element of elements) {
    const id = idOf(element, ids);
    ids.set(element.path, id);
    overlay(nodeAt(root, id), element);
  }
  return root;
}

/** Those of the differential; a definition that has only a snapshot says the same at greater length. */
function elementsOf(definition: Resource): readonly ElementDefinition[] {
  const from = (member: string): unknown => (definition[member] as JsonObject | undefined)?.['element'];
  const list = from('differential') ?? from('snapshot');
  return Array.isArray(list) ? list.filter((one): one is ElementDefinition => typeof (one as { path?: unknown }).path === 'string') : [];
}

/** Its own id where that goes with the path; else made of the path, the slice's name, and the element before it that holds it. */
function idOf({ id, path, sliceName }: ElementDefinition, ids: ReadonlyMap<string, string>): string {
  if (typeof id === 'string' && withoutSlices(id) === path) return id;
  const dot = path.lastIndexOf('.');
  if (dot < 0) return path;
  const parent = ids.get(path.slice(0, dot)) ?? path.slice(0, dot);
  return parent + path.slice(dot) + (typeof sliceName === 'string' ? `:${sliceName}` : '');
}

const withoutSlices = (id: string): string => id.split('.').map((part) => part.replace(/:.*$/, '')).join('.');

function nodeAt(root: ProfileNode, id: string): ProfileNode {
  let at = root;
  for (const part of id.split('.').slice(1)) {
    const [name = '', slice] = part.split(':', 2);
    at = at.children.get(name) ?? put(at.children, name, emptyNode(name));
    if (slice !== undefined) at = sliceAt(at, slice);
  }
  return at;
}

function sliceAt(element: ProfileNode, sliceName: string): ProfileNode {
  let at = element;
  const parts = sliceName.split('/');
  for (let i = 1; i <= parts.length; i++) {
    const name = parts.slice(0, i).join('/');
    at = at.slices.get(name) ?? put(at.slices, name, { ...emptyNode(element.name), sliceName: name });
  }
  return at;
}

function put(map: Map<string, ProfileNode>, name: string, node: ProfileNode): ProfileNode {
  map.set(name, node);
  return node;
}

function emptyNode(name: string): ProfileNode {
  return { name, min: 0, max: Infinity, constraints: [], children: new Map(), slices: new Map() };
}

function cloned(node: ProfileNode): ProfileNode {
  const copy = (map: ReadonlyMap<string, ProfileNode>): Map<string, ProfileNode> => new Map([...map].map(([name, one]) => [name, cloned(one)]));
  return { ...node, children: copy(node.children), slices: copy(node.slices) };
}

/** A profile may only say more than its base: the stricter number stands. */
function overlay(node: ProfileNode, element: ElementDefinition): void {
  const { min, max, type, binding, slicing, constraint, maxLength } = element;
  if (typeof min === 'number') node.min = Math.max(node.min, min);
  if (typeof max === 'string') node.max = Math.min(node.max, max === '*' ? Infinity : Number(max));
  if (Array.isArray(type) && type.length > 0) node.types = type as unknown as ElementType[];
  if (binding !== undefined) overlayBinding(node, binding as JsonObject);
  if (slicing !== undefined) node.slicing = { ...node.slicing, ...(slicing as Slicing) };
  if (typeof maxLength === 'number') node.maxLength = maxLength;
  if (Array.isArray(constraint)) node.constraints = [...node.constraints, ...(constraint as unknown as ProfileConstraint[])];
  for (const [member, value] of Object.entries(element)) overlayValue(node, member, value);
}

function overlayBinding(node: ProfileNode, { strength, valueSet }: JsonObject): void {
  if (typeof strength === 'string' && typeof valueSet === 'string') node.binding = { strength, valueSet };
}

function overlayValue(node: ProfileNode, member: string, value: unknown): void {
  if (/^fixed[A-Z]/.test(member)) node.fixed = value;
  else if (/^pattern[A-Z]/.test(member)) node.pattern = value;
  else if (/^minValue[A-Z]/.test(member)) node.least = value;
  else if (/^maxValue[A-Z]/.test(member)) node.most = value;
}
