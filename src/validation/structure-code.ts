// Generates the structural check of one type: one JavaScript function with a switch on the member names.
import type { ElementRule, TypeRule } from '../definitions/model.js';
import { elementCases, notedIn, type Links } from './element-code.js';
import type { Check } from './faults.js';
import { reportEmptyObject, reportExtension, reportMissing, reportNotObject, reportUnknown } from './reports.js';
import { Scope } from './scope.js';

/** The check of a resource type, data type or backbone: unknown and missing members, cardinality, JSON form, primitives, required codes. */
export function structureCheck(rule: TypeRule, links: Links): Check {
  const scope = new Scope();
  const resource = rule.kind === 'resource';
  const noted = rule.elements.flatMap((element, index) => notedIn(element, index) ?? []);
  const cases = rule.elements.map((element, index) => elementCases(element, index, resource, scope, links)).join('');
  const type = JSON.stringify(rule.name);
  const source = `function check(o, f) {
    if (typeof o !== 'object' || o === null || Array.isArray(o)) { ${scope.use(reportNotObject)}(f, o, ${type}); return; }
    let n = 0, empty = true${noted.map((variable) => `, ${variable} = 0`).join('')};
    for (const k in o) {
      const v = o[k];
      if (v === undefined) continue;
      empty = false;
      switch (k) {
        ${resource ? `case 'resourceType': break;` : ''}
        ${cases}
        default: ${scope.use(reportUnknown)}(f, k, ${scope.use(rule)});
      }
    }
    if (empty) { ${scope.use(reportEmptyObject)}(f); return; }
    ${rule.elements.map((element, index) => missingCode(element, index, scope)).join('')}
    ${rule.name === 'Extension' ? extensionCode(rule, scope) : ''}
  }`;
  return scope.compile(source) as Check;
}

function missingCode(element: ElementRule, index: number, scope: Scope): string {
  if (element.min === 0) return '';
  return `if (s${index} === 0) ${scope.use(reportMissing)}(f, ${scope.use(element)});\n`;
}

/** ext-1 needs to know which form of value[x] was seen, and this code does. */
function extensionCode(rule: TypeRule, scope: Scope): string {
  const value = rule.elements.findIndex((element) => element.name === 'value[x]');
  return value < 0 ? '' : `if ((s${value} === 0) === (o.extension === undefined)) ${scope.use(reportExtension)}(f);`;
}
