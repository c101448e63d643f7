// Collects what profiles find, as faults.ts does for the base: paths are built backwards, only where there is something to say.
import type { Issue, IssueType, Severity } from '../fhir/issue.js';
import { MOST_ISSUES } from './faults.js';

/** Which rule of which profile speaks: `nhs-1`, `min`, `pattern`, … */
export interface Rule {
  readonly key: string;
  /** Canonical URL. */
  readonly profile: string;
}

interface Finding {
  readonly severity: Severity;
  readonly code: IssueType;
  readonly words: string;
  readonly rule: Rule;
  path: string;
}

export class Findings {
  /** All of them, whatever their severity; stands still once MOST_ISSUES are listed. */
  count = 0;
  errors = 0;
  private readonly listed: Finding[] = [];

  /** `advice`: false leaves warnings and hints out. */
  constructor(private readonly advice: boolean) {}

  /** `segment` is `.name[0]`, or '' for the value itself; `words` is only asked when the finding is listed. */
  add(severity: Severity, code: IssueType, rule: Rule, segment: string, words: () => string): void {
    if (severity === 'error') this.errors++;
    else if (!this.advice) return;
    if (this.count === MOST_ISSUES) return;
    this.listed.push({ severity, code, rule, words: words(), path: segment });
    this.count++;
  }

  error(code: IssueType, rule: Rule, segment: string, words: () => string): void {
    this.add('error', code, rule, segment, words);
  }

  /** Puts `segment` before the paths of all findings since `from`. */
  prefix(from: number, segment: string): void {
    for (let i = from; i < this.count; i++) {
      const finding = this.listed[i];
      if (finding !== undefined) finding.path = segment + finding.path;
    }
  }

  /** One issue per finding; `root` is the resource type, with which each expression starts. */
  issues(root: string): Issue[] {
    return this.listed.map(({ severity, code, words, rule, path }): Issue => {
      const expression = root + path;
      const name = rule.profile.slice(rule.profile.lastIndexOf('/') + 1);
      return { severity, code, text: `${expression}: ${words} (profile ${name})`, expression, diagnostics: `${rule.key} of ${rule.profile}` };
    });
  }
}
