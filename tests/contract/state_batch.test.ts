import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import {
  assertCause,
  assertError,
  assertInvalid,
  assertInvalidExpression,
  assertMembers,
  assertStatus,
  members,
} from "../support/shapes.ts";

const batch = (t: Subject, room: string, writes: Json, more: Json = {}) =>
  t.put(`/rooms/${room}/state/batch`, { writes, ...more });

const state = async (t: Subject, room: string) => (await t.get(`/rooms/${room}/state`)).body;

contract("a batch answers the entries it wrote, in its order", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [
    { key: "b", value: { x: 1 } },
    { scope: "ann", key: "a", value: null },
    { key: "n", increment: 3 },
  ]);
  assertStatus(reply, 200);
  assertMembers(reply.body, ["ok", "count", "state"]);
  assert.deepEqual([reply.body.ok, reply.body.count], [true, 3]);
  for (const entry of reply.body.state) {
    assertMembers(entry, members.written, ["updated_by", "verified_by", "expires_at"]);
  }
  assert.deepEqual(
    reply.body.state.map((entry: Json) => [entry.scope, entry.key, entry.value, entry.version]),
    [["_shared", "b", { x: 1 }, 1], ["ann", "a", null, 1], ["_shared", "n", 3, 1]],
  );
  assert.equal((await state(t, room)).length, 3);
});

contract("each write of a batch sees those before it", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 10);
  const reply = await batch(t, room, [
    { key: "n", increment: true, if_version: 1 },
    { key: "n", increment: 5, if_version: 2 },
    { key: "new", value: 1, if_version: 0 },
    { key: "new", value: 2, if_version: 1 },
    { key: "n", value: "end" },
  ]);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.state.map((entry: Json) => entry.version), [2, 3, 1, 2, 4]);
  assert.deepEqual(
    (await state(t, room)).map((entry: Json) => [entry.key, entry.value, entry.version]),
    [["n", "end", 4], ["new", 2, 2]],
  );
});

contract("a batch sees what it wrote itself when it judges versions and numbers", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  const stale = await batch(t, room, [{ key: "k", value: 2 }, { key: "k", value: 3, if_version: 1 }]);
  assertError(stale, 409, "version_conflict", ["current", "index"]);
  assert.equal(stale.body.index, 1);
  const text = await batch(t, room, [{ key: "k", value: "text" }, { key: "k", increment: true }]);
  assertError(text, 409, "not_a_number", ["current", "index"]);
  assert.equal(text.body.index, 1);
  assert.deepEqual([(await t.entry(room, "k")).value, (await t.entry(room, "k")).version], [1, 1]);
});

contract("a version conflict says where the key is, also after earlier writes of the batch", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  await t.write(room, "gone", 1);
  await t.delete(`/rooms/${room}/state`, { key: "gone" });
  const current = await t.entry(room, "k");
  const write = (key: string, if_version?: number) => ({ key, value: "x", if_version });
  const AFTER = "After the earlier writes of this batch, ";
  const cases: [writes: Json[], message: string, current: Json][] = [
    [[write("k", 0)], '"k" in "_shared" exists, at version 1.', current],
    [[write("k", 2)], '"k" in "_shared" is at version 1, not 2.', current],
    [[write("new", 2)], '"new" in "_shared" does not exist, so it is not at version 2.', null],
    [[write("gone", 2)], '"gone" in "_shared" does not exist, so it is not at version 2.', null],
    [[write("k"), write("k", 1)], `${AFTER}"k" in "_shared" is at version 2, not 1.`, current],
    [[write("k"), write("k", 0)], `${AFTER}"k" in "_shared" exists, at version 2.`, current],
    [[write("new"), write("new", 0)], `${AFTER}"new" in "_shared" exists, at version 1.`, null],
    [[write("gone", 0), write("gone", 1)], `${AFTER}"gone" in "_shared" is at version 3, not 1.`, null],
    [[write("a"), write("new", 2)], '"new" in "_shared" does not exist, so it is not at version 2.', null],
  ];
  for (const [writes, message, stored] of cases) {
    const reply = await batch(t, room, writes);
    assertError(reply, 409, "version_conflict", ["current", "index"]);
    assert.deepEqual([reply.body.message, reply.body.current, reply.body.index], [
      message,
      stored,
      writes.length - 1,
    ]);
    assert.match(
      reply.body.hint,
      message.startsWith(AFTER) ? /sees those before it/ : /its version as if_version/,
    );
  }
  const text = await batch(t, room, [write("k"), { key: "k", increment: 2 }]);
  assert.equal(text.body.message, `${AFTER}"k" in "_shared" cannot be incremented by 2.`);
  const etag = await t.request("PUT", `/rooms/${room}/state`, {
    body: write("k"),
    headers: { "If-Match": '"7"' },
  });
  assert.match(etag.body.hint, /as the ETag/);
});

