// One request and one response as plain data. From the decoder on, nothing knows HTTP: a batch entry, a job and
// the command line are the same to everything below. https://hl7.org/fhir/R4/http.html
import type { JsonDocument } from './json-text.js';

export type Interaction =
  | 'read' | 'vread' | 'update' | 'patch' | 'delete' | 'create' | 'search' | 'history'
  /** The end of old versions: of all (`DELETE Patient/1/_history`), or of one. https://hl7.org/fhir/R5/http.html#delete-history */
  | 'delete-history'
  | 'batch' | 'transaction' | 'operation' | 'capabilities'
  /** Nothing is at the URL, or the request was refused before it was read. */
  | 'unknown';

/** The resources that belong to one: those of `Patient/1`. */
export interface Compartment {
  readonly type: string;
  readonly id: string;
}

export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A body that is no resource and may be larger than memory: it is read as it comes. */
export interface SentFile {
  /** Media type without parameters, lower case. */
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Optional members may be there and undefined: the decoder makes every request with the same members, which the hot paths are quicker to read. */
export interface FhirRequest {
  readonly interaction: Interaction;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Undefined where all types are asked: the history of everything, a search of the whole system or of a compartment. */
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  /** Search only there: `Patient/1/Observation`. https://hl7.org/fhir/R4/http.html#vsearch */
  readonly compartment?: Compartment | undefined;
  readonly version?: string | undefined;
  /** A file of a job: `Patient-1.ndjson`. */
  readonly part?: string | undefined;
  /** Without the dollar: `chargeable-status`. */
  readonly operation?: string | undefined;
  /** Decoded name-value pairs, in the order sent; a form body's pairs come after the URL's. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body?: JsonDocument | undefined;
  /** A file sent as the body, not yet read. */
  readonly file?: SentFile | undefined;
  /** The text of a JSON Patch (RFC 6902), which is no resource; not yet read. */
  readonly jsonPatch?: string | undefined;
  /** The text of an XML Patch (RFC 5261), not yet read. */
  readonly xmlPatch?: string | undefined;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifNoneExist?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  /** Prefer: return=… and handling=…; undefined where the caller did not say. */
  readonly preferReturn?: 'minimal' | 'representation' | 'OperationOutcome' | undefined;
  readonly preferHandling?: 'strict' | 'lenient' | undefined;
  /** Prefer: respond-async. */
  readonly respondAsync?: boolean | undefined;
  /** X-Request-ID of this request; an entry of a bundle has none of its own. */
  readonly requestId?: string | undefined;
  /** X-Request-ID of the bundle that this is an entry of. */
  readonly bundleRequestId?: string | undefined;
  /** X-Correlation-ID; an entry has its bundle's. */
  readonly correlationId?: string | undefined;
  /** X-Purpose-Of-Use: a code of v3-ActReason, not yet checked; an entry has its bundle's. */
  readonly purposeOfUse?: string | undefined;
  /** X-Break-Glass-Reason; an entry has its bundle's. */
  readonly breakGlassReason?: string | undefined;
  /** X-Provenance: the JSON text of a Provenance without target, not yet read. */
  readonly provenance?: string | undefined;
  /** All headers by lower-case name, for surfaces that are defined by theirs; the entries of a Bundle have those it came with. */
  readonly headers?: RequestHeaders | undefined;
  /** An entry of a Bundle: its answer stands in JSON. */
  readonly inBundle?: boolean | undefined;
  /** Absolute URL of the service base, no trailing slash: what links and Location begin with. */
  readonly base: string;
}

export interface FhirResponse {
  readonly status: number;
  /** The body as JSON text, exactly as it goes out. */
  readonly body?: string;
  /** In its place where the body is a file. */
  readonly bytes?: Uint8Array;
  /** In its place where it is longer than memory should hold: what is written piece by piece. */
  readonly stream?: AsyncIterable<string>;
  /** The body is an OperationOutcome (a batch response puts it in entry.response.outcome). */
  readonly outcome?: boolean;
  /** Version of the resource, for ETag. */
  readonly version?: string;
  /** Milliseconds since the epoch, for Last-Modified and entry.response.lastModified. */
  readonly updated?: number;
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ids of patients the answer is about, where its body does not name them: for the record of who did what. */
  readonly about?: readonly string[];
  /** `about` names them all: to look a page through once more would copy it whole. */
  readonly aboutAll?: boolean;
  /** The code of the error that it tells, for the same record: `INSUFFICIENT_FUNDS`. */
  readonly refused?: string;
}
