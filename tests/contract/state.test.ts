import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertMembers,
  assertRecent,
  assertStatus,
  members,
} from "../support/shapes.ts";

const list = async (t: Subject, room: string, query: Record<string, string | number> = {}) =>
  (await t.get(`/rooms/${room}/state`, query)).body;

const names = (entries: Json[]) => entries.map((entry) => `${entry.scope}/${entry.key}`);

contract("a write answers the entry, in _shared unless it says otherwise", async (t) => {
  const room = await t.room();
  const reply = await t.put(`/rooms/${room}/state`, { key: "turn", value: 1 });
  assertStatus(reply, 200);
  assertMembers(reply.body, members.written, ["updated_by", "verified_by", "expires_at"]);
  const { room_id, scope, key, value, version, updated_at } = reply.body;
  assert.deepEqual([room_id, scope, key, value, version], [room, "_shared", "turn", 1, 1]);
  assertRecent(updated_at);
  const own = await t.write(room, "turn", 5, { scope: "ann" });
  assert.deepEqual([own.scope, own.value, own.version], ["ann", 5, 1]);
  assert.equal((await t.entry(room, "turn")).value, 1);
});

contract("any JSON is a value and comes back as the JSON it was", async (t) => {
  const room = await t.room();
  const values: [string, Json][] = Object.entries({
    null: null,
    false: false,
    number: 5,
    text: "5",
    negative: -0.25,
    large: 9007199254740991,
    tiny: 5e-324,
    empty: "",
    words: "null",
    object: { a: 1 },
    nested: { a: [{ b: null }, "1e3"], "": {} },
    list: [],
    unicode: "žluťoučký 😀 \u0000 \u2028",
    time: "2026-01-01T00:00:00Z",
  });
  for (const [key, value] of values) assert.deepEqual((await t.write(room, key, value)).value, value, key);
  for (const [key, value] of values) assert.deepEqual((await t.entry(room, key)).value, value, key);
  assert.deepEqual(
    Object.fromEntries((await list(t, room)).map((entry: Json) => [entry.key, entry.value])),
    Object.fromEntries(values),
  );
});

contract("members with the names of JavaScript's own come back like all others", async (t) => {
  const room = await t.room();
  const value = '{"__proto__":{"x":1},"constructor":2,"toString":null,"hasOwnProperty":[]}';
  const raw = `{"key":"k","value":${value}}`;
  assertStatus(await t.request("PUT", `/rooms/${room}/state`, { raw }), 200);
  const reply = await t.get(`/rooms/${room}/state`, { key: "k" });
  assert.equal(JSON.stringify(reply.body.value), value);
});

contract("a write needs a key and a value", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  assertInvalid(await t.put(path, { key: "k" }), ["value"]);
  assertInvalid(await t.put(path, { value: 1 }), ["key"]);
  assertInvalid(await t.put(path));
  for (const member of ["key", "scope", "agent", "if"]) {
    assertInvalid(await t.put(path, { key: "k", value: 1, [member]: 5 }), [member]);
  }
  assert.deepEqual((await t.get(path)).body, []);
});

contract("an entry shows who wrote it last", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.write(room, "k", 1);
  assert.equal((await t.entry(room, "k")).updated_by, null);
  await t.write(room, "k", 2, { agent: "ann" });
  assert.equal((await t.entry(room, "k")).updated_by, "ann");
  await t.write(room, "k", 3, { agent: "stranger" });
  assert.equal((await t.entry(room, "k")).updated_by, "stranger");
  await t.write(room, "k", 4);
  assert.equal((await t.entry(room, "k")).updated_by, null);
});

contract("an entry is read by its key, in _shared unless a scope is given", async (t) => {
  const room = await t.room();
  await t.write(room, "k", "shared");
  await t.write(room, "k", "own", { scope: "ann" });
  const shared = await t.get(`/rooms/${room}/state`, { key: "k" });
  assertStatus(shared, 200);
  assertMembers(shared.body, members.entry);
  assert.equal(shared.body.value, "shared");
  const own = await t.get(`/rooms/${room}/state`, { key: "k", scope: "ann" });
  assert.deepEqual([own.body.scope, own.body.value], ["ann", "own"]);
});

contract("a key that is not there is not found", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  assertError(await t.get(`/rooms/${room}/state`, { key: "K" }), 404, "key_not_found");
  assertError(await t.get(`/rooms/${room}/state`, { key: "k", scope: "ann" }), 404, "key_not_found");
});

contract("state is listed by scope and key, of one scope or of all", async (t) => {
  const room = await t.room();
  for (const key of ["b", "a"]) {
    for (const scope of ["zoe", "_shared", "ann"]) await t.write(room, key, 1, { scope });
  }
  const all = await list(t, room);
  assert.deepEqual(names(all), ["_shared/a", "_shared/b", "ann/a", "ann/b", "zoe/a", "zoe/b"]);
  for (const entry of all) assertMembers(entry, members.entry);
  assert.deepEqual(names(await list(t, room, { scope: "ann" })), ["ann/a", "ann/b"]);
  assert.deepEqual(await list(t, room, { scope: "ghost" }), []);
  assert.deepEqual(await list(t, await t.room()), []);
});

