// The format XML as the door sees it: both ways between XML and the JSON text that everything below works on. https://hl7.org/fhir/R4/xml.html
import type { JsonDocument } from '../fhir/json-document.js';
import { readJson } from '../fhir/json-text.js';
import { placesIn, readXml } from './read-xml.js';
import { writeXml, type XmlLayout } from './write-xml.js';
import { xmlTypes, type XmlModel } from './xml-forms.js';

export interface Xml {
  /** The document of a body in XML; lines and columns in refusals are those of the XML. */
  readonly read: (xml: string) => JsonDocument;
  /** A resource's JSON text as XML. */
  readonly write: (json: string, layout?: XmlLayout) => string;
}

/** `maxDepth` as readJson has it. */
export function createXml(model: XmlModel, maxDepth?: number): Xml {
  const types = xmlTypes(model);
  return {
    read: (xml) => {
      let places: ReturnType<typeof placesIn> | undefined;
      return readJson(readXml(xml, types, maxDepth), { ...(maxDepth !== undefined && { maxDepth }), locate: (path) => (places ??= placesIn(xml, types, maxDepth)).get(path) });
    },
    write: (json, layout) => writeXml(json, types, layout),
  };
}
