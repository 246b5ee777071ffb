/** Repeats a unit between texts, up to a length. */
function fill(before: string, unit: string, after: string, length = 510): string {
  return before + unit.repeat(Math.floor((length - before.length - after.length) / unit.length)) + after;
}

/** Appends units to a text, as many as fit. */
function grow(before: string, unit: (n: number) => string, after: string, length = 510): string {
  let text = before;
  for (let n = 0; text.length + unit(n).length + after.length <= length; n++) text += unit(n);
  return text + after;
}

/** Characters that are all different, each of three bytes. */
const char = (n: number) => String.fromCodePoint(0x4e00 + n);
/** Texts of two letters that are all different. */
const pair = (n: number) => String.fromCharCode(97 + Math.floor(n / 26) % 26, 97 + n % 26);

const many = (count: number, unit: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => unit(n)).join("");

const four = (make: (n: number) => string) => Array.from({ length: 4 }, (_, n) => make(n));
const twenty = (make: (n: number) => string) => Array.from({ length: 20 }, (_, n) => make(n));

/** A text of `a` and `b` without a period, the same for the same number. */
function aperiodic(n: number, length: number): string {
  return Array.from({ length }, (_, k) => "ab"[Math.imul(n * length + k + 1, 0x9e3779b1) >>> 29 & 1]).join(
    "",
  );
}

/** As many globs as may be in force. */
function full(make: (n: number) => string): string[] {
  const globs: string[] = [];
  for (let bytes = 0, n = 0;; n++) {
    const glob = make(n);
    bytes += new TextEncoder().encode(glob).length;
    if (bytes > 64 * 1024) return globs;
    globs.push(glob);
  }
}

