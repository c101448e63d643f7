// The compiled, frozen tables of HL7's 4.0.1 definitions and of our own profiles: what every other room asks.
import type { Resource } from '../fhir/resource.js';
import type { TypeModel } from '../fhirpath/model.js';

export interface ElementRule {
  /** `contact`, `value[x]`. */
  readonly name: string;
  /** `Patient.contact`, `Observation.value[x]`. */
  readonly path: string;
  readonly min: number;
  /** Infinity for `*`. */
  readonly max: number;
  /** Type codes: `HumanName`, `code`, `Reference`; for a backbone its own path (`Patient.contact`); a contentReference is resolved to that path. */
  readonly types: readonly string[];
  /** For Reference and canonical: allowed target types; undefined means any. */
  readonly targets?: readonly string[];
  readonly binding?: { readonly strength: 'required' | 'extensible' | 'preferred' | 'example'; readonly valueSet: string };
  /** Asked of each value here, beyond what its type asks (`org-3` of `Organization.telecom`); a backbone's are its type's. */
  readonly constraints?: readonly Constraint[];
  readonly summary?: boolean;
}

export interface Constraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
}

/** One resource type, data type or backbone path. */
export interface TypeRule {
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type' | 'backbone';
  readonly abstract: boolean;
  /** `DomainResource`, `BackboneElement`; undefined at the root. */
  readonly base?: string;
  /** Primitives: the published pattern of the text, without anchors. */
  readonly regex?: string;
  /** Snapshot order, the inherited ones first. A primitive has its `id` and `extension`, not its value. */
  readonly elements: readonly ElementRule[];
  /** Of this type alone: those of its base (dom-2, ele-1 …) are found there. */
  readonly constraints: readonly Constraint[];
}

/** Where an extension may stand, and what it holds. */
export interface ExtensionRule {
  readonly url: string;
  readonly contexts: readonly { readonly type: string; readonly expression: string }[];
  /** Types that value[x] may have; empty where it has extensions instead; undefined where a profile tells. */
  readonly values?: readonly string[];
  /** Stands in modifierExtension. */
  readonly modifier: boolean;
}

export type SearchType = 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';

export interface SearchParameter {
  /** Name in URLs: `birthdate`. */
  readonly code: string;
  readonly type: SearchType;
  /** Canonical URL. */
  readonly url: string;
  /** FHIRPath as published, for all bases. */
  readonly expression?: string;
  /** Reference parameters: the types they may point at; undefined means any. */
  readonly targets?: readonly string[];
  /** Composite parameters. */
  readonly components?: readonly { readonly definition: string; readonly expression: string }[];
  /** Set where an administrator has switched it on; unset for HL7's and ours. */
  readonly added?: AddedParameter;
}

export interface AddedParameter {
  /** Names its rows in the index tables: the same code switched on again has another. */
  readonly key: string;
  /** False while what was stored before is still gone through: a search by it would miss some. */
  readonly ready: boolean;
  /** The job that does so. */
  readonly job: string;
}

/** Which search parameters are known: `generation` changes with those that writes index by, `revision` with every change. */
export interface SearchVersion {
  readonly generation: number;
  readonly revision: number;
}

export interface Definitions extends TypeModel {
  /** The concrete resource types, sorted: Account … VisionPrescription. */
  readonly resourceTypes: readonly string[];
  type(name: string): TypeRule | undefined;
  /** An extension of HL7's or ours by its URL; undefined for those of others, which may stand anywhere. */
  extension(url: string): ExtensionRule | undefined;
  /** Parameters of one resource type, its own and Resource's and DomainResource's, by code. */
  searchParameters(type: string): ReadonlyMap<string, SearchParameter>;
  /** Which they are: at first, and for as long as none is added, 0. */
  searchVersion(): SearchVersion;
  /** `system|code` and bare `|code` members of a value set that a required binding names; undefined where it can't be listed (e.g. all of UCUM). */
  codes(valueSet: string): ReadonlySet<string> | undefined;
  /**
   * The compartment called `Patient`, `Practitioner`, `RelatedPerson`, `Device` or `Encounter`: resource type -> codes of
   * the parameters that put a resource in. The resource in the middle is in too, by its id.
   */
  compartment(name: string): ReadonlyMap<string, readonly string[]>;
  /** Our own conformance resources (profiles/, terminology/) as parsed JSON, for the API to serve. */
  readonly conformanceResources: readonly Resource[];
}
