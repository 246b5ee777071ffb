import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { type EventStream, openEvents } from "../support/events.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

/** Who asks of a room, with a token or without. */
function asker(t: Subject, room: string, token?: string) {
  const path = `/rooms/${room}`;
  const ask = (method: string, at: string, body?: unknown, headers: Record<string, string> = {}) =>
    t.request(method, path + at, {
      body,
      headers: { ...token && bearer(token), ...headers },
    });
  return {
    room,
    token,
    ask,
    get: (at: string) => ask("GET", at),
    put: (body: Json) => ask("PUT", "/state", body),
    eval: async (expr: string) => {
      const reply = await ask("POST", "/eval", { expr });
      return reply.status === 200 ? reply.body.value : reply.body.error;
    },
  };
}
type Asker = ReturnType<typeof asker>;

async function registered(t: Subject, room: string, id: string, members: Json = {}): Promise<Asker> {
  const reply = await t.post(`/rooms/${room}/agents`, { id, name: id, secure: true, ...members });
  assertStatus(reply, 201);
  return asker(t, room, reply.body.token);
}

/** A room with ann, whose scope is private, with bob, and those who are nobody. */
async function inRoom(t: Subject) {
  const room = await t.room();
  const ann = await registered(t, room, "ann", { private: true });
  const bob = await registered(t, room, "bob");
  return { room, ann, bob, anybody: asker(t, room) };
}

/** The same in a locked room, which has an admin; who is nobody shows a reader's token. */
async function inLockedRoom(t: Subject) {
  const made = await t.post("/rooms", { locked: true });
  assertStatus(made, 201);
  const { id: room, token } = made.body;
  const admin = asker(t, room, token);
  const register = async (id: string, members: Json = {}) => {
    const reply = await admin.ask("POST", "/agents", { id, name: id, secure: true, ...members });
    assertStatus(reply, 201);
    return asker(t, room, reply.body.token);
  };
  const [ann, bob] = [await register("ann", { private: true }), await register("bob")];
  const reader = await admin.ask("POST", "/tokens", { role: "reader" });
  return { room, ann, bob, admin, register, anybody: asker(t, room, reader.body.token) };
}

const keysOf = (reply: Reply) => reply.body.map(({ scope, key }: Json) => `${scope}/${key}`);

contract("a private scope is there for its agent alone", async (t) => {
  const { ann, bob, anybody } = await inRoom(t);
  const put = await ann.put({ scope: "ann", key: "hand", value: ["K", "7"] });
  assertStatus(put, 200);
  assert.deepEqual([put.body.room_id, put.body.scope, put.body.version], [ann.room, "ann", 1]);
  await ann.put({ key: "open", value: 1 });
  assert.deepEqual((await ann.get("/state?scope=ann&key=hand")).body, put.body);
  assert.deepEqual(keysOf(await ann.get("/state")), ["_shared/open", "ann/hand"]);
  assert.deepEqual(keysOf(await ann.get("/state?scope=ann")), ["ann/hand"]);
  assert.deepEqual(keysOf(await ann.get("/state?since=0")), ["_shared/open", "ann/hand"]);
  assert.deepEqual((await ann.get("/changes")).body.state.map(({ key }: Json) => key), ["hand", "open"]);
  assert.equal(await ann.eval("size(state.ann.hand)"), 2);
  assert.deepEqual(await ann.eval("state.ann"), { hand: ["K", "7"] });
  assert.deepEqual(await ann.eval("state"), {
    _shared: { open: 1 },
    ann: { hand: ["K", "7"] },
    bob: {},
    _view: {},
  });
  for (const other of [bob, anybody]) {
    assertError(await other.get("/state?scope=ann&key=hand"), 404, "key_not_found");
    assert.deepEqual(keysOf(await other.get("/state")), ["_shared/open"]);
    assert.deepEqual(keysOf(await other.get("/state?scope=ann")), []);
    assert.deepEqual(keysOf(await other.get("/state?since=0")), ["_shared/open"]);
    assert.deepEqual((await other.get("/changes")).body.state.map(({ key }: Json) => key), ["open"]);
    assert.equal(await other.eval("has(state.ann.hand)"), false);
    assert.deepEqual(await other.eval("state"), { _shared: { open: 1 }, ann: {}, bob: {}, _view: {} });
  }
});

