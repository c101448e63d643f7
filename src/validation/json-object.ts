// Looks into JSON that may be of any shape.

export type Member = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Member {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function memberIn(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

/** The objects in a list; none where it is no list. */
export function objectsIn(value: unknown, name: string): readonly Member[] {
  const list = memberIn(value, name);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function textIn(value: unknown, name: string): string | undefined {
  const text = memberIn(value, name);
  return typeof text === 'string' ? text : undefined;
}
