/**
 * A pattern of letters: a segment is one of characters, a glob is one of segments. An item is a star, which matches any
 * number of any letters, a letter, or alternatives.
 */
export type Item<Letter> = typeof STAR | { letter: Letter } | { alternatives: Item<Letter>[][] };
export const STAR = "*";

/** Returns the items before the first star outside of alternatives, with the star; undefined without one. */
export function headOf<Letter>(items: Item<Letter>[]): Item<Letter>[] | undefined {
  const star = items.indexOf(STAR);
  return star < 0 ? undefined : items.slice(0, star + 1);
}

export function reversed<Letter>(items: Item<Letter>[]): Item<Letter>[] {
  return items.toReversed().map((item) =>
    item !== STAR && "alternatives" in item ? { alternatives: item.alternatives.map(reversed) } : item
  );
}
