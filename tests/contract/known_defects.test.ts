import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import { Client, type Json } from "../support/client.ts";
import { assertError, assertInvalid, assertInvalidExpression, assertStatus } from "../support/shapes.ts";

contract("no name of a scope or a key breaks a room", async (t) => {
  const room = await t.room();
  const names = ["constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "fromEntries", "then"];
  for (const scope of names) {
    for (const key of [...names, "__proto__"]) await t.write(room, key, `${scope} ${key}`, { scope });
  }
  assert.equal((await t.get(`/rooms/${room}/state`)).body.length, names.length * (names.length + 1));
  assert.equal(await t.value(room, "state.constructor.fromEntries"), "constructor fromEntries");
  assert.deepEqual(await t.value(room, "size(state.then)"), names.length + 1);
  const wait = await t.get(`/rooms/${room}/wait`, { condition: "true", include: "state,agents" });
  assert.equal(wait.body.state.toString.valueOf, "toString valueOf");
  const other = await t.room();
  assert.deepEqual(await t.value(other, "state"), { _shared: {}, _view: {} });
});

contract("a key __proto__ is a key like all others", async (t) => {
  const room = await t.room();
  await t.write(room, "__proto__", { polluted: true });
  assert.deepEqual((await t.entry(room, "__proto__")).value, { polluted: true });
  assert.equal(await t.value(room, "has(state._shared.polluted)"), false);
  assert.equal(await t.value(room, 'state._shared["__proto__"].polluted'), true);
  const { text } = await t.get(`/rooms/${room}/wait`, { condition: "true", include: "state._shared" });
  assert.ok(text.includes('"__proto__":{"polluted":true}'), text);
});

contract("of fifty that take one lock by a gate one gets it", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(
    Array.from(
      { length: 50 },
      (_, n) => t.put(`/rooms/${room}/state`, { key: "lock", value: n, if: "!has(state._shared.lock)" }),
    ),
  );
  assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, ...Array(49).fill(409)]);
});

contract("a batch with a stale version is refused, not written in part", async (t) => {
  const room = await t.room();
  await t.write(room, "a", 1);
  await t.write(room, "a", 2);
  const reply = await t.put(`/rooms/${room}/state/batch`, {
    writes: [{ key: "b", value: 1 }, { key: "a", value: 3, if_version: 1 }],
  });
  assertError(reply, 409, "version_conflict", ["current", "index"]);
  assert.equal((await t.get(`/rooms/${room}/state`)).body.length, 1);
});

contract("fifty posters at once are each answered with their own message", async (t) => {
  const room = await t.room();
  const posted = await Promise.all(Array.from({ length: 50 }, (_, n) => t.message(room, { body: n })));
  assert.deepEqual(posted.map((message) => message.body), Array.from({ length: 50 }, (_, n) => n));
});

contract("a view that gives a list of integers is read like any other", async (t) => {
  const room = await t.room();
  const view = await t.view(room, "v", "[1, 2, 3]");
  assert.deepEqual(view.value, [1, 2, 3]);
  const resolved = await t.get(`/rooms/${room}/state?resolve=true`);
  assertStatus(resolved, 200);
  assert.deepEqual(resolved.body[0].value, [1, 2, 3]);
  const wait = await t.get(`/rooms/${room}/wait`, {
    condition: "size(state._view.v) == 3",
    include: "state",
  });
  assert.deepEqual(wait.body.state._view, { v: [1, 2, 3] });
});

contract("an increment of a text leaves the text", async (t) => {
  const room = await t.room();
  await t.write(room, "k", "precious");
  const reply = await t.put(`/rooms/${room}/state`, { key: "k", increment: true });
  assertError(reply, 409, "not_a_number", ["current"]);
  assert.equal((await t.entry(room, "k")).value, "precious");
});

contract("texts that look like something else stay texts", async (t) => {
  const room = await t.room();
  for (const value of ["5", "1e3", "007", "-0", "true", "null", "{}", "[]", '"quoted"', "9007199254740993"]) {
    await t.write(room, "k", value);
    assert.equal((await t.entry(room, "k")).value, value);
    assert.equal(await t.value(room, "state._shared.k"), value);
    assert.equal((await t.message(room, { body: value })).body, value);
  }
  const meta = { a: "5", b: "null" };
  assert.deepEqual((await t.post("/rooms", { meta })).body.meta, meta);
  assert.deepEqual((await t.agent(room, "ann", { meta })).meta, meta);
});

contract("a regex that explodes elsewhere stops nobody", async (t) => {
  const room = await t.room();
  await t.write(room, "s", "a".repeat(60_000) + "!");
  const from = Date.now();
  const matching = t.value(room, 'state._shared.s.matches("^(([a-z])+.)+[A-Z]([a-z])+$")');
  const other = await t.get(`/rooms/${room}`);
  assertStatus(other, 200);
  assert.equal(await matching, false);
  assert.ok(Date.now() - from < 3_000, `${Date.now() - from} ms`);
});

contract("a heartbeat takes no markup, and a page shows none", async (t) => {
  const id = `<script>alert("room")</script> ${crypto.randomUUID()}`;
  assert.equal((await t.post("/rooms", { id })).status, 201);
  const room = encodeURIComponent(id);
  await t.post(`/rooms/${room}/agents`, { id: "ann", name: "<script>alert(1)</script>" });
  const status = "<script>alert(2)</script>";
  assertInvalid(await t.post(`/rooms/${room}/agents/ann/heartbeat`, { status }), ["status"]);
  const page = await t.get("/", { room: id });
  assertStatus(page, 200);
  assert.ok(!page.text.includes("<script>alert"));
});

contract("messages that are cut say so", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 55; n++) await t.message(room, { body: n });
  const all = await t.get(`/rooms/${room}/messages`);
  assert.equal(all.body.length, 55);
  const cut = await t.get(`/rooms/${room}/messages`, { limit: 50 });
  assert.ok(Client.next(cut));
  const newest = await t.get(`/rooms/${room}/messages`, { last: 2 });
  assert.deepEqual(newest.body.map((message: Json) => message.body), [53, 54]);
});

contract("a wait on a mistyped path is refused or says why it was not true", async (t) => {
  const room = await t.room();
  await t.message(room);
  for (const condition of ["message.count > 0", "state._messages.count > 0"]) {
    const refused = await t.get(`/rooms/${room}/wait`, { condition, timeout: 0 });
    assertInvalidExpression(refused, condition);
    assert.match(refused.body.hint, /\bmessages\b/);
  }
  const late = await t.get(`/rooms/${room}/wait`, { condition: "state._shared.redy == true", timeout: 0 });
  assertStatus(late, 200);
  assert.equal(late.body.triggered, false);
  assert.match(late.body.last_error.message, /redy/);
  assert.ok(late.body.last_error.hint.length > 0);
});
