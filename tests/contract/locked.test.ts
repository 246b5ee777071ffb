import assert from "node:assert/strict";
import { type Ask, assertSameAnswers } from "../support/asks.ts";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";
import { bearer, holding } from "../support/tokens.ts";

const MARKER = "what-only-holders-read";
const TAB = /\t|\\t|\\u0009|%09/;

/** A locked room and its admin. */
async function locked(t: Subject, more: Json = {}) {
  const reply = await t.post("/rooms", { locked: true, ...more });
  assertStatus(reply, 201);
  const id: string = reply.body.id;
  const admin = holding(t, reply.body.token);
  const make = async (body: Json) => {
    const made = await admin.ask("POST", `/rooms/${id}/tokens`, body);
    assertStatus(made, 201);
    return { ...holding(t, made.body.token), id: made.body.id as string };
  };
  return { id, path: `/rooms/${id}`, admin, make, reply };
}

/** A locked room with one of each thing, all of which bear the marker. */
async function filled(t: Subject) {
  const room = await locked(t, { meta: { [MARKER]: 1 } });
  const { path, admin } = room;
  const things: Array<[method: string, at: string, body: Json]> = [
    ["POST", "/agents", { id: "alice", name: MARKER, role: MARKER }],
    ["POST", "/agents", { id: MARKER, name: "M", secure: true }],
    ["POST", "/messages", { from: "alice", body: MARKER }],
    ["POST", "/messages", { from: "alice", body: MARKER, kind: "task" }],
    ["PUT", "/state", { key: "turn", value: MARKER }],
    ["PUT", "/state", { key: MARKER, value: 1, scope: "alice" }],
    ["PUT", "/state", { scope: "_view", key: MARKER, expr: "state._shared.turn" }],
    ["POST", "/messages/3/claim", { agent: "alice" }],
    ["POST", "/reservations", { agent: "alice", paths: [MARKER] }],
    ["POST", "/tokens", { role: "reader", note: MARKER }],
  ];
  for (const [method, at, body] of things) {
    const { status, text } = await admin.ask(method, path + at, body);
    assert.ok(status < 300, `${method} ${at}: ${text}`);
  }
  return room;
}

contract("a locked room answers who shows a token of it as any room does, under its own name", async (t) => {
  const { id, path, admin, reply } = await locked(t, { meta: { a: 1 } });
  assertMembers(reply.body, [...members.room, "locked", "token"]);
  assert.match(reply.body.token, /^cvn_a_/);
  assert.equal(reply.body.locked, true);
  const { token: _, ...shown } = reply.body;
  assert.deepEqual((await admin.get(path)).body, shown);
  const entered = await admin.ask("POST", "/rooms", { id });
  assert.deepEqual([entered.status, entered.body], [200, shown]);
  const things = await Promise.all([
    admin.ask("POST", `${path}/agents`, { id: "ann", name: "Ann" }),
    admin.ask("POST", `${path}/messages`, { from: "ann", body: 1 }),
    admin.ask("PUT", `${path}/state`, { key: "k", value: 1, agent: "ann" }),
    admin.ask("PUT", `${path}/state`, { key: "n", append: 1 }),
    admin.ask("POST", `${path}/reservations`, { agent: "ann", paths: ["a"] }),
  ]);
  for (const { body } of things) assert.equal(body.room_id, id);
  const kept = await Promise.all(
    ["/agents", "/agents/ann", "/messages", "/state", "/state?key=k", "/reservations", "/changes?after=0"]
      .map((at) => admin.get(path + at)),
  );
  for (const { status, text } of [...things, ...kept]) {
    assert.ok(status < 300, text);
    assert.doesNotMatch(text, TAB);
  }
  const include = "state,agents,messages:after:0,changes:after:0";
  const wait = await admin.ask("POST", `${path}/wait`, { condition: "messages.count == 1", include });
  assert.equal(wait.body.triggered, true);
  assert.doesNotMatch(wait.text, TAB);
  for (const at of [`/?room=${id}`, `${path}/live/messages`, `${path}/live/entries?scope=_shared`]) {
    const page = await admin.get(at);
    assertStatus(page, 200);
    assert.doesNotMatch(page.text, /[^\n>]\t|%09/, at);
  }
  assert.match((await admin.get(`/?room=${id}`)).text, new RegExp(`data-room="${id}"`));
});

