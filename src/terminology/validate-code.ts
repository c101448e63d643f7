// Is this a code of the system, of the value set? https://hl7.org/fhir/R4/valueset-operation-validate-code.html
import type { ValueSet } from '@medplum/fhirtypes';
import { sql } from '../db/sql.js';
import { bareConcept, displayIn, type Concept } from './concept.js';
import { planFor, remoteWords, type Ground } from './ground.js';
import { whereSql } from './loaded-selection.js';
import { findConcept } from './loaded-system.js';
import { matcher } from './memory-selection.js';
import type { PlanPart } from './plan.js';
import { notSupported, unknownSystem } from './refusals.js';
import { asListed, queryConcepts } from './rows.js';
import { decide } from './selection.js';
import type { HeldSystem } from './sources.js';

export interface CodeQuestion {
  readonly system?: string;
  readonly version?: string;
  readonly code: string;
  readonly display?: string;
  readonly displayLanguage?: string;
  /** False: a concept that only groups others won't do. */
  readonly abstract?: boolean;
}

export interface Verdict {
  readonly result: boolean;
  readonly message?: string;
  /** A display that would be right. */
  readonly display?: string;
}

/** Refuses (404) a system that nobody knows. */
export async function validateInSystem(question: CodeQuestion & { readonly system: string }, ground: Ground, given?: HeldSystem): Promise<Verdict> {
  const { system, version, code } = question;
  const held = given ?? (await ground.sources.codeSystem({ url: system, ...(version !== undefined && { version }) }));
  if (!held) {
    const verdict = await ground.remote?.validateCode(question);
    if (verdict) return verdict;
    throw unknownSystem(system, version, remoteWords(ground));
  }
  const concept = held.kind === 'memory' ? held.find(code) : await findConcept(ground.db, held, code);
  if (concept) return judgeConcept(concept, question, `the code system ${system}`);
  const message = `The code ${JSON.stringify(code.slice(0, 100))} is not in the code system ${system}`;
  // What a fragment lacks may be a code all the same. https://hl7.org/fhir/R4/codesystem.html#content
  if (held.header.content === 'fragment') return { result: true, message: `${message}, of which only a fragment is held here: it may be right` };
  return { result: false, message: held.header.content === 'example' ? `${message}, of which examples are held here` : message };
}

/** Without a system, the code must be in the set by one system only. Refuses (422) where only a system that is not here could tell. */
export async function validateInSet(valueSet: ValueSet, question: CodeQuestion, ground: Ground): Promise<Verdict> {
  const { system, code } = question;
  const plan = await planFor(valueSet, ground);
  const parts = plan.filter((part) => system === undefined || part.system === system);
  const found = await Promise.all(parts.map(async (part) => ({ part, concept: await member(part, question, ground) })));
  const hits = found.flatMap(({ part, concept }) => (concept ? [{ part, concept }] : []));
  const [hit, other] = hits;
  if (hit && other) return { result: false, message: `The code ${JSON.stringify(code.slice(0, 100))} is in the value set by ${hits.map(({ part }) => part.system).join(' and by ')}: say which system is meant` };
  if (hit) return judgeConcept(hit.concept, question, `the value set ${nameOf(valueSet)}`);
  const unknown = found.find(({ concept }) => concept === undefined);
  if (unknown) return askRemote(valueSet, question, unknown.part, ground);
  const which = system === undefined ? '' : ` of ${system}`;
  return { result: false, message: `The code ${JSON.stringify(code.slice(0, 100))}${which} is not in the value set ${nameOf(valueSet)}` };
}

const nameOf = ({ url, name }: ValueSet): string => url ?? name ?? 'that was sent';

async function askRemote(valueSet: ValueSet, question: CodeQuestion, { system, version }: PlanPart, ground: Ground): Promise<Verdict> {
  const verdict = await ground.remote?.validateCode({ ...question, valueSet });
  if (verdict) return verdict;
  throw notSupported(`Whether ${JSON.stringify(question.code.slice(0, 100))} is in the value set ${nameOf(valueSet)} can't be told: ${unknownSystem(system, version, remoteWords(ground)).message}`);
}

/** The concept as the value set shows it; false where it is not in, undefined where nobody here can tell. */
export async function member(part: PlanPart, { code, version }: Pick<CodeQuestion, 'code' | 'version'>, { sources, db }: Ground): Promise<Concept | false | undefined> {
  const wanted = part.version ?? version;
  const held = await sources.codeSystem({ url: part.system, ...(wanted !== undefined && { version: wanted }) });
  if (held?.kind === 'memory') {
    const concept = held.find(code);
    if (concept) return matcher(part.selection, held)(concept) && asListed(concept, part);
    if (held.header.content === 'complete') return false;
  } else if (held) {
    const [concept] = await queryConcepts(db, sql`c.code = ${code} and ${whereSql(part.selection, held.load, true)}`, held);
    return concept ? asListed(concept, part) : false;
  }
  const decided = decide(part.selection, code);
  return decided === true ? asListed(bareConcept(code), part) : decided;
}

/** What of the question the concept does not meet: a display it has not, or that it may not be chosen. */
export function judgeConcept(concept: Concept, { display, displayLanguage, abstract }: Omit<CodeQuestion, 'code'>, where: string): Verdict {
  const preferred = displayIn(concept, displayLanguage);
  const shown = preferred === undefined ? {} : { display: preferred };
  if (abstract === false && concept.abstract) return { result: false, message: `The code ${JSON.stringify(concept.code)} only groups others: choose one below it`, ...shown };
  const names = [...new Set([concept.display, ...concept.designations.map(({ value }) => value)])].filter((name) => name !== undefined);
  if (display !== undefined && names.length > 0 && !names.some((name) => plain(name) === plain(display)))
    return { result: false, message: `The display ${JSON.stringify(display.slice(0, 100))} is not one that ${where} has for ${JSON.stringify(concept.code)}; it has ${names.slice(0, 5).map((name) => JSON.stringify(name)).join(', ')}`, ...shown };
  return { result: true, ...(concept.inactive && { message: `The code ${JSON.stringify(concept.code)} is no longer in use` }), ...shown };
}

const plain = (text: string): string => text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim();
