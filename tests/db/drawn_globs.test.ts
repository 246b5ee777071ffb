import fc from "fast-check";
import assert from "node:assert/strict";
import { createAutomaton } from "../../db/reservations/automaton.ts";
import { parseGlob, tokensOf } from "../../db/reservations/glob_syntax.ts";
import { createOverlaps } from "../../db/reservations/globs.ts";

/** Characters that the globs below tell apart. */
const CHARS = [..."abcz"];
/** How many states of the automaton stand before the drawn ones: its words of 31 are to begin at any of these. */
const BEFORE = Array.from({ length: 11 }, (_, n) => 3 * n);

/**
 * Whether two patterns have a text in common that is not empty: of letters, of which a star stands for any number of
 * any. Plain recursion, which has nothing in common with the automaton.
 */
function meet<Letter>(
  a: Letter[],
  b: Letter[],
  isStar: (letter: Letter) => boolean,
  lettersMeet: (a: Letter, b: Letter) => boolean,
): boolean {
  function from(i: number, j: number, hasText: boolean): boolean {
    if (i === a.length && j === b.length) return hasText;
    const [first, second] = [i < a.length && isStar(a[i]!), j < b.length && isStar(b[j]!)];
    if (first && second) return from(i + 1, j, true) || from(i, j + 1, true);
    if (first) return from(i + 1, j, hasText) || j < b.length && from(i, j + 1, true);
    if (second) return from(i, j + 1, hasText) || i < a.length && from(i + 1, j, true);
    return i < a.length && j < b.length && lettersMeet(a[i]!, b[j]!) && from(i + 1, j + 1, true);
  }
  return from(0, 0, false);
}

/** The texts without braces that a segment stands for, as their letters. */
function expand(segment: string): string[][] {
  const braces = /\{(.*?)\}/.exec(segment);
  if (!braces) return [segment.match(/\[.*?\]|./g) ?? []];
  const [before, after] = [segment.slice(0, braces.index), segment.slice(braces.index + braces[0].length)];
  return braces[1]!.split(",").flatMap((text) => expand(before + text + after));
}

/** The characters that a letter of a segment stands for. */
function charsOf(letter: string): string[] {
  if (letter === "?") return CHARS;
  const expression = new RegExp(`^${letter.replace("[!", "[^")}$`);
  return CHARS.filter((char) => expression.test(char));
}

const lettersMeet = (a: string, b: string) => charsOf(a).some((char) => charsOf(b).includes(char));

function segmentsMeet(a: string, b: string): boolean {
  return expand(a).some((one) =>
    expand(b).some((other) => meet(one, other, (letter) => letter === "*", lettersMeet))
  );
}

function globsMeet(a: string, b: string): boolean {
  return meet(a.split("/"), b.split("/"), (segment) => segment === "**", segmentsMeet);
}

/** Draws texts of these parts, of which some come more often. */
function textOf(parts: Array<[weight: number, part: fc.Arbitrary<string>]>, maxLength: number) {
  const part = fc.oneof(...parts.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  return fc.array(part, { maxLength }).map((parts) => parts.join("").replace(/\*+/g, "*"));
}

const letter = fc.constantFrom("a", "b", "c");
const anyOf = fc.constantFrom("?", "[ab]", "[!a]", "[b-c]");
const alternative = textOf([[5, letter], [1, anyOf], [2, fc.constant("*")]], 3);
const braces = fc.array(alternative, { minLength: 2, maxLength: 3 })
  .filter((all) => all.some((text) => text !== ""))
  .map((all) => `{${all.join(",")}}`);
const optional = fc.constantFrom("{a,}", "{,ab}", "{b,,c}", "{a*,}", "{,*}");
const segment = fc.oneof(
  textOf([[5, letter], [1, anyOf], [1, fc.constant("*")], [3, braces]], 4),
  textOf([[1, optional]], 3),
  fc.constantFrom("a", "b", "*", "?"),
).filter((text) => text !== "");
const glob = fc.array(
  fc.oneof({ weight: 3, arbitrary: segment }, { weight: 1, arbitrary: fc.constant("**") }),
  {
    minLength: 1,
    maxLength: 4,
  },
).map((segments) => segments.join("/"));

Deno.test("drawn globs overlap where their segments do, wherever words of states begin", () => {
  const seen = { apart: 0, common: 0 };
  fc.assert(
    fc.property(fc.array(glob, { minLength: 1, maxLength: 2 }), glob, fc.nat(2), (own, other, more) => {
      own.forEach(parseGlob);
      const each = own.map((glob) => globsMeet(glob, other));
      const common = each.includes(true);
      seen[common ? "common" : "apart"]++;
      for (const before of BEFORE) {
        const below = (glob: string) => `${"z".repeat(before + more + 1)}/${glob}`;
        assert.equal(createOverlaps(own.map(below))([[below(other)]])[0], common);
        assert.equal(createOverlaps([below(other)])([own.map(below)])[0], common);
        const { meeting } = createAutomaton(own.map((glob) => tokensOf(below(glob))));
        assert.deepEqual(meeting(tokensOf(below(other))), own.flatMap((_, n) => each[n] ? [n] : []));
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(Math.min(seen.apart, seen.common) > 200, JSON.stringify(seen));
});
