import assert from "node:assert/strict";
import process from "node:process";
import { parseGlob } from "../../db/reservations/glob_syntax.ts";
import { createOverlaps } from "../../db/reservations/globs.ts";

/** Repeats a unit between texts, up to a length. */
function fill(before: string, unit: string, after: string, length = 510): string {
  return before + unit.repeat(Math.floor((length - before.length - after.length) / unit.length)) + after;
}

const four = (make: (n: number) => string) => Array.from({ length: 4 }, (_, n) => make(n));

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
const HOSTILE: Record<string, [asked: string[], inForce: string[]]> = {
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
  "short globs": [
    Array.from({ length: 20 }, (_, n) => `*${n}x`),
    full((n) => `${n.toString(36)}y/x`),
  ],
  "unlike characters": [
    four((n) => fill("a{*,x}", "[!a]", `c${n}a`)),
    full((n) => `a${String.fromCodePoint(...Array.from({ length: 160 }, (_, k) => 0x4e00 + n * 160 + k))}a`),
  ],
};

/** Milliseconds of work in this process. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

Deno.test("64 KiB of hostile globs are compared with 2,048 characters in 20 ms", () => {
  for (const [name, [asked, inForce]] of Object.entries(HOSTILE)) {
    [...asked, ...inForce].forEach(parseGlob);
    assert.ok(asked.join("").length <= 2_048, name);
    const times = Array.from({ length: 9 }, () => {
      const from = worked();
      assert.equal(createOverlaps(asked)(inForce), false, name);
      return worked() - from;
    });
    assert.ok(Math.min(...times) <= 20, `${name}: ${times.map((time) => time.toFixed(1))}`);
  }
});