contract("private needs secure, is kept, and is shown to the agent and admins alone", async (t) => {
  const { ann, bob, admin, anybody } = await inLockedRoom(t);
  const open = await t.room();
  for (const members of [{}, { secure: false }]) {
    const refused = await t.post(`/rooms/${open}/agents`, {
      id: "eve",
      name: "E",
      private: true,
      ...members,
    });
    assertInvalid(refused, ["private"]);
  }
  const eve = { id: "eve", name: "E", secure: true, private: true };
  assert.equal((await t.post(`/rooms/${open}/agents`, eve)).body.private, true);
  for (const again of [{}, { secure: true }, { secure: true, private: false }]) {
    const kept = await ann.ask("POST", "/agents", { name: "Ann", ...again });
    assert.deepEqual([kept.status, kept.body.private], [200, true], kept.text);
  }
  const shown = async (who: Asker, id: string) => [
    (await who.get(`/agents/${id}`)).body.private,
    (await who.get("/agents")).body.find((agent: Json) => agent.id === id).private,
    (await who.get("/changes")).body.agents.find((agent: Json) => agent.id === id).private,
  ];
  for (const who of [ann, admin]) assert.deepEqual(await shown(who, "ann"), [true, true, true]);
  for (const who of [bob, admin]) assert.deepEqual(await shown(who, "bob"), [false, false, false]);
  for (const [who, id] of [[bob, "ann"], [anybody, "ann"], [ann, "bob"]] as const) {
    assert.deepEqual(await shown(who, id), [undefined, undefined, undefined]);
  }
});

contract("what was in a scope before it is private is deleted to all others", async (t) => {
  const room = await t.room();
  const ann = await registered(t, room, "ann");
  const anybody = asker(t, room);
  await ann.put({ scope: "ann", key: "hand", value: 1 });
  const { body: kept } = await ann.put({ scope: "ann", key: "hand", value: 2 });
  await ann.put({ scope: "ann", key: "gone", value: 1 });
  await ann.ask("DELETE", "/state", { scope: "ann", key: "gone" });
  const before = await t.revision(room);
  const reply = await ann.ask("POST", "/agents", { name: "Ann", secure: true, private: true });
  assert.deepEqual([reply.status, reply.body.private, reply.revision], [200, true, before + 1], reply.text);
  assert.deepEqual((await ann.get("/state?scope=ann&key=hand")).body, kept);
  assert.deepEqual(keysOf(await ann.get("/state")), ["ann/hand"]);
  assert.equal(await ann.eval("state.ann.hand"), 2);
  const since = await anybody.get(`/state?since=${before}`);
  assert.deepEqual(since.body.map(({ key, deleted, version }: Json) => [key, deleted, version]), [[
    "hand",
    true,
    3,
  ]]);
  const { body: { state } } = await anybody.get(`/changes?after=${before}`);
  assert.deepEqual(state.map(({ key, deleted }: Json) => [key, deleted]), [["hand", true]]);
  assertError(await anybody.get("/state?scope=ann&key=hand"), 404, "key_not_found");
  assert.equal(await anybody.eval("size(state.ann)"), 0);
  // Its own versions go on, also of what was deleted.
  assert.equal((await ann.put({ scope: "ann", key: "hand", value: 3, if_version: 2 })).body.version, 3);
  assert.equal((await ann.put({ scope: "ann", key: "gone", value: 2 })).body.version, 3);
  assert.deepEqual((await anybody.get(`/state?since=${before + 1}`)).body, []);
  const again = await ann.get(`/changes?after=${before}`);
  assert.deepEqual(
    again.body.state.map(({ key, deleted, value }: Json) => [key, deleted ?? false, value]),
    [["hand", false, 3], ["gone", false, 2]],
  );
});

