// From a resource along the links of a GraphDefinition, under the caller's Grant. https://hl7.org/fhir/R4/graphdefinition.html
import type { GraphDefinition, GraphDefinitionLink, GraphDefinitionLinkTarget } from '@medplum/fhirtypes';
import { asText } from '../../fhir/elements.js';
import { fail, type FhirError } from '../../fhir/errors.js';
import { queryPairs } from '../../fhir/query-string.js';
import type { FhirRequest } from '../../fhir/request.js';
import { evaluate } from '../../fhirpath/evaluate.js';
import { PathError } from '../../fhirpath/expression.js';
import type { Context } from '../../interactions/context.js';
import { readListed } from '../../interactions/listed-search.js';
import { resourcesOf } from '../../interactions/referred.js';
import type { Clause } from '../../search/query.js';
import type { Found } from '../../store/store.js';

/** Also `Resource`, for any. */
type Target = Pick<GraphDefinitionLinkTarget, 'params' | 'link'> & { readonly type: string };

const MOST = 1000;
const DEEPEST = 10;
const REFERENCE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/;

/** By canonical URL, or as `GraphDefinition/1`. */
export async function graphNamed(name: string, { base }: FhirRequest, context: Context): Promise<GraphDefinition> {
  const { store, grant, parts: { definitions } } = context;
  if (!grant.allows('read', 'GraphDefinition')) throw fail('forbidden', { text: `The role ${grant.caller.role} may not read GraphDefinition` });
  const [, id] = /^GraphDefinition\/([A-Za-z0-9\-.]{1,64})$/.exec(name.startsWith(`${base}/`) ? name.slice(base.length + 1) : name) ?? [];
  const [url = '', version] = name.split('|');
  const criterion = (code: string, text: string): Clause[] => {
    const parameter = definitions.searchParameters('GraphDefinition').get(code);
    return parameter ? [{ kind: 'parameter', parameter, values: [{ text }] }] : [];
  };
  const where: Clause = id === undefined ? { kind: 'and', of: [...criterion('url', url), ...(version === undefined ? [] : criterion('version', version))] } : { kind: 'ids', ids: [id] };
  const { matches } = await store.search(grant, { type: 'GraphDefinition', where, sort: [], count: 2, includes: [], total: 'none', self: [] });
  const [only, another] = matches;
  if (!only) throw fail('not-found', { text: `There is no GraphDefinition ${name.slice(0, 200)} here`, expression: 'graph' });
  if (another) throw fail('invalid-parameter', { text: `Several GraphDefinitions are called ${name.slice(0, 200)}: name its version, or GraphDefinition/[id]`, expression: 'graph' });
  return JSON.parse(only.text) as GraphDefinition;
}

/** What the links reach, each once, without the start. Throws 400 for a graph of another type, or that can't be walked. */
export async function walkGraph({ start: type, link = [] }: GraphDefinition, start: Found, request: FhirRequest, context: Context): Promise<readonly Found[]> {
  if (type !== start.type) throw fail('invalid-parameter', { text: `The graph starts at a ${type}, not at a ${start.type}`, expression: 'graph' });
  const walk = new GraphWalk(start, request, context);
  await walk.links(link, [start], 1);
  return walk.reached();
}

class GraphWalk {
  private readonly known = new Map<string, Found>();

  constructor(
    private readonly start: Found,
    private readonly request: FhirRequest,
    private readonly context: Context,
  ) {
    this.known.set(keyOf(start), start);
  }

  reached(): readonly Found[] {
    return [...this.known.values()].filter((found) => found !== this.start);
  }

  async links(links: readonly GraphDefinitionLink[], from: readonly Found[], depth: number): Promise<void> {
    if (depth > DEEPEST) throw unwalkable(`links go ${DEEPEST} deep at most`);
    if (from.length === 0) return;
    for (const { path, sliceName, target = [] } of links) {
      if (sliceName !== undefined) throw unwalkable('sliceName is not known here');
      for (const one of target) {
        const found = one.params === undefined ? await this.along(path, one, from) : await this.pointing(one.params, one, from);
        const fresh = found.filter((each) => !this.known.has(keyOf(each)));
        for (const each of fresh) this.known.set(keyOf(each), each);
        if (this.known.size > MOST) throw fail('too-costly', { text: `The graph reaches more than ${MOST} resources` });
        await this.links(one.link ?? [], fresh, depth + 1);
      }
    }
  }

  /** What references at the path lead to. */
  private async along(path: string | undefined, { type }: Target, from: readonly Found[]): Promise<readonly Found[]> {
    if (path === undefined) throw unwalkable('a link needs a path, or its target params');
    const wanted = new Map<string, string[]>();
    for (const { text } of from) {
      for (const reference of this.references(text, path)) {
        const [, to = '', id = ''] = REFERENCE.exec(reference) ?? [];
        if (id !== '' && (type === 'Resource' || type === to)) wanted.set(to, [...new Set([...(wanted.get(to) ?? []), id])]);
      }
    }
    return resourcesOf(wanted, this.context);
  }

  private references(text: string, path: string): readonly string[] {
    try {
      return evaluate(JSON.parse(text) as object, path, this.context.parts.definitions).flatMap(({ value }) => {
        const found = typeof value === 'string' ? value : asText((value as { readonly reference?: unknown } | undefined)?.reference);
        return found ?? [];
      });
    } catch (error) {
      if (error instanceof PathError) throw unwalkable(`the path ${path.slice(0, 200)}: ${error.message}`);
      throw error;
    }
  }

  /** `patient={ref}`: what a search finds that names the resource. */
  private async pointing(params: string, { type }: Target, from: readonly Found[]): Promise<readonly Found[]> {
    const { parts: { definitions }, store, grant } = this.context;
    if (!definitions.resourceTypes.includes(type)) throw unwalkable('params need a target of one type');
    if (!params.includes('{ref}')) throw unwalkable('params name what they are about by {ref}');
    if (!grant.allows('search', type)) return [];
    const found: Found[] = [];
    for (const one of from) {
      const pairs = queryPairs(params.replaceAll('{ref}', keyOf(one)));
      const { query } = await readListed({ ...this.request, type, id: undefined, operation: undefined, preferHandling: 'strict', query: pairs }, this.context, type, pairs);
      const page = await store.search(grant, { ...query, count: MOST, total: 'none', includes: [] });
      found.push(...page.matches);
      if (page.next || found.length > MOST) throw fail('too-costly', { text: `The graph reaches more than ${MOST} resources` });
    }
    return found;
  }
}

const keyOf = ({ type, id }: Found): string => `${type}/${id}`;
const unwalkable = (why: string): FhirError => fail('invalid-parameter', { text: `The graph can't be walked: ${why}`, expression: 'graph' });
