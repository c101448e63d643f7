// The code of one function of a profile while it is written: what it may name, and how a node becomes statements.
import type { CheckOf } from './profile-run.js';
import type { ProfileNode } from './profile-tree.js';
import type { ProfileWorld } from './profile-world.js';
import { Scope } from './scope.js';

/** Longer code than this becomes a function of its own. */
const LONGEST_INLINE = 500;

export class ProfileCode {
  readonly scope = new Scope();
  /** The profile's canonical URL, as code. */
  readonly url: string;
  private names = 0;

  /** `checkOf`: for what only the data tells: the type of a resource, which of the many forms of a choice. */
  constructor(
    readonly profile: string,
    readonly world: ProfileWorld,
    readonly checkOf: CheckOf,
    private readonly nodeCode: (node: ProfileNode, type: string, code: ProfileCode) => string,
  ) {
    this.url = this.scope.use(profile);
  }

  /** A variable that no other name of the code hides. */
  name(): string {
    this.names++;
    return `x${this.names}`;
  }

  /** What the node asks of `v` and `s`, as statements; '' where that is nothing. */
  check(node: ProfileNode, type: string): string {
    const body = this.nodeCode(node, type, this);
    return body.length <= LONGEST_INLINE ? body : `${this.scope.define('v, s, r, f', body)}(v, s, r, f);\n`;
  }
}

/** The types that are allowed, where this one is not. */
export function refusedType(node: ProfileNode, type: string, { definitions }: ProfileWorld): readonly string[] | undefined {
  const codes = (node.types ?? []).map(({ code }) => code).filter((code) => !code.startsWith('http'));
  if (codes.length === 0 || type === 'Resource') return undefined;
  const allowed = codes.some((code) => code === type || code === 'Element' || code === 'BackboneElement' || definitions.isA(type, code));
  return allowed ? undefined : codes;
}

/** The statements, with `segment`, an expression, before what they find. */
export function prefixedCode(statements: string, segment: string): string {
  return `const q = f.count; ${statements} if (f.count !== q) f.prefix(q, ${segment});`;
}
