// How far a search by what hangs on rows of other types is walked before all of that is gathered: in stages, each longer than the one before.
import { targetsText, type Row, type Writing } from './clause.js';
import type { Conjunct, Drivers } from './drivers.js';
import { ROW } from './frame.js';
import type { Query } from './query.js';

/** Rows looked at by a glance: each is looked up in another table. */
const GLANCE = 500;
/** Of many rows that a row may have of another type, those of this many times the page are looked at before. */
const FIRST_GLANCE = 3;
/** Rows looked at for what a chain leads to, which is gathered once. */
const LONG_PROBE = 8000;
/** A chain that leads to so few is not walked for. */
const FEW_TARGETS = 64;

/** A part of the walk: so many rows, and what sifts them. */
export interface Stage {
  readonly size: number;
  /** Holds for the stage to be worth while. */
  readonly gate?: string;
  /** Do the tests name the rows as a whole? */
  readonly named: boolean;
  row(looked: string, conjunct: Conjunct): Row;
}

/** As much of a page as its stages depend on. */
interface Glanced {
  readonly query: Query;
  readonly drivers: Drivers;
}

/**
 * A chain leads to one row from each of those looked at: after a glance the walk goes on by all that it may lead to, unless that is little. What `_has` asks
 * of may be many rows each: a small glance comes before the other.
 */
export function stagesOf(writing: Writing, { query: { type, count }, drivers: { drivers } }: Glanced): { readonly stages: readonly Stage[]; readonly ctes: readonly string[] } {
  const few: Stage = { size: GLANCE, named: true, row: (looked) => ({ type, alias: ROW, ids: `select id from ${looked}` }) };
  const [only, ...others] = drivers;
  if (!only || others.length > 0) return { stages: [few], ctes: [] };
  if (only.clause.kind === 'has') return { stages: [{ ...few, size: FIRST_GLANCE * (count + 1) }, few], ctes: [] };
  if (only.clause.kind !== 'chain' || only.granted) return { stages: [few], ctes: [] };
  const gate = `(select count(*) from (select from targets limit ${FEW_TARGETS + 1}) t) > ${FEW_TARGETS}`;
  const all: Stage = { size: LONG_PROBE, gate, named: false, row: (_looked, conjunct) => ({ type, alias: ROW, ...(conjunct === only && { targets: 'select target from targets' }) }) };
  return { stages: [few, all], ctes: [`targets (target) as materialized (${targetsText(writing, only.clause)})`] };
}
