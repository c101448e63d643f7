// Which parameters of a type are answered from columns of its row: one subject and one main date, both single-valued.
// Computed from the definitions; test/search/promoted.test.ts lists the outcome.
import type { Definitions, SearchParameter } from '../definitions/model.js';
import { elementPaths, type ElementPath } from './element-path.js';

/** In order of preference; then any other parameter of the kind, by code, for dates only. */
const SUBJECTS = ['subject', 'patient', 'beneficiary'];
const DATES = [
  'date', 'period', 'created', 'authored-on', 'authoredon', 'authored', 'issued', 'onset-date', 'recorded-date', 'recorded',
  'effective', 'effective-time', 'occurrence', 'whenhandedover', 'started', 'start', 'sent', 'datetime', 'datewritten', 'birthdate', 'start-date',
];

export interface Promoted {
  /** `Observation.subject`: the element that fills the column. */
  readonly subjectPath?: string;
  readonly datePath?: string;
  /** The parameters answered from each column, with the type their references must have, if any. */
  readonly subject: ReadonlyMap<string, { readonly only?: string }>;
  readonly date: ReadonlySet<string>;
}

/** The one element behind a parameter, where there is just one and it holds one value. */
function singleElement(definitions: Definitions, type: string, parameter: SearchParameter): ElementPath | undefined {
  const paths = parameter.expression === undefined ? undefined : elementPaths(definitions, type, parameter.expression);
  const [first] = paths ?? [];
  return first?.single && paths?.every(({ path }) => path === first.path) ? first : undefined;
}

export function promotedOf(definitions: Definitions, type: string): Promoted {
  const elements = new Map<string, ElementPath>();
  const parameters = [...definitions.searchParameters(type).values()].filter(({ added }) => added === undefined);
  for (const parameter of parameters) {
    const isDate = parameter.type === 'date' && parameter.code !== '_lastUpdated';
    const element = isDate || parameter.type === 'reference' ? singleElement(definitions, type, parameter) : undefined;
    if (element && (isDate || element.types.includes('Reference'))) elements.set(parameter.code, element);
  }
  const dates = parameters.filter(({ code, type: kind }) => kind === 'date' && elements.has(code)).map(({ code }) => code);
  const references = parameters.filter(({ code, type: kind }) => kind === 'reference' && elements.has(code)).map(({ code }) => code);
  const subjectPath = firstPath(SUBJECTS, references, elements);
  const datePath = firstPath([...DATES, ...dates], dates, elements);
  return {
    ...(subjectPath !== undefined && { subjectPath }),
    ...(datePath !== undefined && { datePath }),
    subject: new Map(references.filter((code) => elements.get(code)?.path === subjectPath).map((code) => [code, restriction(elements.get(code))])),
    date: new Set(dates.filter((code) => elements.get(code)?.path === datePath)),
  };
}

function firstPath(preferred: readonly string[], codes: readonly string[], elements: ReadonlyMap<string, ElementPath>): string | undefined {
  const chosen = preferred.find((code) => codes.includes(code));
  return chosen === undefined ? undefined : elements.get(chosen)?.path;
}

function restriction(element: ElementPath | undefined): { readonly only?: string } {
  return element?.only === undefined ? {} : { only: element.only };
}
