// Is this process too far behind to take more? Told by how late a timer comes; then requests are sent away before they cost anything.
import { fail } from '../fhir/errors.js';

export interface Overload {
  /** Throws 503 with Retry-After while the process is behind. */
  readonly require: () => void;
  readonly stop: () => void;
}

const EVERY_MS = 250;
/** One long piece of work, such as a large Bundle, is no overload: so many late timers in a row are. */
const IN_A_ROW = 3;

/** `lagMs`: how late is too late; 0 takes everything, always. `tick`: milliseconds that only grow. */
export function watchOverload({ lagMs, tick }: { readonly lagMs: number; readonly tick: () => number }): Overload {
  if (lagMs === 0) return { require: () => undefined, stop: () => undefined };
  let late = 0;
  let due = tick() + EVERY_MS;
  const timer = setInterval(() => {
    const now = tick();
    late = now - due > lagMs ? late + 1 : 0;
    due = now + EVERY_MS;
  }, EVERY_MS).unref();
  return {
    require: () => {
      if (late >= IN_A_ROW) throw fail('overloaded', {}, { 'retry-after': '2' });
    },
    stop: () => { clearInterval(timer); },
  };
}
