import assert from "node:assert/strict";
import { contract, type Subject, waitingContract } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { heldContract } from "../support/held.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";

const put = (t: Subject, room: string, body: Json) => t.put(`/rooms/${room}/state`, { key: "k", ...body });
const batch = (t: Subject, room: string, writes: Json[], more: Json = {}) =>
  t.put(`/rooms/${room}/state/batch`, { writes, ...more });

/** Asserts that an entry ends so many seconds after it was written. */
function assertEnds({ expires_at, updated_at }: Json, seconds: number): void {
  assert.match(expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const apart = Date.parse(expires_at) - Date.parse(updated_at) - seconds * 1_000;
  assert.ok(Math.abs(apart) < 1_000, `${expires_at} is not ${seconds} s after ${updated_at}`);
}

/** Comes back when a key is gone, which a wait tells. */
async function gone(t: Subject, room: string, key = "k"): Promise<Json> {
  const condition = `!has(state._shared.${key})`;
  const reply = await t.post(`/rooms/${room}/wait`, { condition, timeout: 20_000 });
  assert.equal(reply.body.triggered, true);
  return reply;
}

contract("each write sets or clears when its key ends, and every entry shows it", async (t) => {
  const room = await t.room();
  const steps: Array<[body: Json, seconds: number | null]> = [
    [{ value: 1 }, null],
    [{ value: 1, ttl: 60 }, 60],
    [{ value: 2 }, null],
    [{ increment: 1, ttl: 30 }, 30],
    [{ increment: 1 }, null],
    [{ increment: 0.5, ttl: 30 }, 30],
    [{ increment: 0.5 }, null],
    [{ value: [], if_version: 7, ttl: 2_592_000 }, 2_592_000],
    [{ append: 1, ttl: 90 }, 90],
    [{ append: 2 }, null],
    [{ remove: 2, ttl: 100 }, 100],
    [{ set: { "/0": { a: 1, b: 1.5 } }, ttl: null }, null],
    [{ remove: { b: 1.5, a: 1 }, ttl: 5_000 }, 5_000],
    [{ value: 1, if: "true", ttl: 40 }, 40],
    [{ value: 1, if: "true" }, null],
  ];
  for (const [body, seconds] of steps) {
    const reply = await put(t, room, body);
    assertStatus(reply, 200);
    if (seconds === null) assert.equal(reply.body.expires_at, null, JSON.stringify(body));
    else assertEnds(reply.body, seconds);
    assert.deepEqual(await t.entry(room, "k"), reply.body);
    assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, [reply.body]);
    const { body: changes } = await t.get(`/rooms/${room}/changes`, { after: reply.revision! - 1 });
    const [{ revision: _, ...changed }] = changes.state;
    assert.deepEqual(changed, reply.body);
  }
});

contract("writes of a batch end each at its time", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [
    { key: "a", value: 1, ttl: 60 },
    { key: "b", value: 1 },
    { key: "c", increment: 2, ttl: 120 },
    { key: "d", append: 2, ttl: 3_600 },
    { key: "a", increment: 2 },
    { key: "b", increment: 2, ttl: 40 },
    { key: "e", increment: 0.5, ttl: 50 },
  ]);
  assertStatus(reply, 200);
  const seconds = [60, null, 120, 3_600, null, 40, 50];
  for (const [n, entry] of reply.body.state.entries()) {
    if (seconds[n] === null) assert.equal(entry.expires_at, null);
    else assertEnds(entry, seconds[n]!);
  }
  assert.deepEqual(
    (await t.get(`/rooms/${room}/state`)).body,
    [4, 5, 2, 3, 6].map((n) => reply.body.state[n]),
  );
});

contract("a ttl is 1 second to 30 days, and of no view", async (t) => {
  const room = await t.room();
  for (const ttl of [0, -1, 1.5, "60", true, 2_592_001, [], {}]) {
    assertInvalid(await put(t, room, { value: 1, ttl }), ["ttl"]);
    assertInvalid(await batch(t, room, [{ key: "k", value: 1 }, { key: "k", value: 1, ttl }]), [
      "writes",
      1,
      "ttl",
    ]);
  }
  assertInvalid(await put(t, room, { scope: "_view", expr: "1", ttl: 60 }), ["ttl"]);
  const views = [{ key: "k", value: 1, ttl: 60 }, { key: "v", scope: "_view", expr: "1", ttl: 60 }];
  assertInvalid(await batch(t, room, views), ["writes", 1, "ttl"]);
  assertInvalid(await t.put(`/rooms/${room}/state/batch`, { writes: views.slice(0, 1), ttl: 60 }), ["ttl"]);
  assertStatus(await put(t, room, { value: 1, ttl: 2_592_000 }), 200);
  const view = await t.put(`/rooms/${room}/state`, { scope: "_view", key: "v", expr: "1", ttl: null });
  assert.equal(view.body.expires_at, null);
});

waitingContract("a key whose time is over is deleted, as a change of the room at that time", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const written = await put(t, room, { value: "ann", ttl: 1, agent: "ann" });
  await t.write(room, "other", 1);
  const before = await t.revision(room);
  const reply = await gone(t, room);
  assert.ok(Date.now() >= Date.parse(written.body.expires_at) - 50);
  assert.equal(reply.revision, before + 1);
  assertError(await t.get(`/rooms/${room}/state`, { key: "k" }), 404, "key_not_found");
  const { body } = await t.get(`/rooms/${room}/changes`, { after: before });
  assert.deepEqual(body.state, [{
    scope: "_shared",
    key: "k",
    deleted: true,
    version: 2,
    updated_at: written.body.expires_at,
    revision: before + 1,
  }]);
  const again = await put(t, room, { value: "bob", if_version: 0 });
  assert.deepEqual([again.body.version, again.body.expires_at], [3, null]);
});

