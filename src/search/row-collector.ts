// Where the search types put what they find in one resource, until it becomes IndexRows.
import type { CodeText, IndexRows, QuantityRow } from './index-rows.js';

type StringRow = IndexRows['strings'][number];
type DateRow = IndexRows['dates'][number];

/** So far back a row's double is looked for; one that slips through costs space and nothing else. */
const LOOK_BACK = 32;

function has<T>(rows: readonly T[], one: T, same: (a: T, b: T) => boolean): boolean {
  for (let index = rows.length - 1; index >= Math.max(0, rows.length - LOOK_BACK); index -= 1) if (same(rows[index] as T, one)) return true;
  return false;
}

const sameText = (a: CodeText, b: CodeText): boolean => a.param === b.param && a.value === b.value;
const sameString = (a: StringRow, b: StringRow): boolean => a.param === b.param && a.raw === b.raw;
const sameDate = (a: DateRow, b: DateRow): boolean => a.param === b.param && a.lo === b.lo && a.hi === b.hi;

function sameQuantity(a: QuantityRow, b: QuantityRow): boolean {
  return a.param === b.param && a.value === b.value && a.other === b.other && a.key === b.key && a.unit === b.unit && a.code === b.code && a.display === b.display;
}

export class RowCollector {
  private readonly tokens = new Set<bigint>();
  private readonly refs = new Map<string, string>();
  private readonly texts: CodeText[] = [];
  private readonly strings: StringRow[] = [];
  private readonly dates: DateRow[] = [];
  private readonly quantities: QuantityRow[] = [];
  /** Rows given so far; a parameter that adds to it has a value. */
  count = 0;
  /** As in IndexRows. */
  present = '';
  subject: string | null = null;
  dateLo: number | null = null;
  dateHi: number | null = null;

  token(token: bigint): void {
    this.count += 1;
    this.tokens.add(token);
  }

  text(param: number, value: string, token: bigint): void {
    this.count += 1;
    this.tokens.add(token);
    const row = { param, value, token };
    if (!has(this.texts, row, sameText)) this.texts.push(row);
  }

  ref(target: string, code: string): void {
    this.count += 1;
    const codes = this.refs.get(target) ?? ' ';
    if (!codes.includes(` ${code} `)) this.refs.set(target, `${codes}${code} `);
  }

  string(param: number, value: string, raw: string): void {
    this.count += 1;
    const row = { param, value, raw };
    if (!has(this.strings, row, sameString)) this.strings.push(row);
  }

  date(param: number, lo: number, hi: number): void {
    this.count += 1;
    const row = { param, lo, hi };
    if (!has(this.dates, row, sameDate)) this.dates.push(row);
  }

  quantity(row: QuantityRow): void {
    this.count += 1;
    if (!has(this.quantities, row, sameQuantity)) this.quantities.push(row);
  }

  finish(self: bigint, generation: number): IndexRows {
    return {
      tokens: [...this.tokens],
      refs: [...this.refs].map(([target, codes]) => target + codes),
      generation,
      present: this.present,
      self,
      subject: this.subject,
      dateLo: this.dateLo,
      dateHi: this.dateHi,
      texts: this.texts,
      strings: this.strings,
      dates: this.dates,
      quantities: this.quantities,
    };
  }
}
