// Search parameters folded under each resource type: HL7's, ours, and what Resource and DomainResource lend to all.
// https://hl7.org/fhir/R4/searchparameter.html
import type { SearchParameter } from './model.js';
import { wordsOf, type PackedSearch } from './packed.js';
import { paramKey } from './param-key.js';
import type { TypeTables } from './type-tables.js';

/** A parameter with the types it is for. */
export interface BasedParameter {
  readonly parameter: SearchParameter;
  readonly bases: readonly string[];
}

export function unpackSearch([code, type, url, bases, more]: PackedSearch): BasedParameter {
  const components = more.components?.map(([definition, expression]) => ({ definition, expression }));
  const parameter = Object.freeze({
    code,
    type,
    url,
    ...(more.expression !== undefined && { expression: more.expression }),
    ...(more.targets !== undefined && { targets: wordsOf(more.targets) }),
    ...(components && { components }),
  });
  return { parameter, bases: wordsOf(bases) };
}

/**
 * Type -> code -> parameter, codes sorted. Throws where two parameters of a type share a code, or two of any types a
 * paramKey: rows of one would answer searches for the other.
 */
export function searchTables(
  all: readonly BasedParameter[],
  types: Pick<TypeTables, 'resourceTypes' | 'isA'>,
): ReadonlyMap<string, ReadonlyMap<string, SearchParameter>> {
  const byBase = new Map<string, SearchParameter[]>();
  for (const { parameter, bases } of all) for (const base of bases) listAt(byBase, base).push(parameter);
  const lenders = [...byBase.keys()].filter((base) => !types.resourceTypes.includes(base));
  const keys = new Map<number, string>();
  return new Map(types.resourceTypes.map((type) => {
    const lent = lenders.filter((base) => types.isA(type, base)).flatMap((base) => byBase.get(base) ?? []);
    return [type, tableOf(type, [...(byBase.get(type) ?? []), ...lent], keys)];
  }));
}

function tableOf(type: string, parameters: SearchParameter[], keys: Map<number, string>): ReadonlyMap<string, SearchParameter> {
  const table = new Map<string, SearchParameter>();
  for (const parameter of parameters.sort((a, b) => (a.code < b.code ? -1 : 1))) {
    const { code, url } = parameter;
    const name = `${type}.${code}`;
    const before = table.get(code);
    if (before) throw new Error(`Two search parameters are called ${name}: ${before.url} and ${url}. Give one another code`);
    const key = paramKey(type, code);
    const holder = keys.get(key);
    if (holder !== undefined) throw new Error(`The search parameters ${holder} and ${name} share the key ${key} in the index tables. Give one another code`);
    table.set(code, parameter);
    keys.set(key, name);
  }
  return table;
}

function listAt(map: Map<string, SearchParameter[]>, key: string): SearchParameter[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
