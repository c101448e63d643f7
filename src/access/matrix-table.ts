// The matrix as the documents print it: made of the same rows that Grants are made of.
import { RIGHTS, type RoleRights } from './rights.js';

/** Said once for all of them: whoever may read one may read the others. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  definitions: ['StructureDefinition', 'CodeSystem', 'ValueSet', 'ConceptMap', 'OperationDefinition', 'SearchParameter', 'NamingSystem', 'CompartmentDefinition'],
  'Organization, Practitioner, PractitionerRole, Location, Endpoint': ['Organization', 'Practitioner', 'PractitionerRole', 'Location', 'Endpoint'],
};

const roles = Object.entries(RIGHTS);
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const lettersOf = ({ types }: RoleRights, type: string): string => types[type] ?? types['*'] ?? '';

/** Two tables in Markdown: letters by type and role, and what each role sees and calls. */
export function matrixTable(): string {
  const named = [...new Set(roles.flatMap(([, { types }]) => Object.keys(types)))].filter((type) => type !== '*').sort();
  const alone = named.filter((type) => !Object.values(TOGETHER).some((types) => types.includes(type)));
  const lines = [...Object.entries(TOGETHER), ...alone.map((type): [string, readonly string[]] => [type, [type]])].map(([name, types]) => row([name, ...roles.map(([, rights]) => shared(rights, types))]));
  return [
    row(['', ...roles.map(([role]) => role)]), row(['---', ...roles.map(() => '---')]), ...lines, '',
    row(['role', 'whose rows', 'batch and transaction', 'operations']), row(['---', '---', '---', '---']), ...roles.map(([role, rights]) => row([role, rowsOf(rights), bundlesOf(rights), operationsOf(rights)])),
  ].join('\n');
}

/** Throws where types that are printed as one have come apart. */
function shared(rights: RoleRights, types: readonly string[]): string {
  const [letters = '', ...others] = new Set(types.map((type) => lettersOf(rights, type)));
  if (others.length > 0) throw new Error(`${types.join(', ')} are no longer granted together: print them apart`);
  return letters === '' ? '-' : letters;
}

function rowsOf({ audience, rows = {} }: RoleRights): string {
  const ruled = Object.entries(rows).map(([type, rule]) => `${type}: ${rule}`);
  return [audience === undefined ? 'all' : `of a ${audience}`, ...ruled].join('; ');
}

const bundlesOf = ({ bundles }: RoleRights): string => (typeof bundles === 'string' ? `${bundles} alone` : bundles ? 'yes' : 'no');
const operationsOf = ({ operations }: RoleRights): string => (operations.length === 0 ? '-' : operations.map((code) => (code === '*' ? 'all' : `\`$${code}\``)).join(' '));
