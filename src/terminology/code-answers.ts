// What validation asks of terminology: whether codes are of their system, and in the value sets that they are bound to. Answers are
// kept for a moment, and only so many of them; what nobody here can tell is an answer, too.
import type { ValueSet } from '@medplum/fhirtypes';
import { FhirError } from '../fhir/errors.js';
import { planFor, remoteWords, type Ground } from './ground.js';
import { findConcept } from './loaded-system.js';
import { isListed, type Plan } from './plan.js';
import { unknownSystem, unknownValueSet } from './refusals.js';
import { decide } from './selection.js';
import type { Sources } from './sources.js';
import { supplementOf } from './supplements.js';
import { judgeConcept, member } from './validate-code.js';

export interface CodeAsked {
  /** Canonical URL; without it the question is whether the system has the code. */
  readonly valueSet?: string;
  /** Elements of type code have none: their code counts by whichever system the value set has it. */
  readonly system?: string;
  readonly version?: string;
  /** Empty where there is text alone, which is in no value set. */
  readonly code: string;
  readonly display?: string;
}

export interface CodeAnswer {
  /** `misnamed`: the code is right and its display is not. `unknown`: nobody here can tell. */
  readonly outcome: 'right' | 'wrong' | 'misnamed' | 'unknown';
  /** Why, and what to do; empty where all is right. */
  readonly words: string;
}

export interface CodeAnswers {
  /** What was asked a moment ago. */
  known(asked: CodeAsked): CodeAnswer | undefined;
  /** In the order asked. Never throws for what can't be told. */
  ask(asked: readonly CodeAsked[]): Promise<readonly CodeAnswer[]>;
  /** A code system or value set is being written here: for a while nothing kept is believed. */
  distrust(): void;
}

/** What another server of the same database changes is seen after this; what is changed here, at once. */
const FRESH_MS = 2000;
/** Longer than a write takes to be committed. */
const DISTRUST_MS = 5000;
const MOST_KEPT = 10_000;
const LONGEST_KEPT = 1000;
const AT_A_TIME = 8;

const RIGHT: CodeAnswer = { outcome: 'right', words: '' };

export function createCodeAnswers(ground: Ground, now: () => number): CodeAnswers {
  const kept = new Map<string, { readonly at: number; readonly answer: CodeAnswer }>();
  let distrustedUntil = -Infinity;
  const keep = (asked: CodeAsked, answer: CodeAnswer): void => {
    const key = keyOf(asked);
    if (key.length > LONGEST_KEPT) return;
    kept.delete(key);
    kept.set(key, { at: now(), answer });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  };
  return {
    known: (asked) => {
      const found = kept.get(keyOf(asked));
      return found !== undefined && now() - found.at < FRESH_MS && now() >= distrustedUntil ? found.answer : undefined;
    },
    async ask(asked) {
      const judge = createJudge({ ...ground, sources: askedOnce(ground.sources) });
      const answers: CodeAnswer[] = [];
      for (let i = 0; i < asked.length; i += AT_A_TIME) answers.push(...await Promise.all(asked.slice(i, i + AT_A_TIME).map(judge)));
      for (const [index, answer] of answers.entries()) if (asked[index]) keep(asked[index], answer);
      return answers;
    },
    distrust: () => { distrustedUntil = now() + DISTRUST_MS; },
  };
}

export function keyOf({ valueSet = '', system = '', version = '', code, display = '' }: CodeAsked): string {
  return JSON.stringify([valueSet, system, version, code, display]);
}

