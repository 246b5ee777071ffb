import type { Subject } from "../support/backends.ts";
import { claimed, postTask } from "../support/tasks.ts";

/** Posts tasks to a room, at least one in each status. */
export async function tasksIn(t: Subject, room: string) {
  const task = (body: string, members: object = {}) => postTask(t, room, { from: "ann", body, ...members });
  const done = await task("read the logs");
  await done.complete({
    agent: "bob",
    fence: (await claimed(done, "bob", 300)).fence,
    result: { lines: 12 },
  });
  const held = await task("sort the logs", { max_attempts: 3 });
  await held.release({
    agent: "cat",
    fence: (await claimed(held, "cat", 300)).fence,
    error: "out of memory",
  });
  await claimed(held, "bob", 3_600);
  const failed = await task("fetch the licence", { max_attempts: 1 });
  const { fence } = await claimed(failed, "cat", 300);
  await failed.release({ agent: "cat", fence, error: { status: 404, tried: ["a", "b"] } });
  const needing = await task("publish", { needs: [failed.id] });
  const given = await task("print", {});
  await given.fail({ agent: "bob", fence: (await claimed(given, "bob", 300)).fence, error: "no paper" });
  const off = await task("never mind");
  await off.fail({ agent: "ann" });
  const open = await task("write a summary");
  const blocked = await task("send it", { needs: [done.id, held.id, open.id] });
  return { done, held, failed, needing, given, off, open, blocked };
}
