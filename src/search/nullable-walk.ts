// Walks along the index of a column that may be empty: the promoted date, or the subject.
import type { Writing } from './clause.js';
import { datedOfSubject, datedWalk, type DatedSelect, type Sought } from './dated-walk.js';
import type { Reach } from './date-reach.js';
import { ROW } from './frame.js';
import { rowAfterText, type Order, type OrderColumn } from './order.js';
import type { Query } from './query.js';

/** As much of a page as is asked here. */
interface Walked {
  readonly writing: Pick<Writing, 'sql'>;
  readonly query: Query;
  readonly order: Order;
  readonly sought: Sought;
  /** The columns selected, without `select`. */
  readonly columns: string;
}

const EXISTS = `${ROW}.res is not null`;

/**
 * Rows with a date (or a subject), then rows without: the index has those without at one end, which is the wrong one for ascending order,
 * and a cursor can begin only among one of the two. The second select is not run when the first fills the page. `where` is all that sifts.
 */
export function walkNullable(page: Walked, column: OrderColumn, columns: string, where: readonly string[], limit: number): string {
  const { writing: { sql }, query: { after, type }, order: { idDescending }, order, sought: { reach, dated } } = page;
  const select = (tests: readonly string[], by: string): string => `select ${columns} from fhir."${type}" ${ROW} where ${[EXISTS, ...where, ...tests].join(' and ')} order by ${by} limit ${limit}`;
  const [way, beyond] = idDescending ? ['desc', '<'] : ['asc', '>'];
  if (after) sql.constant = false;
  if (after && after.keys[0] == null) return select([`${column.plain} is null`, `${ROW}.id ${beyond} ${sql.bind(after.id, 'text')}`], `${ROW}.id ${way}`);
  const from = [`${column.plain} is not null`, ...(after ? [rowAfterText(order, sql, after, ROW)] : [])];
  if (column.walks === 'date' && reach) return datedWalk(datedSelect(page, column, reach, columns, [...where, ...from], limit));
  const first = select(from, indexOrder(page, column));
  if (column.walks === 'date' && dated) return first;
  return `select * from ((${first}) union all (${select([`${column.plain} is null`], `${ROW}.id ${way}`)})) d limit ${limit}`;
}

/** The rows of one subject from a date on, in the order of it. */
export function ofSubjectText(page: Walked, where: readonly string[]): string {
  const { writing: { sql }, query: { after, count }, order, order: { columns: [column] }, sought: { reach } } = page;
  if (!column || !reach) throw new Error('This road is of an order by date and of a date from which on');
  const from = after ? [rowAfterText(order, sql, after, ROW)] : [];
  return datedOfSubject(datedSelect(page, column, reach, page.columns, [...where, ...from], count + 1));
}

/** As the index has them, read forwards or backwards: there are no nulls among these. */
function indexOrder({ order: { idDescending } }: Walked, { plain, walks }: OrderColumn): string {
  const way = idDescending ? 'desc' : 'asc';
  return `${plain} ${way} ${idDescending === (walks === 'date') ? 'nulls last' : 'nulls first'}, ${ROW}.id ${way}`;
}

function datedSelect(page: Walked, column: OrderColumn, reach: Required<Reach>, columns: string, where: readonly string[], limit: number): DatedSelect {
  const { writing: { sql }, query: { type }, order: { idDescending } } = page;
  return { sql, type, columns, where: [EXISTS, ...where], order: indexOrder(page, column), descending: idDescending, limit, reach };
}
