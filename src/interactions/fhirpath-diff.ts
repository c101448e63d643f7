// What makes one version of a resource another, as a FHIRPath Patch: applied to the one it gives the other. https://hl7.org/fhir/R4/fhirpatch.html
import type { Definitions } from '../definitions/model.js';
import { JsonNumber, treeText, type JsonMembers, type JsonTree } from '../fhir/json-tree.js';
import { insideOf, isChoice, isPrimitive, memberElement, memberName, pairIn, pairsOf, rootOf, type Inside, type Pair, type TypedElement } from './patch-slot.js';

/** A parameter `operation`. */
export type DiffOperation = JsonMembers;

/** Both of one type. `omits`: members of the root that are not compared. */
export function fhirpathDiff(from: JsonMembers, to: JsonMembers, omits: ReadonlySet<string>, definitions: Definitions): readonly DiffOperation[] {
  const diff = new Diff(definitions);
  const [one, other] = [rootOf(without(from, omits)), rootOf(without(to, omits))];
  diff.inside(one, other, one.type);
  return diff.operations;
}

const without = (members: JsonMembers, omits: ReadonlySet<string>): JsonMembers => new Map([...members].filter(([name]) => !omits.has(name)));

/** Words of the language that an element's name may be, too. */
const WORDS: ReadonlySet<string> = new Set(['div', 'mod', 'and', 'or', 'xor', 'implies', 'true', 'false']);

const isSame = (one: JsonTree, other: JsonTree): boolean => treeText(one) === treeText(other);
const samePair = (one: Pair, other: Pair): boolean => isSame(one.value, other.value) && isSame(one.extra, other.extra);
const pathName = ({ element }: TypedElement): string => (isChoice(element) ? element.name.slice(0, -3) : element.name);

class Diff {
  readonly operations: DiffOperation[] = [];

  constructor(private readonly definitions: Definitions) {}

  /** What goes comes first: a choice may have another type, and stands once. */
  inside(from: Inside, to: Inside, path: string): void {
    const [before, after] = [namesOf(from), namesOf(to)];
    for (const name of before) if (!after.has(name)) this.gone(from, name, path);
    for (const name of after) {
      const typed = memberElement(this.definitions, to.type, name);
      if (!typed) continue;
      if (!before.has(name)) this.come(to, name, typed, path);
      else if (typed.element.max > 1) this.list(pairsOf(from.members, name), pairsOf(to.members, name), typed, below(path, pathName(typed)));
      else this.one(pairIn({ holder: from.members, member: name, ...typed }), pairIn({ holder: to.members, member: name, ...typed }), typed, below(path, pathName(typed)));
    }
  }

  private gone({ members, type }: Inside, name: string, path: string): void {
    const typed = memberElement(this.definitions, type, name);
    if (!typed) return;
    const place = below(path, pathName(typed));
    if (typed.element.max > 1) for (let index = pairsOf(members, name).length - 1; index >= 0; index -= 1) this.push('delete', `${place}[${index}]`);
    else this.push('delete', place);
  }

  private come({ members }: Inside, name: string, typed: TypedElement, path: string): void {
    const pairs = typed.element.max > 1 ? pairsOf(members, name) : [pairIn({ holder: members, member: name, ...typed })];
    for (const pair of pairs) this.push('add', path, ['name', 'valueString', pathName(typed)], this.valuePart('value', pair, typed));
  }

  /** Between what begins and what ends alike. */
  private list(from: readonly Pair[], to: readonly Pair[], typed: TypedElement, path: string): void {
    let start = 0;
    while (start < Math.min(from.length, to.length) && samePair(from[start] as Pair, to[start] as Pair)) start += 1;
    let end = 0;
    while (end < Math.min(from.length, to.length) - start && samePair(from[from.length - 1 - end] as Pair, to[to.length - 1 - end] as Pair)) end += 1;
    const [gone, come] = [from.length - end, to.length - end];
    for (let index = start; index < Math.min(gone, come); index += 1) this.one(from[index] as Pair, to[index] as Pair, typed, `${path}[${index}]`);
    for (let index = gone - 1; index >= Math.max(come, start); index -= 1) this.push('delete', `${path}[${index}]`);
    for (let index = Math.max(gone, start); index < come; index += 1) {
      this.push('insert', path, ['index', 'valueInteger', new JsonNumber(String(index))], this.valuePart('value', to[index] as Pair, typed));
    }
  }

  private one(from: Pair, to: Pair, typed: TypedElement, path: string): void {
    if (samePair(from, to)) return;
    const [one, other] = [this.comparable(from, typed), this.comparable(to, typed)];
    // With nothing in common there would be a moment when nothing is left of it.
    if (one && other && [...namesOf(one)].some((name) => namesOf(other).has(name))) this.inside(one, other, path);
    else this.push('replace', path, this.valuePart('value', to, typed));
  }

  /** Resources within are replaced whole, as are primitives. */
  private comparable({ value, extra }: Pair, typed: TypedElement): Inside | undefined {
    if (isPrimitive(typed.type, this.definitions) || this.definitions.isResource(typed.type)) return undefined;
    return insideOf({ holder: new Map([['x', value], ['_x', extra]]), member: 'x', ...typed }, this.definitions);
  }

  private push(type: string, path: string, ...parts: readonly (JsonMembers | readonly [string, string, JsonTree])[]): void {
    const all = [part('type', 'valueCode', type), part('path', 'valueString', path), ...parts.map((one) => (one instanceof Map ? one : part(...(one))))];
    this.operations.push(new Map<string, JsonTree>([['name', 'operation'], ['part', all]]));
  }

  /** By the value[x] of its type, as a resource, or as its children where the type has no name that Parameters takes. */
  private valuePart(name: string, { value, extra }: Pair, { type }: TypedElement): JsonMembers {
    const members: JsonMembers = new Map([['name', name]]);
    const set = (member: string, one: JsonTree): void => { if (one !== null) members.set(member, one); };
    const member = type === 'xhtml' ? 'valueString' : this.valueMember(type);
    if (this.definitions.isResource(type)) set('resource', value);
    else if (member !== undefined) {
      set(member, value);
      set(`_${member}`, extra);
    } else if (value instanceof Map) members.set('part', this.childParts({ members: value, type }));
    return members;
  }

  private valueMember(type: string): string | undefined {
    const member = `value${type.charAt(0).toUpperCase()}${type.slice(1)}`;
    return memberElement(this.definitions, 'Parameters.parameter', member)?.type === type ? member : undefined;
  }

  private childParts(inside: Inside): JsonTree[] {
    return [...namesOf(inside)].flatMap((name) => {
      const typed = memberElement(this.definitions, inside.type, name);
      if (!typed) return [];
      const pairs = typed.element.max > 1 ? pairsOf(inside.members, name) : [pairIn({ holder: inside.members, member: name, ...typed })];
      return pairs.map((pair) => this.valuePart(isChoice(typed.element) ? memberName(typed.element, typed.type) : name, pair, typed));
    });
  }
}

const part = (name: string, member: string, value: JsonTree): JsonMembers => new Map<string, JsonTree>([['name', name], [member, value]]);
const below = (path: string, name: string): string => `${path}.${WORDS.has(name) ? `\`${name}\`` : name}`;

/** The elements that are there, by value or by extension. */
const namesOf = ({ members }: Inside): ReadonlySet<string> => new Set([...members.keys()].map((name) => name.replace(/^_/, '')).filter((name) => name !== 'resourceType'));
