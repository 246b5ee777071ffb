import assert from "node:assert/strict";
import { createFairMutex } from "../../db/serialize.ts";

Deno.test("many consistent reads of one room keep that of another no longer than one of theirs, and run one at a time", async () => {
  const serialize = createFairMutex();
  const order: string[] = [];
  let atWork = 0;
  const task = (name: string) => async () => {
    assert.equal(++atWork, 1);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(name);
    atWork--;
    return name;
  };
  const fails = serialize("big", () => Promise.reject(new Error("this one alone")));
  const tasks = ["big 1", "big 2", "big 3", "other 1", "other 2", "third 1"]
    .map((name) => serialize(name.split(" ")[0]!, task(name)));
  await assert.rejects(fails, /this one alone/);
  assert.deepEqual(await Promise.all(tasks), ["big 1", "big 2", "big 3", "other 1", "other 2", "third 1"]);
  assert.deepEqual(order, ["big 1", "other 1", "third 1", "big 2", "other 2", "big 3"]);
  assert.equal(await serialize("big", task("again")), "again");
});
