// Collects what checks find, which is mostly nothing: paths are built backwards, from the fault to the root, and only where there is a fault.
import type { ElementRule } from '../definitions/model.js';
import type { Issue, IssueType, Severity } from '../fhir/issue.js';
import { Setting } from './setting.js';

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

/** What is wrong, if anything, with a value that stands within these elements, the innermost first. */
export type Judgement = (within: readonly ElementRule[]) => string | undefined;

interface Fault {
  readonly severity: Severity;
  readonly code: IssueType;
  readonly words: string | Judgement;
  path: string;
  within?: ElementRule[];
}

export class Faults {
  /** Stands still once MOST_ISSUES are listed. */
  count = 0;
  /** Faults of form within the resource at hand: rules of content are not asked of what has any. */
  malformed = 0;
  errors = 0;
  /** What the value being checked lies in. */
  setting = new Setting({});
  private listedIssues = 0;
  private overflowed = false;
  private readonly listed: Fault[] = [];

  /** `hints`: warnings are wanted too. */
  constructor(readonly hints = false) {}

  /** `segment` is `.name[0]`, or '' for the value itself; `words` is only asked when the fault is listed. */
  add(code: IssueType, segment: string, words: () => string): void {
    if (code !== 'invariant' && code !== 'code-invalid') this.malformed++;
    this.errors++;
    this.list('error', code, segment, words);
  }

  /** Good advice that nobody is held to. */
  hint(code: IssueType, segment: string, words: () => string): void {
    if (this.hints) this.list('warning', code, segment, words);
  }

  /** A value whose rightness depends on where it stands: judged at the end. */
  judgeLater(judgement: Judgement): void {
    if (this.listedIssues >= MOST_ISSUES) return;
    this.listed.push({ severity: 'error', code: 'structure', words: judgement, path: '', within: [] });
    this.count++;
  }

  private list(severity: Severity, code: IssueType, segment: string, words: () => string): void {
    if (this.listedIssues === MOST_ISSUES) {
      this.overflowed = true;
      return;
    }
    this.listed.push({ severity, code, words: words(), path: segment });
    this.listedIssues++;
    this.count++;
  }

  /** Puts `segment`, which leads into `element`, before the paths of all faults since `from`. */
  prefix(from: number, segment: string, element: ElementRule): void {
    for (let i = from; i < this.count; i++) {
      const fault = this.listed[i];
      if (fault === undefined) continue;
      fault.path = segment + fault.path;
      fault.within?.push(element);
    }
  }

  /** One issue per fault, in document order; `root` is the resource type, with which each expression starts. */
  issues(root: string): Issue[] {
    const issues = this.listed.flatMap(({ severity, code, words, path, within }): Issue[] => {
      const told = typeof words === 'string' ? words : words(within ?? []);
      const expression = root + path;
      return told === undefined ? [] : [{ severity, code, text: `${expression}: ${told}`, expression }];
    });
    if (!this.overflowed && issues.length <= MOST_ISSUES) return issues;
    return [...issues.slice(0, MOST_ISSUES), TOO_MANY];
  }
}

const TOO_MANY: Issue = { severity: 'error', code: 'too-costly', text: `There are more faults than the ${MOST_ISSUES} listed: correct these and send it again` };