contract("an admin sees every private scope, and writes to it", async (t) => {
  const { ann, bob, admin, register, anybody } = await inLockedRoom(t);
  const eve = await register("eve", { private: true });
  await ann.put({ scope: "ann", key: "hand", value: 1 });
  await eve.put({ scope: "eve", key: "hand", value: 2 });
  await bob.put({ scope: "bob", key: "open", value: 3 });
  assert.deepEqual(keysOf(await admin.get("/state")), ["ann/hand", "bob/open", "eve/hand"]);
  assert.equal(await admin.eval("state.ann.hand + state.eve.hand"), 3);
  const dealt = await admin.ask("PUT", "/state/batch", {
    writes: [{ scope: "ann", key: "hand", value: 4, if_version: 1 }, { scope: "eve", key: "new", value: 5 }],
  });
  assertStatus(dealt, 200);
  assert.deepEqual((await ann.get("/state")).body.map(({ key, value }: Json) => [key, value]), [["hand", 4], [
    "open",
    3,
  ]]);
  assert.deepEqual(keysOf(await eve.get("/state")), ["bob/open", "eve/hand", "eve/new"]);
  for (const other of [bob, anybody]) assert.deepEqual(keysOf(await other.get("/state")), ["bob/open"]);
  // A reader that is bound to the agent has its eyes, and writes nothing.
  const { body } = await ann.ask("POST", "/tokens", { role: "reader" });
  const eyes = asker(t, ann.room, body.token);
  assert.deepEqual(keysOf(await eyes.get("/state?scope=ann")), []);
  const bound = await ann.ask("POST", "/tokens", { role: "reader", agent: "ann" });
  const own = asker(t, ann.room, bound.body.token);
  assert.deepEqual(keysOf(await own.get("/state?scope=ann")), ["ann/hand"]);
  assertError(await own.put({ scope: "ann", key: "hand", value: 1 }), 403, "forbidden");
});

contract("a private scope has at most 1,000 keys, which count nowhere else", async (t) => {
  const { ann } = await inRoom(t);
  const text = "x".repeat(300);
  for (let n = 0; n < 1_000; n += 20) {
    const writes = Array.from(
      { length: 20 },
      (_, i) => ({ scope: "ann", key: `k${n + i}`, value: { n: n + i, text } }),
    );
    assertStatus(await ann.ask("PUT", "/state/batch", { writes }), 200);
  }
  // They are more than a page, and more than are looked up one by one.
  const own = await ann.get("/state?scope=ann");
  assert.equal(own.body.length, 1_000);
  assert.deepEqual((await ann.get("/state?scope=ann&since=0")).body, own.body);
  const named = Array.from({ length: 60 }, (_, n) => `state.ann.k${n}`).join(" + ");
  const all = "[size(state.ann), state.ann.k999.n, size(state)]";
  assert.deepEqual([await ann.eval(all), await ann.eval(named.replaceAll(/(k\d+)/g, "$1.n"))], [[
    1_000,
    999,
    4,
  ], 1_770]);
  const { body: { state, more } } = await ann.get("/changes?limit=1000");
  assert.ok(state.length > 0 && more);
  const refused = await ann.put({ scope: "ann", key: "more", value: 1 });
  assertError(refused, 409, "limit_reached");
  assert.match(refused.body.message, /1,?000 keys/);
  const batch = await ann.ask("PUT", "/state/batch", {
    writes: [{ key: "open", value: 1 }, { scope: "ann", key: "k1", value: 1 }, {
      scope: "ann",
      key: "x",
      value: 1,
    }],
  });
  assertError(batch, 409, "limit_reached", ["index"]);
  assert.equal(batch.body.index, 2);
  assertStatus(await ann.put({ scope: "ann", key: "k1", value: 1 }), 200);
  assertStatus(await ann.put({ key: "open", value: 1 }), 200);
  assertStatus(await ann.ask("DELETE", "/state", { scope: "ann", key: "k1" }), 200);
  assertStatus(await ann.put({ scope: "ann", key: "more", value: 1 }), 200);
  assertError(await ann.put({ scope: "ann", key: "k1", value: 1 }), 409, "limit_reached");
});