contract("an id is that of one room, be it locked or open", async (t) => {
  const open = await t.room();
  const exists = await t.post("/rooms", { id: open, locked: true });
  assertError(exists, 409, "room_exists");
  assert.equal(exists.revision, 0);
  const { id, admin } = await locked(t);
  for (const body of [{ id }, { id, locked: true }, { id, listed: false }]) {
    const refused = await t.post("/rooms", body);
    assertError(refused, 409, "id_unavailable");
    assert.match(refused.body.hint, /locked room, show its token, or join by a code: POST \/join/);
    assert.equal(refused.revision, undefined);
  }
  assertError(await admin.ask("POST", "/rooms", { id, locked: true }), 409, "id_unavailable");
  // Of many that make it at once, in both ways, one makes it.
  const id2 = `raced-${crypto.randomUUID()}`;
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, n) => t.post("/rooms", { id: id2, ...n % 2 && { locked: true } })),
  );
  const made = all.filter(({ status }) => status === 201);
  assert.equal(made.length, 1);
  const isLocked = made[0]!.body.locked === true;
  for (const { status, body } of all) {
    if (status === 201) continue;
    if (isLocked) assert.deepEqual([status, body.error], [409, "id_unavailable"]);
    else assert.ok(status === 200 || body.error === "room_exists", `${status} ${body.error}`);
  }
  assertInvalid(await t.post("/rooms", { locked: true, listed: true }), ["listed"]);
  assertInvalid(await t.post("/rooms", { locked: 1 }), ["locked"]);
});

contract("a list shows neither locked nor unlisted rooms, and an unlisted one answers all", async (t) => {
  const { id } = await locked(t);
  const unlisted = await t.post("/rooms", { listed: false });
  assertMembers(unlisted.body, [...members.room, "listed"]);
  assert.equal(unlisted.body.listed, false);
  assert.deepEqual((await t.get(`/rooms/${unlisted.body.id}`)).body, unlisted.body);
  assert.deepEqual((await t.post("/rooms", { id: unlisted.body.id, listed: true })).body, unlisted.body);
  const listed = await t.room();
  const { body, text } = await t.get("/rooms", { limit: 1000 });
  const ids = body.map(({ id }: Json) => id);
  assert.deepEqual([listed, id, unlisted.body.id].map((id) => ids.includes(id)), [true, false, false]);
  assert.doesNotMatch(text, TAB);
});

contract(
  "the first token is shown once, also to a repetition, and its key is the locked room's",
  async (t) => {
    const id = `keyed-${crypto.randomUUID()}`;
    const headers = { "Idempotency-Key": `made once: ${id}` };
    const body = { id, locked: true };
    const first = await t.request("POST", "/rooms", { body, headers });
    const again = await t.request("POST", "/rooms", { body, headers });
    assert.deepEqual([first.status, again.status, again.body.token], [201, 201, null]);
    assert.ok(again.body.hint);
    assertStatus(await holding(t, first.body.token).get(`/rooms/${id}`), 200);
    // Who guesses the key learns nothing by it elsewhere.
    for (const path of [`/rooms/${id}`, "/rooms/no-such-room"]) {
      const patch = await t.request("PATCH", path, { body: { meta: {} }, headers });
      assertError(patch, 404, "room_not_found");
    }
    const unnamed = { body: { locked: true }, headers: { "Idempotency-Key": crypto.randomUUID() } };
    const [one, two] = [
      await t.request("POST", "/rooms", unnamed),
      await t.request("POST", "/rooms", unnamed),
    ];
    assert.deepEqual([two.status, two.body.id, two.body.token], [201, one.body.id, null]);
  },
);

contract("an admin changes the meta of a locked room, others do not", async (t) => {
  const { path, admin, make } = await locked(t, { meta: { a: 1 } });
  const [member, reader] = [await make({ role: "member" }), await make({ role: "reader" })];
  for (const one of [member, reader]) {
    assertError(await one.ask("PATCH", path, { meta: { a: 2 } }), 403, "forbidden");
  }
  assertStatus(await admin.ask("PATCH", path, { meta: { b: 2 } }), 200);
  assert.deepEqual((await member.get(path)).body.meta, { a: 1, b: 2 });
  const changes = await member.get(`${path}/changes?after=0`);
  assert.deepEqual([changes.body.room.locked, changes.body.room.id], [true, path.slice("/rooms/".length)]);
  const large = { meta: { a: "x".repeat(65_536) } };
  assertError(await admin.ask("PATCH", path, large), 413, "too_large");
});

contract("the last admin's token without an end cannot be revoked", async (t) => {
  const { path, admin, make } = await locked(t);
  const [{ id: first }] = (await admin.get(`${path}/tokens`)).body;
  await make({ role: "admin", ttl: 600 });
  assertError(await admin.ask("DELETE", `${path}/tokens/${first}`), 409, "limit_reached");
  // What it made would go with it.
  await make({ role: "admin" });
  assertError(await admin.ask("DELETE", `${path}/tokens/${first}`), 409, "limit_reached");
  assertStatus(await admin.get(path), 200);
});

contract("an admin acts as any agent of a locked room, and a member's as the one of its own", async (t) => {
  const { path, admin, make } = await locked(t);
  const [ann, member, reader] = [
    await make({ role: "member", agent: "ann" }),
    await make({ role: "member" }),
    await make({ role: "reader", agent: "ann" }),
  ];
  assert.equal((await ann.ask("POST", `${path}/messages`, { body: 1 })).body.from_agent, "ann");
  assert.equal((await member.ask("POST", `${path}/messages`, { from: "bob", body: 1 })).status, 201);
  assertError(await member.ask("POST", `${path}/messages`, { from: "ann", body: 1 }), 403, "forbidden");
  const spoken = await admin.ask("POST", `${path}/messages`, { from: "ann", body: 1 });
  assert.deepEqual([spoken.status, spoken.body.verified], [201, true]);
  assertError(await reader.ask("POST", `${path}/messages`, { body: 1 }), 403, "forbidden");
  assert.equal((await reader.ask("POST", `${path}/eval`, { expr: "self" })).body.value, "ann");
});

