// How far a long command has come: a bar on a terminal; in a pipe, one line every five seconds.

export interface Progress {
  /** So many more are done. */
  add(count: number): void;
  end(): void;
}

const WIDTH = 30;
const TERMINAL_MS = 100;
const PIPE_MS = 5000;

export interface ProgressOut {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export function startProgress(label: string, total: number, out: ProgressOut = process.stderr, now: () => number = Date.now): Progress {
  const terminal = out.isTTY === true;
  const started = now();
  let done = 0;
  let shown = started;
  const show = (): void => {
    shown = now();
    const line = describe(label, done, total, (shown - started) / 1000);
    out.write(terminal ? `\r${bar(done, total)} ${line}\x1b[K` : `${line}\n`);
  };
  return {
    add(count) {
      done += count;
      if (now() - shown >= (terminal ? TERMINAL_MS : PIPE_MS)) show();
    },
    end() {
      show();
      if (terminal) out.write('\n');
    },
  };
}

function bar(done: number, total: number): string {
  const filled = Math.round((WIDTH * Math.min(done, total)) / Math.max(total, 1));
  return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]`;
}

function describe(label: string, done: number, total: number, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const left = rate > 0 && done < total ? `, ${Math.ceil((total - done) / rate)} s left` : '';
  return `${label}: ${done} of ${total}, ${Math.round(rate)} a second${left}`;
}
