/** A table of meanings by word, of rows that each have a meaning and the words for it. */
export function synonyms<Meaning>(
  rows: Array<[meaning: Meaning, ...words: string[]]>,
): Readonly<Record<string, Meaning>> {
  return Object.fromEntries(rows.flatMap(([meaning, ...words]) => words.map((word) => [word, meaning])));
}
