import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { createLooks } from "../../cel/waits/looks/looks.ts";
import { createPace } from "../../cel/waits/looks/pace.ts";
import { holdTimers } from "../support/timers.ts";

const INTERVAL_MS = 200;
const RUNS = 6;
const EARLY_MS = 2; // timers round

const everyMs = (ms: number) => createPace(() => ms, () => true);

/** Times from each beginning to the next, and from each end to the next beginning, of a look that takes `ms`. */
async function timesOf(ms: number): Promise<{ between: number[]; rests: number[] }> {
  const began: number[] = [];
  const ended: number[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const looks = createLooks(everyMs(INTERVAL_MS), async () => {
    began.push(performance.now());
    await pause(ms);
    ended.push(performance.now());
    if (ended.length === RUNS) resolve();
  });
  looks.start();
  await enough;
  looks.stop();
  return {
    between: began.slice(1).map((at, n) => at - began[n]!),
    rests: began.slice(1).map((at, n) => at - ended[n]!),
  };
}

Deno.test("what a look takes is part of its interval", async () => {
  const { between } = await timesOf(INTERVAL_MS / 2);
  const least = Math.min(...between);
  assert.ok(least >= INTERVAL_MS - EARLY_MS && least < INTERVAL_MS * 1.5, `${least} ms`);
});

Deno.test("a look that takes longer than its interval is given a rest", async () => {
  const { rests } = await timesOf(INTERVAL_MS * 1.5);
  const least = Math.min(...rests);
  assert.ok(least >= INTERVAL_MS / 2 - EARLY_MS, `${least} ms`);
});

Deno.test("looks that were stopped begin no more, and may be started again", async () => {
  let runs = 0;
  let ran = Promise.withResolvers<void>();
  const looks = createLooks(everyMs(10), () => {
    runs++;
    ran.resolve();
    return Promise.resolve();
  });
  looks.start();
  await ran.promise;
  looks.stop();
  const before = runs;
  await pause(50); // five intervals: nothing can be awaited that must not come
  assert.equal(runs, before);
  ran = Promise.withResolvers();
  looks.start();
  await ran.promise;
  assert.ok(runs > before);
  looks.stop();
});

Deno.test("looks hold one timer, and none once they are stopped", async () => {
  const MS = 12_345;
  using timers = holdTimers(MS);
  let now = 0;
  let next = Promise.withResolvers<void>();
  const looks = createLooks(everyMs(MS), () => {
    next.resolve();
    return Promise.resolve();
  }, () => now);
  for (let time = 0; time < 3; time++) {
    looks.start();
    assert.equal(timers.count, 1);
    looks.hasten();
    await Promise.resolve(); // the pace is read again
    assert.equal(timers.count, 1);
    next = Promise.withResolvers();
    now += MS;
    timers.fire();
    await next.promise;
    await pause(0);
    assert.equal(timers.count, 1);
    looks.stop();
    assert.equal(timers.count, 0);
    await pause(0);
  }
});
