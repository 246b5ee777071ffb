import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { createDatabase } from "../../db/database.ts";
import { runOnce } from "../../db/write/idempotency.ts";
import { postMessage } from "../../db/messages/write.ts";
import { connect } from "../../db/driver/open.ts";
import { createRoom } from "../../db/rooms/create.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { withApp } from "../support/app.ts";
import { heldTime } from "../support/held_time.ts";
import { AS_NONE } from "../../db/access/acts.ts";
import { perform } from "../support/perform.ts";

const DAY = 24 * 60 * 60 * 1_000;

Deno.test("a key is free again after its lifetime, and expired rows go with later writes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const time = { now: Date.parse("2026-01-01T00:00:00.000Z") };
  const database = createDatabase(heldTime(time, () => connect(`file:${folder}/convene.db`)));
  const post = async (key: string, fingerprint = "same") => {
    const request = {
      viewer: EVERYBODY,
      scope: "r",
      key,
      fingerprint,
      acts: AS_NONE,
      lifetime: LIMITS.idempotencyMs,
    };
    const { run, answer } = postMessage(database, "r", { kind: "message", body: key }, LIMITS);
    const outcome = await runOnce(database, request, run);
    return { result: answer(outcome), replayed: outcome.replayed };
  };
  const rows = async () =>
    (await database.read(SERVICE, [{ sql: "SELECT key FROM idempotency ORDER BY key", args: {} }]))[0]!
      .map(({ key }) => key);
  try {
    await perform(database, createRoom(database, { id: "r", meta: {} }));
    const first = await post("a");
    for (let n = 0; n < 12; n++) await post(`old ${n}`);
    time.now += DAY - 1;
    assert.deepEqual(await post("a"), { ...first, replayed: true });
    await assert.rejects(post("a", "other"), { code: "idempotency_mismatch" });
    time.now += 1;
    const again = await post("a", "other");
    assert.equal(again.replayed, false);
    assert.ok(again.result.id > first.result.id);
    await post("b");
    assert.deepEqual(await rows(), ["a", "b"]);
  } finally {
    await database.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("of a batch that is stored in parts one row is left, whether it is made, repeated or refused", () =>
  withApp(async ({ file, json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "text", value: "none" });
    const edits = (...keys: string[]) => ({ writes: keys.map((key) => ({ key, append: 1 })) });
    const batch = async (name: string, body: unknown) =>
      (await request("PUT", "/rooms/r/state/batch", body, { "Idempotency-Key": name })).status;
    assert.equal(await batch("a", edits("k", "k", "l")), 200);
    assert.equal(await batch("a", edits("k", "k", "l")), 200);
    assert.equal(await batch("a", edits("k", "l")), 422);
    assert.equal(await batch("b", edits("k", "k", "text")), 409);
    const client = createClient({ url: file });
    const { rows } = await client.execute(
      "SELECT key, json_array_length(outcome, '$.rows') AS n FROM idempotency",
    );
    client.close();
    assert.deepEqual(rows.map(({ key, n }) => [key, n]), [["a", 3]]);
  }));
