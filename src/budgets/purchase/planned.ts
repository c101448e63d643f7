// What earlier purchases of the same transaction are going to do: their money moves only when all of them are stored.

export interface Planned {
  /** Pence that will be taken of each line, by its id. */
  readonly lines: Map<string, bigint>;
  /** Pence that will be taken of what commitments reserve, by `claim account line`. */
  readonly taken: Map<string, bigint>;
}

const planned = new WeakMap<object, Planned>();

export function plannedIn(tx: object): Planned {
  const known = planned.get(tx) ?? { lines: new Map<string, bigint>(), taken: new Map<string, bigint>() };
  planned.set(tx, known);
  return known;
}

/** Once the money of a purchase has moved it is planned no more. */
export function forgetPlanned(tx: object): void {
  planned.delete(tx);
}
