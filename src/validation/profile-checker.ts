// Judges a resource, found good by its base type, by the profiles it claims, its content demands, and the caller names.
// https://hl7.org/fhir/R4/profiling.html
import type { Definitions } from '../definitions/model.js';
import type { Packages } from '../definitions/packages.js';
import { openPublishedProfiles } from '../definitions/published-profiles.js';
import type { Issue, Severity } from '../fhir/issue.js';
import type { Resource } from '../fhir/resource.js';
import type { CodeAnswers } from '../terminology/code-answers.js';
import { AskedCodes } from './asked-codes.js';
import { isObject } from './json-object.js';
import { Findings } from './profile-findings.js';
import type { ProfileRule } from './profile-rules.js';
import { runAt, startRun, type ProfileRun, type RunParts } from './profile-run.js';
import { createProfileSource, type FetchProfiles } from './profile-source.js';
import { createProfiles, isMember } from './profiles.js';

export interface ProfileQuestion {
  /** Canonical URLs to judge by as well. */
  readonly also?: readonly string[];
  /** Warnings and hints are wanted, and a profile that is not known is an error. */
  readonly advice?: boolean;
}

export interface ProfileChecker {
  /** What is wrong, errors and (where wanted) advice, in document order; at once where every profile is at hand. The resource must be good R4. */
  check(resource: Resource, question?: ProfileQuestion): readonly Issue[] | Promise<readonly Issue[]>;
  /** A StructureDefinition is being written. */
  definitionChanges(): void;
  /** Makes, a profile at each step, the code of our own profiles, which is else made when it is first needed. */
  preparation(): Generator<void>;
}

export interface ProfileCheckerParts {
  readonly definitions: Definitions;
  readonly packages: Packages;
  readonly rules: readonly ProfileRule[];
  readonly fetch: FetchProfiles;
  /** Judges codes of value sets that can't be listed; without it such codes pass. */
  readonly codes?: CodeAnswers;
  /** What a profile that nobody knows is on a write. */
  readonly unknownProfile: 'warning' | 'error';
  readonly now: () => number;
}

/** A resource, or one within it, and the profiles it must meet. */
interface Demand {
  readonly resource: Resource;
  readonly segment: string;
  readonly urls: readonly string[];
}

const OWN = 'https://fhir.entitle.example/';
const NONE: readonly Issue[] = [];
/** One slice's code decides which other codes are asked for; deeper is no honest profile. */
const MOST_ROUNDS = 8;

export function createProfileChecker({ definitions, packages, rules, fetch, codes, unknownProfile, now }: ProfileCheckerParts): ProfileChecker {
  const own = ownStructures(definitions);
  const published = openPublishedProfiles();
  const source = createProfileSource({ local: (url) => own.get(url) ?? packages.structure(url) ?? published(url), fetch, now, onChange: () => { profiles.forget(); } });
  const profiles = createProfiles({ ...definitions, codes: (valueSet) => definitions.codes(valueSet) ?? packages.codes(valueSet) }, source.find);
  const byType: Rules = new Map(rules.map(({ type }) => [type, rules.filter((rule) => rule.type === type)]));
  const runParts: RunParts = {
    now,
    memberOf: (value, valueSet, run) => isMember(profiles, value, valueSet, run),
    conformsTo: (value, type, url, run) => profiles.conforms(value, undefined, type, url, run),
  };
  const look = (top: Resource, demands: readonly Demand[], advice: boolean, asked: AskedCodes): readonly Issue[] => {
    const findings = new Findings(advice);
    const run = startRun(top, advice, asked, runParts);
    for (const demand of demands) judge(demand, run, findings, advice ? 'error' : unknownProfile);
    return findings.issues(top.resourceType);
  };
  const answer = (top: Resource, demands: readonly Demand[], advice: boolean): readonly Issue[] | Promise<readonly Issue[]> => {
    const asked = new AskedCodes(codes);
    const issues = look(top, demands, advice, asked);
    return asked.isWaiting ? lookAgain(() => look(top, demands, advice, asked), asked) : issues;
  };
  const judge = ({ resource, segment, urls }: Demand, run: ProfileRun, findings: Findings, unknown: Severity): void => {
    const before = findings.count;
    for (const url of urls) judgeBy(url, resource, run, findings, unknown);
    findings.prefix(before, segment);
  };
  const judgeBy = (url: string, resource: Resource, run: ProfileRun, findings: Findings, unknown: Severity): void => {
    const profile = profiles.profile(url);
    const type = profile?.type ?? profiles.typeOf(url);
    if (type === undefined) reportUnknown(findings, url, unknown);
    else if (type !== resource.resourceType && !definitions.isA(resource.resourceType, type)) reportOtherType(findings, url, type, resource);
    else profile?.check(resource, undefined, runAt(run, resource), findings);
  };
  function* preparation(): Generator<void> {
    for (const url of own.keys()) {
      const profile = profiles.profile(url);
      if (profile === undefined) continue;
      const nothing: Resource = { resourceType: profile.type };
      profile.check(nothing, undefined, startRun(nothing, false, new AskedCodes(undefined), runParts), new Findings(false));
      yield;
    }
  }
  return {
    preparation,
    check: (resource, { also = [], advice = false } = {}) => {
      const demands = demandsOf(resource, also, byType);
      if (demands.length === 0) return NONE;
      const [only] = demands;
      const missing = source.missing(demands.length === 1 && only ? only.urls : demands.flatMap(({ urls }) => urls));
      if (missing.length === 0) return answer(resource, demands, advice);
      return source.load(missing).then(() => answer(resource, demands, advice));
    },
    definitionChanges: source.distrust,
  };
}

