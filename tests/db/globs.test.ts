import assert from "node:assert/strict";
import { InvalidGlob, parseGlob } from "../../db/reservations/glob_syntax.ts";
import { createOverlaps, findOverlapping } from "../../db/reservations/globs.ts";

const overlap = (a: string[], b: string[]) => createOverlaps(a)([b])[0]!;

/** Grows texts by parts, up to so many of them. */
function grow(parts: string[], times: number): string[] {
  let last = [""];
  return Array.from({ length: times }).flatMap(() => {
    return last = last.flatMap((text) => parts.map((part) => text + part));
  });
}

function parses(glob: string): boolean {
  try {
    parseGlob(glob);
    return true;
  } catch (error) {
    if (!(error instanceof InvalidGlob)) throw error;
    return false;
  }
}

/** All paths of up to eight characters of these. */
const PATHS = grow(["a", "b", "/"], 8).filter((path) => /^[^/]+(\/[^/]+)*$/.test(path));

const WRITTEN: Record<string, string> = {
  "*": "[^/]*",
  "?": "[^/]",
  "[!": "[^/",
  "{": "(?:",
  "}": ")",
  ",": "|",
};

/** The glob as a regular expression over paths with a slash behind each segment. */
function asRegExp(glob: string): RegExp {
  const segments = glob.split("/").map((segment) =>
    segment === "**" ? "(?:[^/]+/)*" : `(?=[^/])${segment.replace(/[*?{},]|\[!/g, (part) => WRITTEN[part]!)}/`
  );
  return new RegExp(`^${segments.join("")}$`);
}

/** Which of `PATHS` a glob covers, as bits. */
function coveredBy(glob: string): Uint32Array {
  const expression = asRegExp(glob);
  const covered = new Uint32Array(Math.ceil(PATHS.length / 32));
  for (const [n, path] of PATHS.entries()) if (expression.test(`${path}/`)) covered[n >> 5]! |= 1 << (n & 31);
  return covered;
}

Deno.test("two globs overlap exactly where a path is covered by both", () => {
  const parts = ["a", "b", "*", "?", "/", "**", "[ab]", "[!a]", "{aa,b}", "{a,}", "{*a,b}", "{a*,*}"];
  // All short ones, and every 29th of the others.
  const globs = grow(parts, 4).filter(parses).filter((glob, n) => glob.length < 4 || n % 29 === 0);
  assert.ok(globs.length > 500, String(globs.length));
  const covered = globs.map(coveredBy);
  for (const [i, a] of globs.entries()) {
    const overlaps = createOverlaps([a]);
    for (const [j, b] of globs.entries()) {
      const common = covered[i]!.some((word, n) => (word & covered[j]![n]!) !== 0);
      if (overlaps([[b]])[0] !== common) assert.fail(`${a} and ${b}: ${common}`);
    }
  }
});

Deno.test("several globs overlap where any two of them do, long or short", () => {
  const parts = ["a", "b", "*", "/", "**", "[!a]", "{aa,b}", "{a*,*}"];
  const globs = grow(parts, 3).filter(parses).filter((_, n) => n % 3 === 0);
  const long = globs.map((glob) => `${"x".repeat(200)}${glob}`).filter(parses);
  for (let from = 0; from + 20 <= globs.length; from += 20) {
    const own = [...globs.slice(from, from + 10), ...long.slice(from, from + 10)];
    const overlaps = createOverlaps(own);
    for (const other of [...globs, ...long]) {
      assert.equal(
        overlaps([[other]])[0],
        own.some((glob) => overlap([glob], [other])),
        `${own} and ${other}`,
      );
    }
  }
});

