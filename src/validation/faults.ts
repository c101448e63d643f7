// Collects what checks find, which is mostly nothing: paths are built backwards, from the fault to the root, and only where there is a fault.
import type { Issue, IssueType } from '../fhir/issue.js';

/** More than these are not listed: the caller corrects these and sends again. */
export const MOST_ISSUES = 100;

/**
 * Looks at one JSON value and adds what is wrong with it, with paths relative to the value. It is not told where the value stands: whoever calls it
 * compares `faults.count` before and after, and calls `faults.prefix` where it moved.
 */
export type Check = (value: unknown, faults: Faults) => void;

/** A check that is generated when it is first called. */
export interface Lazy {
  check: Check;
}

interface Fault {
  readonly code: IssueType;
  readonly words: string;
  path: string;
}

export class Faults {
  /** Stands still once MOST_ISSUES are listed. */
  count = 0;
  private overflowed = false;
  private readonly listed: Fault[] = [];

  /** `segment` is `.name[0]`, or '' for the value itself; `words` is only asked when the fault is listed. */
  add(code: IssueType, segment: string, words: () => string): void {
    if (this.count === MOST_ISSUES) {
      this.overflowed = true;
      return;
    }
    this.listed.push({ code, words: words(), path: segment });
    this.count++;
  }

  /** Puts `segment` before the paths of all faults since `from`. */
  prefix(from: number, segment: string): void {
    for (let i = from; i < this.count; i++) {
      const fault = this.listed[i];
      if (fault !== undefined) fault.path = segment + fault.path;
    }
  }

  /** One issue per fault, in document order; `root` is the resource type, with which each expression starts. */
  issues(root: string): Issue[] {
    const issues = this.listed.map(({ code, words, path }): Issue => {
      const expression = root + path;
      return { severity: 'error', code, text: `${expression}: ${words}`, expression };
    });
    if (this.overflowed) {
      issues.push({ severity: 'error', code: 'too-costly', text: `There are more faults than the ${MOST_ISSUES} listed: correct these and send it again` });
    }
    return issues;
  }
}
