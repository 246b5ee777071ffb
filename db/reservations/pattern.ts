/**
 * A pattern of letters: a segment is one of characters, a glob is one of segments. An item is a star, which matches any
 * number of any letters, a letter, or alternatives.
 */
export type Item<Letter> = typeof STAR | { letter: Letter } | { alternatives: Item<Letter>[][] };
export const STAR = "*";

/** A pattern without alternatives: letters before its first star, between stars, and after the last. */
export interface Plain<Letter> {
  hasStar: boolean;
  head: Letter[];
  hasChunks: boolean;
  tail: Letter[];
}

/** Makes the plain form of a pattern; undefined where it has alternatives. */
export function plainOf<Letter>(items: Item<Letter>[]): Plain<Letter> | undefined {
  const parts: Letter[][] = [[]];
  for (const item of items) {
    if (item === STAR) parts.push([]);
    else if ("letter" in item) parts.at(-1)!.push(item.letter);
    else return undefined;
  }
  const hasStar = parts.length > 1;
  const hasChunks = parts.slice(1, -1).some((chunk) => chunk.length > 0);
  return { hasStar, hasChunks, head: parts[0]!, tail: hasStar ? parts.at(-1)! : [] };
}

/** Whether two letters have a text in common. */
export type Meet<A, B> = (a: A, b: B) => boolean;

/**
 * Whether some text matches both patterns; undefined where that depends on the letters between the stars of one. Where
 * both have stars, all that lies between the stars of both fits between their ends.
 */
export function plainsMeet<A, B>(a: Plain<A>, b: Plain<B>, meet: Meet<A, B>): boolean | undefined {
  if (a.hasStar && b.hasStar) return headsMeet(a.head, b.head, meet) && tailsMeet(a.tail, b.tail, meet);
  if (!a.hasStar && !b.hasStar) return a.head.length === b.head.length && headsMeet(a.head, b.head, meet);
  const [star, fixed] = a.hasStar ? [a, b.head.length] : [b, a.head.length];
  if (star.head.length + star.tail.length > fixed) return false;
  const ends = a.hasStar
    ? headsMeet(a.head, b.head, meet) && tailsMeet(a.tail, b.head, meet)
    : headsMeet(a.head, b.head, meet) && tailsMeet(a.head, b.tail, meet);
  return ends && star.hasChunks ? undefined : ends;
}

function headsMeet<A, B>(a: A[], b: B[], meet: Meet<A, B>): boolean {
  const length = Math.min(a.length, b.length);
  for (let n = 0; n < length; n++) if (!meet(a[n]!, b[n]!)) return false;
  return true;
}

function tailsMeet<A, B>(a: A[], b: B[], meet: Meet<A, B>): boolean {
  const length = Math.min(a.length, b.length);
  for (let n = 1; n <= length; n++) if (!meet(a[a.length - n]!, b[b.length - n]!)) return false;
  return true;
}

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