contract("a view is evaluated with the eyes of who defined it", async (t) => {
  const { ann, bob, admin, anybody } = await inLockedRoom(t);
  await ann.put({ scope: "ann", key: "hand", value: ["K", "7"] });
  const view = (who: Asker, key: string, expr: string, more: Json = {}) =>
    who.put({ scope: "_view", key, expr, ...more });
  const size = await view(ann, "size", "size(state.ann.hand)");
  assert.deepEqual([size.body.as, size.body.value, size.body.resolved_value], ["ann", 2, 2], size.text);
  assert.equal((await view(admin, "admins", "has(state.ann.hand)")).body.as, null);
  assert.equal((await view(admin, "dealt", "state.ann.hand[0]", { agent: "ann" })).body.as, "ann");
  assert.equal((await view(bob, "bobs", "has(state.ann.hand)")).body.as, "bob");
  assert.equal((await view(bob, "twice", "[state._view.size, has(state.ann.hand)]")).body.as, "bob");
  const values = { size: 2, admins: false, dealt: "K", bobs: false, twice: [2, false] };
  for (const who of [ann, bob, admin, anybody]) {
    assert.deepEqual(await who.eval("state._view"), values);
    const listed = (await who.get("/state?scope=_view&resolve=true")).body;
    assert.deepEqual(Object.fromEntries(listed.map(({ key, value }: Json) => [key, value])), values);
    assert.equal((await who.get("/state?scope=_view&key=size")).body.as, "ann");
    const waited = await who.ask("POST", "/wait", {
      condition: "state._view.size == 2",
      include: "state",
    });
    assert.deepEqual([waited.body.triggered, waited.body.state._view], [true, values]);
    const seen = who === ann || who === admin;
    assert.deepEqual(await who.eval("[state._view.size, size(state.ann)]"), [2, Number(seen)]);
    assert.deepEqual(waited.body.state.ann, seen ? { hand: ["K", "7"] } : {});
  }
  // Its gates see as the writer does; a view that it reads, as its definer.
  assertStatus(
    await bob.put({ key: "gated", value: 1, if: "state._view.size == 2 && !has(state.ann.hand)" }),
    200,
  );
  await ann.put({ scope: "ann", key: "hand", value: [] });
  assert.equal(await anybody.eval("state._view.size"), 0);
  assertError(
    await bob.put({ key: "gated", value: 2, if: "state._view.size == 2" }),
    409,
    "precondition_failed",
    ["expression", "evaluated"],
  );
  // Who defines it anew gives it other eyes.
  assert.equal((await view(bob, "size", "has(state.ann.hand)")).body.as, "bob");
  assert.equal(await ann.eval("state._view.size"), false);
});

contract("only what is written under its token has the eyes of an agent", async (t) => {
  const room = await t.room();
  const anybody = asker(t, room);
  await anybody.put({ scope: "_view", key: "early", expr: "has(state.eve.hand)", agent: "eve" });
  const eve = await registered(t, room, "eve", { private: true });
  await eve.put({ scope: "eve", key: "hand", value: 1 });
  assert.equal((await anybody.get("/state?scope=_view&key=early")).body.as, null);
  assert.equal(await eve.eval("state._view.early"), false);
  assertError(
    await anybody.put({ scope: "_view", key: "late", expr: "state.eve.hand", agent: "eve" }),
    401,
    "unauthenticated",
  );
  await eve.put({ scope: "_view", key: "mine", expr: "has(state.eve.hand)" });
  assert.equal(await anybody.eval("state._view.mine"), true);
  const { body } = await anybody.put({ scope: "_view", key: "mine", expr: "has(state.eve.hand)" });
  assert.equal(body.as, null);
  assert.equal(await eve.eval("state._view.mine"), false);
});

