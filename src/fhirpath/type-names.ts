// The types that `is`, `as` and `ofType` name: FHIR's, or FHIRPath's own. https://hl7.org/fhirpath/N1/#types
import { PathError, type Expression } from './expression.js';
import type { Item } from './item.js';
import type { TypeModel } from './model.js';

const OWN: ReadonlySet<string> = new Set(['Boolean', 'String', 'Integer', 'Long', 'Decimal', 'Date', 'DateTime', 'Time', 'Quantity', 'Any']);

/** `Quantity`, `FHIR.Quantity` or `System.Quantity`, where an expression stands for a type. Throws PathError for other expressions. */
export function typeName(expression: Expression): string {
  if (expression.kind !== 'member') throw new PathError('a type is a name');
  return expression.of ? `${typeName(expression.of)}.${expression.name}` : expression.name;
}

/** `Patient`, or `System.Integer`. A bare name is FHIR's where FHIR has it. Throws PathError for one that nobody has. */
export function resolveType(name: string, model: TypeModel): string {
  const plain = name.replaceAll('`', '');
  if (plain.startsWith('System.')) return plain;
  const bare = plain.replace(/^FHIR\./, '');
  if (model.isResource(bare) || model.element(bare, 'id') !== undefined) return bare;
  if (OWN.has(plain)) return `System.${plain}`;
  throw new PathError(`there is no type ${name}`);
}

/** `type` as resolveType gives it. */
export function isOfType(item: Item, type: string, model: TypeModel): boolean {
  return item.type === type || (!type.startsWith('System.') && model.isA(item.type, type));
}
