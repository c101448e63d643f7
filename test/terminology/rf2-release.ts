// A SNOMED CT release of a dozen concepts, made up but for its metadata, in the files and columns of RF2.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CORE = '900000000000207008';
const SYNONYM = '900000000000013009';
const NAME = '900000000000003001';
const GB = '900000000000508004';
const US = '900000000000509007';

export interface MadeConcept {
  readonly id: string;
  readonly active?: boolean;
  /** Fully specified. */
  readonly name: string;
  readonly preferred?: string;
  /** Preferred in the United States. */
  readonly american?: string;
  readonly others?: readonly string[];
  readonly parents?: readonly string[];
  /** Relationships that are not is-a, or no longer active. */
  readonly finding?: string;
  readonly formerParent?: string;
}

export const CONCEPTS: readonly MadeConcept[] = [
  { id: '138875005', name: 'SNOMED CT Concept (SNOMED RT+CTV3)' },
  { id: '404684003', name: 'Clinical finding (finding)', preferred: 'Clinical finding', parents: ['138875005'] },
  { id: '71388002', name: 'Procedure (procedure)', preferred: 'Procedure', parents: ['138875005'] },
  { id: '64572001', name: 'Disease (disorder)', preferred: 'Disease', parents: ['404684003'] },
  { id: '362969004', name: 'Disorder of endocrine system (disorder)', preferred: 'Disorder of endocrine system', parents: ['64572001'] },
  { id: '73211009', name: 'Diabetes mellitus (disorder)', preferred: 'Diabetes mellitus', others: ['DM - Diabetes mellitus', 'Sugar diabetes'], parents: ['362969004'], finding: '113331007' },
  { id: '46635009', name: 'Diabetes mellitus type 1 (disorder)', preferred: 'Type 1 diabetes mellitus', parents: ['73211009'] },
  { id: '44054006', name: 'Diabetes mellitus type 2 (disorder)', preferred: 'Type 2 diabetes mellitus', parents: ['73211009'] },
  { id: '195967001', name: 'Asthma (disorder)', preferred: 'Asthma', parents: ['64572001'], formerParent: '362969004' },
  { id: '13445001', name: "Ménière's disease (disorder)", preferred: "Ménière's disease", parents: ['64572001'] },
  { id: '271737000', name: 'Anemia (disorder)', preferred: 'Anaemia', american: 'Anemia', parents: ['64572001'] },
  { id: '111111111', active: false, name: 'Retired disease (disorder)', preferred: 'Retired disease', parents: ['64572001'] },
];

export const REFSET = '999001571000000104';
export const MEMBERS = ['73211009', '195967001', '111111111'];

export interface MadeRelease {
  readonly folder: string;
  remove(): void;
}

/** Files as a release has them, full and delta files that must not be read beside the snapshot. */
export function makeRelease(date: string, concepts: readonly MadeConcept[] = CONCEPTS): MadeRelease {
  const folder = mkdtempSync(join(tmpdir(), 'rf2-'));
  const terminology = join(folder, 'Snapshot', 'Terminology');
  const refset = join(folder, 'Snapshot', 'Refset');
  for (const directory of [terminology, join(refset, 'Language'), join(refset, 'Content'), join(folder, 'Full', 'Terminology')]) mkdirSync(directory, { recursive: true });
  const write = (path: string, columns: string, rows: readonly (readonly string[])[]): void => {
    writeFileSync(path, [columns.split(' '), ...rows].map((row) => `${row.join('\t')}\r\n`).join(''));
  };
  const flag = (active = true): string => (active ? '1' : '0');
  let next = 1000;
  const descriptions: string[][] = [];
  const languages: string[][] = [];
  const describe = (concept: string, type: string, term: string, preferredIn: readonly string[]): void => {
    const id = String(next++);
    descriptions.push([id, date, '1', CORE, concept, 'en', type, term, '900000000000448009']);
    for (const language of [GB, US]) languages.push([`l${id}${language}`, date, '1', CORE, language, id, preferredIn.includes(language) ? '900000000000548007' : '900000000000549004']);
  };
  for (const { id, name, preferred, american, others = [] } of concepts) {
    for (const other of others) describe(id, SYNONYM, other, []);
    describe(id, NAME, name, [GB, US]);
    if (american !== undefined) describe(id, SYNONYM, american, [US]);
    if (preferred !== undefined) describe(id, SYNONYM, preferred, american === undefined ? [GB, US] : [GB]);
  }
  const relation = (from: string, to: string, type: string, active: boolean): string[] => [String(next++), date, flag(active), CORE, from, to, '0', type, '900000000000011006', '900000000000451002'];
  const relations = concepts.flatMap(({ id, parents = [], finding, formerParent }) => [
    ...parents.map((parent) => relation(id, parent, '116680003', true)),
    ...(finding === undefined ? [] : [relation(id, finding, '363698007', true)]),
    ...(formerParent === undefined ? [] : [relation(id, formerParent, '116680003', false)]),
  ]);
  const conceptRows = concepts.map(({ id, active }) => [id, date, flag(active), CORE, id === '73211009' ? '900000000000073002' : '900000000000074008']);
  const CONCEPT = 'id effectiveTime active moduleId definitionStatusId';
  write(join(terminology, `sct2_Concept_Snapshot_INT_${date}.txt`), CONCEPT, conceptRows);
  write(join(folder, 'Full', 'Terminology', `sct2_Concept_Full_INT_${date}.txt`), CONCEPT, [['999', date, '1', CORE, '900000000000074008']]);
  write(join(terminology, `sct2_Description_Snapshot-en_INT_${date}.txt`), 'id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId', descriptions);
  write(join(terminology, `sct2_Relationship_Snapshot_INT_${date}.txt`), 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId', relations);
  write(join(terminology, `sct2_StatedRelationship_Snapshot_INT_${date}.txt`), 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId', [relation('404684003', '71388002', '116680003', true)]);
  write(join(refset, 'Language', `der2_cRefset_LanguageSnapshot-en_INT_${date}.txt`), 'id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId', languages);
  write(join(refset, 'Content', `der2_Refset_SimpleSnapshot_INT_${date}.txt`), 'id effectiveTime active moduleId refsetId referencedComponentId', MEMBERS.map((code) => [`m${code}`, date, '1', CORE, REFSET, code]));
  return { folder, remove: () => { rmSync(folder, { recursive: true }); } };
}
