// Where the search types put what they find in one resource, until it becomes IndexRows.
import type { IndexRows, QuantityRow } from './index-rows.js';

export class RowCollector {
  private readonly tokens = new Set<bigint>();
  private readonly refs = new Map<string, string>();
  private readonly strings = new Map<string, IndexRows['strings'][number]>();
  private readonly dates = new Map<string, IndexRows['dates'][number]>();
  private readonly quantities = new Map<string, QuantityRow>();
  /** Rows given so far; a parameter that adds to it has a value. */
  count = 0;
  subject: string | null = null;
  dateLo: number | null = null;
  dateHi: number | null = null;

  token(token: bigint): void {
    this.count += 1;
    this.tokens.add(token);
  }

  ref(target: string, code: string): void {
    this.count += 1;
    const codes = this.refs.get(target) ?? ' ';
    if (!codes.includes(` ${code} `)) this.refs.set(target, `${codes}${code} `);
  }

  string(param: number, value: string, raw: string): void {
    this.count += 1;
    this.strings.set(`${param} ${raw}`, { param, value, raw });
  }

  date(param: number, lo: number, hi: number): void {
    this.count += 1;
    this.dates.set(`${param} ${lo} ${hi}`, { param, lo, hi });
  }

  quantity(row: QuantityRow): void {
    this.count += 1;
    this.quantities.set(`${row.param} ${row.key} ${row.value} ${row.unit} ${row.code} ${row.display}`, row);
  }

  finish(present: string, self: bigint): IndexRows {
    return {
      tokens: [...this.tokens],
      refs: [...this.refs].map(([target, codes]) => target + codes),
      present,
      self,
      subject: this.subject,
      dateLo: this.dateLo,
      dateHi: this.dateHi,
      strings: [...this.strings.values()],
      dates: [...this.dates.values()],
      quantities: [...this.quantities.values()],
    };
  }
}
