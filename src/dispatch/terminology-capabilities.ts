// What the terminology service does, for `metadata?mode=terminology`. https://hl7.org/fhir/R4/terminologycapabilities.html
import type { Definitions } from '../definitions/model.js';
import { EXPAND_PARAMETERS } from '../operations/terminology/expand.js';

interface Told {
  readonly definitions: Pick<Definitions, 'conformanceResources'>;
  readonly version: string;
  readonly date: string;
}

/** As JSON text. Code systems are the project's own: HL7's, posted and loaded ones are found by a search of CodeSystem. */
export function terminologyCapabilities(base: string, { definitions, version, date }: Told): string {
  return JSON.stringify({
    resourceType: 'TerminologyCapabilities',
    status: 'active',
    date,
    publisher: 'entitle-fhir',
    description: "Beside the code systems listed, which are the project's own: those of HL7, of packages, those that administrators posted and those that were loaded.",
    kind: 'instance',
    software: { name: 'entitle-fhir', version },
    implementation: { description: 'Chargeable status and personal health budgets', url: base },
    codeSystem: ownSystems(definitions),
    expansion: {
      hierarchical: true,
      paging: true,
      incomplete: false,
      parameter: EXPAND_PARAMETERS.map((name) => ({ name })),
      textFilter: 'Each word of the filter begins a word of the display or a designation, or the code begins with the filter; case and accents do not count.',
    },
    codeSearch: 'all',
    validateCode: { translations: false },
    translation: { needsMap: false },
  });
}

function ownSystems(definitions: Told['definitions']): object[] {
  const urls = definitions.conformanceResources.flatMap(({ resourceType, url, content }) => (resourceType === 'CodeSystem' && content === 'complete' && typeof url === 'string' ? [url] : []));
  return [...new Set(urls)].sort().map((uri) => ({ uri, subsumption: true }));
}
