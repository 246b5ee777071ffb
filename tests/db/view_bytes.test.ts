import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { isRefusal } from "../../db/refusal.ts";
import { createRoom } from "../../db/rooms/create.ts";
import { deleteEntry } from "../../db/state/delete.ts";
import { putEntries } from "../../db/state/write.ts";
import { perform } from "../support/perform.ts";
import { LIMITS } from "../../routes/http/limits.ts";

const expr = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));

Deno.test("a room whose views are larger than allowed works on: they may change and shrink, but not grow", async () => {
  const database = createDatabase({ connect: () => connect(":memory:") });
  const put = (views: Record<string, string>, limits: typeof LIMITS | { viewBytes: number } = LIMITS) => {
    const writes = Object.entries(views).map(([key, expr]) => ({ scope: "_view", key, expr }));
    return perform(
      database,
      putEntries(database, "r", { writes, limits: { ...LIMITS, ...limits }, batch: true }),
    );
  };
  const refused = (views: Record<string, string>, index: number) =>
    assert.rejects(
      put(views),
      (error) => isRefusal(error, "limit_reached") && error.facts.index === index,
    );
  try {
    await perform(database, createRoom(database, { id: "r", meta: {} }));
    await put({ a: expr(50_000), b: expr(50_000), c: expr(1_000) }, { viewBytes: 200_000 });
    await refused({ d: "1" }, 0);
    await refused({ c: "1", a: expr(51_001) }, 1);
    assert.equal((await put({ c: "1", a: expr(50_998) }))?.entries.length, 2);
    assert.equal(await put({ a: expr(50_999) }).catch(() => undefined), undefined);
    await put({ a: expr(50_998).replaceAll("x", "y") });
    const writes = [{ scope: "s", key: "k", value: 1 }];
    await perform(database, putEntries(database, "r", { writes, limits: LIMITS, batch: false }));
    await perform(database, deleteEntry(database, "r", { scope: "_view", key: "b" }));
    await put({ d: expr(LIMITS.viewBytes - 50_999) });
    await refused({ e: "1" }, 0);
  } finally {
    await database.close();
  }
});
