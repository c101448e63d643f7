// Plan -> the body of a JavaScript function (o, emit, r). Nodes are pushed through nested loops: no collection is ever built.
import { isOpen, isPrimitive, type Nodes, type Scope, type Step, type Value } from './plan.js';

/** What to do with a node of that type, held by that variable: code; '' where nothing is to be done. */
type Continue = (type: string, node: string) => string;

const NUMBERS: ReadonlySet<string> = new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt']);
const MEMBER = /^[A-Za-z][A-Za-z0-9]*$/;

/** Uses the functions of runtime.ts by their names. */
export function generate(plan: Nodes): string {
  return new Generator().nodes(plan, emitCode);
}

function emitCode(type: string, node: string): string {
  if (isPrimitive(type)) return `emit(${text(type)}, ${node});\n`;
  const name = isOpen(type) ? `typeof ${node}.resourceType === "string" ? ${node}.resourceType : ${text(type)}` : text(type);
  return `if (!Array.isArray(${node})) emit(${name}, ${node});\n`;
}

class Generator {
  private names = 0;
  private readonly scopes = new Map<Scope, string>([[0, 'o'], ['resource', 'r']]);
  nodes(plan: Nodes, then: Continue): string {
    switch (plan.op) {
      case 'scope':
        return plan.types.map((type) => then(type, this.scopes.get(plan.scope) ?? 'o')).join('');
      case 'child':
        return this.nodes(plan.of, (type, node) => (plan.steps.get(type) ?? []).map((step) => this.step(node, step, then)).join(''));
      case 'keep':
        return this.nodes(plan.of, (type, node) => (plan.types.includes(type) ? then(type, node) : ''));
      case 'narrow':
        return this.nodes(plan.of, (type, node) => (isOpen(type) ? when(`${node}.resourceType === ${text(plan.types[0])}`, then(plan.types[0], node)) : ''));
      case 'filter':
        return this.nodes(plan.of, (type, node) => this.filter(plan.scope, plan.tests.get(type), type, node, then));
      case 'nth':
        return this.nth(plan.of, plan.place, then);
      case 'union':
        return plan.of.map((part) => this.nodes(part, then)).join('');
      case 'value': {
        const value = this.value(plan.value);
        const name = this.name('v');
        return `{ ${value.setup}const ${name} = ${value.code};\n${when(`${name} !== undefined`, then(plan.types[0], name))}}\n`;
      }
    }
  }

  private step(parent: string, { member, type, repeats }: Step, then: Continue): string {
    if (!MEMBER.test(member)) throw new Error(`${JSON.stringify(member)} is no name of an element`);
    const node = this.name('n');
    const body = then(type, node);
    if (body === '') return '';
    if (!repeats) return `{ const ${node} = ${parent}.${member};\n${when(isOfType(type, node), body)}}\n`;
    const [list, place] = [this.name('l'), this.name('i')];
    const each = `for (let ${place} = 0; ${place} < ${list}.length; ${place}++) { const ${node} = ${list}[${place}];\n${when(isOfType(type, node), body)}}\n`;
    return `{ const ${list} = ${parent}.${member};\nif (Array.isArray(${list})) ${each}}\n`;
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

  /** `code`: an expression for the value, to be read after the statements of `setup`. */
  private value(value: Value): { readonly setup: string; readonly code: string } {
    switch (value.op) {
      case 'literal':
        return { setup: '', code: value.value === null ? 'undefined' : text(value.value) };
      case 'single':
        return this.collect(value.of, (name, node) => `${name} = ${name} === undefined ? ${node} : MANY;\n`);
      case 'exists': {
        const [name, label] = [this.name('e'), this.name('L')];
        return { setup: `let ${name} = false; ${label}: { ${this.nodes(value.of, () => `${name} = true; break ${label};\n`)}}\n`, code: name };
      }
      case 'is':
        return this.collect(value.of, (name, node, type) => `${name} = ${this.isA(type, node, value.type, value.resolved)};\n`);
      case 'not': {
        const { setup, code } = this.value(value.of);
        return { setup, code: `not(${this.truth(value.of, code)})` };
      }
      case 'equals': {
        const [left, right] = [this.value(value.left), this.value(value.right)];
        return { setup: left.setup + right.setup, code: `equals(${left.code}, ${right.code})` };
      }
      case 'logic': {
        const [left, right] = [this.value(value.left), this.value(value.right)];
        return { setup: left.setup + right.setup, code: `${value.operator}(${this.truth(value.left, left.code)}, ${this.truth(value.right, right.code)})` };
      }
    }
  }

  private collect(of: Nodes, assign: (name: string, node: string, type: string) => string): { readonly setup: string; readonly code: string } {
    const name = this.name('s');
    return { setup: `let ${name};\n${this.nodes(of, (type, node) => assign(name, node, type))}`, code: name };
  }

  private isA(type: string, node: string, wanted: string, resolved: boolean): string {
    if (resolved) return `refersTo(${node}, ${text(wanted)}, r)`;
    return isOpen(type) ? `${node}.resourceType === ${text(wanted)}` : String(type === wanted);
  }

  /** A single value that is no boolean counts as true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
  private truth(value: Value, code: string): string {
    return value.op === 'single' && value.of.types.some((type) => type !== 'boolean') ? `truth(${code})` : code;
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

function text(value: string | number | boolean): string {
  return JSON.stringify(value);
}
