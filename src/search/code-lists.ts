// Criteria that name many codes at once: `code:in=ValueSet/1`, `code:below=system|code`. What they stand for is looked up before the search is
// written as SQL, and put into its tree. https://hl7.org/fhir/R4/search.html#modifiers
import { splitEscaped, unescape } from './escape.js';
import { BY_LIST, codedText, type Coded } from './params/token.js';
import type { Clause, Query, SearchValue } from './query.js';

export interface CodeLists {
  /** The codes of a value set, by its canonical URL or as `ValueSet/id`. Rejects with a FhirError where nobody can tell. */
  members(valueSet: string): Promise<readonly Coded[]>;
  /** The code itself and those above or below it in the hierarchy of its system. */
  line(way: 'above' | 'below', system: string, code: string): Promise<readonly Coded[]>;
}

/** Has a criterion a list to be looked up? */
export const needsLists = ({ where }: Query): boolean => needsList(where);

/** The query with the lists of its criteria looked up. */
export async function withCodeLists(query: Query, lists: CodeLists): Promise<Query> {
  return { ...query, where: await resolved(query.where, lists) };
}

function needsList(clause: Clause): boolean {
  switch (clause.kind) {
    case 'and':
    case 'or': return clause.of.some(needsList);
    case 'not': return needsList(clause.of);
    case 'chain':
    case 'has':
    case 'above':
    case 'below':
    case 'held': return needsList(clause.where);
    case 'parameter': return isListed(clause);
    default: return false;
  }
}

type ParameterClause = Extract<Clause, { kind: 'parameter' }>;

const isListed = ({ parameter, modifier }: ParameterClause): boolean => parameter.type === 'token' && modifier !== undefined && BY_LIST.has(modifier);

async function resolved(clause: Clause, lists: CodeLists): Promise<Clause> {
  switch (clause.kind) {
    case 'and':
    case 'or': return { ...clause, of: await Promise.all(clause.of.map((part) => resolved(part, lists))) };
    case 'not': return { ...clause, of: await resolved(clause.of, lists) };
    case 'chain':
    case 'has':
    case 'above':
    case 'below':
    case 'held': return { ...clause, where: await resolved(clause.where, lists) };
    case 'parameter': return isListed(clause) ? { ...clause, values: await Promise.all(clause.values.map((value) => listed(clause.modifier, value, lists))) } : clause;
    default: return clause;
  }
}

/** As it is where it was read with its parts. */
async function listed(modifier: string | undefined, value: SearchValue, lists: CodeLists): Promise<SearchValue> {
  const { text } = value;
  if (value.parts) return value;
  return { text, parts: (await codesOf(modifier, text, lists)).map((coded) => ({ text: codedText(coded) })) };
}

function codesOf(modifier: string | undefined, text: string, lists: CodeLists): Promise<readonly Coded[]> {
  if (modifier !== 'above' && modifier !== 'below') return lists.members(unescape(text));
  const [system = '', code = ''] = splitEscaped(text, '|').map(unescape);
  return lists.line(modifier, system, code);
}
