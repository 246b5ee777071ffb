import assert from "node:assert/strict";
import process from "node:process";
import { bytesOf } from "../../db/reservations/conflicts.ts";
import { parseGlob } from "../../db/reservations/glob_syntax.ts";
import { createOverlaps, findOverlapping } from "../../db/reservations/globs.ts";
import { onThisMachine } from "../support/bounds.ts";
import { HOSTILE_GLOBS } from "../support/hostile_globs.ts";

/** A promise of the service: no request spends more milliseconds on comparing globs. */
const MOST_MS = onThisMachine(20);
/** What a comparison costs it costs every time; what the machine adds it does not. */
const [MAX_TIMES, AT_ONCE] = [8, 5];

/** The time that this thread has run, in milliseconds: that of other processes does not count. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

Deno.test("64 KiB of hostile globs are compared with 2,048 characters in 20 ms", async () => {
  for (const [name, [asked, inForce]] of Object.entries(HOSTILE_GLOBS)) {
    [...asked, ...inForce].forEach(parseGlob);
    assert.ok(asked.length <= 20 && asked.join("").length <= 2_048, name);
    const lists = inForce.map((glob) => ({ paths: [glob] }));
    const times: number[] = [];
    do {
      const from = threadTime();
      for (let n = 0; n < AT_ONCE; n++) {
        assert.deepEqual(await findOverlapping(createOverlaps(asked), lists), [], name);
      }
      times.push((threadTime() - from) / AT_ONCE);
    } while (times.at(-1)! >= MOST_MS && times.length < MAX_TIMES);
    assert.ok(times.at(-1)! < MOST_MS, `${name}: ${times.map((time) => time.toFixed(1))}`);
  }
});

Deno.test("the bytes of 65,536 globs are counted in a fraction of what their comparison takes", () => {
  const globs = Array.from({ length: 65_536 }, (_, n) => n % 2 === 0 ? "?" : "é");
  const times = Array.from({ length: MAX_TIMES }, () => {
    const from = threadTime();
    for (let n = 0; n < AT_ONCE; n++) assert.equal(bytesOf(globs), 98_304);
    return (threadTime() - from) / AT_ONCE;
  });
  assert.ok(Math.min(...times) < MOST_MS / 2, String(times));
});
