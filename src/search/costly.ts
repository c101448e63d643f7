// Refusing what no index can give in order, where it would keep the database for a long time. https://hl7.org/fhir/R4/search.html#sort
import { fail } from '../fhir/errors.js';
import type { Writing } from './clause.js';
import { RANK, rowsLeft, type Conjunct, type Drivers } from './drivers.js';
import type { Order } from './order.js';
import type { Query } from './query.js';

/** Rows whose texts are read to be sorted: 15 µs each. */
const MOST_READ = 100_000;

/** As much of a page as is judged. */
interface Sorted {
  readonly query: Query;
  readonly order: Order;
  readonly conjuncts: readonly Conjunct[];
  readonly drivers: Drivers;
}

/** Codes, references and URLs lie in no order: to sort by one is to read every row that is left, which of a great many is refused before it begins. */
export function refuseCostly(writing: Writing, { query: { type, sort }, order, conjuncts, drivers: { rank } }: Sorted): void {
  if (rank < RANK.commonToken) return;
  const unordered = order.columns.findIndex(({ reads }) => reads);
  if (unordered < 0) return;
  const rows = rowsLeft(writing, type, conjuncts);
  if (rows <= MOST_READ) return;
  const code = sort[unordered]?.parameter.code ?? '';
  throw fail('too-costly', { text: `About ${Math.round(rows)} resources of type ${type} would have to be read to sort them by ${code}: narrow the search, or sort by a date, a number or a string`, expression: '_sort' });
}
