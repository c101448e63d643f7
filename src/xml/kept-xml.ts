// The XML of texts that are asked for again and again, such as metadata's: each is made once.
import type { Xml } from './xml.js';

/** Texts follow the Host header: a caller who invents hosts must not fill the memory. */
const MOST = 8;

/** Keeps the XML of the last few texts. Worth it only for a few texts that stay as they are: of others the memory is lost. */
export function keepXml(write: Xml['write']): Xml['write'] {
  const plain = new Map<string, string>();
  const pretty = new Map<string, string>();
  return (json, layout) => {
    const kept = layout?.pretty === true ? pretty : plain;
    const known = kept.get(json);
    if (known !== undefined) return known;
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= MOST) kept.delete(oldest);
    const xml = write(json, layout);
    kept.set(json, xml);
    return xml;
  };
}
