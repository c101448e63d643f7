// Compose SQL text and its values: sql`select res from ${sql.identifier('fhir', type)} where id = ${id}`.
import type { Statement } from './database.js';

/** A piece of SQL: `texts` stand around `values`, one more of them. It serves as a Statement as it is. */
export class Sql implements Statement {
  constructor(
    private readonly texts: readonly string[],
    readonly values: readonly unknown[],
  ) {}

  /** With $1, $2 … for the values, in order. */
  get text(): string {
    return this.texts.reduce((before, after, at) => `${before}$${at}${after}`);
  }

  /** The same under a name: for constant text only, which is then prepared once per connection. */
  named(name: string): Statement {
    return { name, text: this.text, values: this.values };
  }

  /** Puts this piece where a value would stand. */
  spliceInto(texts: string[], values: unknown[], following: string): void {
    const [first = '', ...rest] = this.texts;
    texts.push(`${texts.pop() ?? ''}${first}`, ...rest);
    values.push(...this.values);
    texts.push(`${texts.pop() ?? ''}${following}`);
  }
}

function template(strings: TemplateStringsArray, ...parts: readonly unknown[]): Sql {
  const texts: string[] = [strings[0] ?? ''];
  const values: unknown[] = [];
  for (const [at, part] of parts.entries()) {
    const following = strings[at + 1] ?? '';
    if (part instanceof Sql) part.spliceInto(texts, values, following);
    else {
      values.push(part);
      texts.push(following);
    }
  }
  return new Sql(texts, values);
}

export const sql = Object.assign(template, {
  /** Text as it is: constants of the program only, never anything a caller sent. */
  raw: (text: string): Sql => new Sql([text], []),
  /** A quoted, perhaps qualified, name: identifier('fhir', 'Patient') is "fhir"."Patient". */
  identifier: (...names: readonly string[]): Sql => new Sql([names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')], []),
  /** The pieces one after another, `between` between them. */
  join: (pieces: readonly Sql[], between = ', '): Sql => {
    const texts: string[] = [''];
    const values: unknown[] = [];
    for (const [at, piece] of pieces.entries()) piece.spliceInto(texts, values, at < pieces.length - 1 ? between : '');
    return new Sql(texts, values);
  },
});
