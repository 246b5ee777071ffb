import assert from "node:assert/strict";
import { createGathering } from "../../db/batching/gathering.ts";
import type { Submission } from "../../db/batching/groups.ts";

const WITHIN_MS = 10;

/** Gathers until `count` submissions have come at these times; returns when it ends, by a clock that the test moves. */
async function gathered(count: number, times: number[]): Promise<number> {
  const { setTimeout } = globalThis;
  let now = 0;
  let timers: Array<{ at: number; act(): void }> = [];
  const waiting: Submission[] = [];
  const gathering = createGathering(waiting, () => 0, () => now);
  const come = times.map((at) => ({
    at,
    act() {
      waiting.push({} as Submission);
      gathering.joined();
    },
  }));
  globalThis.setTimeout = ((act: () => void, ms: number) => timers.push({ at: now + ms, act })) as never;
  try {
    let ended: number | undefined;
    gathering.expect(count, WITHIN_MS);
    gathering.gather(Infinity).then(() => ended = now);
    for (timers.push(...come);;) {
      for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
      const [next] = timers.sort((a, b) => a.at - b.at);
      if (ended !== undefined || next === undefined) return ended!;
      timers = timers.slice(1);
      now = next.at;
      next.act();
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

Deno.test("a batch waits for those that are expected: all of them, or while they keep coming, for twice the time", async () => {
  const every = (ms: number, from = 0) => Array.from({ length: 40 }, (_, n) => from + n * ms);
  assert.equal(await gathered(3, []), WITHIN_MS, "none has come");
  assert.equal(await gathered(3, [1, 2, 7, 8]), 7, "all have come");
  assert.equal(await gathered(30, [1, 2, 9]), 11, "the last but some came late");
  assert.equal(await gathered(15, every(1)), 14, "they keep coming, until all have");
  assert.equal(await gathered(100, every(1)), 2 * WITHIN_MS, "they keep coming, and more are expected");
  assert.equal(await gathered(100, every(3)), 11, "they come now and then");
});
