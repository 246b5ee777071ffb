import assert from "node:assert/strict";
import { ROOM_TABLES } from "../../db/driver/schema.ts";
import { type Ask, assertSameAnswers } from "../support/asks.ts";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { heldContract } from "../support/held.ts";
import { assertError, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";
import { until } from "../support/until.ts";

async function locked(t: Subject, body: Json = {}) {
  const reply = await t.post("/rooms", { locked: true, ...body });
  assertStatus(reply, 201);
  const { id, token }: { id: string; token: string } = reply.body;
  const ask = (method: string, at: string, body?: unknown, headers: Record<string, string> = {}, on = t) =>
    on.request(method, `/rooms/${id}${at}`, { body, headers: { ...bearer(token), ...headers } });
  return { id, token, ask, revision: reply.revision! };
}

/** Makes a room with this id as soon as it is free. */
async function madeAnew(t: Subject, id: string, body: Json = {}): Promise<Reply> {
  const make = async () => {
    const made = await t.post("/rooms", { id, ...body });
    if (made.status === 201) return made;
    assertError(made, 409, "id_unavailable");
    assert.equal(made.revision, undefined);
  };
  return (await until(make, (made) => made !== undefined))!;
}

contract("a deleted room is there for nobody, and its id free when all of it is removed", async (t) => {
  const { id, token, ask } = await locked(t);
  for (let n = 0; n < 250; n += 50) {
    await Promise.all(Array.from({ length: 50 }, () => ask("POST", "/messages", { from: "ann", body: 1 })));
  }
  for (const value of [1, 2, 3]) await ask("PUT", "/state", { key: "k", value });
  const made = async (role: string) => (await ask("POST", "/tokens", { role })).body.token;
  for (const role of ["member", "reader"]) {
    assertError(await ask("DELETE", "", undefined, bearer(await made(role))), 403, "forbidden");
  }
  assertError(await t.delete(`/rooms/${id}`), 404, "room_not_found");
  const before = await ask("GET", "");
  const deleted = await ask("DELETE", "");
  assert.deepEqual([deleted.status, deleted.body], [200, { deleted: true }]);
  assert.equal(deleted.revision, before.revision);
  assertError(await ask("DELETE", ""), 404, "room_not_found");

  const meet = ({ method, path, body, headers }: Ask) =>
    t.request(method, path, { body, headers: { ...headers, ...bearer(token) } });
  const skip = (ask: Ask, before?: Ask) => before?.what === ask.what;
  await assertSameAnswers([id, crypto.randomUUID()], meet, { who: "an admin of before", skip });

  const anew = await madeAnew(t, id);
  assert.deepEqual(Object.keys(anew.body), ["id", "created_at", "meta"]);
  assert.ok(anew.revision! > before.revision!, `${anew.revision} after ${before.revision}`);
  const etag = before.headers.get("etag")!;
  assertStatus(await t.request("GET", `/rooms/${id}`, { headers: { "If-None-Match": etag } }), 200);
  assert.ok((await t.write(id, "new", 1)).version > 3);
  assert.ok((await t.write(id, "list", undefined, { append: 1 })).version > 3);
  assert.ok((await t.write(id, "n", undefined, { increment: 1 })).version > 3);
  assertStatus(await t.put(`/rooms/${id}/state/batch`, { writes: [{ key: "b", value: 1 }] }), 200);
  assert.ok((await t.entry(id, "b")).version > 3);
  assert.ok((await t.message(id)).id > before.revision!);
  const changes = await t.get(`/rooms/${id}/changes`, { after: before.revision! });
  assert.deepEqual([changes.body.reset, changes.body.messages.length], [true, 1]);
  assert.deepEqual((await t.get(`/rooms/${id}/changes`, { after: anew.revision! })).body.reset, undefined);
  assertError(await ask("GET", ""), 401, "unauthenticated");
  assert.equal((await t.get(`/rooms/${id}/messages`)).body.length, 1);
});

contract("a room goes on above all that were deleted under its id, locked or open", async (t) => {
  let last = 0;
  const id = `again-${crypto.randomUUID()}`;
  for (let n = 0; n < 3; n++) {
    const { body, revision } = await madeAnew(t, id, { locked: true });
    assert.ok(revision! > last || n === 0, `${revision} after ${last}`);
    const own = { headers: bearer(body.token) };
    const put = await t.request("PUT", `/rooms/${id}/state`, { ...own, body: { key: "k", value: 1 } });
    assert.equal(put.body.version, n + 1);
    last = put.revision!;
    assertStatus(await t.request("DELETE", `/rooms/${id}`, own), 200);
  }
  const open = await madeAnew(t, id);
  assert.equal(open.revision, last + 1);
  assert.equal((await t.write(id, "k", 1)).version, 4);
});

heldContract("what waits and streams for a room ends with it, at each instance", async ({ one, other }) => {
  const { id, ask } = await locked(one);
  await ask("POST", "/agents", { id: "ann", name: "Ann" });
  await ask("POST", "/reservations", { agent: "bob", paths: ["a"] });
  const token = (await ask("POST", "/tokens", { role: "member" })).body.token;
  const own = { headers: bearer(token) };
  const waits = [one, other].flatMap((t) => [
    t.request("POST", `/rooms/${id}/wait`, { ...own, body: { condition: "false", timeout: 60_000 } }),
    t.request("POST", `/rooms/${id}/wait`, {
      ...own,
      body: { agent: "ann", condition: "false", timeout: 60_000 },
    }),
    t.request("POST", `/rooms/${id}/messages/claim`, { ...own, body: { agent: "ann", timeout: 60_000 } }),
    t.request("POST", `/rooms/${id}/reservations`, {
      ...own,
      body: { agent: "ann", paths: ["a"], timeout: 60_000 },
    }),
  ]);
  const streams = await Promise.all(
    [one, other].map((t) => fetch(new URL(`/rooms/${id}/events`, t.url), own)),
  );
  for (const { status } of streams) assert.equal(status, 200);
  // All are under way once they are marked: three at each instance.
  await until(() => ask("GET", "/agents/ann"), ({ body }) => body.status === "waiting");
  assertStatus(await ask("DELETE", ""), 200);
  for (const wait of waits) assertError(await wait, 404, "room_not_found");
  await Promise.all(streams.map((stream) => stream.text()));
});

heldContract("no write that meets a deletion leaves a row", async ({ one, other, connection, time }) => {
  for (let round = 0; round < 3; round++) {
    const { id, ask } = await locked(one);
    await ask("POST", "/agents", { id: "ann", name: "Ann" });
    const writes: Array<[string, string, Json]> = [
      ["POST", "/messages", { from: "ann", body: 1, kind: "task" }],
      ["PUT", "/state", { key: "k", value: 1 }],
      ["PUT", "/state", { key: "g", value: 1, if: "size(agents) == 1" }],
      ["PUT", "/state/batch", { writes: [{ key: "b", value: 1 }] }],
      ["POST", "/agents", { name: "Bob" }],
      ["POST", "/agents", { name: "Eve", secure: true }],
      ["POST", "/messages/claim", { agent: "ann", timeout: 20 }],
      ["POST", "/reservations", { agent: "ann", paths: ["a"], timeout: 20 }],
      ["POST", "/wait", { agent: "ann", condition: "false", timeout: 20 }],
      ["POST", "/tokens", { role: "reader" }],
      ["DELETE", "/agents/ann", {}],
    ];
    const all = writes.flatMap(([method, at, body], n) =>
      [one, other].map((t) =>
        ask(method, at, body, n % 2 ? { "Idempotency-Key": crypto.randomUUID() } : {}, t)
      )
    );
    const [deleted] = await Promise.all([ask("DELETE", "", undefined, {}, other), ...all]);
    assertStatus(deleted!, 200);
    await Promise.all(all);
    await madeAnew(one, id);
    const own = await connection();
    const left = [];
    for (const [table, column] of Object.entries(ROOM_TABLES)) {
      const sql = `SELECT COUNT(*) AS count FROM ${table} WHERE ${column} IN (:id, char(9) || :id)`;
      const [rows] = await own.send([{ sql, args: { id } }], "read");
      left.push([table, Number(rows![0]!.count)]);
    }
    own.close();
    assert.deepEqual(left.filter(([, count]) => count as number > 0), [["rooms", 1]], `${time.now}`);
  }
}, ["file", "libsql"]);
