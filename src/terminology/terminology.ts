// The terminology service as the rooms above see it. https://hl7.org/fhir/R4/terminology-service.html
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes';
import type { Queryable } from '../db/database.js';
import type { Resource } from '../fhir/resource.js';
import { createCodeAnswers, type CodeAnswers } from './code-answers.js';
import { createCodes } from './codes.js';
import { expand, type ExpandOptions, type Stamp } from './expand.js';
import type { Ground } from './ground.js';
import { lookup, type LookedUp, type LookupQuestion } from './lookup.js';
import { MemorySystem } from './memory-system.js';
import { openPacked, type Packed } from './packed.js';
import { unknownMap, unknownValueSet } from './refusals.js';
import { createRemote } from './remote.js';
import { createSources, type FindStored } from './sources.js';
import { subsumes, type SubsumesQuestion, type Subsumption } from './subsumes.js';
import { translate, type TranslateQuestion, type Translation } from './translate.js';
import { validateInSet, validateInSystem, type CodeQuestion, type Verdict } from './validate-code.js';

export interface TerminologyParts {
  /** Folder of the package, ending in a slash; this package's own when absent. */
  readonly root?: URL;
  /** Our own resources: Definitions.conformanceResources. */
  readonly own: readonly Resource[];
  /** Those of packages of others. */
  readonly packages?: Omit<Packed, 'fixed'>;
  /** Those that administrators have posted. */
  readonly findStored: FindStored;
  readonly db: Queryable;
  /** What validation asks goes by these, since it may have a transaction open; by those above when absent. */
  readonly beside?: { readonly findStored: FindStored; readonly db: Queryable };
  /** Base URL of another terminology server. */
  readonly remoteUrl?: string | undefined;
  /** Milliseconds. */
  readonly now?: () => number;
}

export interface Terminology {
  /** What validation asks. */
  readonly answers: CodeAnswers;
  /**
   * `system|code` and `|code` members of a value set of HL7's or ours, listed from memory and kept; undefined where it is
   * unknown or can't be listed so. `|version` is ignored.
   */
  codes(valueSet: string): ReadonlySet<string> | undefined;
  /**
   * Is the code in the value set (a canonical URL), or without one in its system? Asks the store and the loaded tables,
   * too. Throws a FhirError where nobody can tell: 404 not-found, 422 not-supported.
   */
  validateCode(question: CodeQuestion & { readonly valueSet?: string }): Promise<Verdict>;
  validateInSet(valueSet: ValueSet, question: CodeQuestion): Promise<Verdict>;
  /** `given` stands for the system of the question. */
  validateInSystem(question: CodeQuestion & { readonly system: string }, given?: CodeSystem): Promise<Verdict>;
  lookup(question: LookupQuestion): Promise<LookedUp>;
  subsumes(question: SubsumesQuestion): Promise<Subsumption>;
  expand(valueSet: ValueSet, options: ExpandOptions, stamp: Stamp): Promise<ValueSet>;
  translate(question: TranslateQuestion): Promise<Translation>;
  /** By canonical URL, perhaps with `|version`; throw 404. */
  valueSet(canonical: string): Promise<ValueSet>;
  conceptMap(canonical: string): Promise<ConceptMap>;
}

/** Reads nothing yet: HL7's file is opened at the first question. */
export function createTerminology({ root = new URL('../../', import.meta.url), own, packages, findStored, db, beside = { findStored, db }, remoteUrl, now = Date.now }: TerminologyParts): Terminology {
  const packed = openPacked(root, own, packages);
  const sources = createSources(packed, findStored, db);
  const ground: Ground = { sources, db, remote: remoteUrl === undefined ? undefined : createRemote(remoteUrl, now) };
  const valueSet = async (canonical: string): Promise<ValueSet> => {
    const found = await sources.valueSet(canonical);
    if (!found) throw unknownValueSet(canonical);
    return found;
  };
  return {
    answers: createCodeAnswers({ ...ground, db: beside.db, sources: createSources(packed, beside.findStored, beside.db) }, now),
    codes: createCodes(packed),
    async validateCode({ valueSet: canonical, ...question }) {
      if (canonical !== undefined) return validateInSet(await valueSet(canonical), question, ground);
      const { system } = question;
      return system === undefined ? { result: false, message: `The code ${JSON.stringify(question.code.slice(0, 100))} has no system` } : validateInSystem({ ...question, system }, ground);
    },
    validateInSet: (set, question) => validateInSet(set, question, ground),
    validateInSystem: (question, given) => validateInSystem(question, ground, given && new MemorySystem(given)),
    lookup: (question) => lookup(question, ground),
    subsumes: (question) => subsumes(question, ground),
    expand: (set, options, stamp) => expand(set, options, stamp, ground),
    translate: (question) => translate(question, ground),
    valueSet,
    async conceptMap(canonical) {
      const found = await sources.conceptMap(canonical);
      if (!found) throw unknownMap(canonical);
      return found;
    },
  };
}
