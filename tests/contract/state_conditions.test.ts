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

const put = (t: Subject, room: string, body: Json) => t.put(`/rooms/${room}/state`, { key: "k", ...body });
const remove = (t: Subject, room: string, body: Json) =>
  t.delete(`/rooms/${room}/state`, { key: "k", ...body });

contract("if_version writes only over that version", async (t) => {
  const room = await t.room();
  await t.write(room, "k", "a");
  const written = await put(t, room, { value: "b", if_version: 1 });
  assertStatus(written, 200);
  assert.equal(written.body.version, 2);
  const refused = await put(t, room, { value: "c", if_version: 1 });
  assertError(refused, 409, "version_conflict", ["current"]);
  assertMembers(refused.body.current, members.entry);
  assert.deepEqual(refused.body.current, await t.entry(room, "k"));
  assert.deepEqual([refused.body.current.value, refused.body.current.version], ["b", 2]);
});

contract("if_version 0 writes only a key that does not exist", async (t) => {
  const room = await t.room();
  assertStatus(await put(t, room, { value: 1, if_version: 0 }), 200);
  const refused = await put(t, room, { value: 2, if_version: 0 });
  assertError(refused, 409, "version_conflict", ["current"]);
  assert.equal(refused.body.current.value, 1);
});

contract("a version of a key that is not there conflicts with null", async (t) => {
  const room = await t.room();
  const refused = await put(t, room, { value: 1, if_version: 1 });
  assertError(refused, 409, "version_conflict", ["current"]);
  assert.equal(refused.body.current, null);
  assert.equal(await t.entry(room, "k"), undefined);
});

contract("a deleted key does not exist, whatever versions it had", async (t) => {
  const room = await t.room();
  await t.write(room, "k", "a");
  await remove(t, room, {});
  for (const if_version of [1, 2, 3]) {
    const refused = await put(t, room, { value: "b", if_version });
    assertError(refused, 409, "version_conflict", ["current"]);
    assert.equal(refused.body.current, null);
  }
  const created = await put(t, room, { value: "b", if_version: 0 });
  assertStatus(created, 200);
  assert.equal(created.body.version, 3);
});

contract("if_version must be an integer that is not negative", async (t) => {
  const room = await t.room();
  for (const if_version of [-1, 1.5, "1", true]) {
    assertInvalid(await put(t, room, { value: 1, if_version }), ["if_version"]);
    assertInvalid(await remove(t, room, { if_version }), ["if_version"]);
  }
});

contract("a gate that is true lets the write through", async (t) => {
  const room = await t.room();
  assertStatus(await put(t, room, { value: 1, if: "!has(state._shared.k)" }), 200);
  assertStatus(await put(t, room, { value: 2, if: "state._shared.k == 1" }), 200);
  assert.equal((await t.entry(room, "k")).value, 2);
});

contract("a gate that is not truthy refuses the write with its value", async (t) => {
  const room = await t.room();
  const falsy: [string, Json][] = [["false", false], ["null", null], ["0", 0], ["0u", 0], ["0.0", 0], [
    '""',
    "",
  ]];
  for (const [expression, evaluated] of falsy) {
    const reply = await put(t, room, { value: 1, if: expression });
    assertError(reply, 409, "precondition_failed", ["expression", "evaluated"]);
    assert.deepEqual([reply.body.expression, reply.body.evaluated], [expression, evaluated]);
  }
  const nan = await put(t, room, { value: 1, if: "0.0 / 0.0" });
  assertError(nan, 409, "precondition_failed", ["expression", "evaluated"]);
  assert.equal(nan.body.evaluated, null);
  assert.equal(await t.entry(room, "k"), undefined);
});

contract("whatever else a gate gives is truthy", async (t) => {
  const room = await t.room();
  for (
    const expression of ["1", "-0.5", '"0"', '"false"', "[]", "{}", "[0]", "now", 'duration("0s")']
  ) {
    assertStatus(await put(t, room, { value: 1, if: expression }), 200);
  }
});

contract("a gate that cannot be evaluated refuses the write and says why", async (t) => {
  const room = await t.room();
  const codes = [["state._shared.missing > 1", undefined], ["1.0 / 0.0", "not_json"], [
    "type(1)",
    "not_json",
  ]];
  for (const [expression, code] of codes as [string, string?][]) {
    const reply = await put(t, room, { value: 1, if: expression });
    assertError(reply, 409, "precondition_failed", ["expression", "evaluated", "cause"]);
    assert.equal(reply.body.evaluated, null);
    assertCause(reply.body.cause, code);
  }
  assert.equal(await t.entry(room, "k"), undefined);
});

