// Plan -> the body of a JavaScript function (o, emit, r). Nodes are pushed through nested loops: no collection is ever built.
import { isOpen, isPrimitive, mayRepeat, NUMBERS, type Nodes, type Scope, type Step, type Value } from './plan.js';

/** What to do with a node of that type, held by that variable: code; '' where nothing is to be done. */
export type Continue = (type: string, node: string) => string;

/** Comparisons of nodes that a test may make. */
const MOST_STEPS = 1_000_000;
const MEMBER = /^[A-Za-z][A-Za-z0-9]*$/;

/** Uses the functions of runtime.ts by their names. */
export function generate(plan: Nodes): string {
  return new Generator().nodes(plan, emitCode);
}

/** A body that returns the value: true, false, or undefined for nothing. Of a function (o, r). */
export function generateTest(test: Value): string {
  const generator = new Generator();
  const { setup, code } = generator.value(test);
  return `${generator.counts ? `let steps = ${MOST_STEPS};\n` : ''}${setup}return ${code};\n`;
}

interface Code {
  /** Statements to run first. */
  readonly setup: string;
  /** An expression for the value. */
  readonly code: string;
}

function emitCode(type: string, node: string): string {
  if (isPrimitive(type)) return `emit(${text(type)}, ${node});\n`;
  const name = isOpen(type) ? `typeof ${node}.resourceType === "string" ? ${node}.resourceType : ${text(type)}` : text(type);
  return `if (!Array.isArray(${node})) emit(${name}, ${node});\n`;
}

/** A step of a plan that looks at one node at a time. */
export type Layer = Extract<Nodes, { op: 'child' | 'keep' | 'narrow' | 'filter' }>;

export class Generator {
  /** Does the code count in the variable `steps`? */
  counts = false;
  private names = 0;
  private readonly scopes = new Map<Scope, string>([[0, 'o'], ['resource', 'r']]);
  /** `present`: a primitive that has extensions alone counts too. */
  nodes(plan: Nodes, then: Continue, present = false): string {
    switch (plan.op) {
      case 'scope':
        return plan.types.map((type) => then(type, this.scopes.get(plan.scope) ?? 'o')).join('');
      case 'child':
      case 'keep':
      case 'narrow':
      case 'filter':
        return this.nodes(plan.of, (type, node) => this.layer(plan, type, node, then, present), present && plan.op === 'keep');
      case 'select':
        return this.nodes(plan.of, (type, node) => {
          const part = plan.parts.get(type);
          this.scopes.set(plan.scope, node);
          return part ? this.nodes(part, then, present) : '';
        });
      case 'nth':
        return this.nth(plan.of, plan.place, then);
      case 'union':
        return plan.of.map((part) => this.nodes(part, then, present)).join('');
      case 'value': {
        const value = this.value(plan.value);
        const name = this.name('v');
        return `{ ${value.setup}const ${name} = ${value.code};\n${when(`${name} !== undefined`, then(plan.types[0], name))}}\n`;
      }
    }
  }

  /** What one node leads to. */
  layer(layer: Layer, type: string, node: string, then: Continue, present = false): string {
    switch (layer.op) {
      case 'child':
        return (layer.steps.get(type) ?? []).map((step) => this.step(node, step, then, present)).join('');
      case 'keep':
        return layer.types.includes(type) ? then(type, node) : '';
      case 'narrow':
        return isOpen(type) ? when(`${node}.resourceType === ${text(layer.types[0])}`, then(layer.types[0], node)) : '';
      case 'filter':
        return this.filter(layer.scope, layer.tests.get(type), type, node, then);
    }
  }

