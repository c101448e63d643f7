// Work that nobody waits for, done in small pieces between requests.

/** Longer than a request takes, so that requests come first. */
const PAUSE_MS = 5;

/** One step of the work at a time, until it is done; never keeps the process from ending. A step that fails ends the work. */
export function inSpareTime(work: Iterator<unknown>, onFailure: (error: unknown) => void): void {
  const step = (): void => {
    try {
      if (work.next().done !== true) setTimeout(step, PAUSE_MS).unref();
    } catch (error) {
      onFailure(error);
    }
  };
  setTimeout(step, PAUSE_MS).unref();
}
