import assert from "node:assert/strict";
import { giveWay, isBusy } from "../../db/turn.ts";

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
      if (isBusy()) await giveWay();
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