  /** `value`: code of the member's value. */
  step(parent: string, { member, type, repeats }: Step, then: Continue, present = false, value = `${parent}.${member}`): string {
    if (!MEMBER.test(member)) throw new Error(`${JSON.stringify(member)} is no name of an element`);
    const node = this.name('n');
    const body = then(type, node);
    if (body === '') return '';
    const extended = present && isPrimitive(type);
    const sibling = `${parent}._${member}`;
    if (!repeats) return `{ const ${node} = ${value};\n${when(isOfType(type, node) + (extended ? ` || isElement(${sibling})` : ''), body)}}\n`;
    const [list, place] = [this.name('l'), this.name('i')];
    const test = isOfType(type, node) + (extended ? ` || isElementAt(${sibling}, ${place})` : '');
    const each = `for (let ${place} = 0; ${place} < ${list}.length; ${place}++) { const ${node} = ${list}[${place}];\n${when(test, body)}}\n`;
    return `{ const ${list} = ${value}${extended ? ` ?? ${sibling}` : ''};\nif (Array.isArray(${list})) ${each}}\n`;
  }

  private filter(scope: number, test: Value | undefined, type: string, node: string, then: Continue): string {
    const body = test ? then(type, node) : '';
    if (!test || body === '') return '';
    this.scopes.set(scope, node);
    const { setup, code } = this.value(test);
    return `{ ${setup}${when(`${this.truth(test, code)} === true`, body)}}\n`;
  }

  private nth(of: Nodes, place: number, then: Continue): string {
    const [label, count] = [this.name('L'), this.name('c')];
    const body = this.nodes(of, (type, node) => `if (${count}++ === ${String(place)}) { ${then(type, node)}break ${label}; }\n`);
    return body === '' ? '' : `{ let ${count} = 0; ${label}: { ${body}} }\n`;
  }

  value(value: Value): Code {
    switch (value.op) {
      case 'literal':
        return { setup: '', code: value.value === null ? 'undefined' : text(value.value) };
      case 'single':
        return this.collect(value.of, (name, node, type) => `${name} = ${name} === undefined ? ${valueOf(type, node)} : MANY;\n`, true);
      case 'exists': {
        const [name, label] = [this.name('e'), this.name('L')];
        return { setup: `let ${name} = false; ${label}: { ${this.nodes(value.of, () => `${name} = true; break ${label};\n`, value.valued !== true)}}\n`, code: name };
      }
      case 'count': {
        const name = this.name('c');
        return { setup: `let ${name} = 0;\n${this.nodes(value.of, () => `${name}++;\n`, true)}`, code: name };
      }
      case 'is':
        return this.collect(value.of, (name, node, type) => `${name} = ${this.isA(type, node, value)};\n`);
      case 'not': {
        const { setup, code } = this.value(value.of);
        return { setup, code: `not(${this.truth(value.of, code)})` };
      }
      case 'equals':
        return this.pair(value.left, value.right, (left, right) => `equals(${left}, ${right})`);
      case 'sum':
        return this.pair(value.left, value.right, (left, right) => `(${left} + ${right})`);
      case 'text':
        return this.pair(value.of, value.argument, (of, argument) => `${value.name}(${of}, ${argument})`);
      case 'compare':
        return this.pair(value.left, value.right, (left, right) => `compare(${value.dated ? `dateOrder(${left}, ${right})` : `numberOrder(${left}, ${right})`}, ${text(value.operator)})`);
      case 'concat':
        return this.pair(value.left, value.right, (left, right) => `concat(${left}, ${right})`);
      case 'distinct': {
        const [name, seen, label] = [this.name('d'), this.name('s'), this.name('L')];
        const body = this.nodes(value.of, (_, node) => `if (${seen}.has(${node})) { ${name} = false; break ${label}; } ${seen}.add(${node});\n`);
        return { setup: `let ${name} = true; const ${seen} = new Set(); ${label}: { ${body}}\n`, code: name };
      }
      case 'meets': {
        const [name, label] = [this.name('m'), this.name('L')];
        this.counts = true;
        const body = this.nodes(value.of, (_, one) => this.nodes(value.other, (_type, other) => `if (--steps < 0) tooManySteps();\nif (sameJson(${one}, ${other})) { ${name} = true; break ${label}; }\n`));
        return { setup: `let ${name} = false; ${label}: { ${body}}\n`, code: name };
      }
      case 'in':
        return this.in(value.item, value.list);
      case 'all':
        return this.all(value);
      case 'logic':
        return this.logic(value);
    }
  }

