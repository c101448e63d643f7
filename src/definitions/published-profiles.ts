// HL7's own profiles of R4 (vitalsigns, bp, cholesterol …), read when one of them is first asked for. https://hl7.org/fhir/R4/profilelist.html
import { readFileSync } from 'node:fs';
import type { Resource } from '../fhir/resource.js';

const HL7 = 'http://hl7.org/fhir/StructureDefinition/';

/** By URL without version, as scripts/pack-profiles.mjs keeps them; undefined for what is none of them. */
export function openPublishedProfiles(): (url: string) => Resource | undefined {
  let byUrl: ReadonlyMap<unknown, Resource> | undefined;
  return (url) => {
    if (!url.startsWith(HL7)) return undefined;
    byUrl ??= new Map(readProfiles().map((profile) => [profile['url'], profile]));
    return byUrl.get(url);
  };
}

function readProfiles(): readonly Resource[] {
  return JSON.parse(readFileSync(new URL('../../profiles/r4/profiles.json', import.meta.url), 'utf8')) as Resource[];
}
