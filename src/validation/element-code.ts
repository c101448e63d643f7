// The cases of a generated check that belong to one element: a line or two of JavaScript for each member name it may have.
// In this code `o` is the object, `v` the member's value, `f` the faults so far, `n` their count before a nested check.
import type { ElementRule } from '../definitions/model.js';
import { isBoundCoding, isBoundConcept, type Binding } from './binding.js';
import type { Faults, Lazy } from './faults.js';
import type { Asked } from './invariant.js';
import { checkSibling, checkSiblings, isList, isPaired } from './json-form.js';
import { isChoice, memberOf, stemOf } from './member.js';
import { checkNarrative } from './narrative.js';
import { PRIMITIVES, type Primitive } from './primitive.js';
import { mayPointAt } from './reference.js';
import { reportCode, reportCoding, reportConcept, reportPrimitive, reportSecondChoice, reportTarget } from './reports.js';
import { memberName, Scope } from './scope.js';

/** What the code of one type needs of the others. */
export interface Links {
  /** The check of a complex type or backbone. */
  type(name: string): Lazy;
  readonly resource: Lazy;
  readonly contained: Lazy;
  readonly isResource: (type: string) => boolean;
  binding(valueSet: string): Binding | undefined;
  /** What an element asks beyond its type. */
  constraints(element: ElementRule, type: string): readonly Asked[];
}

/** One member name of an element: `birthDate`; `valueQuantity` with the others of value[x]. */
interface Form {
  readonly element: ElementRule;
  readonly member: string;
  readonly type: string;
  readonly primitive: Primitive | undefined;
  /** Path of the element from its object; HL7's validator writes a choice so: `.value.ofType(Quantity)`. */
  readonly segment: string;
  readonly repeats: boolean;
}

/** The variable in which the code notes that the element is there, by the number of the form; undefined where nobody asks. */
export function notedIn(element: ElementRule, index: number): string | undefined {
  return element.min > 0 || isChoice(element) ? `s${index}` : undefined;
}

export function elementCases(element: ElementRule, index: number, resource: boolean, scope: Scope, links: Links): string {
  return isOpenChoice(element) ? '' : element.types.map((code, number) => {
    const form = formOf(element, code, resource);
    const note = noteCode(form, index, String(number + 1), memberName(form.member), JSON.stringify(form.segment), scope);
    const value = `case ${memberName(form.member)}: ${note} ${valueCode(form, scope, links)} break;\n`;
    return hasSibling(form) ? `${value}case ${memberName(`_${form.member}`)}: ${note} ${siblingCode(form, scope, links)}; break;\n` : value;
  }).join('');
}

/**
 * An element of any type: `ElementDefinition.fixed[x]`. Their code took 4 ms to make, and two or three of the fifty forms are used: each has a
 * function, made when it is first met. Extensions are everywhere: their forms are cases.
 */
function isOpenChoice({ types, path }: ElementRule): boolean {
  return types.length > MOST_CASES && path !== 'Extension.value[x]';
}

const MOST_CASES = 20;

/** For a member that has no case: statements that end in `break` where it is a form of the element. */
export function openChoiceCode(element: ElementRule, index: number, scope: Scope, links: Links): string {
  if (!isOpenChoice(element)) return '';
  const forms = new Map(element.types.flatMap((code, number) => openForms(formOf(element, code, false), number + 1, links)));
  const note = noteCode({ element }, index, 'x.number', 'x.member', 'x.segment', scope);
  return `{ const x = ${scope.use(forms)}.get(k); if (x !== undefined) { ${note} x.check(o, v, f); break; } }\n`;
}

interface OpenForm extends Pick<Form, 'member' | 'segment'> {
  readonly number: number;
  check(holder: unknown, value: unknown, faults: Faults): void;
}

/** By member name: of the value, and of what stands beside it. */
function openForms(form: Form, number: number, links: Links): [string, OpenForm][] {
  const { member, segment } = form;
  const made = (codeOf: (scope: Scope) => string): OpenForm => {
    const open: OpenForm = {
      member, segment, number,
      check: (holder, value, faults) => {
        const scope = new Scope();
        const code = codeOf(scope);
        open.check = scope.compile(`function check(o, v, f) { let n = 0, m = 0; ${code} }`) as OpenForm['check'];
        open.check(holder, value, faults);
      },
    };
    return open;
  };
  const value: [string, OpenForm] = [member, made((scope) => valueCode(form, scope, links))];
  return hasSibling(form) ? [value, [`_${member}`, made((scope) => siblingCode(form, scope, links))]] : [value];
}

function formOf(element: ElementRule, code: string, resource: boolean): Form {
  const type = typeOf(element, code, resource);
  const segment = isChoice(element) ? `.${stemOf(element)}.ofType(${code})` : `.${element.name}`;
  return { element, member: memberOf(element, code), type, primitive: PRIMITIVES.get(type), segment, repeats: element.max > 1 };
}

function hasSibling(form: Form): boolean {
  return form.primitive !== undefined && !isAttribute(form);
}

/** R4's definitions call a resource's id a string, which its text and its JSON schema contradict. */
function typeOf(element: ElementRule, code: string, resource: boolean): string {
  return resource && element.name === 'id' ? 'id' : code;
}

/** What XML writes as an attribute, or as XHTML, can't have extensions. */
function isAttribute({ element, type }: Form): boolean {
  return element.name === 'id' || element.path === 'Extension.url' || type === 'xhtml';
}

