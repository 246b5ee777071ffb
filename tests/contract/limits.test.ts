import assert from "node:assert/strict";
import { contract, oneBackend, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertInvalidExpression, assertStatus } from "../support/shapes.ts";

const KIB = 1024;
/** A text whose JSON has that many bytes. */
const text = (bytes: number) => "x".repeat(bytes - 2);
/** A text whose JSON has that many bytes, two for most of its characters. */
const wide = (bytes: number) => "é".repeat(Math.floor((bytes - 2) / 2)) + "x".repeat(bytes % 2);

/** Does things in order of n, some at a time. */
async function each(count: number, act: (n: number) => Promise<unknown>, atOnce = 16): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) await act(next++);
  }));
}

contract("a body has at most 256 KiB", async (t) => {
  const room = await t.room();
  const body = '{"key":"k","value":1}';
  const send = (bytes: number) => t.request("PUT", `/rooms/${room}/state`, { raw: body.padEnd(bytes, " ") });
  assertStatus(await send(256 * KIB), 200);
  assertError(await send(256 * KIB + 1), 413, "too_large");
  assertError(await send(2 * KIB * KIB), 413, "too_large");
  assertStatus(await send(body.length), 200);
});

contract("a body that does not tell its length has at most 256 KiB too", async (t) => {
  const room = await t.room();
  const send = (bytes: number) =>
    t.request("PUT", `/rooms/${room}/state`, {
      raw: ReadableStream.from(chunks('{"key":"k","value":1}'.padEnd(bytes, " "))),
    });
  assertStatus(await send(256 * KIB), 200);
  assertError(await send(256 * KIB + 1), 413, "too_large");
});

function* chunks(body: string): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(body);
  for (let at = 0; at < bytes.length; at += 16 * KIB) yield bytes.subarray(at, at + 16 * KIB);
}

contract("a value, a message's body and a meta have at most 64 KiB of JSON", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const places: [string, (value: string) => Promise<Json>][] = [
    ["a value", (value) => t.put(`${path}/state`, { key: "k", value })],
    ["a value of a batch", (value) => t.put(`${path}/state/batch`, { writes: [{ key: "k", value }] })],
    ["a message", (body) => t.post(`${path}/messages`, { body })],
    ["a room's meta", (x) => t.post("/rooms", { meta: { x: x.slice('{"x":}'.length) } })],
    [
      "an agent's meta",
      (x) => t.post(`${path}/agents`, { name: "a", meta: { x: x.slice('{"x":}'.length) } }),
    ],
  ];
  for (const [place, send] of places) {
    const most = await send(text(64 * KIB));
    assert.ok(most.status === 200 || most.status === 201, `${place}: ${most.text}`);
    assertError(await send(text(64 * KIB + 1)), 413, "too_large");
  }
});

contract("sizes count the bytes of UTF-8", async (t) => {
  const room = await t.room();
  const value = wide(64 * KIB);
  assert.equal(new TextEncoder().encode(JSON.stringify(value)).length, 64 * KIB);
  await t.write(room, "k", value);
  assert.equal((await t.entry(room, "k")).value, value);
  const reply = await t.put(`/rooms/${room}/state`, { key: "k", value: value + "x" });
  assertError(reply, 413, "too_large");
});

contract("the syntax tree of an expression has at most 250 levels", async (t) => {
  const room = await t.room();
  const nested = (levels: number) => "[".repeat(levels - 1) + "1" + "]".repeat(levels - 1);
  const evaluate = (expr: string) => t.post(`/rooms/${room}/eval`, { expr });
  assertStatus(await evaluate(nested(250)), 200);
  assertInvalidExpression(await evaluate(nested(251)), nested(251));
});

