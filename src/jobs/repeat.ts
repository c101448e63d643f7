// Work that comes again by the clock: never twice at once, never the end of the process.
export interface Repeated {
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
  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<void> => {
    await work().catch(onFailure);
    if (!stopped) timer = setTimeout(next, everyMs).unref();
  };
  const next = (): void => {
    running = run();
  };
  let running = run();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
