// $graph: a resource and those that a GraphDefinition reaches from it. https://hl7.org/fhir/R4/resource-operation-graph.html
import { collectionText } from '../../fhir/bundle.js';
import { fail } from '../../fhir/errors.js';
import { readInput } from '../input.js';
import type { Operation } from '../operation.js';
import { presentText } from '../present.js';
import { graphNamed, walkGraph } from './walk-graph.js';
import { OPERATION, type TerminologyOperations } from '../terminology/terminology-parts.js';

export function createGraphOperation({ definitions, validate }: Pick<TerminologyOperations, 'definitions' | 'validate'>): Operation {
  return {
    code: 'graph',
    definition: `${OPERATION}/Resource-graph`,
    system: false,
    types: [],
    instances: definitions.resourceTypes,
    affectsState: false,
    async handle(request, context) {
      const name = readInput(request, { graph: 'text' }, validate).text('graph');
      if (name === undefined) throw fail('invalid-parameter', { text: '$graph needs the parameter graph: the URL of a GraphDefinition', expression: 'graph' });
      const { type = '', id = '' } = request;
      const start = await presentText(type, id, context);
      const reached = await walkGraph(await graphNamed(name, request, context), start, request, context);
      return { status: 200, body: collectionText(request.base, [start, ...reached]) };
    },
  };
}