heldContract(
  "a room's tag does not match once a key in it has ended, though nobody else looks at the room",
  async ({ one: t, other, pass }) => {
    const room = await t.room();
    await put(t, room, { value: 1, ttl: 60 });
    const before = await t.get(`/rooms/${room}`);
    const headers = { "If-None-Match": before.headers.get("ETag")! };
    assertStatus(await other.request("GET", `/rooms/${room}`, { headers }), 304);
    pass(60_000);
    const after = await other.request("GET", `/rooms/${room}`, { headers });
    assertStatus(after, 200);
    assert.equal(after.revision, before.revision! + 1);
    assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, []);
    assert.equal(await t.revision(room), after.revision);
  },
);

heldContract(
  "a lock ends by itself, and its next holder has a higher version",
  async ({ one: t, other, pass }) => {
    const room = await t.room();
    const lock = (agent: string, ttl = 60) => put(t, room, { value: agent, if_version: 0, ttl, agent });
    const first = await lock("ann", 1);
    assertStatus(first, 200);
    const refused = await lock("bob");
    assertError(refused, 409, "version_conflict", ["current"]);
    assert.deepEqual(refused.body.current, first.body);
    const waiting = other.post(`/rooms/${room}/wait`, {
      condition: "!has(state._shared.k)",
      timeout: 20_000,
    });
    pass(1_000);
    assert.equal((await waiting).body.triggered, true);
    const replies = await Promise.all(["bob", "cid", "dan"].map((agent) => lock(agent)));
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409]);
    const winner = replies.find(({ status }) => status === 200)!;
    assert.equal(winner.body.version, first.body.version + 2);
    assertError(await put(t, room, { value: "ann", if_version: 1, ttl: 60 }), 409, "version_conflict", [
      "current",
    ]);
  },
);

heldContract(
  "a write that renews a key puts off its end, and one without ttl keeps it",
  async ({ one: t, pass }) => {
    const room = await t.room();
    const short = await put(t, room, { value: 1, ttl: 1 });
    await put(t, room, { key: "kept", value: 1, ttl: 1 });
    await put(t, room, { key: "short", value: 1, ttl: 1 });
    const renewed = await put(t, room, { value: 1, if_version: short.body.version, ttl: 60 });
    const kept = await put(t, room, { key: "kept", value: 2 });
    pass(1_000);
    await gone(t, room, "short");
    assert.deepEqual(await t.entry(room, "k"), renewed.body);
    assert.deepEqual(await t.entry(room, "kept"), kept.body);
  },
);

heldContract(
  "a deleted key does not end again, and one written anew ends at its new time",
  async ({ one: t, pass }) => {
    const room = await t.room();
    await put(t, room, { value: 1, ttl: 1 });
    await put(t, room, { key: "other", value: 1, ttl: 1 });
    await t.delete(`/rooms/${room}/state`, { key: "k" });
    const anew = await put(t, room, { value: 2 });
    assert.deepEqual([anew.body.version, anew.body.expires_at], [3, null]);
    pass(1_000);
    await gone(t, room, "other");
    assert.deepEqual(await t.entry(room, "k"), anew.body);
  },
);

heldContract("views and gates see a key until its time, and not after", async ({ one: t, other, pass }) => {
  const room = await t.room();
  await t.view(room, "holder", "state._shared.?k.orValue('nobody')");
  await put(t, room, { value: "ann", ttl: 1 });
  pass(999);
  assert.equal(await other.value(room, "state._view.holder"), "ann");
  const held = await put(t, room, { key: "n", value: 1, if: "!has(state._shared.k)" });
  assertError(held, 409, "precondition_failed", ["expression", "evaluated"]);
  pass(1);
  assert.equal(await other.value(room, "state._view.holder"), "nobody");
  assertStatus(await put(t, room, { key: "n", value: 1, if: "!has(state._shared.k)" }), 200);
});

contract("a write repeated under its key shows the same end", async (t) => {
  const room = await t.room();
  const requests: Json[] = [{ value: 1, ttl: 60 }, { increment: 1, ttl: 70 }, { value: [] }, {
    append: 1,
    ttl: 80,
  }];
  for (const body of requests) {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const send = () => t.request("PUT", `/rooms/${room}/state`, { body: { key: "k", ...body }, headers });
    const first = await send();
    assertStatus(first, 200);
    assert.deepEqual((await send()).body, first.body);
    assert.deepEqual(await t.entry(room, "k"), first.body);
  }
});

heldContract(
  "more keys than one revision ends go one after the other, each counted once",
  async ({ one: t, other, pass }) => {
    const room = await t.room();
    for (let from = 0; from < 120; from += 20) {
      const writes = Array.from({ length: 20 }, (_, n) => ({ key: `k${from + n}`, value: 1, ttl: 2 }));
      assertStatus(await batch(t, room, writes), 200);
    }
    const before = await t.revision(room);
    pass(2_000);
    const gone = { condition: "size(state._shared) == 0", timeout: 20_000 };
    assert.equal((await other.post(`/rooms/${room}/wait`, gone)).body.triggered, true);
    const { body } = await t.get(`/rooms/${room}/changes`, { after: before, limit: 1_000 });
    assert.equal(body.state.length, 120);
    const byRevision = Map.groupBy(body.state, ({ revision }: Json) => revision);
    for (const ended of byRevision.values()) assert.ok(ended.length <= 100);
    assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, []);
  },
);
