/** A set of code points: sorted ranges, both ends included, that neither overlap nor touch. */
export type CharSet = ReadonlyArray<readonly [first: number, last: number]>;

/** A code point, or a set of which any is meant. */
export type Letter = number | CharSet;

const [SLASH, LAST] = [0x2f, 0x10ffff];

/** Every character of a segment. */
export const ANY: CharSet = [[0, SLASH - 1], [SLASH + 1, LAST]];

export function charSet(ranges: Array<readonly [number, number]>): CharSet {
  if (ranges.length === 1) return ranges;
  const merged: Array<[number, number]> = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** Every character of a segment that is not in the set. */
export function otherThan(chars: CharSet): CharSet {
  const rest: Array<[number, number]> = [];
  let from = 0;
  for (const [first, last] of [...chars, [LAST + 1, LAST + 1] as const]) {
    // A slash divides what is between two ranges.
    if (from <= SLASH && SLASH < first) {
      if (from < SLASH) rest.push([from, SLASH - 1]);
      from = SLASH + 1;
    }
    if (from < first) rest.push([from, first - 1]);
    from = last + 1;
  }
  return rest;
}

export function rangesOf(letter: Letter): CharSet {
  return typeof letter === "number" ? [[letter, letter]] : letter;
}