/** Notes that the element is there, once for a choice. The form's number, member and segment are expressions. */
function noteCode({ element }: Pick<Form, 'element'>, index: number, number: string, member: string, segment: string, scope: Scope): string {
  const variable = notedIn(element, index);
  if (variable === undefined) return '';
  if (!isChoice(element)) return `${variable} = 1;`;
  const report = `${scope.use(reportSecondChoice)}(f, ${segment}, ${scope.use(element)}, ${member})`;
  return `if (${variable} === 0) ${variable} = ${number}; else if (${variable} !== ${number}) ${report};`;
}

function valueCode(form: Form, scope: Scope, links: Links): string {
  if (!form.repeats) return itemCode(form, 'v', JSON.stringify(form.segment), scope, links);
  const segment = `${JSON.stringify(`${form.segment}[`)} + i + "]"`;
  const list = `${scope.use(isList)}(f, ${JSON.stringify(form.segment)}, v, ${scope.use(form.element)})`;
  return `if (${list}) for (let i = 0; i < v.length; i++) { const e = v[i]; ${itemCode(form, 'e', segment, scope, links)} }`;
}

function itemCode(form: Form, value: string, segment: string, scope: Scope, links: Links): string {
  return form.primitive === undefined ? complexCode(form, value, segment, scope, links) : primitiveCode(form, form.primitive, value, segment, scope, links);
}

function primitiveCode(form: Form, primitive: Primitive, value: string, segment: string, scope: Scope, links: Links): string {
  const binding = boundTo(form, links);
  const paired = form.repeats ? ` && !${scope.use(isPaired)}(e, o[${memberName(`_${form.member}`)}], i)` : '';
  if (form.type === 'xhtml') return `if (${scope.use(primitive.test)}(v)) ${scope.use(checkNarrative)}(f, ${segment}, v); else ${scope.use(reportPrimitive)}(f, ${segment}, ${scope.use(primitive)}, v);`;
  const test = binding === undefined ? `${scope.use(primitive.test)}(${value})` : `${scope.use(binding.codes)}.has(${value})`;
  const report = binding === undefined ? `${scope.use(reportPrimitive)}(f, ${segment}, ${scope.use(primitive)}, ${value})`
    : `${scope.use(reportCode)}(f, ${segment}, ${scope.use(binding)}, ${value})`;
  const asks = asksCode(form, value, segment, scope, links);
  return `if (!${test}${paired}) ${report};${asks === '' ? '' : ` else { ${asks} }`}`;
}

function complexCode(form: Form, value: string, segment: string, scope: Scope, links: Links): string {
  const check = scope.use(checkOf(form, links));
  const after = afterwards(form, value, segment, scope, links) + asksCode(form, value, segment, scope, links);
  const checked = `n = f.count; ${check}.check(${value}, f); if (f.count !== n) f.prefix(n, ${segment}, ${scope.use(form.element)});`;
  return after === '' ? checked : `m = f.malformed; ${checked} if (f.malformed === m) { ${after} }`;
}

function checkOf(form: Form, links: Links): Lazy {
  if (form.type !== 'Resource') return links.type(form.type);
  return form.element.name === 'contained' ? links.contained : links.resource;
}

/** What only makes sense of a well-formed value: its code, its target. */
function afterwards(form: Form, value: string, segment: string, scope: Scope, links: Links): string {
  const binding = boundTo(form, links);
  if (binding !== undefined) {
    const [test, report] = form.type === 'CodeableConcept' ? [isBoundConcept, reportConcept] : [isBoundCoding, reportCoding];
    const bound = scope.use(binding);
    return `if (!${scope.use(test)}(${bound}, ${value})) ${scope.use(report)}(f, ${segment}, ${bound}, ${value});`;
  }
  if (form.type !== 'Reference' || form.element.targets === undefined) return '';
  const targets = scope.use(form.element.targets);
  const test = `${scope.use(mayPointAt)}(${targets}, ${scope.use(links.isResource)}, ${value}, f)`;
  return `if (!${test}) ${scope.use(reportTarget)}(f, ${segment}, ${targets}, ${value});`;
}

function asksCode({ element, type }: Form, value: string, segment: string, scope: Scope, links: Links): string {
  return links.constraints(element, type).map((asked) => ` ${scope.use(asked)}.ask(${value}, f, ${segment});`).join('');
}

const CODED = new Set(['code', 'string', 'uri', 'Coding', 'CodeableConcept', 'Quantity']);

function boundTo(form: Form, links: Links): Binding | undefined {
  const binding = form.element.binding;
  if (binding === undefined || !CODED.has(form.type)) return undefined;
  return binding.strength === 'required' || isLanguage(form) ? links.binding(binding.valueSet) : undefined;
}

/** A common language is preferred, but any must be one of BCP-47: their bindings have that as a largest set. */
function isLanguage({ element, type }: Form): boolean {
  return type === 'code' && element.binding?.valueSet === 'http://hl7.org/fhir/ValueSet/languages';
}

function siblingCode(form: Form, scope: Scope, links: Links): string {
  const check = scope.use(form.repeats ? checkSiblings : checkSibling);
  const element = scope.use(links.type('Element'));
  return `${check}(f, ${JSON.stringify(form.segment)}, ${scope.use(form.element)}, ${element}, v, o[${memberName(form.member)}])`;
}
