// Who may do what, as data: one row per role of the matrix in domain.md section 4. What is not here is refused.

/** C create, R read (vread and history too), U update and patch, D delete, S search. */
export type Letters = string;

export interface RoleRights {
  /** Per resource type; `*` stands for every type. */
  readonly types: Readonly<Record<string, Letters>>;
  /** Operation codes, or `*`. */
  readonly operations: readonly string[];
  /** May the role send batches and transactions? Each entry is judged on its own all the same. */
  readonly bundles: boolean;
  /** Per type, the rows the role sees and the only ones it may write: a name in rows.ts. Unnamed types: all rows. */
  readonly rows?: Readonly<Record<string, RowRule>>;
  readonly receiptsOnly?: boolean;
}

export type RowRule = 'status-assertions' | 'home-office-statements' | 'entitlement-evidence' | 'none';

/** Definitions are public knowledge: every caller with a token may read them. */
const DEFINITIONS: Readonly<Record<string, Letters>> = {
  StructureDefinition: 'RS', CodeSystem: 'RS', ValueSet: 'RS', ConceptMap: 'RS', OperationDefinition: 'RS',
  SearchParameter: 'RS', NamingSystem: 'RS', CompartmentDefinition: 'RS',
};

const DIRECTORY: Readonly<Record<string, Letters>> = {
  Organization: 'RS', Practitioner: 'RS', PractitionerRole: 'RS', Location: 'RS', Endpoint: 'RS', HealthcareService: 'RS',
};

/** Terminology is public knowledge, too. */
const TERMINOLOGY = ['lookup', 'validate-code', 'subsumes', 'expand', 'translate'];

/** Operations that every caller with a token may use, also one whose role has no rights at all: they tell of nothing but what was sent. */
export const EVERYBODYS: ReadonlySet<string> = new Set(['validate']);

export const RIGHTS: Readonly<Record<string, RoleRights>> = {
  admin: { types: { '*': 'CRUDS' }, operations: ['*'], bundles: true },

  ovm: {
    types: { ...DEFINITIONS, ...DIRECTORY, Patient: 'CRS', Observation: 'CRUS', Coverage: 'CRUS' },
    operations: ['chargeable-status', ...TERMINOLOGY],
    bundles: true,
    rows: { Observation: 'status-assertions', Coverage: 'entitlement-evidence' },
  },

  // Three facts for one named patient, by the two status surfaces; their answerers take the request before any row is looked for.
  supplier: {
    types: { ...DEFINITIONS, Observation: 'RS' },
    operations: ['chargeable-status', ...TERMINOLOGY],
    bundles: true,
    rows: { Observation: 'none' },
  },

  // Write-only: the rows are those its conditional creates and withdrawals may match, and nothing is ever shown of them.
  'home-office': {
    types: { ...DEFINITIONS, Observation: 'CU' },
    operations: TERMINOLOGY,
    bundles: true,
    rows: { Observation: 'home-office-statements' },
    receiptsOnly: true,
  },
};
