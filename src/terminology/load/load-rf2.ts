// A SNOMED CT release, its snapshot in RF2: active concepts, their descriptions, is-a relationships and reference sets.
// https://confluence.ihtsdotools.org/display/DOCRELFMT/
import { basename } from 'node:path';
import type { Queryable } from '../../db/database.js';
import { foldTerm, wordsIn } from '../text-filter.js';
import { intoTable, type Batches } from './batches.js';
import type { Rf2Files } from './rf2-files.js';
import { tabRows } from './text-rows.js';

const IS_A = '116680003';
const PREFERRED = '900000000000548007';
const FULLY_SPECIFIED = '900000000000003001';
const SYNONYM = '900000000000013009';
const SUFFICIENTLY_DEFINED = '900000000000073002';
/** Where preferred terms differ, the first of these that has one decides: NHS realm (clinical, drugs), GB English, US English. */
const LANGUAGES = ['999001261000000100', '999000691000001104', '900000000000508004', '900000000000509007'];

/** Gone at the end of the transaction. */
const STAGE = `
  create temporary table rf2_concept (code text collate "C" primary key, effective text not null, module text not null, defined boolean not null) on commit drop;
  create temporary table rf2_description (id text not null, concept text collate "C" not null, language text not null, type text not null, term text not null, folded text not null, words text not null) on commit drop;
  create temporary table rf2_preferred (description text not null, rank integer not null) on commit drop;
  create temporary table rf2_parent (child text collate "C" not null, parent text collate "C" not null) on commit drop;
  create temporary table rf2_member (refset text collate "C" not null, code text collate "C" not null) on commit drop`;

/** Reads all files into the tables under `load`. Throws, naming the file, where its columns are not those of RF2. */
export async function loadRf2(tx: Queryable, files: Rf2Files, load: number, onBytes: (count: number) => void): Promise<void> {
  await tx.query({ text: STAGE, values: [] });
  const read = (paths: readonly string[], columns: string, into: Batches, toRow: RowOf): Promise<void> => readFiles(paths, columns.split(' '), into, toRow, onBytes);
  await read(files.concepts, 'id effectiveTime active moduleId definitionStatusId', conceptStage(tx), ([id, effective, , module, status]) =>
    [id, effective, module, status === SUFFICIENTLY_DEFINED]);
  await read(files.descriptions, 'id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId', descriptionStage(tx), ([id, , , , concept, language, type, term]) => {
    const folded = foldTerm(term);
    return [id, concept, language, type, term, folded, wordsIn(folded).join(' ')];
  });
  await read(files.relationships, 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId',
    intoTable(tx, 'rf2_parent', ['child text', 'parent text']), ([, , , , child, parent, , type]) => (type === IS_A ? [child, parent] : undefined));
  await read(files.languages, 'id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId',
    intoTable(tx, 'rf2_preferred', ['description text', 'rank integer']), ([, , , , refset, description, acceptability]) => (acceptability === PREFERRED ? [description, rankOf(refset)] : undefined));
  await read(files.refsets, 'id effectiveTime active moduleId refsetId referencedComponentId',
    intoTable(tx, 'rf2_member', ['refset text', 'code text']), ([, , , , refset, code]) => [refset, code]);
  await tx.query({ text: 'analyze rf2_concept, rf2_description, rf2_preferred', values: [] });
  for (const text of BUILD) await tx.query({ text, values: [load] });
}

const conceptStage = (tx: Queryable): Batches => intoTable(tx, 'rf2_concept', ['code text', 'effective text', 'module text', 'defined boolean'], 'on conflict do nothing');
const descriptionStage = (tx: Queryable): Batches =>
  intoTable(tx, 'rf2_description', ['id text', 'concept text', 'language text', 'type text', 'term text', 'folded text', 'words text']);

const rankOf = (refset: string): number => (LANGUAGES.includes(refset) ? LANGUAGES.indexOf(refset) : LANGUAGES.length);

/** As many cells as any file has: RF2 knows no rows that are short. */
type Cells = readonly [string, string, string, string, string, string, string, string];
type RowOf = (cells: Cells) => readonly (string | number | boolean)[] | undefined;

async function readFiles(paths: readonly string[], columns: readonly string[], into: Batches, toRow: RowOf, onBytes: (count: number) => void): Promise<void> {
  const active = columns.indexOf('active');
  for (const path of paths) {
    let number = 0;
    for await (const cells of tabRows(path, { onBytes })) {
      number += 1;
      if (number === 1) {
        if (cells.join(' ') !== columns.join(' ')) throw new Error(`${basename(path)} has the columns ${cells.join(', ').slice(0, 200)}, where RF2 has ${columns.join(', ')}; nothing was changed`);
        continue;
      }
      if (cells.length !== columns.length) throw new Error(`Line ${number} of ${basename(path)} has ${cells.length} columns, where RF2 has ${columns.length}; nothing was changed`);
      const row = cells[active] === '1' ? toRow(cells as unknown as Cells) : undefined;
      if (row) await into.add(row);
    }
  }
  await into.end();
}

/** The term shown is a preferred synonym, else any synonym, else the fully specified name. */
const DISPLAY = `(array_agg(d.term order by d.type <> '${SYNONYM}', p.rank nulls last, d.id) filter (where d.term is not null))[1]`;
const USE = `json_build_object('system', 'http://snomed.info/sct', 'code', d.type, 'display', case d.type when '${SYNONYM}' then 'Synonym' when '${FULLY_SPECIFIED}' then 'Fully specified name' else 'Definition' end)`;
const DESIGNATION = `json_build_object('language', d.language, 'use', ${USE}, 'value', d.term)`;
const PROPERTY = `json_build_array(json_build_object('code', 'sufficientlyDefined', 'valueBoolean', c.defined), json_build_object('code', 'moduleId', 'valueCode', c.module), json_build_object('code', 'effectiveTime', 'valueString', c.effective))`;

const BUILD = [
  `insert into fhir.concept (load, active, code, display, folded, words, more)
   select $1::bigint, true, c.code, coalesce(${DISPLAY}, c.code), coalesce(string_agg(d.folded, ' | '), ''), coalesce(string_agg(d.words, ' '), '')::tsvector,
     json_build_object('designation', coalesce(json_agg(${DESIGNATION} order by d.type, d.id) filter (where d.id is not null), '[]'), 'property', ${PROPERTY})::text
   from rf2_concept c
   left join rf2_description d on d.concept = c.code
   left join (select description, min(rank) as rank from rf2_preferred group by description) p on p.description = d.id
   group by c.code, c.defined, c.module, c.effective`,
  `insert into fhir.concept_parent (load, child, parent)
   select distinct $1::bigint, p.child, p.parent from rf2_parent p join rf2_concept a on a.code = p.child join rf2_concept b on b.code = p.parent`,
  `insert into fhir.concept_property (load, code, property, value)
   select distinct $1::bigint, m.code, 'refset', m.refset from rf2_member m join rf2_concept c on c.code = m.code`,
];
