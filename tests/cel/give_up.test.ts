import assert from "node:assert/strict";
import { giveUpLater } from "../../cel/waits/conditions/give_up.ts";
import { holdTimers } from "../support/timers.ts";

Deno.test("a wait is given up 1.5 s after its time, and one that has been read 1.9 s after it", () => {
  using reads = holdTimers(1_500);
  using answers = holdTimers(1_900);
  const ended: string[] = [];
  const waiter = (name: string, isLoaded: boolean) => ({ isLoaded, settle: () => void ended.push(name) });
  const waiters = [waiter("read", true), waiter("unread", false)];
  giveUpLater(() => waiters);
  reads.fire();
  assert.deepEqual(ended, ["unread"]);
  answers.fire();
  assert.deepEqual(ended, ["unread", "read", "unread"]); // whoever has been settled does not hear of it
});
