// Every table of the schema with the way it is spread over a sharded cluster: one list, held against the catalogue by a test.
// https://docs.citusdata.com/en/stable/develop/reference_ddl.html

export type TableClass =
  | { readonly spread: 'distributed'; readonly by: string }
  /** A full copy on every node: small, read by joins. */
  | { readonly spread: 'reference' }
  /** On the coordinator alone. */
  | { readonly spread: 'local' };

const BY_ID: TableClass = { spread: 'distributed', by: 'id' };

/** All that the money of a budget depends on lives in one place. */
const BY_ACCOUNT: TableClass = { spread: 'distributed', by: 'account' };

const TABLES: Readonly<Record<string, TableClass>> = {
  'fhir.string_index': BY_ID,
  'fhir.date_index': BY_ID,
  'fhir.quantity_index': BY_ID,
  'fhir.contained': BY_ID,
  'fhir.contained_due': BY_ID,
  // Small, and asked by searches on every node.
  'fhir.code_text': { spread: 'reference' },
  'fhir.text_index': BY_ID,
  // A row for each type.
  'fhir.text_reached': { spread: 'local' },
  'fhir.history': BY_ID,
  'fhir.resource_key': { spread: 'distributed', by: 'key' },
  'fhir.secret': { spread: 'local' },
  'fhir.search_parameter': { spread: 'reference' },
  'fhir.search_generation': { spread: 'reference' },
  'fhir.publication': { spread: 'local' },
  'fhir.chargeable_status': { spread: 'distributed', by: 'patient' },
  'fhir.chargeable_status_past': { spread: 'distributed', by: 'patient' },
  'fhir.nhs_number': { spread: 'distributed', by: 'number' },
  'fhir.home_office_statement': BY_ID,
  'fhir.home_office_key': { spread: 'distributed', by: 'key' },
  'fhir.home_office_conflict': { spread: 'distributed', by: 'key' },
  'fhir.budget_account': BY_ACCOUNT,
  'fhir.budget_line': BY_ACCOUNT,
  'fhir.ledger': BY_ACCOUNT,
  'fhir.claim_commitment': BY_ACCOUNT,
  'fhir.commitment_use': BY_ACCOUNT,
  'fhir.budget_review': BY_ACCOUNT,
  'fhir.budget_outgrown': BY_ACCOUNT,
  'fhir.purchase_item': { spread: 'distributed', by: 'claim' },
  'fhir.purchase_key': { spread: 'distributed', by: 'key' },
  'fhir.request_key': { spread: 'distributed', by: 'key' },
  'fhir.job': BY_ID,
  'fhir.job_file': { spread: 'distributed', by: 'job' },
  'fhir.job_line': { spread: 'distributed', by: 'job' },
  'fhir.export_page': { spread: 'distributed', by: 'job' },
  'fhir.job_key': { spread: 'distributed', by: 'job' },
  'fhir.status_feed': { spread: 'reference' },
  'fhir.person_sweep': { spread: 'local' },
  'fhir.subscriber': { spread: 'distributed', by: 'subscription' },
  'fhir.subscriber_list': { spread: 'local' },
  'fhir.notification_stream': { spread: 'distributed', by: 'subscription' },
  'fhir.notification': { spread: 'distributed', by: 'subscription' },
  'fhir.eligibility_decision': { spread: 'distributed', by: 'patient' },
  // Found step by step, child to parent: every node needs them whole.
  'fhir.code_system_release': { spread: 'reference' },
  'fhir.concept': { spread: 'reference' },
  'fhir.concept_parent': { spread: 'reference' },
  'fhir.concept_property': { spread: 'reference' },
  // Few, and asked for on the coordinator before a request goes anywhere.
  'fhir.client': { spread: 'local' },
  'fhir.client_assertion': { spread: 'distributed', by: 'key' },
  'fhir.oauth_ticket': { spread: 'distributed', by: 'key' },
  'fhir.token_revocation': { spread: 'distributed', by: 'key' },
  'fhir.audit_event': BY_ID,
  // Few rows, joined to events on every node.
  'fhir.audit_agent': { spread: 'reference' },
  // The chain is one, and made in one place.
  'fhir.audit_block': { spread: 'local' },
  'fhir.audit_chain': { spread: 'local' },
  'fhir.audit_server': { spread: 'local' },
  'public.schema_migration': { spread: 'local' },
};

/** `name` with its schema: `fhir.history`. Undefined where nobody has said how the table is spread. */
export function tableClass(name: string, resourceTypes: readonly string[]): TableClass | undefined {
  const [schema, table = ''] = name.split('.');
  if (schema === 'fhir' && resourceTypes.includes(table)) return BY_ID;
  return TABLES[name];
}

/** Throws for what can't be a resource type: the name becomes SQL text. */
export function resourceTable(type: string): string {
  if (!/^[A-Z][A-Za-z]+$/.test(type)) throw new Error(`${type} is not the name of a resource type`);
  return `fhir."${type}"`;
}