/** The same sources, asked once for each thing: codes that are asked together mostly share their system and value set. */
function askedOnce(sources: Sources): Sources {
  const valueSets = new Map<string, ReturnType<Sources['valueSet']>>();
  const codeSystems = new Map<string, ReturnType<Sources['codeSystem']>>();
  const supplements = new Map<string, ReturnType<Sources['supplements']>>();
  return {
    ...sources,
    valueSet: (canonical) => once(valueSets, canonical, () => sources.valueSet(canonical)),
    supplements: (canonical) => once(supplements, JSON.stringify([canonical.url, canonical.version]), () => sources.supplements(canonical)),
    codeSystem: (canonical) => once(codeSystems, JSON.stringify([canonical.url, canonical.version]), () => sources.codeSystem(canonical)),
  };
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

interface PlannedSet {
  readonly valueSet: ValueSet;
  readonly plan: Plan;
}

function createJudge(ground: Ground): (asked: CodeAsked) => Promise<CodeAnswer> {
  const sets = new Map<string, Promise<PlannedSet | undefined>>();
  const planned = async (canonical: string): Promise<PlannedSet | undefined> => {
    const valueSet = await ground.sources.valueSet(canonical);
    return valueSet && { valueSet, plan: await planFor(valueSet, ground) };
  };
  return async (asked) => {
    const { valueSet, system } = asked;
    try {
      if (valueSet !== undefined) return await inSet(asked, valueSet, await once(sets, valueSet, () => planned(valueSet)), ground);
      return system === undefined ? unknown('a code without a system says nothing') : await inSystem({ ...asked, system }, ground);
    } catch (error) {
      if (error instanceof FhirError) return unknown(error.message);
      throw error;
    }
  };
}

const unknown = (words: string): CodeAnswer => ({ outcome: 'unknown', words });

async function inSet(asked: CodeAsked, canonical: string, set: PlannedSet | undefined, ground: Ground): Promise<CodeAnswer> {
  const { system, code } = asked;
  if (!set) return (await elsewhere(asked, canonical, ground)) ?? unknown(`${unknownValueSet(canonical).message}. ${remoteWords(ground)}`);
  if (!isListed(set.valueSet)) return (await elsewhere(asked, canonical, ground)) ?? unknown(`The value set ${canonical} does not say which codes it has. ${remoteWords(ground)}`);
  const wrong: CodeAnswer = { outcome: 'wrong', words: `Choose one of its codes: ValueSet/$expand?url=${canonical} lists them` };
  if (code === '') return wrong;
  const parts = set.plan.filter((part) => system === undefined || part.system === system);
  // What the value set itself lists counts, whatever version of its system is held here.
  if (parts.some((part) => decide(part.selection, code) === true)) return RIGHT;
  const found = await Promise.all(parts.map((part) => member(part, asked, ground)));
  if (found.some((concept) => concept !== undefined && concept !== false)) return RIGHT;
  const open = parts.find((_part, index) => found[index] === undefined);
  if (!open) return wrong;
  return (await elsewhere(asked, set.valueSet, ground)) ?? unknown(unknownSystem(open.system, open.version, remoteWords(ground)).message);
}

async function inSystem(asked: CodeAsked & { readonly system: string }, ground: Ground): Promise<CodeAnswer> {
  const { system, version, code } = asked;
  const held = await ground.sources.codeSystem({ url: system, ...(version !== undefined && { version }) });
  if (!held) return (await elsewhere(asked, undefined, ground)) ?? unknown(unknownSystem(system, version, remoteWords(ground)).message);
  const concept = held.kind === 'memory' ? held.find(code) : await findConcept(ground.db, held, code);
  if (concept) {
    const supplement = asked.display === undefined ? undefined : await supplementOf({ url: system, ...(held.header.version !== undefined && { version: held.header.version }) }, ground.sources);
    const { result, message = '' } = judgeConcept(supplement ? supplement(concept) : concept, asked, `the code system ${system}`);
    return result ? RIGHT : { outcome: 'misnamed', words: message };
  }
  if (held.header.content !== 'complete') return unknown(`Only a part of the code system ${system} is held here (${held.header.content}), without this code: post the whole of it as a CodeSystem`);
  return { outcome: 'wrong', words: `The code system ${system}${held.header.version === undefined ? '' : ` (version ${held.header.version})`} has no such code: correct it, or name the version of the system that has it` };
}

/** What the other terminology server says. A display is not asked about: it may know other words. */
async function elsewhere({ system, version, code }: CodeAsked, valueSet: ValueSet | string | undefined, { remote }: Ground): Promise<CodeAnswer | undefined> {
  if (remote === undefined || system === undefined || code === '') return undefined;
  const verdict = await remote.validateCode({ system, code, ...(version !== undefined && { version }), ...(valueSet !== undefined && { valueSet }) });
  if (!verdict) return undefined;
  return verdict.result ? RIGHT : { outcome: 'wrong', words: verdict.message ?? `The terminology server ${remote.url} does not have it` };
}
