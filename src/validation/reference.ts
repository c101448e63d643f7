// Whether a literal reference names a type that its element allows. https://hl7.org/fhir/R4/references.html#literal

interface Reference {
  readonly reference?: unknown;
  readonly type?: unknown;
}

/** True as well where the text does not tell the type: fragments, urn:uuid, conditional and logical references. */
export function mayPointAt(targets: readonly string[], isResource: (type: string) => boolean, { reference, type }: Reference): boolean {
  if (type !== undefined && !isAllowed(targets, isResource, type)) return false;
  if (typeof reference !== 'string') return true;
  // almost always one of the targets and a slash: no text is cut out of another then
  for (const target of targets) {
    if (reference.charCodeAt(target.length) === 47 && reference.startsWith(target)) return true;
  }
  return isAllowed(targets, isResource, referencedType(reference));
}

/** `Patient` of `Patient/1`, `https://host/fhir/Patient/1/_history/2`; undefined where the text does not say. */
export function referencedType(reference: string): string | undefined {
  const match = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?(?:$|#)/.exec(reference);
  return match?.[1];
}

function isAllowed(targets: readonly string[], isResource: (type: string) => boolean, type: unknown): boolean {
  return typeof type !== 'string' || !isResource(type) || targets.includes(type);
}