contract("a gate that is no expression is refused before anything else", async (t) => {
  const room = await t.room();
  for (const expression of ["state._shared.", "stat._shared.k == 1", '1 + "a"']) {
    assertInvalidExpression(await put(t, room, { value: 1, if: expression }), expression);
    assertInvalidExpression(await remove(t, room, { if: expression }), expression);
    assertInvalidExpression(await put(t, "no-such-room", { value: 1, if: expression }), expression);
  }
});

contract("a gate over `self` of a write that names no agent is told so", async (t) => {
  const room = await t.room();
  await t.write(room, "k", "bob");
  const refused = [
    await put(t, room, { value: 1, if: "state._shared.k == self" }),
    await remove(t, room, { if: "state._shared.k == self" }),
  ];
  for (const { body } of refused) assert.match(body.hint, /`self` is null: send the `agent`/);
  const other = await remove(t, room, { if: "state._shared.k == self", agent: "ann" });
  assert.match(other.body.hint, /^Wait until it is true, with the same expression as `condition`/);
  assertStatus(await remove(t, room, { if: "state._shared.k == self", agent: "bob" }), 200);
});

contract("the gate is judged before if_version", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  const both = await put(t, room, { value: 2, if: "false", if_version: 9 });
  assertError(both, 409, "precondition_failed", ["expression", "evaluated"]);
  assertError(await put(t, room, { value: 2, if: "true", if_version: 9 }), 409, "version_conflict", [
    "current",
  ]);
  const deleting = await remove(t, room, { if: "false", if_version: 9 });
  assertError(deleting, 409, "precondition_failed", ["expression", "evaluated"]);
  assert.equal((await t.entry(room, "k")).value, 1);
});

contract("a gate sees the writer, the agents, the messages, the views and the time", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann", { role: "judge" });
  await t.message(room);
  await t.view(room, "double", "messages.count * 2");
  const passing = [
    'self == "ann"',
    'agents[self].role == "judge"',
    "messages.unclaimed == 1",
    "state._view.double == 2",
    'now > timestamp("2020-01-01T00:00:00Z")',
  ];
  for (const gate of passing) assertStatus(await put(t, room, { value: 1, if: gate, agent: "ann" }), 200);
  assertStatus(await put(t, room, { value: 1, if: "self == null" }), 200);
  assertStatus(await put(t, room, { value: 1, if: 'self == "stranger"', agent: "stranger" }), 200);
});

contract("a delete can be gated and bound to a version", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  const version = await remove(t, room, { if_version: 2 });
  assertError(version, 409, "version_conflict", ["current"]);
  assert.deepEqual(version.body.current, await t.entry(room, "k"));
  assertError(await remove(t, room, { if_version: 0 }), 409, "version_conflict", ["current"]);
  const gate = await remove(t, room, { if: "state._shared.k > 1" });
  assertError(gate, 409, "precondition_failed", ["expression", "evaluated"]);
  const own = await remove(t, room, { if_version: 1, if: 'self == "ann"', agent: "ann" });
  assert.deepEqual([own.status, own.body], [200, { deleted: true }]);
});

contract("a gate on the writer's own heartbeat is not moved by the write itself", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const gate = { if: 'timestamp(agents.ann.last_heartbeat) > now - duration("60s")', agent: "ann" };
  assertError(await put(t, room, { value: 1, if_version: 3, ...gate }), 409, "version_conflict", ["current"]);
  const nothing = await remove(t, room, gate);
  assertStatus(nothing, 200);
  assert.deepEqual(nothing.body, { deleted: false });
  assertError(await remove(t, room, { if_version: 3, ...gate }), 409, "version_conflict", ["current"]);
  await t.write(room, "k", 0.5);
  const added = await put(t, room, { increment: 1, ...gate });
  assertStatus(added, 200);
  assert.equal(added.body.value, 1.5);
});

contract("deleting what is not there conflicts with any version above 0", async (t) => {
  const room = await t.room();
  const refused = await remove(t, room, { if_version: 1 });
  assertError(refused, 409, "version_conflict", ["current"]);
  assert.equal(refused.body.current, null);
  const none = await remove(t, room, { if_version: 0 });
  assert.deepEqual([none.status, none.body], [200, { deleted: false }]);
});

contract("a lock has one holder", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) =>
        put(t, room, {
          key: "lock",
          value: `agent-${n}`,
          agent: `agent-${n}`,
          if: "!has(state._shared.lock)",
        }),
    ),
  );
  const holders = replies.filter((reply) => reply.status === 200);
  assert.equal(holders.length, 1);
  for (const reply of replies.filter((reply) => reply !== holders[0])) {
    assertError(reply, 409, "precondition_failed", ["expression", "evaluated"]);
    assert.equal(reply.body.evaluated, false);
  }
  assert.equal((await t.entry(room, "lock")).value, holders[0]!.body.value);
});
