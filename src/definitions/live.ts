// Search parameters that come and go while the server runs, laid over the frozen ones. Who holds `definitions` sees them at once.
import type { AddedParameter, Definitions, SearchParameter, SearchVersion } from './model.js';

/** One that was switched on, and the resource types it is for. */
export interface LearntParameter {
  readonly bases: readonly string[];
  readonly parameter: SearchParameter & { readonly added: AddedParameter };
}

const NOTHING_LEARNT: SearchVersion = { generation: 0, revision: 0 };

export class LiveDefinitions {
  /** As the frozen ones, with what was learnt. */
  readonly definitions: Definitions;
  private version = NOTHING_LEARNT;
  /** By type; none where a type has no more than the frozen ones, so that what is kept by them stays. */
  private byType: ReadonlyMap<string, ReadonlyMap<string, SearchParameter>> = new Map();

  constructor(private readonly frozen: Definitions) {
    this.definitions = Object.freeze({
      ...frozen,
      searchParameters: (type: string) => this.byType.get(type) ?? frozen.searchParameters(type),
      searchVersion: () => this.version,
    });
  }

  /** Everything that is switched on now; what is not among it is forgotten. */
  learn(version: SearchVersion, learnt: readonly LearntParameter[]): void {
    const byType = new Map<string, Map<string, SearchParameter>>();
    for (const { bases, parameter } of learnt) {
      for (const type of bases) {
        const table = byType.get(type) ?? new Map(this.frozen.searchParameters(type));
        byType.set(type, table.set(parameter.code, parameter));
      }
    }
    this.byType = byType;
    this.version = version;
  }
}