Deno.test("of many lists, those overlap that have a glob that does, whichever side has the alternatives", () => {
  const dense = Array.from({ length: 6 }, (_, n) => `${"{*abababab,}".repeat(27)}${n}`);
  const plain = Array.from({ length: 40 }, (_, n) => [`${"ab".repeat(n)}${n % 9}`, `x/${n}`, `*${n % 7}`]);
  const each = (globs: string[], lists: string[][]) =>
    lists.map((list) => globs.some((a) => list.some((b) => overlap([a], [b]))));
  const expected = each(dense, plain);
  assert.deepEqual(new Set(expected), new Set([true, false]));
  assert.deepEqual(createOverlaps(dense)(plain), expected);
  assert.deepEqual(
    createOverlaps(plain.flat())(dense.map((glob) => [glob])),
    each(plain.flat(), dense.map((glob) => [glob])),
  );
  assert.deepEqual(createOverlaps(dense)(plain.map((list) => list.toReversed())), expected);
});

Deno.test("alternatives are entered and left from any state and by any letter, however many there are", () => {
  // Those of 70 letters have words of states to themselves.
  for (let n = 0; n < 124; n++) {
    const [before, length] = [n >> 1, n % 2 === 0 ? 4 : 70];
    const alternatives = [..."abcdefghijk"].slice(0, 280 / length).map((char) => char.repeat(length));
    const start = "z".repeat(before);
    const overlaps = createOverlaps([`${start}{${alternatives}}y`]);
    const meeting = (end: string) => overlaps(alternatives.map((text) => [`${start}${text}${end}`]));
    assert.deepEqual(meeting("y"), alternatives.map(() => true), String(before));
    assert.deepEqual(meeting("x"), alternatives.map(() => false), String(before));
  }
});

Deno.test("a glob ends with its last letter, whatever may follow it in the other", () => {
  const ends: Array<[glob: string, common: string[], apart: string[]]> = [
    ["a", ["a"], ["b", "aa", "ba"]],
    ["a*", ["a", "aa", "ab"], ["b", "ba"]],
    ["a{b,}", ["a", "ab"], ["b", "aa", "abb"]],
    ["a{b,}{,c}{d,}", ["a", "ab", "ac", "ad", "abd", "abcd"], ["aa", "acb", "adc"]],
    ["a*{b,}", ["a", "ab", "az"], ["b", "za"]],
    ["{aa,b}{c,}", ["aa", "b", "aac", "bc"], ["a", "c", "ab", "aab"]],
    ["{a*,bb}", ["a", "aa", "bb"], ["b", "bbb"]],
    ["a/**", ["a", "a/z", "a/b/c"], ["b", "z/a"]],
    ["a{b,}/**", ["a", "ab", "a/z"], ["b", "ac"]],
    ["**", ["a", "ab", "a/b"], []],
  ];
  for (let before = 1; before < 35; before++) {
    const start = "z".repeat(before);
    for (const [glob, common, apart] of ends) {
      const overlaps = createOverlaps([`x${"y".repeat(20)}`, `${start}/${glob}`]);
      const meeting = (texts: string[]) => overlaps(texts.map((text) => [`${start}/${text}`]));
      assert.deepEqual(meeting(common), common.map(() => true), `${start}/${glob}`);
      assert.deepEqual(meeting(apart), apart.map(() => false), `${start}/${glob}`);
    }
  }
});

Deno.test("as many as are asked for are found, in their order, however many characters stand between", async () => {
  const all = Array.from(
    { length: 300 },
    (_, n) => ({ n, paths: [`${"x".repeat(90)}${n}`, n % 50 === 49 ? `src/${n}` : "lib"] }),
  );
  const overlaps = createOverlaps(["src/**"]);
  const numbers = async (max?: number) => (await findOverlapping(overlaps, all, max)).map(({ n }) => n);
  assert.deepEqual(await numbers(), [49, 99, 149, 199, 249, 299]);
  assert.deepEqual(await numbers(3), [49, 99, 149]);
  assert.deepEqual(await findOverlapping(overlaps, []), []);
});