contract("an expression has at most 4,096 characters", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const [most, more] = [4096, 4097].map((length) => `"${"x".repeat(length - 2)}"`) as [string, string];
  assert.equal((await t.post(`${path}/eval`, { expr: most })).status, 200);
  assertInvalidExpression(await t.post(`${path}/eval`, { expr: more }), more);
  assert.equal((await t.post(`${path}/wait`, { condition: most })).status, 200);
  assertInvalidExpression(await t.post(`${path}/wait`, { condition: more }), more);
  assert.equal((await t.put(`${path}/state`, { key: "k", value: 1, if: most })).status, 200);
  assertInvalidExpression(await t.put(`${path}/state`, { key: "k", value: 1, if: more }), more);
  assert.equal((await t.put(`${path}/state`, { scope: "_view", key: "v", expr: most })).status, 200);
  assertInvalidExpression(await t.put(`${path}/state`, { scope: "_view", key: "v", expr: more }), more);
});

contract(
  "an expression has at most 4,096 characters in gates of batches and deletes and in a query too",
  async (t) => {
    const room = await t.room();
    const path = `/rooms/${room}`;
    const [most, more] = [4096, 4097].map((length) => `"${"x".repeat(length - 2)}"`) as [string, string];
    const writes = [{ key: "k", value: 1 }];
    assertStatus(await t.put(`${path}/state/batch`, { writes, if: most }), 200);
    assertInvalidExpression(await t.put(`${path}/state/batch`, { writes, if: more }), more);
    assertInvalidExpression(await t.delete(`${path}/state`, { key: "k", if: more }), more);
    assert.equal((await t.delete(`${path}/state`, { key: "k", if: most })).body.deleted, true);
    assertStatus(await t.get(`${path}/wait`, { condition: most }), 200);
    assertInvalidExpression(await t.get(`${path}/wait`, { condition: more }), more);
    const view = (expr: string) => ({ writes: [{ scope: "_view", key: "v", expr }] });
    assertStatus(await t.put(`${path}/state/batch`, view(most)), 200);
    const refused = await t.put(`${path}/state/batch`, view(more));
    assertError(refused, 400, "invalid_expression", ["expression", "position", "index"]);
  },
);

contract("a name, a role and a kind have at most 256 characters", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const [most, more] = ["x".repeat(256), "x".repeat(257)];
  assertStatus(await t.post(`${path}/agents`, { id: "a", name: most, role: most }), 201);
  assertInvalid(await t.post(`${path}/agents`, { id: "b", name: more }), ["name"]);
  assertInvalid(await t.post(`${path}/agents`, { id: "b", name: "b", role: more }), ["role"]);
  assertStatus(await t.post(`${path}/messages`, { kind: most, body: 1 }), 201);
  assertInvalid(await t.post(`${path}/messages`, { kind: more, body: 1 }), ["kind"]);
  assert.equal((await t.get(`${path}/messages`, { kind: most })).body.length, 1);
});

contract("JSON is at most 64 deep, the body's own braces among them", async (t) => {
  const room = await t.room();
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const objects = (depth: number) => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
  const put = (value: string) =>
    t.request("PUT", `/rooms/${room}/state`, { raw: `{"key":"k","value":${value}}` });
  for (const deep of [nested, objects]) {
    assertStatus(await put(deep(63)), 200);
    assertInvalid(await put(deep(64)));
  }
  assertInvalid(await put(nested(100_000)));
  const meta = (depth: number) => t.request("POST", "/rooms", { raw: `{"meta":${objects(depth)}}` });
  assertStatus(await meta(63), 201);
  assertInvalid(await meta(64));
});

