import assert from "node:assert/strict";
import { isBusy, runAsTask, yieldToOthers } from "../../db/yield.ts";

const PIECE_MS = 5;

function work() {
  const until = performance.now() + PIECE_MS;
  while (performance.now() < until);
}

Deno.test("however many are at work, others wait for a few pieces of it only", async () => {
  let pieces = 0;
  let most = 0;
  async function task() {
    for (let piece = 0; piece < 10; piece++) {
      if (isBusy()) await yieldToOthers();
      work();
      pieces++;
    }
  }
  const all = Promise.all(Array.from({ length: 10 }, task));
  while (pieces < 100) {
    const before = pieces;
    await new Promise((resolve) => setTimeout(resolve));
    most = Math.max(most, pieces - before);
  }
  await all;
  assert.ok(most <= 5, `${most} pieces at once`);
});

Deno.test("of much work that is begun first is finished first, and little is not held up", async () => {
  const finished: string[] = [];
  const task = (name: string, pieces: number) =>
    runAsTask(async () => {
      for (let piece = 0; piece < pieces; piece++) {
        if (isBusy()) await yieldToOthers();
        work();
      }
      finished.push(name);
    });
  const much = ["first", "second", "third", "fourth"].map((name) => task(name, 20));
  await new Promise((resolve) => setTimeout(resolve, 20 * PIECE_MS)); // all have begun
  await Promise.all([...much, task("little", 2)]);
  assert.deepEqual(finished, ["little", "first", "second", "third", "fourth"]);
});
