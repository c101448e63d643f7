// Amounts in the base units of UCUM: 1 g and 1000 mg are the same number of the same dimension. https://ucum.org/ucum#section-Semantics
import { createRequire } from 'node:module';
import { tokenHasher } from './token-hash.js';

export const UCUM = 'http://unitsofmeasure.org';

/** A unit that can be converted: those of one dimension compare. */
export interface BaseUnit {
  /** Hash of the powers of the base units. */
  readonly dimension: bigint;
  /** An amount of the unit in base units, as decimal text; undefined where that is beyond what a number holds. */
  inBase(amount: string): string | undefined;
}

interface SpecifiedUnit {
  readonly magnitude_: number;
  readonly dim_: { readonly dimVec_: readonly number[] | null } | null;
  readonly cnv_: string | null;
  readonly cnvPfx_: number;
  readonly isArbitrary_: boolean;
  readonly moleExp_: number;
}

interface Ucum {
  getSpecifiedUnit(code: string, task: 'validate'): { readonly unit: SpecifiedUnit | null; readonly retMsg: readonly string[] };
}

/** Both sides of a comparison are rounded alike: the table's factors are floats, which are good for 15 digits. */
const DIGITS = 12;
const LONGEST = 100;
const MOST_KEPT = 10_000;

/** Temperatures have a zero of their own; other units that are no multiples (pH, decibel) stay as they are written. */
const OFFSETS: Readonly<Record<string, number>> = { Cel: 273.15, degF: 459.67, degRe: 218.52 };

const dimensions = tokenHasher('dimension');
const known = new Map<string, BaseUnit | undefined>();
let table: Ucum | undefined;

/** Undefined for what is no unit of UCUM, and for those that nothing is a multiple of: `[iU]`, `[pH]`. The table is loaded at the first unit, in 40 ms. */
export function baseUnit(code: string): BaseUnit | undefined {
  if (known.has(code)) return known.get(code);
  if (code === '' || code.length > LONGEST) return undefined;
  const unit = makeUnit(code);
  if (known.size >= MOST_KEPT) known.clear();
  known.set(code, unit);
  return unit;
}

function makeUnit(code: string): BaseUnit | undefined {
  table ??= (createRequire(createRequire(import.meta.url).resolve('fhirpath'))('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): Ucum } }).UcumLhcUtils.getInstance();
  const { unit, retMsg } = table.getSpecifiedUnit(code, 'validate');
  // Beside codes it takes names, and what it believes was meant.
  if (!unit || unit.isArbitrary_ || unit.cnvPfx_ !== 1 || retMsg.length > 0) return undefined;
  const offset = unit.cnv_ === null ? 0 : OFFSETS[unit.cnv_];
  if (offset === undefined) return undefined;
  const powers = unit.dim_?.dimVec_ ?? [];
  return {
    dimension: dimensions.anySystem(`${powers.join()} ${unit.moleExp_}`),
    inBase(amount) {
      const value = (Number(amount) + offset) * unit.magnitude_;
      return Number.isFinite(value) ? value.toPrecision(DIGITS) : undefined;
    },
  };
}