contract("a room has at most 64 views", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  const view = (n: number) => ({ scope: "_view", key: `v${n}`, expr: `${n}` });
  for (let n = 0; n < 60; n += 20) {
    const writes = Array.from({ length: 20 }, (_, k) => view(n + k));
    assertStatus(await t.put(`${path}/batch`, { writes }), 200);
  }
  for (let n = 60; n < 64; n++) assertStatus(await t.put(path, view(n)), 200);
  assertError(await t.put(path, view(64)), 409, "limit_reached");
  const batch = await t.put(`${path}/batch`, { writes: [{ key: "k", value: 1 }, view(64)] });
  assertError(batch, 409, "limit_reached", ["index"]);
  assert.equal(batch.body.index, 1);
  assert.equal(await t.entry(room, "k"), undefined);

  assertStatus(await t.put(path, { ...view(3), expr: "33" }), 200);
  await t.delete(path, { scope: "_view", key: "v3" });
  const twice = await t.put(`${path}/batch`, { writes: [view(3), { ...view(3), expr: "34" }] });
  assertStatus(twice, 200);
  assertError(await t.put(path, view(64)), 409, "limit_reached");
  await t.delete(path, { scope: "_view", key: "v3" });
  assertStatus(await t.put(path, view(64)), 200);
  assert.equal(Object.keys(await t.value(room, "state._view")).length, 64);
});

contract("a room has at most 10,000 keys, views among them and deleted ones not", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  assertStatus(await t.put(path, { scope: "_view", key: "v", expr: "1" }), 200);
  await t.write(room, "deleted", 1);
  await t.delete(path, { key: "deleted" });
  const batch = (writes: Json[]) => t.put(`${path}/batch`, { writes });
  await each(499, async (n) => {
    const writes = Array.from({ length: 20 }, (_, k) => ({ key: `k${n * 20 + k}`, value: n }));
    assertStatus(await batch(writes), 200);
  });
  assertStatus(
    await batch(Array.from({ length: 19 }, (_, k) => ({ scope: `s${k}`, key: "k", value: k }))),
    200,
  );

  const full = await t.put(path, { key: "one-more", value: 1 });
  assertError(full, 409, "limit_reached");
  assert.equal(full.revision, await t.revision(room));
  assertError(await t.put(path, { key: "one-more", increment: true }), 409, "limit_reached");
  assertError(await t.put(path, { scope: "_view", key: "w", expr: "1" }), 409, "limit_reached");
  const part = await batch([{ key: "k0", value: "changed" }, { key: "one-more", value: 1 }]);
  assertError(part, 409, "limit_reached", ["index"]);
  assert.equal(part.body.index, 1);
  assert.equal((await t.entry(room, "k0")).value, 0);

  await t.write(room, "k0", "changed");
  assert.equal((await t.delete(path, { key: "k0" })).body.deleted, true);
  await t.write(room, "one-more", 1);
  assertError(await t.put(path, { key: "k0", value: 1 }), 409, "limit_reached");
}, oneBackend);

contract("a room has at most 1,000 agents, even when many come at once", async (t) => {
  const room = await t.room();
  await each(994, (n) => t.agent(room, `agent-${n}`));
  const register = (id: string) => t.post(`/rooms/${room}/agents`, { id, name: "a" });
  const last = await Promise.all(Array.from({ length: 20 }, (_, n) => register(`late-${n}`)));
  const refused = last.filter((reply) => reply.status !== 201);
  assert.equal(refused.length, 14);
  for (const reply of refused) assertError(reply, 409, "limit_reached");
  assertStatus(await register("agent-0"), 200);
  assert.equal((await t.get(`/rooms/${room}/agents`)).body.length, 1000);
}, oneBackend);

contract("a room that holds much is read as a whole", async (t) => {
  const room = await t.room();
  const count = 200;
  await each(count, (n) => t.write(room, `k${n}`, text(64 * KIB)));
  assert.equal((await t.get(`/rooms/${room}/state`)).body?.length, count);
  assert.equal(await t.value(room, "size(state._shared)"), count);
  const wait = await t.get(`/rooms/${room}/wait?condition=true&include=state`);
  assert.equal(Object.keys(wait.body.state?._shared ?? {}).length, count);
  await each(count, () => t.message(room, { body: text(64 * KIB) }));
  const pages = await t.pages(`/rooms/${room}/messages?limit=1000`);
  assert.equal(pages.reduce((sum, page) => sum + page.body.length, 0), count);
});

