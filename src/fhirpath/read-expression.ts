// Text -> Expression, by precedence. The parser of fhirpath.js takes 0.1 ms for an invariant when warm and some ms when cold;
// this one a hundredth. What it can't read it leaves to that one. https://hl7.org/fhirpath/N1/#operator-precedence
import type { Expression } from './expression.js';
import { tokensOf, type Token } from './tokens.js';

/** Weakest first; each binds to the left. */
const LEVELS: readonly (readonly string[])[] = [
  ['implies'], ['or', 'xor'], ['and'], ['in', 'contains'], ['=', '~', '!=', '!~'], ['<=', '<', '>', '>='], ['|'], ['is', 'as'], ['+', '-', '&'], ['*', '/', 'div', 'mod'],
];
const LEVEL: ReadonlyMap<string, number> = new Map(LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level])));
const RESERVED: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'implies', 'div', 'mod', 'true', 'false']);
const UNITS = /^(?:year|month|week|day|hour|minute|second|millisecond)s?$/;
const MOST_NESTED = 200;

/** Thrown and caught here: what this parser does not read. */
class Unread extends Error {}

/** Undefined for text it can't read, which may be FHIRPath all the same. */
export function readExpression(text: string): Expression | undefined {
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  try {
    return new Reader(tokens).whole();
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

class Reader {
  private place = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Expression {
    const expression = this.expression(0);
    if (this.next().kind !== 'end') throw new Unread();
    return expression;
  }

  private expression(weakest: number): Expression {
    if (++this.depth > MOST_NESTED) throw new Unread();
    let left = this.signed();
    for (let level = this.operatorLevel(); level !== undefined && level >= weakest; level = this.operatorLevel()) {
      const operator = this.take().text;
      left = operator === 'is' || operator === 'as' ? { kind: 'type', operator, of: left, type: this.typeName() } : { kind: 'operator', operator, left, right: this.expression(level + 1) };
    }
    this.depth--;
    return left;
  }

  private operatorLevel(): number | undefined {
    const { kind, text } = this.next();
    return kind === 'name' || kind === 'symbol' ? LEVEL.get(text) : undefined;
  }

  /** A sign binds more weakly than the path behind it: -1.abs() is -(1.abs()). */
  private signed(): Expression {
    const negative = this.isSymbol('-');
    if (!negative && !this.isSymbol('+')) return this.path();
    this.place++;
    if (++this.depth > MOST_NESTED) throw new Unread();
    const of = this.signed();
    this.depth--;
    return { kind: 'sign', negative, of };
  }

  private path(): Expression {
    let of = this.term();
    for (;;) {
      if (this.takeIf('.')) of = this.invocation(of);
      else if (this.takeIf('[')) {
        of = { kind: 'index', of, at: this.expression(0) };
        this.expect(']');
      } else return of;
    }
  }

  private term(): Expression {
    const { kind, text } = this.next();
    switch (kind) {
      case 'string':
        this.place++;
        return { kind: 'literal', value: text };
      case 'number':
        this.place++;
        return this.number(text);
      case 'date':
        this.place++;
        return { kind: 'temporal', type: text.includes('T') ? 'DateTime' : 'Date', text };
      case 'time':
        this.place++;
        return { kind: 'temporal', type: 'Time', text };
      case 'symbol':
        return this.symbolTerm(text);
      case 'name':
        if (text === 'true' || text === 'false') {
          this.place++;
          return { kind: 'literal', value: text === 'true' };
        }
        return this.invocation();
      case 'quoted':
      case 'end':
        return this.invocation();
    }
  }

  private symbolTerm(text: string): Expression {
    if (this.takeIf('(')) {
      const inner = this.expression(0);
      this.expect(')');
      return inner;
    }
    if (this.takeIf('{')) {
      this.expect('}');
      return { kind: 'literal', value: null };
    }
    if (this.takeIf('%')) {
      const { kind, text: name } = this.take();
      if (kind !== 'name' && kind !== 'quoted' && kind !== 'string') throw new Unread();
      return { kind: 'variable', name };
    }
    if (!text.startsWith('$')) throw new Unread();
    this.place++;
    return text === '$this' ? { kind: 'this' } : { kind: 'loop', name: text === '$index' ? 'index' : 'total' };
  }

  /** `3`, `3.50`, `3 days`, `3 'mg'`. */
  private number(text: string): Expression {
    const { kind, text: unit } = this.next();
    if (kind === 'string' || (kind === 'name' && UNITS.test(unit))) {
      this.place++;
      return { kind: 'quantity', value: text, unit, calendar: kind === 'name' };
    }
    return { kind: 'literal', value: Number(text), ...(text.includes('.') && { written: text }) };
  }

  private invocation(of?: Expression): Expression {
    const subject = of && { of };
    if (this.takeIf('$this')) return { kind: 'this' };
    const name = this.name();
    if (this.isSymbol('{')) throw new Unread();
    if (!this.takeIf('(')) return { kind: 'member', ...subject, name };
    return { kind: 'call', ...subject, name, args: this.args(name === 'sort') };
  }

  private args(sorting: boolean): readonly Expression[] {
    const args: Expression[] = [];
    if (this.takeIf(')')) return args;
    do args.push(sorting ? this.sortArgument() : this.expression(0));
    while (this.takeIf(','));
    this.expect(')');
    return args;
  }

  /** `sort(-name)` turns the order round too, whatever the type of name. */
  private sortArgument(): Expression {
    const of = this.expression(0);
    const { kind, text } = this.next();
    const direction = kind === 'name' && (text === 'asc' || text === 'desc') ? this.take().text : 'asc';
    const descending = direction === 'desc';
    return of.kind === 'sign' && of.negative ? { kind: 'order', descending: !descending, of: of.of } : { kind: 'order', descending, of };
  }

  private typeName(): string {
    let name = this.name();
    while (this.takeIf('.')) name += `.${this.name()}`;
    return name;
  }

  private name(): string {
    const { kind, text } = this.take();
    if (kind === 'quoted' || (kind === 'name' && !RESERVED.has(text))) return text;
    throw new Unread();
  }

  private next(): Token {
    return this.tokens[this.place] ?? { kind: 'end', text: '' };
  }

  private take(): Token {
    const token = this.next();
    this.place++;
    return token;
  }

  private isSymbol(text: string): boolean {
    const token = this.next();
    return token.kind === 'symbol' && token.text === text;
  }

  private takeIf(text: string): boolean {
    const found = this.isSymbol(text);
    if (found) this.place++;
    return found;
  }

  private expect(text: string): void {
    if (!this.takeIf(text)) throw new Unread();
  }
}