contract(
  "whoever writes a room lets agents leave that are not secure, also under a bound token",
  async (t) => {
    const { path, make } = await locked(t);
    const open = `/rooms/${await t.room()}`;
    const owner = await t.post(`${open}/agents`, { id: "ann", name: "Ann", secure: true });
    const member = await make({ role: "member" });
    const anyone = { ask: (method: string, at: string, body?: unknown) => t.request(method, at, { body }) };
    const rooms = [
      { at: path, ann: await make({ role: "member", agent: "ann" }), other: member },
      { at: open, ann: holding(t, owner.body.token), other: anyone },
    ];
    for (const { at, ann, other } of rooms) {
      await ann.post(`${at}/agents`, { id: "ann", name: "Ann" });
      assertStatus(await other.ask("POST", `${at}/agents`, { id: "bob", name: "Bob" }), 201);
      const left = await ann.ask("DELETE", `${at}/agents/bob`);
      assert.deepEqual([left.status, left.body], [200, { left: true }]);
      const refused = await other.ask("DELETE", `${at}/agents/ann`);
      if (other === member) assertError(refused, 403, "forbidden");
      else assertError(refused, 401, "unauthenticated");
      assert.deepEqual((await ann.ask("DELETE", `${at}/agents/ann`)).body, { left: true });
    }
    const reader = await make({ role: "reader" });
    assertError(await reader.ask("DELETE", `${path}/agents/bob`), 403, "forbidden");
  },
);

const LOST = ["status", "claimed_by", "claimed_until", "fence"];

contract(
  "an admin of a locked room fails a task of another that nobody holds, and no member does",
  async (t) => {
    const { path, admin, make } = await locked(t);
    const member = await make({ role: "member" });
    const task = async (body: Json = {}) => {
      const posted = await member.post(`${path}/messages`, { from: "ann", kind: "task", body: 1, ...body });
      assertStatus(posted, 201);
      return `${path}/messages/${posted.body.id}`;
    };
    const open = await task();
    const blocked = await task({ needs: [Number(open.split("/").at(-1))] });
    const held = await task();
    assertStatus(await member.post(`${held}/claim`, { agent: "bob" }), 200);
    for (const at of [open, blocked]) {
      assertError(await member.post(`${at}/fail`, { agent: "cid" }), 409, "lease_lost", LOST);
    }
    assertStatus(await admin.post(`${blocked}/fail`, { agent: "root" }), 200);
    assertStatus(await admin.post(`${open}/fail`, { agent: "root", error: "off" }), 200);
    assert.deepEqual((await admin.get(open)).body.failure, { reason: "failed", error: "off" });
    assertError(await admin.post(`${held}/fail`, { agent: "root" }), 409, "lease_lost", LOST);
    const other = await locked(t);
    assertError(await other.admin.post(`${held}/fail`, { agent: "bob" }), 404, "room_not_found");
  },
);

contract("to who shows no token of it a locked room is none, by any request", async (t) => {
  const { id, admin, make } = await filled(t);
  const gone = await make({ role: "admin" });
  assertStatus(await admin.ask("DELETE", `/rooms/${id}/tokens/${gone.id}`), 200);
  const none = crypto.randomUUID();
  const other = await locked(t);
  const open = await t.room();
  const agent = await t.post(`/rooms/${open}/agents`, { id: "a", name: "A", secure: true });
  const strangers: Array<[who: string, headers: Record<string, string>, asks: "all" | "some"]> = [
    ["nobody", {}, "all"],
    ["an admin of another locked room", bearer(other.admin.token), "some"],
    ["a member of an open room", bearer(agent.body.token), "some"],
    ["who holds a revoked token", bearer(gone.token), "all"],
    ["a proxy's token", { Authorization: "Bearer eyJhbGciOi" }, "some"],
  ];
  for (const [who, own, which] of strangers) {
    const meet = ({ method, path, body, headers }: Ask) =>
      t.request(method, path, { body, headers: { ...headers, ...own } });
    const skip = (ask: Ask, before?: Ask) => which === "some" && before?.what === ask.what;
    const answers = await assertSameAnswers([id, none], meet, { who, skip });
    assert.ok(answers.length > (which === "all" ? 250 : 30), `${answers.length}`);
    for (const { headers, text } of answers) {
      assert.ok(!JSON.stringify([...headers, text]).includes(MARKER), who);
    }
  }
  assert.match((await admin.get(`/rooms/${id}/changes?after=0`)).text, new RegExp(MARKER));
});
