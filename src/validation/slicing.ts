// Deals the values of a sliced element out to its slices, and checks each slice. https://hl7.org/fhir/R4/profiling.html#slicing
import type { Item } from './profile-elements.js';
import type { Findings } from './profile-findings.js';
import { note, reportCount } from './profile-reports.js';
import type { CheckOf, ProfileRun } from './profile-run.js';
import type { Discriminator, ProfileNode, Slicing } from './profile-tree.js';
import type { ProfileWorld } from './profile-world.js';
import { compileMatch, type Match } from './slicing-match.js';

/** Segments of the items are relative to the object that holds them, as findings are. */
export type SlicingCheck = (items: readonly Item[], run: ProfileRun, findings: Findings) => void;

interface Slice {
  readonly node: ProfileNode;
  /** Undefined where the profile gives nothing to tell the slice by. */
  readonly match: Match | undefined;
  readonly reslicing: SlicingCheck | undefined;
}

const BY_URL: readonly Discriminator[] = [{ type: 'value', path: 'url' }];
const BY_TYPE: readonly Discriminator[] = [{ type: 'type', path: '$this' }];

export function compileSlicing(element: ProfileNode, profile: string, world: ProfileWorld, checkOf: CheckOf): SlicingCheck {
  const slicing = element.slicing ?? {};
  const discriminators = discriminatorsOf(element, slicing);
  const slices = [...element.slices.values()].map((node): Slice => ({
    node,
    match: compileMatch(node, discriminators, world, checkOf),
    reslicing: node.slices.size > 0 ? compileSlicing(node, profile, world, checkOf) : undefined,
  }));
  return (items, run, findings) => {
    for (const { node, match } of slices) if (!match) note(findings, profile, 'slicing', `nothing tells what belongs to the slice '${node.sliceName ?? ''}', so it was not checked`);
    const places = items.map((item) => slices.findIndex(({ match }) => match?.(item, run) === true));
    checkOrder(items, places, slices, slicing, profile, findings);
    for (const [index, slice] of slices.entries()) {
      if (slice.match) checkSlice(slice, items.filter((_, at) => places[at] === index), profile, checkOf, run, findings);
    }
  };
}

/** Extensions are told apart by their url and the forms of a choice by their type, also where a profile does not say so. */
function discriminatorsOf({ name }: ProfileNode, { discriminator = [] }: Slicing): readonly Discriminator[] {
  if (discriminator.length > 0) return discriminator;
  if (name === 'extension' || name === 'modifierExtension') return BY_URL;
  return name.endsWith('[x]') ? BY_TYPE : [];
}

function checkSlice({ node, reslicing }: Slice, members: readonly Item[], profile: string, checkOf: CheckOf, run: ProfileRun, findings: Findings): void {
  if (members.length < node.min || members.length > node.max) reportCount(findings, profile, node, members.length);
  for (const { value, sibling, type, segment } of members) {
    const before = findings.count;
    checkOf(node, type)?.(value, sibling, run, findings);
    if (findings.count !== before) findings.prefix(before, segment);
  }
  reslicing?.(members, run, findings);
}

/** closed: nothing else; openAtEnd: the rest comes last; ordered: in the order of the slices. `places`: index of each item's slice, or -1. */
function checkOrder(items: readonly Item[], places: readonly number[], slices: readonly Slice[], { rules, ordered }: Slicing, profile: string, findings: Findings): void {
  const names = (): string => slices.map(({ node }) => node.sliceName ?? '').join(', ');
  let latest = -1;
  let ended = false;
  for (const [at, item] of items.entries()) {
    const place = places[at] ?? -1;
    if (place < 0) {
      ended = true;
      if (rules === 'closed') findings.error('structure', { key: 'slicing', profile }, item.segment, () => `this belongs to none of the slices ${names()}, and no other is allowed`);
    } else {
      if (ended && rules === 'openAtEnd') findings.error('structure', { key: 'slicing', profile }, item.segment, () => `what belongs to none of the slices ${names()} must come after them`);
      if (ordered === true && place < latest) findings.error('structure', { key: 'slicing', profile }, item.segment, () => `the slices must come in the order ${names()}`);
      latest = Math.max(latest, place);
    }
  }
}
