// A change that subscribers are told of although no row of a resource table holds it: the answer that a domain computes.

export interface News {
  /** Canonical URL of its SubscriptionTopic. */
  readonly topic: string;
  /** What is told of the same `Type/id` is told in order. */
  readonly stream: string;
  /** All it is about, as a subscriber may have named it: `Patient/1`, an NHS number. */
  readonly subjects: () => Promise<readonly string[]>;
  /** `Observation/1`, and its version. */
  readonly focus: string;
  readonly version: number;
  /** What the room needs to show this version later; it keeps no past of it. */
  readonly detail: string;
}