/** What was asked and what is in force; none overlap, so that all are compared to the end. */
export const HOSTILE_GLOBS: Record<string, [asked: string[], inForce: string[]]> = {
  "many stars": [four((n) => fill("z", "*a", `b${n}z`)), full((n) => fill("z", "*a", `c${n}z`))],
  "stars against none": [four((n) => fill("z*", "a", `bz*${n}z`)), full((n) => fill("z", "a", `${n}cz`))],
  "characters": [four((n) => fill("*", "[!b-z]", `c${n}*z`)), full((n) => fill("", "[ab]", `${n}z`))],
  "many globstars": [four((n) => fill("", "**/a/", `b${n}/z`)), full((n) => fill("", "**/a/", `c${n}/z`))],
  "globstars against none": [
    four((n) => fill("**/", "?*/", `b${n}/**/z`)),
    full((n) => fill("", "a/", `c${n}/z`, 500)),
  ],
  "braces": [
    four((n) => `z${"{aa,ab}".repeat(32)}c${n}z`),
    full((n) => `z${"{aa,ab}".repeat(32)}d${n}z`),
  ],
  "braces of many lengths": [
    four((n) => fill(`z${"{aa,a}".repeat(32)}`, "a", `c${n}z`)),
    full((n) => fill(`z${"{aa,a}".repeat(32)}`, "a", `d${n}z`)),
  ],
  "stars within braces": [
    four((n) => `z{b,${"*a".repeat(240)}d}${n}z`),
    full((n) => `z{c,${"*a".repeat(240)}e}${n}z`),
  ],
  "stars and braces": [
    four((n) => `z${"{*a,*b}".repeat(32)}c${n}z`),
    full((n) => `z${"{*a,*b}".repeat(32)}d${n}z`),
  ],
  "short globs": [
    Array.from({ length: 20 }, (_, n) => `*${n}x/x`),
    full((n) => `${n.toString(36)}y/x`),
  ],
  "small globs of stars and braces": [
    Array.from({ length: 20 }, (_, n) => `z${"{*a,*b}".repeat(13)}c${n}z`),
    full((n) => `z${"{*a,*b}".repeat(32)}d${n}z`),
  ],
  "braces of equal length": [
    four((n) => `z${"{ab,ba}".repeat(32)}c${n}z`),
    full((n) => `z${"{ab,ba}".repeat(32)}d${n}z`),
  ],
  "ranges of many characters": [
    four((n) => grow("z{*,x}", (k) => char(500 * n + k), `c${n}z`)),
    full((n) => grow("z", (k) => `[${char(100 * n + k)}-${char(7 * n + 13 * k + 9_000)}]`, `d${n}z`)),
  ],
  "many characters": [
    four((n) => grow("z{*,x}", (k) => char(500 * n + k), `c${n}z`)),
    full((n) => grow("z", (k) => char((160 * n + k) % 2_000), `d${n}z`, 170)),
  ],
  "segments that meet all": [
    four((n) => grow("**/", (k) => `${pair(85 * n + k)}/**/`, `c${n}z`)),
    full((n) => `**/${many(32, (k) => `{*,${(32 * n + k).toString(36)}}/`)}d${n}z`),
  ],
  "segments that meet many": [
    four((n) => grow("**/", (k) => `${pair(85 * n + k)}/**/`, `c${n}z`)),
    full((n) => grow("**/", (k) => `[!${pair(46 * n + k)}][!${pair(29 * n + 31 * k)}]/`, `d${n}z`)),
  ],
  "unlike characters": [
    four((n) => fill("a{*,x}", "[!a]", `c${n}a`)),
    full((n) => `a${String.fromCodePoint(...Array.from({ length: 160 }, (_, k) => 0x4e00 + n * 160 + k))}a`),
  ],
  "empty alternatives": [
    four((n) => `z${"{*abababababab,}".repeat(31)}c${n}z`),
    full((n) => fill("z", "ab", `d${n}z`)),
  ],
  "empty alternatives against unlike texts": [
    four((n) => `z${"{*??????????a,}".repeat(31)}c${n}z`),
    full((n) => `z${aperiodic(n, 500)}d${n}z`),
  ],
  "empty alternatives against short globs": [
    twenty((n) => `z${"{*?????????,}".repeat(7)}c${n}`),
    full((n) => `*${n}d`),
  ],
  "empty alternatives against stars": [
    four((n) => `z${"{*abababababab,}".repeat(31)}c${n}z`),
    full((n) => fill("z", "*a", `d${n}z`)),
  ],
  "empty alternatives on both sides": [
    four((n) => `z${"{*ababababab,b}".repeat(31)}c${n}z`),
    full((n) => fill(`z${"{a,}".repeat(32)}`, "*a", `d${n}z`)),
  ],
  "letters of which all are skipped": [
    four((n) => `z{*a,b}${"?".repeat(490)}c${n}z`),
    full((n) => `z*?${aperiodic(n, 490)}d${n}z`),
  ],
  "alternatives with stars against short globs": [
    four((n) => fill("z", "{*a*a*?*,}{[!c]b*a*a[ab]?aa*a[ab]*a*aa,b}", `c${n}z`)),
    full((n) => `z*ad${n}z`),
  ],
  "alternatives with stars on both sides": [
    twenty((n) => fill("z", "{*b?b?aaa*aa,b}{a*a*aaaa,aaaa[ab][!c]?*?b?a*a*a}", `c${n}z`, 102)),
    full((n) => fill("z", "{*aa?[!c]a?[ab][ab]*bb[!c]*b,?a?*aaba[!c][ab]b}", `d${n}z`)),
  ],
  "globs of three characters": [
    twenty((n) => `*${"{*ababab,b}".repeat(8)}c${n}`),
    full((n) => `${pair(n)}${String.fromCharCode(48 + Math.floor(n / 676))}`),
  ],
  "short segments of stars and braces": [
    twenty((n) => `**/${"{*a,b}/".repeat(13)}c${n}`),
    full((n) => fill("**/", "a/", `d${n}`)),
  ],
  "segments that may be empty": [
    twenty((n) => `**/${"{a,}{b,}/".repeat(10)}c${n}`),
    full((n) => fill("**/", "{a,}{b,}/", `d${n}`, 140)),
  ],
  "long alternatives on both sides": [
    four((n) => `z{*${"a".repeat(500)},b}c${n}z`),
    full((n) => `z{*${"a".repeat(495)},b}d${n}z`),
  ],
  "globs of any one character": [
    four((n) => fill("*", `{*${"a".repeat(28)},b}`, `c${n}`)),
    full(() => "?"),
  ],
  "globs of any three characters": [
    four((n) => fill("*", `{*${"a".repeat(28)},b}`, `c${n}`)),
    full(() => "???"),
  ],
};
