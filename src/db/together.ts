// Look-ups by one key that come in a crowd are asked as one statement.
import { Crowd, eachAlone, type Waiting } from './crowd.js';
import type { Queryable, Rows, Statement } from './database.js';

const MOST_TOGETHER = 500;

type Asked = Waiting<Statement, Rows<unknown>>;

/** Asks as `run` does, but a crowd together: look-ups of one name differ in their key alone. */
export function together(run: Queryable['query']): Queryable['query'] {
  const crowds = new Map<string, Crowd<Statement, Rows<unknown>>>();
  return <R>(statement: Statement): Promise<Rows<R>> => {
    const { name, together: text } = statement;
    if (text === undefined || name === undefined) return run<R>(statement);
    let crowd = crowds.get(name);
    if (!crowd) crowds.set(name, (crowd = new Crowd({ alone: run, together: (some) => ask(some, run), most: MOST_TOGETHER })));
    return crowd.ask(statement) as Promise<Rows<R>>;
  };
}

async function ask(some: readonly Asked[], run: Queryable['query']): Promise<void> {
  const [first] = some;
  if (!first || some.length === 1) return eachAlone(some, run);
  const { name = '', together: text = '' } = first.asked;
  const keys = some.map(({ asked }) => asked.values[0]);
  try {
    const { rows } = await run<{ readonly asked: string }>({ name: `${name} together`, text, values: [keys] });
    const found = byKey(rows);
    for (const { asked, resolve } of some) {
      const own = found.get(asked.values[0]) ?? [];
      resolve({ rows: own, count: own.length });
    }
  } catch {
    // One that can't be answered must not fail the others.
    await eachAlone(some, run);
  }
}

function byKey<R extends { readonly asked: string }>(rows: readonly R[]): ReadonlyMap<unknown, R[]> {
  const found = new Map<unknown, R[]>();
  for (const row of rows) {
    const before = found.get(row.asked);
    if (before) before.push(row);
    else found.set(row.asked, [row]);
  }
  return found;
}
