// What the compilers of profiles need to know of the world around one profile.
import type { Definitions } from '../definitions/model.js';
import type { Binding } from './binding.js';
import type { FormsOf } from './profile-elements.js';
import type { ProfileCheck, ProfileRun } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';

/** A check that is generated when it is first called. */
export interface LazyCheck {
  check: ProfileCheck;
}

export interface CompiledProfile extends LazyCheck {
  readonly url: string;
  /** The type it constrains: `Patient`, `Extension`. */
  readonly type: string;
  readonly root: ProfileNode;
}

export interface ProfileWorld {
  readonly definitions: Definitions;
  readonly formsOf: FormsOf;
  binding(valueSet: string): Binding | undefined;
  /** Undefined where it is not known; asked at run time, since profiles may refer to each other in circles. */
  profile(url: string): CompiledProfile | undefined;
  /** The type that HL7's own URL of a type means, or a profile's; undefined where nobody knows. */
  typeOf(url: string): string | undefined;
  /** By profile or plain type; undefined where the profile is not known. */
  conforms(value: unknown, sibling: unknown, type: string, url: string, run: ProfileRun): boolean | undefined;
}
