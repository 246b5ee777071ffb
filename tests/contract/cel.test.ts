import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import {
  assertError,
  assertEvaluationFailed,
  assertInvalid,
  assertInvalidExpression,
  assertMembers,
  assertRecent,
  assertStatus,
  members,
} from "../support/shapes.ts";

const evaluate = (t: Subject, room: string, expr: string, agent?: string) =>
  t.post(`/rooms/${room}/eval`, { expr, agent });

/** Each expression with its value, evaluated in one room. */
async function gives(t: Subject, room: string, table: [string, Json][]): Promise<void> {
  for (const [expr, value] of table) {
    const reply = await evaluate(t, room, expr);
    assertStatus(reply, 200);
    assert.deepEqual(reply.body.value, value, expr);
  }
}

contract("eval answers the expression, its value and the names of the roots", async (t) => {
  const room = await t.room();
  const reply = await evaluate(t, room, "1 + 1");
  assertStatus(reply, 200);
  assertMembers(reply.body, ["expression", "value", "context_keys"]);
  assert.deepEqual([reply.body.expression, reply.body.value], ["1 + 1", 2]);
  assert.deepEqual(reply.body.context_keys.sort(), ["agents", "messages", "now", "self", "state"]);
});

contract("eval needs an expression", async (t) => {
  const room = await t.room();
  assertInvalid(await t.post(`/rooms/${room}/eval`, {}), ["expr"]);
  assertInvalid(await t.post(`/rooms/${room}/eval`), ["expr"]);
  assertInvalid(await t.post(`/rooms/${room}/eval`, { expr: 1 }), ["expr"]);
  assertInvalid(await t.post(`/rooms/${room}/eval`, { expr: "1", agent: 1 }), ["agent"]);
});

contract("eval that fails tells the cause", async (t) => {
  const room = await t.room();
  for (const expr of ["state._shared.missing", "[1][5]", '{"a": 1}.b', "1 / 0"]) {
    assertEvaluationFailed(await evaluate(t, room, expr), expr);
  }
});

contract("the context holds the state by scope and key", async (t) => {
  const room = await t.room();
  assert.deepEqual(await t.value(room, "state"), { _shared: {}, _view: {} });
  await t.write(room, "k", { list: [1, "2"] });
  await t.write(room, "own", true, { scope: "agent-a" });
  await t.view(room, "v", "1 + 1");
  const state = { _shared: { k: { list: [1, "2"] } }, _view: { v: 2 }, "agent-a": { own: true } };
  assert.deepEqual(await t.value(room, "state"), state);
  await gives(t, room, [['state["agent-a"].own', true], ["state._shared.k.list[1]", "2"]]);
});

contract("the context holds the agents by id", async (t) => {
  const room = await t.room();
  assert.deepEqual(await t.value(room, "agents"), {});
  const ann = await t.agent(room, "ann", { role: "judge", meta: { tools: ["a"] } });
  const agents = await t.value(room, "agents");
  assert.deepEqual(Object.keys(agents), ["ann"]);
  assertMembers(agents.ann, members.agentInCel);
  const { room_id: _, ...shown } = ann;
  assert.deepEqual(agents.ann, shown);
  await gives(t, room, [
    ["agents.ann.meta.tools[0]", "a"],
    ["size(agents)", 1],
    ['"bob" in agents', false],
    ["has(agents.bob)", false],
    ["agents.ann.waiting_on == null", true],
  ]);
});

contract("the context holds the counts of the messages", async (t) => {
  const room = await t.room();
  assert.deepEqual(await t.value(room, "messages"), { count: 0, unclaimed: 0 });
  const { id } = await t.message(room);
  await t.message(room);
  await t.message(room);
  await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann" });
  assert.deepEqual(await t.value(room, "messages"), { count: 3, unclaimed: 2 });
});

contract("self is the agent of the request, registered or not, or null", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  assert.equal(await t.value(room, "self", "ann"), "ann");
  assert.equal(await t.value(room, "self", "stranger"), "stranger");
  assert.equal(await t.value(room, "self"), null);
  assert.equal(await t.value(room, "agents[self].name", "ann"), "ann");
});

contract("now is a timestamp", async (t) => {
  const room = await t.room();
  assertRecent(await t.value(room, "now"));
  await gives(t, room, [
    ['now > timestamp("2020-01-01T00:00:00Z")', true],
    ['now + duration("1h") > now', true],
    ["type(now) == type(timestamp(0))", true],
  ]);
});