contract("a version conflict refuses the whole batch and names the write", async (t) => {
  const room = await t.room();
  await t.write(room, "b", 1);
  const before = await state(t, room);
  const reply = await batch(t, room, [
    { key: "a", value: 1 },
    { key: "b", value: 2, if_version: 1 },
    { key: "b", value: 3, if_version: 7 },
    { key: "c", value: 4 },
  ]);
  assertError(reply, 409, "version_conflict", ["current", "index"]);
  assert.equal(reply.body.index, 2);
  assert.deepEqual(await state(t, room), before);

  const missing = await batch(t, room, [{ key: "b", value: 2 }, { key: "ghost", value: 1, if_version: 1 }]);
  assertError(missing, 409, "version_conflict", ["current", "index"]);
  assert.deepEqual([missing.body.index, missing.body.current], [1, null]);

  const first = await batch(t, room, [{ key: "b", value: 2, if_version: 0 }, { key: "c", value: 1 }]);
  assertError(first, 409, "version_conflict", ["current", "index"]);
  assert.deepEqual([first.body.index, first.body.current], [0, before[0]]);
  assert.deepEqual(await state(t, room), before);
});

contract("an increment of what is no number refuses the whole batch", async (t) => {
  const room = await t.room();
  const text = await t.write(room, "text", "t");
  const reply = await batch(t, room, [{ key: "n", increment: true }, { key: "text", increment: true }]);
  assertError(reply, 409, "not_a_number", ["current", "index"]);
  assert.deepEqual([reply.body.index, reply.body.current.value], [1, "t"]);
  assert.equal(reply.body.current.version, text.version);
  assert.equal(await t.entry(room, "n"), undefined);
});

contract("the gate of a batch sees the state before all its writes", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 1);
  const passing = await batch(t, room, [{ key: "n", value: 2 }, { key: "m", value: 1 }], {
    if: "state._shared.n == 1 && !has(state._shared.m)",
  });
  assertStatus(passing, 200);
  const before = await state(t, room);
  const refused = await batch(t, room, [{ key: "n", value: 3 }], { if: "state._shared.n == 3" });
  assertError(refused, 409, "precondition_failed", ["expression", "evaluated"]);
  assert.deepEqual([refused.body.expression, refused.body.evaluated], ["state._shared.n == 3", false]);
  const failing = await batch(t, room, [{ key: "n", value: 3 }], { if: "state._shared.ghost > 1" });
  assertError(failing, 409, "precondition_failed", ["expression", "evaluated", "cause"]);
  assertCause(failing.body.cause);
  assert.deepEqual(await state(t, room), before);
});

contract("the gate of a batch is judged before the versions in it", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [{ key: "n", value: 3, if_version: 9 }], { if: "false" });
  assertError(reply, 409, "precondition_failed", ["expression", "evaluated"]);
});

contract("a gate in a single write of a batch is refused", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [{ key: "a", value: 1 }, { key: "n", value: 1, if: "true" }]);
  assertInvalid(reply);
  assert.deepEqual(reply.body.issues[0].path.slice(0, 2), ["writes", 1]);
  assert.deepEqual(await state(t, room), []);
});

