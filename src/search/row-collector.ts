// Where the search types put what they find in one resource, until it becomes IndexRows.
import type { CodeText, IndexRows, QuantityRow } from './index-rows.js';

/** So far back a row's double is looked for; one that slips through costs space and nothing else. */
const LOOK_BACK = 32;

function has<T>(rows: readonly T[], same: (row: T) => boolean): boolean {
  for (let index = rows.length - 1; index >= Math.max(0, rows.length - LOOK_BACK); index -= 1) if (same(rows[index] as T)) return true;
  return false;
}

function sameQuantity(a: QuantityRow, b: QuantityRow): boolean {
  return a.param === b.param && a.value === b.value && a.other === b.other && a.key === b.key && a.unit === b.unit && a.code === b.code && a.display === b.display;
}

export class RowCollector {
  private readonly tokens = new Set<bigint>();
  private readonly refs = new Map<string, string>();
  private readonly texts: CodeText[] = [];
  private readonly strings: IndexRows['strings'][number][] = [];
  private readonly dates: IndexRows['dates'][number][] = [];
  private readonly quantities: QuantityRow[] = [];
  /** Rows given so far; a parameter that adds to it has a value. */
  count = 0;
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
    if (!has(this.texts, (row) => row.param === param && row.value === value)) this.texts.push({ param, value, token });
  }

  ref(target: string, code: string): void {
    this.count += 1;
    const codes = this.refs.get(target) ?? ' ';
    if (!codes.includes(` ${code} `)) this.refs.set(target, `${codes}${code} `);
  }

  string(param: number, value: string, raw: string): void {
    this.count += 1;
    if (!has(this.strings, (row) => row.param === param && row.raw === raw)) this.strings.push({ param, value, raw });
  }

  date(param: number, lo: number, hi: number): void {
    this.count += 1;
    if (!has(this.dates, (row) => row.param === param && row.lo === lo && row.hi === hi)) this.dates.push({ param, lo, hi });
  }

  quantity(row: QuantityRow): void {
    this.count += 1;
    if (!has(this.quantities, (other) => sameQuantity(row, other))) this.quantities.push(row);
  }

  finish(present: string, self: bigint, generation: number): IndexRows {
    return {
      tokens: [...this.tokens],
      refs: [...this.refs].map(([target, codes]) => target + codes),
      generation,
      present,
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
