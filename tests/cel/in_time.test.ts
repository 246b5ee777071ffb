import assert from "node:assert/strict";
import { inTime } from "../../cel/waits/in_time.ts";

Deno.test("no timer is left once the work has ended or failed: the runtime's check of resources finds one", async () => {
  await inTime(Promise.resolve(), 10_000);
  await assert.rejects(inTime(Promise.reject(new Error("failed")), 10_000), /failed/);
});
