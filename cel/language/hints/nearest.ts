/** The known name that was probably meant; undefined if none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let shortest = Math.max(1, Math.floor(wanted.length / 3)) + 0.5;
  for (const candidate of known) {
    const plain = candidate.toLowerCase();
    const begun = wanted.length > 2 && plain.startsWith(wanted);
    const distance = plain === wanted ? 0 : begun ? 1 : editDistance(wanted, plain);
    if (distance < shortest) [best, shortest] = [candidate, distance];
  }
  return best;
}

/** The number of insertions, deletions, substitutions and swaps of neighbours from one word to another. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows.at(-1)!.at(-1)!;
}

/** The hint with the nearest of the known names; undefined if none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const near = nearest(name, known);
  return near && `Did you mean \`${near}\`?`;
}