contract("scopes and keys are ordered by Unicode code point", async (t) => {
  const room = await t.room();
  const ordered = ["B", "a", "a b", "a!", "ab", "é", "\uFFFD", "😀"].sort(byCodePoint);
  for (const name of [...ordered].reverse()) {
    await t.write(room, name, 1);
    await t.write(room, "k", 1, { scope: name });
  }
  assert.deepEqual((await list(t, room, { scope: "_shared" })).map((entry: Json) => entry.key), ordered);
  const scopes = (await list(t, room)).filter((entry: Json) => entry.key === "k");
  assert.deepEqual(scopes.map((entry: Json) => entry.scope), ordered);
});

function byCodePoint(left: string, right: string): number {
  const [a, b] = [[...left], [...right]].map((text) => text.map((char) => char.codePointAt(0)!)) as [
    number[],
    number[],
  ];
  const at = a.findIndex((code, index) => code !== b[index]);
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}

contract("prefix lists the keys that begin with it, letter for letter", async (t) => {
  const room = await t.room();
  const keys = ["task", "task:1", "task:2", "Task:3", "tas%", "tas_", "t*", "t?x", "t[a]", "x:task:"];
  for (const key of keys) await t.write(room, key, 1);
  await t.write(room, "task:9", 1, { scope: "ann" });
  const having = async (prefix: string) => names(await list(t, room, { prefix }));
  assert.deepEqual(await having("task:"), ["_shared/task:1", "_shared/task:2", "ann/task:9"]);
  assert.deepEqual(await having("tas%"), ["_shared/tas%"]);
  assert.deepEqual(await having("tas_"), ["_shared/tas_"]);
  assert.deepEqual(await having("t*"), ["_shared/t*"]);
  assert.deepEqual(await having("t?"), ["_shared/t?x"]);
  assert.deepEqual(await having("t["), ["_shared/t[a]"]);
  assert.deepEqual(await having("T"), ["_shared/Task:3"]);
  assert.deepEqual(await having("nothing"), []);
  assert.deepEqual(names(await list(t, room, { prefix: "task:", scope: "ann" })), ["ann/task:9"]);
});

contract("a deleted key is gone, and a second delete finds nothing", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  const path = `/rooms/${room}/state`;
  const first = await t.delete(path, { key: "k" });
  assertStatus(first, 200);
  assert.deepEqual(first.body, { deleted: true });
  assertError(await t.get(path, { key: "k" }), 404, "key_not_found");
  assert.deepEqual(await list(t, room), []);
  assert.equal(await t.value(room, "has(state._shared.k)"), false);
  const second = await t.delete(path, { key: "k" });
  assertStatus(second, 200);
  assert.deepEqual(second.body, { deleted: false });
});

contract("a delete touches its own scope only and needs a key", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  await t.write(room, "k", 2, { scope: "ann" });
  await t.delete(`/rooms/${room}/state`, { key: "k", scope: "ann" });
  assert.deepEqual(names(await list(t, room)), ["_shared/k"]);
  assertInvalid(await t.delete(`/rooms/${room}/state`, {}), ["key"]);
  assertInvalid(await t.delete(`/rooms/${room}/state`), ["key"]);
});

contract("versions count up by one a key and go on after a delete", async (t) => {
  const room = await t.room();
  assert.equal((await t.write(room, "k", "a")).version, 1);
  assert.equal((await t.write(room, "other", "a")).version, 1);
  assert.equal((await t.write(room, "k", "a")).version, 2);
  await t.delete(`/rooms/${room}/state`, { key: "k" });
  await t.delete(`/rooms/${room}/state`, { key: "k" });
  assert.equal((await t.write(room, "k", "b")).version, 4);
  assert.equal((await t.entry(room, "k")).version, 4);
});

contract("since lists what changed after a revision, deletes among it", async (t) => {
  const room = await t.room();
  for (const key of ["kept", "changed", "deleted"]) await t.write(room, key, 1);
  const before = await t.revision(room);
  assert.deepEqual(await list(t, room, { since: before }), []);

  await t.write(room, "changed", 2);
  await t.delete(`/rooms/${room}/state`, { key: "deleted" });
  await t.write(room, "added", 3, { scope: "ann" });
  const changes = await list(t, room, { since: before });
  assert.deepEqual(names(changes), ["_shared/changed", "_shared/deleted", "ann/added"]);
  assertMembers(changes[0], members.entry);
  assertMembers(changes[1], members.deleted);
  assert.deepEqual([changes[1].deleted, changes[1].version], [true, 2]);
  assertRecent(changes[1].updated_at);
  assert.deepEqual([changes[2].value, changes[2].version], [3, 1]);

  assert.deepEqual(names(await list(t, room, { since: before, scope: "ann" })), ["ann/added"]);
  assert.deepEqual(names(await list(t, room, { since: before, prefix: "del" })), ["_shared/deleted"]);
  assert.deepEqual(await list(t, room, { since: await t.revision(room) }), []);
  assert.deepEqual(names(await list(t, room)), ["_shared/changed", "_shared/kept", "ann/added"]);

  await t.write(room, "deleted", 4);
  const again = (await list(t, room, { since: before })).find((entry: Json) => entry.key === "deleted");
  assertMembers(again, members.entry);
  assert.deepEqual([again.value, again.version], [4, 3]);
});

