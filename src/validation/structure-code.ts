// Generates the structural check of one type: one JavaScript function with a switch on the member names.
import type { ElementRule, ExtensionRule, TypeRule } from '../definitions/model.js';
import { checkBundle } from './bundle-rules.js';
import { checkDomainResource } from './contained.js';
import { elementCases, notedIn, openChoiceCode, type Links } from './element-code.js';
import { checkExtensionUse } from './extension-use.js';
import type { Check } from './faults.js';
import type { Asked } from './invariant.js';
import { checkFragment } from './reference.js';
import { reportEmptyObject, reportExtension, reportIdAlone, reportMissing, reportNotObject, reportUnknown } from './reports.js';
import { Scope } from './scope.js';

export interface TypeLinks extends Links {
  /** What a value of the type must meet. */
  invariants(rule: TypeRule): readonly Asked[];
  readonly isA: (type: string, ancestor: string) => boolean;
  extension(url: string): ExtensionRule | undefined;
}

/** The check of a resource type, data type or backbone: unknown and missing members, cardinality, JSON form, primitives, required codes. */
export function structureCheck(rule: TypeRule, links: TypeLinks): Check {
  const scope = new Scope();
  const resource = rule.kind === 'resource';
  const noted = rule.elements.flatMap((element, index) => notedIn(element, index) ?? []);
  const cases = rule.elements.map((element, index) => elementCases(element, index, resource, scope, links)).join('');
  const open = rule.elements.map((element, index) => openChoiceCode(element, index, scope, links)).join('');
  const type = JSON.stringify(rule.name);
  const source = `function check(o, f) {
    if (typeof o !== 'object' || o === null || Array.isArray(o)) { ${scope.use(reportNotObject)}(f, o, ${type}); return; }
    const w = f.malformed; let n = 0, m = 0, given = 0${noted.map((variable) => `, ${variable} = 0`).join('')};
    for (const k in o) {
      const v = o[k];
      if (v === undefined) continue;
      given++;
      switch (k) {
        ${resource ? `case 'resourceType': break;` : ''}
        ${cases}
        default: ${open}${scope.use(reportUnknown)}(f, k, ${scope.use(rule)});
      }
    }
    if (given === 0) { ${scope.use(reportEmptyObject)}(f); return; }
    ${hasIdAlone(rule) ? `if (given === 1 && o.id !== undefined) ${scope.use(reportIdAlone)}(f);` : ''}
    ${rule.elements.map((element, index) => missingCode(element, index, scope)).join('')}
    if (f.malformed === w) { ${contentCode(rule, scope, links)} }
  }`;
  return scope.compile(source) as Check;
}

function missingCode(element: ElementRule, index: number, scope: Scope): string {
  if (element.min === 0) return '';
  return `if (s${index} === 0) ${scope.use(reportMissing)}(f, ${scope.use(element)});\n`;
}

/** ele-1. An Element of its own is what stands beside a primitive: that may have the value. */
function hasIdAlone(rule: TypeRule): boolean {
  return rule.kind !== 'resource' && rule.name !== 'Element' && rule.elements.some((element) => element.name === 'id');
}

/** What is only asked of a value whose form is right. */
function contentCode(rule: TypeRule, scope: Scope, links: TypeLinks): string {
  const byHand = rule.name === 'Extension' ? extensionCode(rule, scope, links)
    : rule.name === 'Reference' ? `if (o.reference !== undefined && o.reference.charCodeAt(0) === 35) ${scope.use(checkFragment)}(f, o);`
    : rule.name === 'Bundle' ? `${scope.use(checkBundle)}(o, f);`
    : links.isA(rule.name, 'DomainResource') ? `if (f.hints || o.contained !== undefined) ${scope.use(checkDomainResource)}(o, f);` : '';
  return byHand + links.invariants(rule).map((asked) => `${scope.use(asked)}.ask(o, f, "");`).join(' ');
}

/** ext-1 needs to know which form of value[x] was seen, and this code does. */
function extensionCode(rule: TypeRule, scope: Scope, links: TypeLinks): string {
  const value = rule.elements.findIndex((element) => element.name === 'value[x]');
  const known = `const x = ${scope.use(links.extension)}(o.url); if (x !== undefined) ${scope.use(checkExtensionUse)}(f, x, o, ${scope.use(links.isA)});`;
  return value < 0 ? '' : `if ((s${value} === 0) === (o.extension === undefined)) ${scope.use(reportExtension)}(f); else { ${known} }`;
}