Deno.test("sets of characters overlap where they have one in common, whatever the bounds of others", () => {
  const letters = [..."abcdefgh"];
  const ranges = letters.flatMap((first, n) => letters.slice(n).map((last) => [first, last] as const));
  const isIn = (char: string, [first, last]: readonly [string, string]) => first <= char && char <= last;
  for (const [n, range] of ranges.entries()) {
    const own = ranges.filter((_, k) => k % 7 === n % 7);
    const globs = own.map(([first, last]) => `${first}x[${first}-${last}]`);
    const overlaps = createOverlaps(globs);
    for (const first of letters) {
      const common = own.some((one) =>
        one[0] === first && letters.some((char) => isIn(char, one) && isIn(char, range))
      );
      assert.equal(
        overlaps([[`${first}x[${range.join("-")}]`]])[0],
        common,
        `${globs} and ${first}, ${range}`,
      );
      const others = letters.some((char) =>
        own.some((one) => one[0] === first && isIn(char, one)) && !isIn(char, range)
      );
      assert.equal(
        overlaps([[`${first}?[!${range.join("-")}]`]])[0],
        others,
        `${globs} and ${first}, not ${range}`,
      );
    }
  }
});

Deno.test("globs cover what they say", () => {
  const same: Array<[string, string]> = [
    ["src/**", "src"],
    ["src/**", "src/a/b.ts"],
    ["**", "a"],
    ["**/x", "x"],
    ["a/**/b", "a/b"],
    ["*.ts", ".ts"],
    ["*", ".git"],
    ["src/*.{ts,tsx}", "src/a.tsx"],
    ["[a-c]?[!x]", "bzz"],
    ["?", "😀"],
    ["[😀-😂]", "😁"],
    ["[-a][a-][[!]", "-a!"],
    ["a{,.bak}", "a"],
    ["**/test/**", "test"],
    ["a*/**/*b", "ab/b"],
    ["{a,}{b,}", "{c,}b"],
    ["x/{a,}", "**/{a,}"],
    ["x/{a,}/y", "*/{*,b}/*"],
    ["**/**", "**/a/**/**"],
  ];
  for (const [glob, path] of same) {
    assert.deepEqual(createOverlaps([glob])([[path], [path]]), [true, true], glob);
    assert.ok(overlap([path], [glob]), glob);
  }
  const apart: Array<[string, string]> = [
    ["src/**", "srcs"],
    ["src/*", "src"],
    ["src/*", "src/a/b"],
    ["README", "readme"],
    ["?", "ab"],
    ["[!a-z]", "q"],
    ["*.ts", "*.js"],
    ["src/a/**", "src/b/**"],
    ["*/x", "x"],
    ["[!a]", "a"],
    ["é", "e\u0301"],
    ["{a,}", "{b,}"],
    ["x/{a,}{b,}/y", "x/{c,}{,d}/y"],
    ["**/x/{a,}", "x/{b,}"],
  ];
  for (const [glob, path] of apart) assert.ok(!overlap([glob], [path]) && !overlap([path], [glob]), glob);
});

Deno.test("what is no glob is refused with its position", () => {
  const bad: Array<[string, number]> = [
    ["", 0],
    ["/src", 0],
    ["./src", 0],
    [".", 0],
    ["a/../b", 2],
    ["a/./b", 2],
    ["a//b", 2],
    ["src/", 4],
    ["a**b", 1],
    ["src/**b", 4],
    ["***", 0],
    ["{**,a}", 1],
    ["a\\*", 1],
    ["a[^a]", 2],
    ["a[bc", 1],
    ["a[b/c]", 1],
    ["a[]", 1],
    ["a[!]", 1],
    ["[z-a]", 1],
    ["[[:alpha:]]", 1],
    ["a]", 1],
    ["a}", 1],
    ["a{b,c", 1],
    ["{a/b,c}", 2],
    ["{a}", 0],
    ["{,}", 0],
    ["{a,{b,c}}", 3],
    ["a\u0000", 1],
    ["a\ud800", 1],
    [`{${"a,".repeat(64)}b}`, 129],
  ];
  for (const [glob, position] of bad) {
    assert.throws(() => parseGlob(glob), (error: Error) => {
      assert.ok(error instanceof InvalidGlob, `${glob}: ${error}`);
      assert.equal(error.position, position, `${glob}: ${error.message}`);
      return true;
    });
  }
  for (
    const glob of [`{${"a,".repeat(63)}b}`, "{a,b}".repeat(32), "(group)/+page.svelte", "a..b", "a, b", "!x"]
  ) {
    parseGlob(glob);
  }
});
