// The part of a profile's code that belongs to a sliced list: the slice of each item, and what the slices ask.
// https://hl7.org/fhir/R4/profiling.html#slicing
import { prefixedCode, type ProfileCode } from './profile-code.js';
import type { Form } from './profile-elements.js';
import { countCode, listCode, type List } from './profile-list-code.js';
import { note } from './profile-reports.js';
import type { ProfileNode } from './profile-tree.js';
import { matchCode } from './slicing-match-code.js';
import { checkOrder, discriminatorsOf, noMatchWords, type Order } from './slicing.js';

export function slicedCode(node: ProfileNode, form: Form, code: ProfileCode): string {
  const list = listCode(form, code);
  const body = code.check(node, form.type);
  const each = body === '' ? '' : `for (let i = 0; i < ${list.length}; i++) { ${prefixedCode(`{ ${list.item}${body}}`, list.segment)} }\n`;
  return `{ ${list.start}${each}${countCode(node, list.length, code)}${slicesCode(node, form, list, '', code)}}\n`;
}

/** `within`: a test, before the items at `i` that are to be sliced; '' for all. */
function slicesCode(element: ProfileNode, form: Form, list: List, within: string, code: ProfileCode): string {
  const { scope, world, url, checkOf } = code;
  const discriminators = discriminatorsOf(element);
  const slices = [...element.slices.values()].map((slice, place) => ({ slice, place, count: code.name(), match: matchCode(slice, form.type, discriminators, world, checkOf, scope) }));
  const places = code.name();
  const vague = slices.filter(({ match }) => match === undefined).map(({ slice }) => `${scope.use(note)}(f, ${url}, "slicing", ${JSON.stringify(noMatchWords(slice))});\n`);
  const known = slices.flatMap((one) => (one.match === undefined ? [] : [{ ...one, match: one.match }]));
  const choice = known.map(({ match, place, count }) => `if (${match}) { k = ${place}; ${count}++; }`).join(' else ');
  const order = orderOf(element);
  const isSuspect = order?.ordered === true ? '' : `if (${places}.includes(-1)) `;
  return [
    ...vague,
    `let ${known.map(({ count }) => `${count} = 0`).concat('k = 0').join(', ')}; const ${places} = [];\n`,
    `for (let i = 0; i < ${list.length}; i++) { ${within}{ ${list.item}k = -1; ${choice} ${places}.push(k); }${within === '' ? '' : ` else ${places}.push(-2);`} }\n`,
    ...(order ? [`${isSuspect}${scope.use(checkOrder)}(f, ${url}, ${scope.use(order)}, ${places}, (i) => ${list.segment});\n`] : []),
    ...known.map(({ slice, place, count }) => sliceCode(slice, form, list, { count, test: `if (${places}[i] === ${place}) ` }, code)),
  ].join('');
}

/** `test`: before the items at `i` that belong to it. */
function sliceCode(slice: ProfileNode, form: Form, list: List, { count, test }: { readonly count: string; readonly test: string }, code: ProfileCode): string {
  const body = code.check(slice, form.type);
  const items = `for (let i = 0; i < ${list.length}; i++) ${test}{ ${prefixedCode(`{ ${list.item}${body}}`, list.segment)} }\n`;
  const reslices = slice.slices.size === 0 ? '' : `{ ${slicesCode(slice, form, list, test, code)}}\n`;
  return `${countCode(slice, count, code)}${body === '' ? '' : `if (${count} !== 0) ${items}`}${reslices}`;
}

/** Undefined where any order will do. */
function orderOf({ slicing = {}, slices }: ProfileNode): Order | undefined {
  const { rules, ordered } = slicing;
  return rules === 'closed' || rules === 'openAtEnd' || ordered === true ? { ...slicing, slices: [...slices.values()] } : undefined;
}
