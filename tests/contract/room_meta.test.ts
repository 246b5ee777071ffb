import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";

contract("a room's meta is merged into, which is a change of the room", async (t) => {
  const made = await t.post("/rooms", { meta: { a: 1, b: { c: 2, d: 3 }, list: [1, 2] } });
  const { id, created_at } = made.body;
  const patch = (meta: unknown) => t.request("PATCH", `/rooms/${id}`, { body: { meta } });
  const merged = await patch({ a: null, b: { c: null, e: [null] }, list: [3], '\u0000 odd "name"': null });
  assertStatus(merged, 200);
  assert.deepEqual(merged.body, { id, created_at, meta: { b: { d: 3, e: [null] }, list: [3] } });
  assert.equal(merged.revision, 1);
  assert.deepEqual((await t.get(`/rooms/${id}`)).body, merged.body);
  const { body: changes } = await t.get(`/rooms/${id}/changes`, { after: 0 });
  assert.deepEqual(changes.room, { ...merged.body, revision: 1 });
  assert.equal((await t.get(`/rooms/${id}/changes`, { after: 1 })).body.room, undefined);
});

contract("many merges of a room's meta at once are all kept", async (t) => {
  const room = await t.room();
  const names = Array.from({ length: 20 }, (_, n) => `k${n}`);
  const answers = await Promise.all(
    names.map((name) => t.request("PATCH", `/rooms/${room}`, { body: { meta: { [name]: 1 } } })),
  );
  for (const answer of answers) assertStatus(answer, 200);
  assert.deepEqual(Object.keys((await t.get(`/rooms/${room}`)).body.meta).toSorted(), names.toSorted());
});

contract("a merge of a room's meta that is refused changes nothing", async (t) => {
  const room = await t.room();
  const patch = (body: unknown) => t.request("PATCH", `/rooms/${room}`, { body });
  assertStatus(await patch({ meta: { a: "x".repeat(40_000) } }), 200);
  assertError(await patch({ meta: { b: "x".repeat(40_000) } }), 413, "too_large");
  assertInvalid(await patch({}), ["meta"]);
  assertInvalid(await patch({ meta: null }), ["meta"]);
  assertInvalid(await patch({ meta: [1] }), ["meta"]);
  assertInvalid(await patch({ meta: {}, id: "x" }), ["id"]);
  const { body, revision } = await t.get(`/rooms/${room}`);
  assert.deepEqual([Object.keys(body.meta), revision], [["a"], 1]);
  const missing = await t.request("PATCH", "/rooms/no-such-room", { body: { meta: {} } });
  assertError(missing, 404, "room_not_found");
});

contract("a merge under a key is made once", async (t) => {
  const room = await t.room();
  const request = { body: { meta: { a: 1 } }, headers: { "Idempotency-Key": "merge once" } };
  const first = await t.request("PATCH", `/rooms/${room}`, request);
  await t.request("PATCH", `/rooms/${room}`, { body: { meta: { a: 2 } } });
  const again = await t.request("PATCH", `/rooms/${room}`, request);
  assert.deepEqual(again.body, first.body);
  assert.equal((await t.get(`/rooms/${room}`)).body.meta.a, 2);
});

contract("a meta keeps members of any name", async (t) => {
  const odd = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":[3]}');
  const textOf = (reply: { body: { meta: unknown } }) => JSON.stringify(reply.body.meta);
  const made = await t.post("/rooms", { meta: odd });
  assert.equal(textOf(made), JSON.stringify(odd));
  const { id } = made.body;
  const patch = (meta: unknown) => t.request("PATCH", `/rooms/${id}`, { body: { meta } });
  const more = JSON.parse('{"__proto__":{"b":2},"constructor":null}');
  assert.equal(textOf(await patch(more)), '{"__proto__":{"a":1,"b":2},"toString":[3]}');
  assert.equal(textOf(await t.get(`/rooms/${id}`)), '{"__proto__":{"a":1,"b":2},"toString":[3]}');
  const agent = await t.post(`/rooms/${id}/agents`, { id: "ann", name: "Ann", meta: odd });
  assert.equal(textOf(agent), JSON.stringify(odd));
});
