// Slicing: tells which slice each value of an element belongs to, and checks the slices. https://hl7.org/fhir/R4/profiling.html#slicing
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

/** What a slicing asks of the whole. */
export interface Order extends Pick<Slicing, 'rules' | 'ordered'> {
  readonly slices: readonly ProfileNode[];
}

const BY_URL: readonly Discriminator[] = [{ type: 'value', path: 'url' }];
const BY_TYPE: readonly Discriminator[] = [{ type: 'type', path: '$this' }];

/** For what slicing-code.ts writes no code for: values whose type the data tells. */
export function compileSlicing(element: ProfileNode, profile: string, world: ProfileWorld, checkOf: CheckOf): SlicingCheck {
  const discriminators = discriminatorsOf(element);
  const slices = [...element.slices.values()].map((node): Slice => ({
    node,
    match: compileMatch(node, discriminators, world, checkOf),
    reslicing: node.slices.size > 0 ? compileSlicing(node, profile, world, checkOf) : undefined,
  }));
  const order: Order = { ...element.slicing, slices: slices.map(({ node }) => node) };
  return (items, run, findings) => {
    for (const { node, match } of slices) if (!match) note(findings, profile, 'slicing', noMatchWords(node));
    const places = items.map((item) => slices.findIndex(({ match }) => match?.(item, run) === true));
    checkOrder(findings, profile, order, places, (at) => items[at]?.segment ?? '');
    for (const [index, slice] of slices.entries()) {
      if (slice.match) checkSlice(slice, items.filter((_, at) => places[at] === index), profile, checkOf, run, findings);
    }
  };
}

export function noMatchWords({ sliceName = '' }: ProfileNode): string {
  return `nothing tells what belongs to the slice '${sliceName}', so it was not checked`;
}

/** Extensions are told apart by their url and the forms of a choice by their type, also where a profile does not say so. */
export function discriminatorsOf({ name, slicing }: ProfileNode): readonly Discriminator[] {
  const { discriminator = [] } = slicing ?? {};
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

/**
 * closed: nothing else; openAtEnd: the rest comes last; ordered: in the order of the slices.
 * `places`: the number of each item's slice, -1 for none, -2 where it is not looked at; `segmentAt`: where an item stands.
 */
export function checkOrder(findings: Findings, profile: string, { rules, ordered, slices }: Order, places: readonly number[], segmentAt: (at: number) => string): void {
  const names = (): string => slices.map(({ sliceName }) => sliceName ?? '').join(', ');
  const report = (at: number, words: () => string): void => { findings.error('structure', { key: 'slicing', profile }, segmentAt(at), words); };
  let latest = -1;
  let ended = false;
  for (const [at, place] of places.entries()) {
    if (place === -2) continue;
    if (place < 0) {
      ended = true;
      if (rules === 'closed') report(at, () => `this belongs to none of the slices ${names()}, and no other is allowed`);
    } else {
      if (ended && rules === 'openAtEnd') report(at, () => `what belongs to none of the slices ${names()} must come after them`);
      if (ordered === true && place < latest) report(at, () => `the slices must come in the order ${names()}`);
      latest = Math.max(latest, place);
    }
  }
}
