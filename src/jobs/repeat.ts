// Work that comes again by the clock: never twice at once, never the end of the process.
export interface Repeated {
  /** There is work: a run begins at once, or as soon as the one under way has ended. */
  wake(): void;
  /** No further runs; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

export interface RepeatOptions {
  readonly everyMs: number;
  readonly onFailure: (error: unknown) => void;
}

/** Runs `work` at once and then `everyMs` after each run has ended. A run that fails is told and tried again next time. */
export function repeat(work: () => Promise<unknown>, { everyMs, onFailure }: RepeatOptions): Repeated {
  let stopped = false;
  let pauseMs = everyMs;
  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<void> => {
    timer = undefined;
    pauseMs = everyMs;
    await work().catch(onFailure);
    if (!stopped) timer = setTimeout(next, pauseMs).unref();
  };
  const next = (): void => {
    running = run();
  };
  let running = run();
  return {
    wake: () => {
      pauseMs = 0;
      if (stopped || !timer) return;
      clearTimeout(timer);
      next();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
