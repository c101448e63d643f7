// An XPath as a tree: location paths with predicates of comparisons and a few functions. https://www.w3.org/TR/1999/REC-xpath-19991116/

export type NodeTest =
  /** `local` may be `*`; the namespace undefined means any. */
  | { readonly kind: 'name'; readonly uri: string | undefined; readonly local: string }
  | { readonly kind: 'text' | 'comment' | 'node' };

export interface Step {
  /** `descendant` takes the node itself too, as `//` does. */
  readonly axis: 'child' | 'attribute' | 'descendant' | 'self' | 'parent';
  readonly test: NodeTest;
  readonly predicates: readonly Expression[];
}

const FUNCTIONS = ['position', 'last', 'not', 'count', 'string', 'normalize-space', 'contains', 'starts-with'] as const;

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number }
  | { readonly kind: 'path'; readonly absolute: boolean; readonly steps: readonly Step[] }
  | { readonly kind: 'or' | 'and'; readonly terms: readonly Expression[] }
  | { readonly kind: 'equals'; readonly negated: boolean; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: (typeof FUNCTIONS)[number]; readonly args: readonly Expression[] };

/** The namespace of a prefix, and of elements that have none (the empty one); undefined where nothing declares it. */
export type Prefixes = (prefix: string) => string | undefined;

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
const TOKEN = new RegExp(`\\s*(?:("[^"]*"|'[^']*')|(\\d+(?:\\.\\d+)?)|(${NAME}::)|(${NAME}(?::(?:${NAME}|\\*))?)|(\\/\\/|\\.\\.|!=|[/.@*()[\\]=,]))`, 'y');
const ANY_NODE: NodeTest = { kind: 'node' };
const MAX_LENGTH = 2000;
const MAX_DEPTH = 20;

/** Throws an Error whose words say what is wrong. */
export function parseXpath(text: string, prefixes: Prefixes): Expression {
  if (text.length > MAX_LENGTH) throw new Error(`it is longer than ${MAX_LENGTH} characters`);
  const parser = new Parser(tokens(text), prefixes);
  const expression = parser.expression();
  parser.end();
  return expression;
}

function tokens(text: string): string[] {
  const found: string[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.trimEnd().length; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`${JSON.stringify(text.slice(at, at + 20))} is not understood`);
    found.push(match[0].trim());
  }
  return found;
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(
    private readonly tokens: readonly string[],
    private readonly prefixes: Prefixes,
  ) {}

  end(): void {
    if (this.#at < this.tokens.length) throw new Error(`${JSON.stringify(this.#peek())} is not expected`);
  }

  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Error(`its brackets are nested more than ${MAX_DEPTH} deep`);
    const terms = this.#list('or', () => this.#conjunction());
    this.#depth--;
    return terms;
  }

  #conjunction(): Expression {
    return this.#list('and', () => this.#comparison());
  }

  #list(kind: 'or' | 'and', one: () => Expression): Expression {
    const first = one();
    if (this.#peek() !== kind) return first;
    const terms = [first];
    while (this.#take(kind)) terms.push(one());
    return { kind, terms };
  }

  #comparison(): Expression {
    const left = this.#operand();
    const operator = this.#peek();
    if (operator !== '=' && operator !== '!=') return left;
    this.#at++;
    return { kind: 'equals', negated: operator === '!=', left, right: this.#operand() };
  }

  #operand(): Expression {
    const token = this.#peek();
    if (/^["']/.test(token)) return { kind: 'literal', value: this.#next().slice(1, -1) };
    if (/^\d/.test(token)) return { kind: 'literal', value: Number(this.#next()) };
    if (this.#take('(')) {
      const inner = this.expression();
      this.#require(')');
      return inner;
    }
    const name = FUNCTIONS.find((known) => known === token);
    return name !== undefined && this.tokens[this.#at + 1] === '(' ? this.#call(name) : this.#path();
  }

  #call(name: (typeof FUNCTIONS)[number]): Expression {
    this.#at += 2;
    const args: Expression[] = [];
    while (this.#peek() !== ')') {
      if (args.length > 0) this.#require(',');
      args.push(this.expression());
    }
    this.#at++;
    return { kind: 'call', name, args };
  }

  #path(): Expression {
    const steps: Step[] = [];
    const absolute = this.#peek() === '/' || this.#peek() === '//';
    if (this.#take('//')) steps.push({ axis: 'descendant', test: ANY_NODE, predicates: [] });
    else if (this.#take('/') && !/^[\w.@*]/.test(this.#peek())) return { kind: 'path', absolute, steps };
    for (;;) {
      steps.push(this.#step());
      if (this.#take('//')) steps.push({ axis: 'descendant', test: ANY_NODE, predicates: [] });
      else if (!this.#take('/')) return { kind: 'path', absolute, steps };
    }
  }

  #step(): Step {
    if (this.#take('.')) return { axis: 'self', test: ANY_NODE, predicates: [] };
    if (this.#take('..')) return { axis: 'parent', test: ANY_NODE, predicates: [] };
    const axis = this.#axis();
    const test = this.#test(axis);
    const predicates: Expression[] = [];
    while (this.#take('[')) {
      predicates.push(this.expression());
      this.#require(']');
    }
    return { axis, test, predicates };
  }

  #axis(): 'child' | 'attribute' {
    if (this.#take('@') || this.#take('attribute::')) return 'attribute';
    if (this.#take('child::') || !this.#peek().endsWith('::')) return 'child';
    throw new Error(`the axis ${this.#peek()} is not taken`);
  }

  #test(axis: 'child' | 'attribute'): NodeTest {
    const token = this.#next();
    if (token === '*') return { kind: 'name', uri: undefined, local: '*' };
    if (!/^[A-Za-z_]/.test(token)) throw new Error(token === '' ? 'it ends too soon' : `${JSON.stringify(token)} is not expected`);
    if (this.#take('(')) return this.#typeTest(token);
    const colon = token.indexOf(':');
    if (colon < 0) return { kind: 'name', uri: axis === 'attribute' ? '' : this.prefixes(''), local: token };
    const uri = this.prefixes(token.slice(0, colon));
    if (uri === undefined) throw new Error(`nothing declares the prefix ${token.slice(0, colon)}`);
    return { kind: 'name', uri, local: token.slice(colon + 1) };
  }

  #typeTest(name: string): NodeTest {
    this.#require(')');
    if (name === 'text' || name === 'comment' || name === 'node') return { kind: name };
    throw new Error(`${name}() is not taken`);
  }

  #peek(): string {
    return this.tokens[this.#at] ?? '';
  }

  #next(): string {
    return this.tokens[this.#at++] ?? '';
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #require(token: string): void {
    if (!this.#take(token)) throw new Error(`${token} is missing${this.#peek() === '' ? ' at the end' : ` before ${JSON.stringify(this.#peek())}`}`);
  }
}
