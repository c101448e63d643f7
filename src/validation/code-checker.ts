// What $validate says of codes beyond required bindings: codings that their own code system does not have or calls otherwise, and codes
// outside the value sets that the base types bind extensibly. https://hl7.org/fhir/R4/terminologies.html
import type { Definitions, ElementRule } from '../definitions/model.js';
import type { Issue } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { CodeAnswers, CodeAsked } from '../terminology/code-answers.js';
import { AskedCodes, codingOf } from './asked-codes.js';
import { createBindings, type Binding } from './binding.js';
import { MOST_ISSUES } from './faults.js';
import { isChoice, memberOf, stemOf } from './member.js';
import { isObject } from './json-object.js';
import { CODED, isBound } from './profile-primitives.js';
import { codeText } from './profile-reports.js';
import { formOfSystem } from './unlisted.js';
import { listed } from './words.js';

export interface CodeChecker {
  /** In document order; the resource must be good R4. Only codes that a complete code system has not are errors. */
  check(resource: Resource): Promise<readonly Issue[]>;
}

/** A member of an object of some type. */
interface Place {
  readonly type: string;
  readonly segment: string;
  readonly repeats: boolean;
  /** The value set of an extensible binding. */
  readonly valueSet: string | undefined;
}

type PlacesOf = (type: string) => ReadonlyMap<string, Place>;

export function createCodeChecker(definitions: Definitions, answers: CodeAnswers): CodeChecker {
  const binding = createBindings(definitions);
  const isQuantity = (type: string): boolean => definitions.isA(type, 'Quantity');
  const placesOf = createPlaces(definitions);
  return {
    async check(resource) {
      const asked = new AskedCodes(answers);
      const look = (): readonly Issue[] => new Look({ placesOf, binding, isQuantity, asked }).of(resource);
      const first = look();
      if (!asked.isWaiting) return first;
      await asked.fetch();
      return look();
    },
  };
}

/** The members of a type, listed once each. */
function createPlaces({ type: typeOf }: Definitions): PlacesOf {
  const known = new Map<string, ReadonlyMap<string, Place>>();
  return (type) => {
    const found = known.get(type) ?? new Map((typeOf(type)?.elements ?? []).flatMap(placesIn));
    known.set(type, found);
    return found;
  };
}

function placesIn(element: ElementRule): readonly (readonly [string, Place])[] {
  const { types, max, binding } = element;
  const valueSet = binding?.strength === 'extensible' ? binding.valueSet : undefined;
  return types.map((type) => {
    const segment = isChoice(element) ? `.${stemOf(element)}.ofType(${type})` : `.${element.name}`;
    return [memberOf(element, type), { type, segment, repeats: max > 1, valueSet }];
  });
}

interface LookParts {
  readonly placesOf: PlacesOf;
  readonly binding: (valueSet: string) => Binding | undefined;
  readonly isQuantity: (type: string) => boolean;
  readonly asked: AskedCodes;
}

/** One walk over a resource. */
class Look {
  private readonly issues: Issue[] = [];
  private errors = 0;
  /** What nobody can tell of is said once. */
  private readonly told = new Set<string>();

  constructor(private readonly parts: LookParts) {}

  of(resource: Resource): readonly Issue[] {
    try {
      this.members(resource, resource.resourceType, resource.resourceType);
    } catch (error) {
      // Nested more deeply than the stack holds: only that raises a RangeError.
      if (!(error instanceof RangeError)) throw error;
      this.add('information', 'incomplete', resource.resourceType, 'codes that are nested too deeply were not looked up: send it with fewer levels');
    }
    return this.issues;
  }

  private members(value: object, type: string, path: string): void {
    const places = this.parts.placesOf(type);
    for (const [member, child] of Object.entries(value)) {
      const place = places.get(member);
      if (!place) continue;
      if (!Array.isArray(child)) this.value(child, place, path + place.segment);
      else for (const [index, item] of child.entries()) this.value(item, place, `${path}${place.segment}[${index}]`);
    }
  }

  private value(value: unknown, { type, valueSet }: Place, path: string): void {
    if (valueSet !== undefined && CODED.has(type) && value !== null) this.bound(value, type, valueSet, path);
    if (!isObject(value)) return;
    if (type === 'Coding') this.coding(value, path, 'error');
    // A unit of no binding may be any, and HL7's own examples have `tab`: worth telling, no more.
    if (this.parts.isQuantity(type)) this.coding(value, path, 'warning');
    const own = type === 'Resource' ? value['resourceType'] : type;
    if (typeof own === 'string') this.members(value, own, path);
  }

  private bound(value: unknown, type: string, valueSet: string, path: string): void {
    const compiled = this.parts.binding(valueSet);
    if (compiled && isBound(compiled, type, value)) return;
    const { outcome, words } = compiled ? LISTED_NOT : this.parts.asked.member(value, valueSet);
    if (outcome === 'wrong') this.add('warning', 'code-invalid', path, `${codeText(value)} is not in the value set ${valueSet} (extensible): use one of its codes where one fits. ${words}`);
    else if (outcome === 'unknown') this.undecided(valueSet, path, `whether ${codeText(value)} is in the value set ${valueSet} (extensible) was not decided: ${words}`);
  }

  private coding(value: Readonly<Record<string, unknown>>, path: string, severity: 'error' | 'warning'): void {
    const coding = codingOf(value);
    if (!coding) return;
    const form = formOfSystem(coding.system);
    if (form) {
      if (!form.has(coding.code)) this.add(severity, 'code-invalid', path, `${codeText(value)} is not a code there, ${listed(form, '')} is one`);
      return;
    }
    const { display } = value;
    const asked: CodeAsked = typeof display === 'string' ? { ...coding, display } : coding;
    const { outcome, words } = this.parts.asked.answer(asked);
    if (outcome === 'wrong') this.add(severity, 'code-invalid', path, `${codeText(value)} is not a code. ${words}`);
    else if (outcome === 'misnamed') this.add('warning', 'code-invalid', `${path}.display`, words);
    else if (outcome === 'unknown') this.undecided(`${coding.system}|${coding.version ?? ''}`, path, `whether ${codeText(value)} is a code was not decided: ${words}`);
  }

  private undecided(about: string, path: string, words: string): void {
    if (this.told.has(about)) return;
    this.told.add(about);
    this.add('information', 'incomplete', path, words);
  }

  private add(severity: Issue['severity'], code: Issue['code'], expression: string, words: string): void {
    // However much there is to advise, errors are told.
    const before = severity === 'error' ? this.errors : this.issues.length - this.errors;
    if (before === MOST_ISSUES) return;
    if (severity === 'error') this.errors++;
    this.issues.push({ severity, code, expression, text: `${expression}: ${words}` });
  }
}

const LISTED_NOT = { outcome: 'wrong', words: '' } as const;
