import assert from "node:assert/strict";
import { inTime } from "../../cel/waits/in_time.ts";
import { holdTimers } from "../support/timers.ts";

const MS = 10_000;

Deno.test("no timer is left once the work has ended, or has failed", async () => {
  using timers = holdTimers(MS);
  await inTime(Promise.resolve(), MS);
  assert.deepEqual([timers.set, timers.count], [1, 0]);
  await assert.rejects(inTime(Promise.reject(new Error("failed")), MS), /failed/);
  assert.deepEqual([timers.set, timers.count], [2, 0]);
});
