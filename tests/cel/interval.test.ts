import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { createInterval } from "../../cel/waits/interval.ts";

const INTERVAL_MS = 200;
const RUNS = 6;
const EARLY_MS = 2; // timers round

/** Times from each beginning to the next, and from each end to the next beginning, of a task that takes `ms`. */
async function timesOf(ms: number): Promise<{ between: number[]; rests: number[] }> {
  const began: number[] = [];
  const ended: number[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const interval = createInterval(() => INTERVAL_MS, async () => {
    began.push(performance.now());
    await pause(ms);
    ended.push(performance.now());
    if (ended.length === RUNS) resolve();
  });
  interval.start();
  await enough;
  interval.stop();
  return {
    between: began.slice(1).map((at, n) => at - began[n]!),
    rests: began.slice(1).map((at, n) => at - ended[n]!),
  };
}

Deno.test("what a task takes is part of its interval", async () => {
  const { between } = await timesOf(INTERVAL_MS / 2);
  const least = Math.min(...between);
  assert.ok(least >= INTERVAL_MS - EARLY_MS && least < INTERVAL_MS * 1.5, `${least} ms`);
});

Deno.test("a task that takes longer than its interval is given a rest", async () => {
  const { rests } = await timesOf(INTERVAL_MS * 1.5);
  const least = Math.min(...rests);
  assert.ok(least >= INTERVAL_MS / 2 - EARLY_MS, `${least} ms`);
});

Deno.test("an interval that was stopped begins nothing more, and may be started again", async () => {
  let runs = 0;
  let ran = Promise.withResolvers<void>();
  const interval = createInterval(() => 10, () => {
    runs++;
    ran.resolve();
    return Promise.resolve();
  });
  interval.start();
  await ran.promise;
  interval.stop();
  const before = runs;
  await pause(50); // five intervals: nothing can be awaited that must not come
  assert.equal(runs, before);
  ran = Promise.withResolvers();
  interval.start();
  await ran.promise;
  assert.ok(runs > before);
  interval.stop();
});