contract("a batch knows its writer", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  assertStatus(await batch(t, room, [{ key: "k", value: 1 }], { agent: "ann", if: 'self == "ann"' }), 200);
  assert.equal((await t.entry(room, "k")).updated_by, "ann");
  assertInvalid(await batch(t, room, [{ key: "k", value: 1 }], { agent: 5 }), ["agent"]);
});

contract("a batch has 1 to 20 writes", async (t) => {
  const room = await t.room();
  const writes = (count: number) => Array.from({ length: count }, (_, n) => ({ key: `k${n}`, value: n }));
  assertInvalid(await batch(t, room, []), ["writes"]);
  assertInvalid(await batch(t, room, writes(21)), ["writes"]);
  assertInvalid(await batch(t, room, undefined), ["writes"]);
  assertInvalid(await batch(t, room, { key: "k", value: 1 }), ["writes"]);
  assert.deepEqual(await state(t, room), []);
  assertStatus(await batch(t, room, writes(1)), 200);
  const full = await batch(t, room, writes(20));
  assert.deepEqual([full.status, full.body.count], [200, 20]);
});

contract("a write of a batch that is not valid is named by its place", async (t) => {
  const room = await t.room();
  const fine = { key: "fine", value: 1 };
  assertInvalid(await batch(t, room, [fine, { key: "k" }]), ["writes", 1, "value"]);
  assertInvalid(await batch(t, room, [fine, fine, { value: 1 }]), ["writes", 2, "key"]);
  assertInvalid(await batch(t, room, [{ key: "k", value: 1, if_version: -1 }]), ["writes", 0, "if_version"]);
  assertInvalid(await batch(t, room, [fine, { key: "k", increment: true, value: "1" }]), [
    "writes",
    1,
    "value",
  ]);
  assertInvalid(await batch(t, room, [fine, null]), ["writes", 1]);
  assert.deepEqual(await state(t, room), []);
});

contract("a batch can write views, and refuses those that are none", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [
    { key: "n", value: 2 },
    { scope: "_view", key: "double", expr: "state._shared.n * 2" },
  ]);
  assertStatus(reply, 200);
  assert.equal(reply.body.state[1].expr, "state._shared.n * 2");
  assert.equal(await t.value(room, "state._view.double"), 4);

  const wrong = "state._shared.";
  const refused = await batch(t, room, [{ key: "n", value: 3 }, { scope: "_view", key: "v", expr: wrong }]);
  assert.deepEqual([refused.status, refused.body.error, refused.body.expression], [
    400,
    "invalid_expression",
    wrong,
  ]);
  assertInvalid(await batch(t, room, [{ key: "v", expr: "1" }]));
  assertInvalid(await batch(t, room, [{ scope: "_view", key: "v", value: 1 }]));
  assert.equal((await t.entry(room, "n")).value, 2);
});

contract("what is wrong with a batch is told before the room is looked for", async (t) => {
  assertInvalid(await batch(t, "no-such-room", []), ["writes"]);
  assertInvalidExpression(await batch(t, "no-such-room", [{ key: "k", value: 1 }], { if: "1 +" }), "1 +", 3);
  assertError(await batch(t, "no-such-room", [{ key: "k", value: 1 }]), 404, "room_not_found");
});

contract("batches that move amounts at once keep the sum", async (t) => {
  const room = await t.room();
  await batch(t, room, [{ key: "a", value: 50 }, { key: "b", value: 50 }]);
  const moves = await Promise.all(
    Array.from(
      { length: 40 },
      (_, n) =>
        batch(
          t,
          room,
          [{ key: n % 2 ? "a" : "b", increment: -7 }, { key: n % 2 ? "b" : "a", increment: 7 }],
          {
            if: `state._shared.${n % 2 ? "a" : "b"} >= 7`,
          },
        ),
    ),
  );
  for (const move of moves) {
    assert.ok(move.status === 200 || move.body.error === "precondition_failed", move.text);
  }
  const [a, b] = (await state(t, room)).map((entry: Json) => entry.value);
  assert.ok(a >= 0 && b >= 0 && a + b === 100, `${a} + ${b}`);
});
