// What a narrative may hold: the formatting elements of HTML 4's chapters 7 to 11 and 15, links and images, and their attributes;
// not what HTML 4 calls deprecated, nor ins and del.
// https://hl7.org/fhir/R4/narrative.html#xhtml

const ELEMENTS: ReadonlySet<string> = words(`p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote hr address bdo
  kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map area`);

/** Allowed everywhere. */
const ATTRIBUTES: ReadonlySet<string> = words(`title style class id lang xml:lang dir accesskey tabindex span width align valign char charoff abbr axis headers scope
  rowspan colspan`);

const OWN: ReadonlySet<string> = words(`a.href a.name a.charset a.type a.hreflang a.rel a.rev a.shape a.coords img.src img.alt img.longdesc img.height img.width img.usemap
  img.ismap img.border map.name area.shape area.coords area.href area.nohref area.alt blockquote.cite q.cite
  table.summary table.border table.frame table.rules table.cellspacing table.cellpadding pre.xml:space td.nowrap th.nowrap`);

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}

export function isAllowedElement(name: string): boolean {
  return ELEMENTS.has(name);
}

export function isAllowedAttribute(element: string, name: string): boolean {
  return ATTRIBUTES.has(name) || OWN.has(`${element}.${name}`);
}

const LINKS: ReadonlySet<string> = words('href src longdesc cite usemap');
const RUNS = /^(?:javascript|vbscript|livescript|mocha|data:(?!image\/(?:png|gif|jpeg|webp|bmp)[;,]))/i;
const STYLE_RUNS = /javascript:|vbscript:|expression\s*\(|-moz-binding|behavior\s*:|@import/i;

/** Why a browser might run what the attribute holds; undefined where it would not. */
export function unsafeReason(name: string, value: string): string | undefined {
  if (LINKS.has(name) && RUNS.test(bare(value))) return `the ${name} of a narrative must lead to a page or image, not run anything: leave it out`;
  if (name === 'style' && STYLE_RUNS.test(bare(value).replace(/\\/g, ''))) return 'the style of a narrative must not run or load anything: leave it out';
  return undefined;
}

/** As a browser reads it: numbers turned into characters, spaces and controls gone. */
function bare(value: string): string {
  const decoded = value.includes('&') ? value.replace(/&#(x?)([0-9A-Fa-f]+);/gi, (all, hex: string, digits: string) => character(parseInt(digits, hex === '' ? 10 : 16), all)) : value;
  // browsers skip these within a scheme
  return decoded.replace(/[\s\p{Cc}]/gu, '');
}

function character(code: number, otherwise: string): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}
