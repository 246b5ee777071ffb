import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { type TestApp, withApp } from "../support/app.ts";

type Request = [method: string, path: string, body: unknown];

const ENTRY = ["version", "value"];
const LEFT = [
  "room_id",
  "scope",
  ...["key", "value", "expr", "version", "updated_at", "updated_by", "verified"],
  "expires_at",
  "room_revision",
];
const AGENT = [
  "id",
  "room_id",
  "name",
  "role",
  "meta",
  "status",
  "joined",
  "joined_at",
  "last_heartbeat",
  "secure",
];
const RECIPIENT = ["n", "status", "last_heartbeat", "waiting_on", "alive"];
/** Earlier releases stored no `joined`: what is answered then has no notice. */
const ROOM = ["revision", "joined"];
/** Earlier releases stored `claimed_by` and `claimed_at` alone, which is answered as they did. */
const TASK = [
  ...[
    "id",
    "status",
    "claimed_by",
    "claimed_at",
    "claimed_until",
    "fence",
    "attempts",
    "done_at",
    "blocked_by",
  ],
  "again",
];

/**
 * What is stored of each write: how many unique values it took, and of each step that keeps rows their columns, in
 * the steps' order (none where it gave no row). Where this has to change, raise FORMAT (db/write/commit_once.ts): a key
 * of yesterday's release would be given an answer that never was.
 */
const OUTCOMES: Array<[request: Request, unique: number, rows: string[][]]> = [
  [["POST", "/rooms", { meta: {} }], 1, [[], ["id", "created_at", "meta", "listed", "revision"]]],
  [["PUT", "/rooms/r/state", { key: "k", value: 1 }], 1, [ENTRY]],
  [["PUT", "/rooms/r/state", { key: "k", increment: 0.5 }], 1, [ENTRY]],
  // The chain of a gated write gives it its nonce (cel/rooms/gate_links.ts).
  [["PUT", "/rooms/r/state", { key: "k", value: 1, if: "true", agent: "ann" }], 0, [ENTRY]],
  [["PUT", "/rooms/r/state/batch", { writes: [{ key: "a", value: 1 }, { key: "b", value: 2 }] }], 1, [
    ENTRY,
    ENTRY,
  ]],
  [["PUT", "/rooms/r/state", { key: "c", value: 1, ttl: 60 }], 1, [[...ENTRY, "expires_at"]]],
  [["PUT", "/rooms/r/state", { key: "list", append: 1 }], 1, [LEFT]],
  [["PUT", "/rooms/r/state", { key: "list", remove: 2 }], 1, [LEFT]],
  [["DELETE", "/rooms/r/state", { key: "a" }], 1, [["revision", "unmoved"]]],
  [["POST", "/rooms/r/messages", { from: "ann", body: 1, reply_to: 2 }], 1, [["joined"]]],
  [["POST", "/rooms/r/messages", { to: "ann", body: 1 }], 1, [RECIPIENT]],
  [["POST", "/rooms/r/messages", { needs: [2], to: "bob", body: 1 }], 1, [
    ["status", "done_at", "failure"],
    [],
  ]],
  [["POST", "/rooms/r/messages/2/claim", { agent: "ann" }], 1, [ROOM, TASK]],
  [["POST", "/rooms/r/messages/2/release", { agent: "ann" }], 1, [ROOM, TASK]],
  [["POST", "/rooms/r/agents", { name: "Bob" }], 2, [AGENT, []]],
  [["POST", "/rooms/r/agents/ann/heartbeat", { status: "busy" }], 1, [["id"], ["revision"]]],
];

async function prepare({ json }: TestApp): Promise<void> {
  await json("POST", "/rooms", { id: "r" });
  await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
  await json("POST", "/rooms/r/messages", { body: "text" });
}

Deno.test("what is stored of a keyed write is of the format that it names", () =>
  withApp(async (app) => {
    await prepare(app);
    const client = createClient({ url: app.file });
    for (const [n, [[method, path, body], unique, rows]] of OUTCOMES.entries()) {
      const name = `${method} ${path} ${JSON.stringify(body)}`;
      const response = await app.request(method, path, body, {
        "Idempotency-Key": `the request number ${n}`,
      });
      assert.ok(response.ok, name);
      await response.body?.cancel();
      const { rows: [stored] } = await client.execute(
        "SELECT outcome FROM idempotency ORDER BY rowid DESC LIMIT 1",
      );
      const outcome = JSON.parse(stored!.outcome as string);
      const columns = outcome.rows.map(([row]: object[]) => Object.keys(row ?? {}));
      assert.deepEqual([outcome.format, outcome.unique.length, columns], [1, unique, rows], name);
    }
    client.close();
  }));

Deno.test("a key of another format is answered by what is known: that its request was done", () =>
  withApp(async (app) => {
    await prepare(app);
    const client = createClient({ url: app.file });
    const setFormat = (format: string) => client.execute(`UPDATE idempotency SET outcome = ${format}`);
    const post = async () => {
      const headers = { "Idempotency-Key": "key" };
      const response = await app.request("PUT", "/rooms/r/state", { key: "n", increment: 1 }, headers);
      return {
        status: response.status,
        replayed: response.headers.get("Idempotency-Replayed"),
        body: await response.json(),
      };
    };
    assert.equal((await post()).body.value, 1);
    await setFormat("json_set(outcome, '$.format', 0)");
    const refused = await post();
    assert.deepEqual([refused.status, refused.body.error], [422, "idempotency_mismatch"]);
    assert.match(refused.body.message, /another release/);
    assert.match(refused.body.hint, /took effect/);
    // Keys from before outcomes named their format are of the first one.
    await setFormat("json_remove(outcome, '$.format')");
    const replay = await post();
    assert.deepEqual([replay.status, replay.replayed, replay.body.value], [200, "true", 1]);
    assert.equal((await app.json("GET", "/rooms/r/state?key=n")).body.value, 1);
    client.close();
  }));