contract("those who read a room that holds much disturb no other room", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  await each(90, (n) => t.write(room, `k${n}`, text(64 * KIB)));
  const reading = Array.from({ length: 6 }, () => t.get(`/rooms/${room}/state`));
  const elsewhere = Array.from({ length: 20 }, () => t.get(`/rooms/${other}`));
  for (const reply of await Promise.all([...elsewhere, ...reading])) {
    assert.equal(reply.status, 200, reply.text.slice(0, 200));
  }
});

contract("the limit of views holds when many come at once", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  const replies = await Promise.all(
    Array.from({ length: 80 }, (_, n) => t.put(path, { scope: "_view", key: `v${n}`, expr: "1" })),
  );
  const refused = replies.filter((reply) => reply.status !== 200);
  assert.equal(refused.length, 16);
  for (const reply of refused) assertError(reply, 409, "limit_reached");
  assert.equal((await t.get(path)).body.length, 64);
});

contract("the views of a room have at most 64 KiB of UTF-8 in all", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  const view = (n: number, expr: string) => ({ scope: "_view", key: `v${n}`, expr });
  const full = JSON.stringify("x".repeat(4_094));
  const wide = (bytes: number) => JSON.stringify("é".repeat((bytes - 2) / 2));
  // Of those that come at once just as many are admitted as there is room for.
  const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => t.put(path, view(n, full))));
  const [a, b] = replies.flatMap(({ status }, n) => status === 200 ? [n] : []);
  const refused = replies.filter(({ status }) => status !== 200);
  assert.equal(refused.length, 4);
  for (const reply of refused) assertError(reply, 409, "limit_reached", ["hint"]);

  assertError(await t.put(path, view(20, "1")), 409, "limit_reached", ["hint"]);
  assertError(await t.put(path, view(a!, wide(4_098))), 409, "limit_reached", ["hint"]);
  assertStatus(await t.put(path, view(a!, wide(4_096))), 200);
  assertStatus(await t.put(path, { key: "plain", value: full }), 200);
  // A batch counts by what it leaves, and names the write that makes it too much.
  const batch = (writes: unknown[]) => t.put(`${path}/batch`, { writes });
  assertStatus(await batch([view(a!, wide(8_000)), view(b!, wide(192))]), 200);
  const late = await batch([
    view(b!, "1"),
    { key: "k", value: 1 },
    view(a!, wide(8_180)),
    view(b!, "1 + 1 + 1 + 1"),
  ]);
  assertError(late, 409, "limit_reached", ["index", "hint"]);
  assert.equal(late.body.index, 3);
  const missing = await batch([view(21, "1"), { key: "plain", value: 1, if_version: 7 }]);
  assertError(missing, 409, "version_conflict", ["index", "current"]);
  assert.equal(await t.entry(room, "k"), undefined);

  await t.delete(path, { scope: "_view", key: `v${b}` });
  assertStatus(await t.put(path, view(20, wide(192))), 200);
  assertError(await t.put(path, view(21, "1")), 409, "limit_reached", ["hint"]);
});

contract("a list of messages has at most 1,000, however many are asked for", async (t) => {
  const room = await t.room();
  await each(1003, (n) => t.message(room, { body: n }));
  const messages = `/rooms/${room}/messages`;
  const list = async (path: string) => (await t.get(path)).body.map((message: Json) => message.id);
  const pages = await t.pages(`${messages}?limit=5000`);
  assert.deepEqual(pages.map((page) => page.body.length), [1000, 3]);
  const all = pages.flatMap((page) => page.body).map((message) => message.id);
  assert.deepEqual(await list(`${messages}?limit=1000`), all.slice(0, 1000));
  assert.deepEqual(await list(`${messages}?last=5000`), all.slice(-1000));
  const wait = await t.get(`/rooms/${room}/wait?condition=true&include=messages:after:0`);
  assert.deepEqual(wait.body.messages_since.map((message: Json) => message.id), all.slice(0, 1000));
}, oneBackend);

contract("a list of rooms has at most 1,000, however many are asked for", async (t: Subject) => {
  await each(1001, () => t.room());
  assert.equal((await t.get("/rooms?limit=5000")).body.length, 1000);
}, oneBackend);
