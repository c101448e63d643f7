// References by criteria (`Patient?identifier=…`) of a transaction's resources. https://hl7.org/fhir/R4/http.html#trules
import { fail } from '../fhir/errors.js';
import { mayNameByCriteria, targetByCriteria } from '../interactions/conditional-reference.js';
import { placed } from './entry-place.js';
import { placeOf, type Inside, type Planned } from './plan-writes.js';
import { conditionalReferences } from '../interactions/references.js';

export class ConditionalReferences {
  /** What a reference becomes: fullUrls of entries, and the criteria found so far. */
  readonly targets: Map<string, string>;

  constructor(fullUrls: ReadonlyMap<string, string>, private readonly inside: Inside) {
    this.targets = new Map(fullUrls);
  }

  /** Those whose references all lead somewhere, and those that have to wait for them. Throws 412 where nothing is ready. */
  async sort(waiting: readonly Planned[]): Promise<{ ready: Planned[]; stuck: Planned[] }> {
    const misses = new Set<string>();
    const ready: Planned[] = [];
    const stuck: Planned[] = [];
    for (const one of waiting) {
      const found = !mayNameByCriteria(one.asked?.document) || await placed(placeOf(one.entry), () => this.find(one, misses));
      (found ? ready : stuck).push(one);
    }
    const [first] = stuck;
    if (first && ready.length === 0) throw nothingMatches(first, misses);
    return { ready, stuck };
  }

  private async find({ asked }: Planned, misses: Set<string>): Promise<boolean> {
    let found = true;
    for (const reference of conditionalReferences(asked?.document?.value)) {
      if (this.targets.has(reference)) continue;
      const id = misses.has(reference) ? undefined : await targetByCriteria(reference, this.inside);
      if (id === undefined) misses.add(reference);
      else this.targets.set(reference, id);
      found &&= id !== undefined;
    }
    return found;
  }
}

function nothingMatches({ entry, asked }: Planned, misses: ReadonlySet<string>): Error {
  const [missed = ''] = [...conditionalReferences(asked?.document?.value)].filter((reference) => misses.has(reference));
  const type = missed.slice(0, missed.indexOf('?'));
  return fail('no-match', { text: `The conditional reference ${type}?… matches nothing`, expression: placeOf(entry) });
}