contract("the numbers of a room mix with literals without casts", async (t) => {
  const room = await t.room();
  const entries = { turn: 3, even: 4, ratio: 0.25, list: [10, 20, 30], i: 1, m: { x: [1, 2] } };
  for (const [key, value] of Object.entries(entries)) await t.write(room, key, value);
  for (let n = 0; n < 3; n++) await t.message(room);
  await gives(t, room, [
    ["state._shared.turn + 1", 4],
    ["1 + state._shared.turn", 4],
    ["state._shared.turn % 2 == 0", false],
    ["state._shared.even % 2 == 0", true],
    ["state._shared.ratio * 2", 0.5],
    ["state._shared.list[state._shared.i]", 20],
    ["state._shared.list[0] + state._shared.list[2]", 40],
    ["state._shared.turn / 2", 1.5],
    ["-state._shared.turn", -3],
    ["state._shared.turn == 3 && state._shared.turn >= 3 && state._shared.turn < 3.5", true],
    ["state._shared.turn in [1, 2, 3]", true],
    ["state._shared.list.exists(n, n > 25)", true],
    ["state._shared.list.map(n, n / 4)", [2.5, 5, 7.5]],
    ["messages.count + 1", 4],
    ["messages.count % 2 == 1", true],
    ["messages.count / 2", 1.5],
    ["messages.count * 0.5", 1.5],
    ["messages.count == state._shared.turn", true],
    ["messages.count > 2.5", true],
  ]);
});

contract("integer literals among themselves are integers", async (t) => {
  const room = await t.room();
  await gives(t, room, [["3 / 2", 1], ["7 % 4", 3], ["3.0 / 2.0", 1.5], ["-7 / 2", -3], ["2 * 3 + 1", 7]]);
});

contract("branches, lists and maps may mix types", async (t) => {
  const room = await t.room();
  await gives(t, room, [
    ['true ? 1 : "a"', 1],
    ['false ? 1 : "a"', "a"],
    ["messages.count > 0 ? messages.count : null", null],
    ['[1, "a", null, 1.5, [true]]', [1, "a", null, 1.5, [true]]],
    ['{"a": 1, "b": "x", "c": [null]}', { a: 1, b: "x", c: [null] }],
  ]);
});

contract("text that looks like a number stays text", async (t) => {
  const room = await t.room();
  await t.write(room, "s", "5");
  await gives(t, room, [['state._shared.s == "5"', true], ['state._shared.s + "0"', "50"], [
    "size(state._shared.s)",
    1,
  ]]);
});

contract("scopes exist even when they are empty", async (t) => {
  const room = await t.room();
  await t.agent(room, "agent-a");
  await gives(t, room, [
    ["has(state._shared.x)", false],
    ["has(state._view.x)", false],
    ['has(state["agent-a"].score)', false],
    ['"x" in state._shared', false],
    ["state._shared.?x.orValue(0)", 0],
    ["size(state._shared)", 0],
    ['state["agent-a"]', {}],
  ]);
  await t.write(room, "x", 7);
  await t.write(room, "score", 8, { scope: "agent-a" });
  await gives(t, room, [
    ["has(state._shared.x)", true],
    ['has(state["agent-a"].score)', true],
    ['"x" in state._shared', true],
    ["state._shared.?x.orValue(0)", 7],
  ]);
});

contract("the times of agents are text that timestamp() reads", async (t) => {
  const room = await t.room();
  await t.agent(room, "bob");
  await gives(t, room, [
    ['timestamp(agents.bob.last_heartbeat) > now - duration("60s")', true],
    ['timestamp(agents.bob.joined_at) > now + duration("60s")', false],
    ["agents.bob.joined_at == agents.bob.last_heartbeat", true],
  ]);
});

contract("names of JavaScript's own are missing keys like all others", async (t) => {
  const room = await t.room();
  await t.write(room, "m", {});
  for (const name of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
    await gives(t, room, [
      [`has(state._shared.${name})`, false],
      [`"${name}" in state._shared.m`, false],
      [`has(agents.${name})`, false],
    ]);
    await t.write(room, name, name);
    assert.equal(await t.value(room, `state._shared.${name}`), name);
  }
});

contract("results come as JSON", async (t) => {
  const room = await t.room();
  await gives(t, room, [
    ['timestamp("2026-01-01T12:00:00+02:00")', "2026-01-01T10:00:00.000Z"],
    ['duration("1m30s")', "90s"],
    ['[duration("90s")]', ["90s"]],
    ['b"hello?"', "aGVsbG8/"],
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["9007199254740992", "9007199254740992"],
    ["-9007199254740993", "-9007199254740993"],
    ["18446744073709551615u", "18446744073709551615"],
    ["5u", 5],
    ['{"t": timestamp("2026-01-01T00:00:00Z")}', { t: "2026-01-01T00:00:00.000Z" }],
    ["state._shared", {}],
  ]);
});

contract("a result that is no JSON fails with not_json", async (t) => {
  const room = await t.room();
  for (const expr of ["0.0 / 0.0", "1.0 / 0.0", "-1.0 / 0.0", "type(1)", "[0.0 / 0.0]"]) {
    assertEvaluationFailed(await evaluate(t, room, expr), expr, "not_json");
  }
});

contract("eval answers 404 in no room, after it has read the expression", async (t) => {
  assertError(await evaluate(t, "no-such-room", "1"), 404, "room_not_found");
  assertInvalidExpression(await evaluate(t, "no-such-room", "1 +"), "1 +", 3);
});
