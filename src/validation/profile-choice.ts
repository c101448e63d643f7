// The elements of a profile whose type the data tells: a choice of many forms, a resource. These are walked, not written out as code.
import { itemsOf, type Form } from './profile-elements.js';
import type { ProfileCode } from './profile-code.js';
import type { Findings } from './profile-findings.js';
import { reportCount } from './profile-reports.js';
import type { CheckOf, ProfileCheck, ProfileRun } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import { compileSlicing } from './slicing.js';

/** Checks the elements of an object that holds them; gives how many there are. */
type ElementsCheck = (holder: Readonly<Record<string, unknown>>, run: ProfileRun, findings: Findings) => number;

/** Whichever of the forms are there. */
export function checkForms(node: ProfileNode, forms: readonly Form[], checkOf: CheckOf): ElementsCheck {
  return (holder, run, findings) => {
    const items = itemsOf(holder, forms);
    for (const { value, sibling, type, segment } of items) at(segment, value, sibling, checkOf(node, type), run, findings);
    return items.length;
  };
}

export function checkSliced(node: ProfileNode, forms: readonly Form[], { profile, world, checkOf }: ProfileCode): ElementsCheck {
  const check = checkForms(node, forms, checkOf);
  const slicing = compileSlicing(node, profile, world, checkOf);
  return (holder, run, findings) => {
    const count = check(holder, run, findings);
    if (count < node.min || count > node.max) reportCount(findings, profile, node, count);
    slicing(itemsOf(holder, forms), run, findings);
    return count;
  };
}

function at(segment: string, value: unknown, sibling: unknown, check: ProfileCheck | undefined, run: ProfileRun, findings: Findings): void {
  if (check === undefined) return;
  const before = findings.count;
  check(value, sibling, run, findings);
  if (findings.count !== before) findings.prefix(before, segment);
}