  private pair(left: Value, right: Value, code: (left: string, right: string) => string): Code {
    const [first, second] = [this.value(left), this.value(right)];
    return { setup: first.setup + second.setup, code: code(first.code, second.code) };
  }

  /** The right side is left alone where the left one settles it. */
  private logic({ operator, left, right }: Extract<Value, { op: 'logic' }>): Code {
    const name = this.name('t');
    const [first, second] = [this.value(left), this.value(right)];
    const start = `${first.setup}let ${name} = ${this.truth(left, first.code)};\n`;
    const rest = `${second.setup}${name} = ${operator}(${name}, ${this.truth(right, second.code)});\n`;
    if (operator === 'xor') return { setup: start + rest, code: name };
    if (operator === 'implies') return { setup: `${start}if (${name} === false) ${name} = true; else { ${rest}}\n`, code: name };
    return { setup: `${start}if (${name} !== ${String(operator === 'or')}) { ${rest}}\n`, code: name };
  }

  private in(item: Value, list: Nodes): Code {
    const [name, wanted, label] = [this.name('f'), this.name('w'), this.name('L')];
    const { setup, code } = this.value(item);
    const search = this.nodes(list, (_, node) => `if (${node} === ${wanted}) { ${name} = true; break ${label}; }\n`);
    return { setup: `${setup}const ${wanted} = ${code}; let ${name} = ${wanted} === undefined ? undefined : false; ${label}: { ${when(`${name} === false`, search)}}\n`, code: name };
  }

  private all({ of, scope, tests }: Extract<Value, { op: 'all' }>): Code {
    const [name, label] = [this.name('a'), this.name('L')];
    const body = this.nodes(of, (type, node) => {
      const test = tests.get(type);
      if (!test) return `${name} = false; break ${label};\n`;
      this.scopes.set(scope, node);
      const { setup, code } = this.value(test);
      return `${setup}if (${this.truth(test, code)} !== true) { ${name} = false; break ${label}; }\n`;
    }, true);
    return { setup: `let ${name} = true; ${label}: { ${body}}\n`, code: name };
  }

  private collect(of: Nodes, assign: (name: string, node: string, type: string) => string, present = false): Code {
    const name = this.name('s');
    return { setup: `let ${name};\n${this.nodes(of, (type, node) => assign(name, node, type), present)}`, code: name };
  }

  private isA(type: string, node: string, { type: wanted, kinds, resolved }: Extract<Value, { op: 'is' }>): string {
    if (resolved) return `refersTo(${node}, ${text(wanted)}, r)`;
    return isOpen(type) && !kinds.includes(type) ? `${node}.resourceType === ${text(wanted)}` : String(kinds.includes(type));
  }

  /** A single value that is no boolean counts as true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
  private truth(value: Value, code: string): string {
    return value.op === 'single' && (mayRepeat(value.of) || value.of.types.some((type) => type !== 'boolean')) ? `truth(${code})` : code;
  }

  private name(prefix: string): string {
    this.names += 1;
    return prefix + String(this.names);
  }
}

function when(condition: string, body: string): string {
  return body === '' ? '' : `if (${condition}) { ${body}}\n`;
}

/** Data may be malformed: a node that is not of its type's JSON kind is passed over. */
function isOfType(type: string, node: string): string {
  if (!isPrimitive(type)) return `typeof ${node} === "object" && ${node} !== null`;
  if (type === 'boolean') return `typeof ${node} === "boolean"`;
  return `typeof ${node} === "${NUMBERS.has(type) ? 'number' : 'string'}"`;
}

/** NONE for one that has extensions alone: it equals nothing, where no node at all gives no answer. */
function valueOf(type: string, node: string): string {
  return isPrimitive(type) && type !== 'boolean' ? `${isOfType(type, node)} ? ${node} : NONE` : node;
}

function text(value: string | number | boolean): string {
  return JSON.stringify(value);
}
