// Look-ups by one key that come in a crowd are asked as one statement: protocol and executor start-up are most of a point read
// (design/storage.md). With 32 clients a read costs 0.7 of what one statement each does; with 4 it would cost 1.4, because
// the process sleeps and wakes more often. So the first few go straight.
import type { Queryable, Rows, Statement } from './database.js';

/** A look-up that waits to be sent. */
interface Asked {
  readonly statement: Statement;
  readonly resolve: (rows: Rows<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/** Look-ups of one name: they differ in their key alone. */
interface Queue {
  waiting: Asked[];
  inFlight: number;
  /** There is a crowd: look-ups wait to be sent together. */
  crowded: boolean;
  /** The end of this turn of the event loop will send them. */
  due: boolean;
}

/** More look-ups on their way than this are a crowd, until no more than `FEW` are sent at once. */
const MOST_ALONE = 8;
const FEW = 2;
/** Of a crowd. One would leave the database idle while its answer is read. */
const MOST_IN_FLIGHT = 2;
const MOST_TOGETHER = 500;

/** Asks as `run` does, but a crowd together. A look-up is never joined to a statement on its way: who has written reads what was written. */
export function together(run: Queryable['query']): Queryable['query'] {
  const queues = new Map<string, Queue>();
  return <R>(statement: Statement): Promise<Rows<R>> => {
    const { name, together: text } = statement;
    if (text === undefined || name === undefined) return run<R>(statement);
    let queue = queues.get(name);
    if (!queue) queues.set(name, (queue = { waiting: [], inFlight: 0, crowded: false, due: false }));
    return queue.crowded || queue.inFlight >= MOST_ALONE ? crowd<R>(queue, statement, run) : alone<R>(queue, statement, run);
  };
}

function alone<R>(queue: Queue, statement: Statement, run: Queryable['query']): Promise<Rows<R>> {
  queue.inFlight += 1;
  const asked = run<R>(statement);
  const ended = (): void => { end(queue, run); };
  asked.then(ended, ended);
  return asked;
}

function crowd<R>(queue: Queue, statement: Statement, run: Queryable['query']): Promise<Rows<R>> {
  queue.crowded = true;
  return new Promise<Rows<R>>((resolve, reject) => {
    queue.waiting.push({ statement, resolve: resolve as Asked['resolve'], reject });
    if (queue.due || queue.inFlight >= MOST_IN_FLIGHT) return;
    queue.due = true;
    setImmediate(() => {
      queue.due = false;
      send(queue, run);
    });
  });
}

function end(queue: Queue, run: Queryable['query']): void {
  queue.inFlight -= 1;
  if (queue.waiting.length > 0 && !queue.due && queue.inFlight < MOST_IN_FLIGHT) send(queue, run);
}

function send(queue: Queue, run: Queryable['query']): void {
  const some = queue.waiting.splice(0, MOST_TOGETHER);
  if (some.length <= FEW) queue.crowded = queue.waiting.length > 0;
  queue.inFlight += 1;
  void ask(some, run).finally(() => { end(queue, run); });
}

/** Never rejects: each look-up is told of its own. */
async function ask(some: readonly Asked[], run: Queryable['query']): Promise<void> {
  const [first] = some;
  if (!first || some.length === 1) return each(some, run);
  const { name = '', together: text = '' } = first.statement;
  const keys = some.map(({ statement }) => statement.values[0]);
  try {
    const { rows } = await run<{ readonly asked: string }>({ name: `${name} together`, text, values: [keys] });
    const found = byKey(rows);
    for (const { statement, resolve } of some) {
      const own = found.get(statement.values[0]) ?? [];
      resolve({ rows: own, count: own.length });
    }
  } catch {
    // One that can't be answered must not fail the others.
    await each(some, run);
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

async function each(some: readonly Asked[], run: Queryable['query']): Promise<void> {
  await Promise.all(some.map(({ statement, resolve, reject }) => run<unknown>(statement).then(resolve, reject)));
}
