// The path of a discriminator: the small part of FHIRPath that R4 allows there. https://hl7.org/fhir/R4/profiling.html#discriminator

export type SliceStep =
  | { readonly kind: 'child'; readonly name: string }
  | { readonly kind: 'extension'; readonly url: string }
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'resolve' };

const STEP = /\$this|resolve\(\)|extension\(\s*'([^']*)'\s*\)|(?:ofType|as)\(\s*(?:FHIR\.)?([A-Za-z]+)\s*\)|([A-Za-z][A-Za-z0-9]*)(?:\[x\])?|[^.]+/g;

/** `$this` is no step at all. What is not of that language becomes a child that no slice speaks of. */
export function parseSlicePath(path: string): readonly SliceStep[] {
  const steps: SliceStep[] = [];
  for (const [text, url, type, name] of path.matchAll(STEP)) {
    if (text === 'resolve()') steps.push({ kind: 'resolve' });
    else if (url !== undefined) steps.push({ kind: 'extension', url });
    else if (type !== undefined) steps.push({ kind: 'type', type });
    else if (text !== '$this') steps.push({ kind: 'child', name: name ?? text });
  }
  return steps;
}
