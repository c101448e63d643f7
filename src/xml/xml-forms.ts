// What each element may be called in XML and where it stands, from the same tables that the validator has. https://hl7.org/fhir/R4/xml.html
import type { ElementRule, TypeRule } from '../definitions/model.js';

/** One name that an element may have: `birthDate`; `valueQuantity` among those of `value[x]`. */
export interface XmlForm {
  /** In XML and as the member in JSON. */
  readonly name: string;
  /** The sibling in JSON: `_birthDate`. */
  readonly sibling: string;
  /** Place among the elements of its type; the forms of a choice have the same. */
  readonly order: number;
  readonly repeats: boolean;
  /** A resource of any type stands inside (`contained`, `entry.resource`), or XHTML, or else an element of `type`. */
  readonly kind: 'primitive' | 'complex' | 'resource' | 'xhtml';
  readonly type: string;
  /** As JSON writes it: in quotes or bare. */
  readonly bare: 'number' | 'boolean' | undefined;
  /** XML writes the `id` of a data type and the `url` of an Extension as attributes. */
  readonly attribute: boolean;
  /** As in FHIRPath: `value.ofType(Quantity)`. */
  readonly segment: string;
}

export interface XmlType {
  readonly name: string;
  /** A type of resource that can be sent. */
  readonly isResource: boolean;
  readonly forms: ReadonlyMap<string, XmlForm>;
}

/** What this room must know of FHIR's types; the definitions hold it. */
export interface XmlModel {
  type(name: string): TypeRule | undefined;
}

/** The forms of a type, a backbone (`Patient.contact`) or a primitive's own parts; undefined where there is no such type. */
export type XmlTypes = (name: string) => XmlType | undefined;

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'positiveInt', 'unsignedInt', 'decimal']);
const PER_MODEL = new WeakMap<XmlModel, XmlTypes>();

/** Made type by type, when first met, and kept with the model. */
export function xmlTypes(model: XmlModel): XmlTypes {
  let types = PER_MODEL.get(model);
  if (!types) {
    const known = new Map<string, XmlType>();
    types = (name) => {
      const found = known.get(name) ?? typeOf(model, name);
      if (found) known.set(name, found);
      return found;
    };
    PER_MODEL.set(model, types);
  }
  return types;
}

function typeOf(model: XmlModel, name: string): XmlType | undefined {
  const rule = model.type(name);
  if (!rule) return undefined;
  const forms = new Map<string, XmlForm>();
  rule.elements.forEach((element, order) => {
    for (const type of element.types) {
      const form = formOf(model, rule, element, type, order);
      forms.set(form.name, form);
    }
  });
  return { name, isResource: rule.kind === 'resource' && !rule.abstract, forms };
}

function formOf(model: XmlModel, { kind: owner }: TypeRule, element: ElementRule, type: string, order: number): XmlForm {
  const choice = element.name.endsWith('[x]');
  const stem = choice ? element.name.slice(0, -3) : element.name;
  const name = choice ? stem + type.charAt(0).toUpperCase() + type.slice(1) : stem;
  return {
    name, order, type,
    sibling: `_${name}`,
    repeats: element.max > 1,
    kind: kindOf(model, type),
    bare: type === 'boolean' ? 'boolean' : NUMBERS.has(type) ? 'number' : undefined,
    attribute: (name === 'id' && owner !== 'resource') || element.path === 'Extension.url',
    segment: choice ? `${stem}.ofType(${type})` : name,
  };
}

function kindOf(model: XmlModel, type: string): XmlForm['kind'] {
  if (type === 'xhtml') return 'xhtml';
  const kind = model.type(type)?.kind;
  if (kind === 'primitive-type') return 'primitive';
  return kind === 'resource' ? 'resource' : 'complex';
}
