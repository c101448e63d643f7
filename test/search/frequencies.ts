// How common tokens are taken to be: the SQL of a search depends on it, its rows never. No more rows than may be read to be sorted (search/costly.ts).
import type { FrequencyOf } from '../../src/search/token-frequency.js';

class AllCommon extends Map<bigint, number> {
  override get(): number {
    return 0.9;
  }
}

export const rare: FrequencyOf = () => undefined;
export const common: FrequencyOf = () => ({ rows: 100_000, shares: new AllCommon() });