contract("a view that fails tells its definer and admins alone why", async (t) => {
  const { ann, bob, admin, anybody } = await inLockedRoom(t);
  await ann.put({ scope: "ann", key: "hand", value: { spades: "seven", of: "hearts" } });
  await ann.put({ scope: "_view", key: "names", expr: "int(state.ann.hand.spades)" });
  await ann.put({ scope: "_view", key: "points", expr: "state[state.ann.hand.of].x" });
  for (const who of [ann, admin]) {
    const { body } = await who.get("/state?scope=_view&resolve=true");
    assert.match(body[0].error.message, /seven/);
    assert.match(body[1].error.message, /hearts/);
  }
  for (const who of [bob, anybody]) {
    const { body, text } = await who.get("/state?scope=_view&resolve=true");
    assert.deepEqual(body.map(({ error }: Json) => error.code), ["evaluation_failed", "evaluation_failed"]);
    assert.doesNotMatch(text.replaceAll(/"expr":"[^"]*"/g, ""), /seven|hearts|spades/);
    assert.equal(await who.eval("has(state._view.names)"), false);
    const page = await t.request("GET", `/?room=${ann.room}`, { headers: bearer(who.token!) });
    assertStatus(page, 200);
    assert.doesNotMatch(page.text, /seven|hearts/);
  }
});

contract("an admin's view that names no agent says whose eyes it lacks, to who sees the scope", async (t) => {
  const { ann, bob, admin, anybody } = await inLockedRoom(t);
  await ann.put({ scope: "ann", key: "hand", value: 1 });
  const told = /everybody's eyes, which see no private scope\. Define it with `agent`/;
  const put = (who: Asker, key: string, expr: string, more: Json = {}) =>
    who.put({ scope: "_view", key, expr, ...more });
  // With a view that has ann's eyes in the list, what they see is read for whoever lists.
  await put(ann, "anns", "state.ann.hand");
  const errorOf = async (who: Asker, key: string) =>
    (await who.get("/state?scope=_view&resolve=true")).body.find((view: Json) => view.key === key).error;
  for (
    const [key, expr] of [["named", "state.ann.hand"], ["drawn", "agents.map(id, state[id].hand)"]] as const
  ) {
    const { body } = await put(admin, key, expr);
    assert.deepEqual([body.as, body.resolved_value, body.error.code], [null, null, "no_such_key"]);
    assert.match(body.error.hint, told);
    for (const who of [admin, ann]) assert.match((await errorOf(who, key)).hint, told);
    for (const who of [bob, anybody]) assert.doesNotMatch((await errorOf(who, key)).hint, told);
    const read = (who: Asker) => who.ask("POST", "/eval", { expr: `state._view.${key}` });
    assert.match((await read(admin)).body.hint, told);
    assert.doesNotMatch((await read(bob)).body.hint, told);
  }
  // What nobody wrote is no matter of eyes.
  for (const expr of ["state.ann.none", "state._shared.none", "state.bob.hand"]) {
    assert.doesNotMatch((await put(admin, "other", expr)).body.error.hint, told, expr);
  }
  assert.equal((await put(admin, "named", "state.ann.hand", { agent: "ann" })).body.value, 1);
  assert.equal("hint" in (await put(admin, "typed", "state._shared + 1")).body, false);
});

contract("what the view of another takes of its budget does not show", async (t) => {
  const { ann, anybody } = await inRoom(t);
  const many = (n: number) => `lists.range(${n}).all(i, lists.range(100).all(j, j >= 0))`;
  await ann.put({ scope: "_view", key: "costly", expr: `state.ann.hand == 0 || ${many(200)}` });
  const around = `[state._view.costly, ${many(200)}]`;
  for (const hand of [0, 1]) {
    await ann.put({ scope: "ann", key: "hand", value: hand });
    assert.deepEqual(await anybody.eval(around), [true, true]);
  }
  // Nor what it looks up: an evaluation looks up at most 100 messages.
  const names = (from: string) => `lists.range(90).all(i, !has(messages.id[i + ${from}]))`;
  await ann.put({
    scope: "_view",
    key: "looks",
    expr: `state.ann.hand == 1 && ${names("int(state.ann.hand) * 1000")}`,
  });
  assert.deepEqual(await anybody.eval(`[state._view.looks, ${names("5000")}]`), [true, true]);
  // One that takes too much is not there, and what is around it goes on.
  await ann.put({ scope: "_view", key: "costly", expr: many(100_000) });
  assert.deepEqual(await anybody.eval(`[has(state._view.costly), ${many(200)}]`), [false, true]);
});

contract(
  "a stream tells of a private scope its agent alone, and others not even that something was written",
  async (t) => {
    const { room, ann, bob, anybody } = await inRoom(t);
    const streams = await Promise.all(
      [ann, bob, anybody].map((who) =>
        openEvents(`${t.url}/rooms/${room}/events`, who.token ? bearer(who.token) : {})
      ),
    );
    const [own, ...others] = streams as [EventStream, ...EventStream[]];
    try {
      const { body: written, revision } = await ann.put({ scope: "ann", key: "hand", value: 1 });
      const told = await own.next();
      assert.deepEqual([told!.id, told!.data.state], [revision, [{ ...written, revision }]]);
      await ann.put({ key: "open", value: 1 });
      for (const stream of others) {
        const event = await stream.next();
        assert.deepEqual(
          event!.data.state.map(({ key }: Json) => key),
          ["open"],
        );
        assert.deepEqual(stream.said.filter(({ comment }) => comment), []);
        assert.equal(stream.said.length, 2);
      }
    } finally {
      for (const stream of streams) stream.leave();
    }
  },
);

contract("a private scope stays its agent's when it leaves, and when it comes back", async (t) => {
  const { ann, bob, anybody } = await inRoom(t);
  await ann.put({ scope: "ann", key: "hand", value: 1 });
  assertStatus(await ann.ask("DELETE", "/agents/ann"), 200);
  for (const other of [bob, anybody]) {
    assert.deepEqual(keysOf(await other.get("/state")), []);
    assert.equal(await other.eval('"ann" in state'), false);
  }
  assertError(await anybody.put({ scope: "ann", key: "hand", value: 2 }), 401, "unauthenticated");
  assert.equal(await ann.eval("state.ann.hand"), 1);
  assert.deepEqual(await ann.eval("state"), { _shared: {}, bob: {}, ann: { hand: 1 }, _view: {} });
  const back = await ann.ask("POST", "/agents", { name: "Ann" });
  assert.deepEqual([back.status, back.body.private], [201, true]);
  assert.deepEqual(keysOf(await ann.get("/state")), ["ann/hand"]);
  assert.deepEqual(keysOf(await anybody.get("/state")), []);
});

contract("an answer under a key is its maker's alone", async (t) => {
  const { ann, bob, anybody } = await inRoom(t);
  const key = { "Idempotency-Key": "the key of them all" };
  const body = { scope: "ann", key: "hand", increment: 7 };
  const first = await ann.ask("PUT", "/state", body, key);
  assert.deepEqual((await ann.ask("PUT", "/state", body, key)).body, first.body);
  assertError(await anybody.ask("PUT", "/state", body, key), 401, "unauthenticated");
  assertError(await bob.ask("PUT", "/state", body, key), 403, "forbidden");
  assert.equal(await ann.eval("state.ann.hand"), 7);
});