contract("reading changes by the revisions of the answers misses none", async (t) => {
  const room = await t.room();
  const seen: Json[] = [];
  let since = 0;
  for (let n = 1; n <= 5; n++) {
    await Promise.all([t.write(room, "a", n), t.write(room, "b", n)]);
    const reply = await t.get(`/rooms/${room}/state`, { since });
    seen.push(reply.body.map((entry: Json) => entry.value));
    since = reply.revision!;
  }
  assert.deepEqual(seen, [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]);
});

contract("_shared and agents' scopes can be written, the system's cannot", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  for (const scope of ["_messages", "_agents", "_", "__proto__"]) {
    assertInvalid(await t.put(path, { scope, key: "k", value: 1 }), ["scope"]);
    assertInvalid(await t.put(`${path}/batch`, { writes: [{ scope, key: "k", value: 1 }] }), [
      "writes",
      0,
      "scope",
    ]);
    assertInvalid(await t.delete(path, { scope, key: "k" }), ["scope"]);
  }
  assertStatus(await t.put(path, { scope: "ann_", key: "_k", value: 1 }), 200);
});

contract("a put alone and puts at once leave the same entries, revision and heartbeats", async (t) => {
  const rooms = [await t.room(), await t.room()];
  const [alone, atOnce] = rooms as [string, string];
  for (const room of rooms) {
    await t.write(room, "there", 1);
    await t.write(room, "gone", 1);
    assertStatus(await t.delete(`/rooms/${room}/state`, { key: "gone" }), 200);
    await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann" });
  }
  const puts = ["there", "gone", "new"].map((key) => ({ key, value: [key], agent: "ann" }));
  const heartbeat = async (room: string) => (await t.get(`/rooms/${room}/agents/ann`)).body.last_heartbeat;
  const before = await heartbeat(atOnce);
  await t.after(before);
  for (const put of puts) assertStatus(await t.put(`/rooms/${alone}/state`, put), 200);
  for (const reply of await Promise.all(puts.map((put) => t.put(`/rooms/${atOnce}/state`, put)))) {
    assertStatus(reply, 200);
  }
  const shown = async (room: string) => {
    const { body } = await t.get(`/rooms/${room}`);
    const entries = await list(t, room);
    return [
      body.revision,
      ...entries.map(({ key, value, version, updated_by }: Json) => [key, value, version, updated_by]),
    ];
  };
  assert.deepEqual(await shown(atOnce), await shown(alone));
  for (const room of rooms) assert.ok(await heartbeat(room) > before);
  assertError(await t.put("/rooms/no-such-room/state", puts[0]), 404, "room_not_found");
});

contract("a scope with a key behind it is refused, and the hint says how to send both", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  await t.write(room, "turn", 1);
  await t.write(room, "k", 2, { scope: "ann._shared.x" });
  const apart = /`scope` _shared, `key` turn/;
  for (const scope of ["_shared.turn", "_view.yes", "_shared."]) {
    const queries: Record<string, string>[] = [{ scope }, { scope, key: "turn" }, { scope, resolve: "true" }];
    for (const query of queries) {
      const refused = await t.get(path, query);
      assertInvalid(refused, ["scope"]);
      assert.match(refused.body.hint, apart);
    }
    for (
      const send of [
        () => t.put(path, { scope, key: "a", value: 1 }),
        () => t.delete(path, { scope, key: "a" }),
      ]
    ) {
      const refused = await send();
      assertInvalid(refused, ["scope"]);
      assert.match(refused.body.hint, apart);
    }
  }
  assert.deepEqual(names(await list(t, room, { scope: "ann._shared.x" })), ["ann._shared.x/k"]);
  for (const scope of ["_sharedx", "_shared", "_other"]) {
    assert.equal((await list(t, room, { scope })).length, scope === "_shared" ? 1 : 0);
  }
  for (
    const [key, told] of [["_shared.turn", apart], ["state._view.yes", apart], ["turns", /PUT/]] as const
  ) {
    const missing = await t.get(path, { key });
    assertError(missing, 404, "key_not_found");
    assert.match(missing.body.hint, told);
  }
});
