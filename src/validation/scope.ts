// The constants a piece of generated code may use: each value gets a name, so no text of ours or of anybody becomes code.

export class Scope {
  private readonly names = new Map<unknown, string>();
  private readonly functions: string[] = [];

  /** The name under which generated code finds the value. */
  use(value: unknown): string {
    const name = this.names.get(value) ?? `c${this.names.size}`;
    this.names.set(value, name);
    return name;
  }

  /** The name of a function with that body, for the rest of the code; what it says of words and names holds here too. */
  define(parameters: string, body: string): string {
    const name = `f${this.functions.length}`;
    this.functions.push(`function ${name}(${parameters}) { ${body} }\n`);
    return name;
  }

  /** The function that `source`, an expression, is. Its words come from this module's siblings and its names through `use`, JSON.stringify and `memberName`. */
  compile(source: string): unknown {
    const build = new Function(...this.names.values(), `'use strict'; ${this.functions.join('')}return ${source};`) as (...constants: unknown[]) => unknown;
    return build(...this.names.keys());
  }
}

export function isMemberName(name: string): boolean {
  return /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(name);
}

/** A member name as a JavaScript literal; throws on anything that is no FHIR element name. */
export function memberName(name: string): string {
  if (!isMemberName(name)) throw new Error(`Not an element name: ${JSON.stringify(name)}`);
  return JSON.stringify(name);
}