/** What one answer lets a slice or a rule ask next is asked in turn. */
async function lookAgain(look: () => readonly Issue[], asked: AskedCodes): Promise<readonly Issue[]> {
  let issues: readonly Issue[] = [];
  for (let round = 0; asked.isWaiting && round < MOST_ROUNDS; round++) {
    await asked.fetch();
    issues = look();
  }
  return issues;
}

function ownStructures({ conformanceResources }: Definitions): ReadonlyMap<string, Resource> {
  return new Map(conformanceResources.flatMap((one) => (one.resourceType === 'StructureDefinition' && typeof one['url'] === 'string' ? [[one['url'], one]] : [])));
}

type Rules = ReadonlyMap<string, readonly ProfileRule[]>;

/** Mostly none, and found out without making anything. */
function demandsOf(top: Resource, also: readonly string[], rules: Rules): readonly Demand[] {
  const demands: Demand[] = [];
  addDemand(demands, top, '', also, rules);
  addContained(demands, top, '', rules);
  if (top.resourceType !== 'Bundle' || !Array.isArray(top['entry'])) return demands;
  for (const [index, entry] of top['entry'].entries()) {
    const resource = isObject(entry) ? entry['resource'] : undefined;
    if (!isResource(resource)) continue;
    addDemand(demands, resource, `.entry[${index}].resource`, [], rules);
    addContained(demands, resource, `.entry[${index}].resource`, rules);
  }
  return demands;
}

function addContained(demands: Demand[], { contained }: Resource, segment: string, rules: Rules): void {
  if (!Array.isArray(contained)) return;
  for (const [index, resource] of contained.entries()) if (isResource(resource)) addDemand(demands, resource, `${segment}.contained[${index}]`, [], rules);
}

function addDemand(demands: Demand[], resource: Resource, segment: string, also: readonly string[], rules: Rules): void {
  const urls = isObject(resource['meta']) && Array.isArray(resource['meta']['profile']) ? [...new Set(resource['meta']['profile'].filter((url) => typeof url === 'string'))] : [];
  const own = rules.get(resource.resourceType);
  if (own) for (const rule of own) if (!urls.includes(rule.profile) && rule.demands(resource)) urls.push(rule.profile);
  for (const url of also) if (!urls.includes(url)) urls.push(url);
  if (urls.length > 0) demands.push({ resource, segment, urls });
}

function reportUnknown(findings: Findings, url: string, unknown: Severity): void {
  const words = (): string => `the profile ${url} is not known here: correct its URL, or post its StructureDefinition first`;
  findings.add(url.startsWith(OWN) ? 'error' : unknown, 'not-found', { key: 'profile', profile: url }, '', words);
}

function reportOtherType(findings: Findings, url: string, type: string, { resourceType }: Resource): void {
  findings.error('structure', { key: 'profile', profile: url }, '', () => `the profile ${url} is for ${type}, and this is a ${resourceType}`);
}

function isResource(value: unknown): value is Resource {
  return isObject(value) && typeof value['resourceType'] === 'string';
}
