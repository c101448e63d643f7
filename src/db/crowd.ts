// What is asked of the database one by one while few ask, and together once there is a crowd: protocol and executor start-up are most of a
// small statement (design/storage.md). With 32 clients a read costs 0.7 of what one statement each does; with 4 it would cost 1.4, because
// the process sleeps and wakes more often. So the first few go straight.

/** One that waits to be sent. */
export interface Waiting<T, R> {
  readonly asked: T;
  resolve(answer: R): void;
  reject(error: unknown): void;
}

export interface CrowdParts<T, R> {
  readonly alone: (asked: T) => Promise<R>;
  /** Never rejects: each is told of its own. */
  readonly together: (some: readonly Waiting<T, R>[]) => Promise<void>;
  /** Most that are sent at once. */
  readonly most: number;
}

/** More on their way than this are a crowd, until no more than `FEW` are sent at once. */
const MOST_ALONE = 8;
const FEW = 2;
/** Of a crowd. One would leave the database idle while its answer is read. */
const MOST_IN_FLIGHT = 2;

export class Crowd<T, R> {
  private readonly waiting: Waiting<T, R>[] = [];
  private inFlight = 0;
  /** There is a crowd: what is asked waits to be sent together. */
  private crowded = false;
  /** The end of this turn of the event loop will send them. */
  private due = false;

  constructor(private readonly parts: CrowdParts<T, R>) {}

  /** Never joined to what is on its way: who has written reads what was written. */
  ask(asked: T): Promise<R> {
    return this.crowded || this.inFlight >= MOST_ALONE ? this.wait(asked) : this.straight(asked);
  }

  private straight(asked: T): Promise<R> {
    this.inFlight += 1;
    const answer = this.parts.alone(asked);
    const ended = (): void => { this.end(); };
    answer.then(ended, ended);
    return answer;
  }

  private wait(asked: T): Promise<R> {
    this.crowded = true;
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ asked, resolve, reject });
      if (this.due || this.inFlight >= MOST_IN_FLIGHT) return;
      this.due = true;
      setImmediate(() => {
        this.due = false;
        this.send();
      });
    });
  }

  private end(): void {
    this.inFlight -= 1;
    if (this.waiting.length > 0 && !this.due && this.inFlight < MOST_IN_FLIGHT) this.send();
  }

  private send(): void {
    const some = this.waiting.splice(0, this.parts.most);
    if (some.length <= FEW) this.crowded = this.waiting.length > 0;
    this.inFlight += 1;
    void this.parts.together(some).finally(() => { this.end(); });
  }
}

/** Each by itself, and told of its own. */
export async function eachAlone<T, R>(some: readonly Waiting<T, R>[], alone: (asked: T) => Promise<R>): Promise<void> {
  await Promise.all(some.map(({ asked, resolve, reject }) => alone(asked).then(resolve, reject)));
}
