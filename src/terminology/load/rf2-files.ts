// Finds the files of a SNOMED CT release by their names. https://confluence.ihtsdotools.org/display/DOCRELFMT/3.3+Release+File+Naming+Convention
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Rf2Files {
  readonly concepts: readonly string[];
  readonly descriptions: readonly string[];
  readonly relationships: readonly string[];
  readonly languages: readonly string[];
  readonly refsets: readonly string[];
  /** All of them, in bytes. */
  readonly bytes: number;
  /** Date of the newest concept file: 20231122. */
  readonly date: string;
  /** Is the United Kingdom's edition among them? */
  readonly british: boolean;
}

/** Throws where a folder holds no snapshot: of the full release and of the delta nothing is read. */
export function findRf2(folder: string): Rf2Files {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((file) => file.endsWith('.txt')).sort();
  const named = (pattern: RegExp): string[] => all.filter((file) => pattern.test(basename(file)));
  const concepts = named(/^x?sct2_Concept_[^_]*Snapshot[^_]*_/i);
  const descriptions = named(/^x?sct2_Description_[^_]*Snapshot[^_]*_/i);
  const relationships = named(/^x?sct2_Relationship_[^_]*Snapshot[^_]*_/i);
  for (const [what, files] of Object.entries({ Concept: concepts, Description: descriptions, Relationship: relationships }))
    if (files.length === 0) throw new Error(`${folder} holds no sct2_${what}_Snapshot file: give the folder of an RF2 release that has a snapshot`);
  const languages = named(/^x?der2_cRefset_Language[^_]*Snapshot[^_]*_/i);
  const refsets = named(/^x?der2_Refset_[^_]*Snapshot[^_]*_/i);
  const bytes = [concepts, descriptions, relationships, languages, refsets].flat().reduce((sum, file) => sum + statSync(file).size, 0);
  const dates = concepts.map((file) => /_(\d{8})\D*$/.exec(basename(file))?.[1] ?? '').sort();
  return { concepts, descriptions, relationships, languages, refsets, bytes, date: dates.at(-1) ?? '', british: concepts.some((file) => /_(GB|UK)/.test(basename(file))) };
}
