// HL7's code systems, value sets and concept maps as src/terminology/packed.ts reads them: profiles/r4/terminology.ndjson.
//
// One resource a line: `CodeSystem http://hl7.org/fhir/administrative-gender`, a tab, the resource as JSON. The server reads
// the file at the first question of terminology and parses a line only when its resource is asked for.
// Left out: narrative, contacts and purposes, and definitions longer than a few lines.

const LONGEST_DEFINITION = 300;
const MEMBERS = {
  CodeSystem: ['url', 'version', 'name', 'title', 'status', 'experimental', 'caseSensitive', 'valueSet', 'hierarchyMeaning', 'compositional', 'content', 'supplements', 'filter', 'property', 'concept'],
  ValueSet: ['url', 'version', 'name', 'title', 'status', 'experimental', 'compose', 'expansion'],
  ConceptMap: ['url', 'version', 'name', 'title', 'status', 'experimental', 'sourceUri', 'sourceCanonical', 'targetUri', 'targetCanonical', 'group'],
};

/** Code systems that the package holds only as what value sets of it expand to. */
const EXPANDED = { 'urn:iso:std:iso:4217': { name: 'Iso4217', title: 'ISO 4217 currency codes' } };

export function listedSystems(bundle) {
  return Object.entries(EXPANDED).map(([url, names]) => {
    const rows = bundle.entry.flatMap(({ resource }) => resource.expansion?.contains ?? []).filter((row) => row.system === url);
    const concept = rows.map(({ code, display }) => ({ code, ...(display && { display }) }));
    if (concept.length === 0) throw new Error(`The package expands nothing of ${url}`);
    return { resourceType: 'CodeSystem', url, ...names, status: 'active', caseSensitive: true, content: 'complete', concept };
  });
}

export function terminologyLines(resources) {
  const lines = resources.map((resource) => `${resource.resourceType} ${resource.url}\t${JSON.stringify(slim(resource))}`);
  return `${lines.sort().join('\n')}\n`;
}

function slim(resource) {
  const kept = MEMBERS[resource.resourceType].filter((member) => resource[member] !== undefined).map((member) => [member, resource[member]]);
  const { concept, expansion, ...rest } = Object.fromEntries(kept);
  return {
    resourceType: resource.resourceType,
    ...rest,
    ...(concept && { concept: concept.map(slimConcept) }),
    // What HL7 has expanded counts only where it says nothing else.
    ...(expansion && !rest.compose && { expansion }),
  };
}

function slimConcept({ code, display, definition, designation, property, concept }) {
  const words = definition?.replace(/\s+/g, ' ').trim();
  return {
    code,
    ...(display && { display }),
    ...(words && words !== display && words.length <= LONGEST_DEFINITION && { definition: words }),
    ...(designation && { designation }),
    ...(property && { property }),
    ...(concept && { concept: concept.map(slimConcept) }),
  };
}
