import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertInvalidExpression,
  assertMembers,
  assertRecent,
  assertStatus,
  assertViewError,
  members,
} from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

const define = (t: Subject, room: string, key: string, expr: string) =>
  t.put(`/rooms/${room}/state`, { scope: "_view", key, expr });

const read = async (t: Subject, room: string, key: string, resolve = true) =>
  (await t.get(`/rooms/${room}/state`, { scope: "_view", key, ...(resolve && { resolve: "true" }) })).body;

const written = ["room_id", "scope", "key", "value", "expr", "as", "version", "updated_at", "resolved_value"];

contract("a view answers its expression and what it gives now", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 20);
  const reply = await define(t, room, "sum", "state._shared.n + 1");
  assertStatus(reply, 200);
  assertMembers(reply.body, written, ["updated_by", "verified_by", "expires_at"]);
  const { scope, key, value, expr, version, updated_at, resolved_value } = reply.body;
  assert.deepEqual([scope, key, expr, version], ["_view", "sum", "state._shared.n + 1", 1]);
  assert.deepEqual([value, resolved_value], [21, 21]);
  assertRecent(updated_at);
});

contract("a view reads with its expression, and with its value when asked to", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 1);
  await t.view(room, "v", "state._shared.n * 10");
  const plain = await read(t, room, "v", false);
  assertMembers(plain, members.view);
  assert.deepEqual([plain.value, plain.expr], [null, "state._shared.n * 10"]);

  await t.write(room, "n", 2);
  const resolved = await read(t, room, "v");
  assertMembers(resolved, [...members.view, "resolved_value"]);
  assert.deepEqual([resolved.value, resolved.resolved_value, resolved.version], [20, 20, 1]);
  assert.equal(await t.value(room, "state._view.v"), 20);
});

contract("a list shows views in their place, resolved when asked to", async (t) => {
  const room = await t.room();
  await t.view(room, "v", "[1, 2]");
  await t.write(room, "a", 1);
  await t.write(room, "z", 1, { scope: "zoe" });
  const list = async (query: Record<string, string>) =>
    (await t.get(`/rooms/${room}/state`, query)).body.map((entry: Json) => [entry.scope, entry.value]);
  assert.deepEqual(await list({}), [["_shared", 1], ["_view", null], ["zoe", 1]]);
  assert.deepEqual(await list({ resolve: "true" }), [["_shared", 1], ["_view", [1, 2]], ["zoe", 1]]);
  assert.deepEqual(await list({ scope: "_view", resolve: "true" }), [["_view", [1, 2]]]);
});

contract("an entry that is no view is the same when resolved", async (t) => {
  const room = await t.room();
  await t.write(room, "a", { x: 1 });
  const reply = await t.get(`/rooms/${room}/state`, { key: "a", resolve: "true" });
  assert.deepEqual(reply.body, await t.entry(room, "a"));
});

contract("a view can give any JSON", async (t) => {
  const room = await t.room();
  const values: [string, Json][] = [
    ["[1, 2, 3]", [1, 2, 3]],
    ['{"a": [1], "b": {"c": null}}', { a: [1], b: { c: null } }],
    ["null", null],
    ['"text"', "text"],
    ["1.5", 1.5],
    ["messages.count == 0", true],
    ["self == null", true],
    ['timestamp("2026-01-01T00:00:00Z")', "2026-01-01T00:00:00.000Z"],
  ];
  for (const [expr, value] of values) {
    const reply = await define(t, room, "v", expr);
    assert.deepEqual([reply.status, reply.body.resolved_value], [200, value], expr);
    assert.deepEqual((await read(t, room, "v")).value, value, expr);
  }
});

contract("_view and expr need each other", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  assertInvalid(await t.put(path, { scope: "_view", key: "v", value: 1 }));
  assertInvalid(await t.put(path, { scope: "_view", key: "v" }));
  assertInvalid(await t.put(path, { scope: "_view", key: "v", increment: true }));
  assertInvalid(await t.put(path, { key: "v", expr: "1" }));
  assertInvalid(await t.put(path, { scope: "ann", key: "v", expr: "1" }));
  assertInvalid(await t.put(path, { scope: "_view", key: "v", expr: 1 }), ["expr"]);
  const asValue = await t.put(path, { scope: "_view", key: "v", value: "1 + 1" });
  assertInvalid(asValue, ["expr"]);
  assert.match(asValue.body.hint, /expression as `expr`/);
  const both = { scope: "_view", key: "v", expr: "1", value: 1 };
  assertInvalid(await t.put(path, both), ["value"]);
  assertInvalid(await t.put(`${path}/batch`, { writes: [both] }), ["writes", 0, "value"]);
  assert.deepEqual((await t.get(path)).body, []);
});

contract("a view that does not parse or check is refused and not stored", async (t) => {
  const room = await t.room();
  await t.view(room, "kept", "1");
  for (const expr of ["1 +", "agnts.size()", '"a" - 1', "state._shared.x.("]) {
    assertInvalidExpression(await define(t, room, "v", expr), expr);
    assertInvalidExpression(await define(t, room, "kept", expr), expr);
  }
  assert.equal(await read(t, room, "v").then((body) => body.error), "key_not_found");
  assert.equal((await read(t, room, "kept")).expr, "1");
});

contract("a view that cannot be evaluated yet is stored and says why", async (t) => {
  const room = await t.room();
  const reply = await define(t, room, "v", "state._shared.later + 1");
  assertStatus(reply, 200);
  assertMembers(reply.body, [...written, "error"], ["updated_by", "verified_by", "expires_at"]);
  assert.deepEqual([reply.body.value, reply.body.resolved_value], [null, null]);
  assertViewError(reply.body.error);

  const failing = await read(t, room, "v");
  assertMembers(failing, [...members.view, "resolved_value", "error"]);
  assert.deepEqual([failing.value, failing.resolved_value], [null, null]);
  assertViewError(failing.error);
  assertMembers(await read(t, room, "v", false), members.view);
  assert.match(failing.error.hint, /orValue/, "what to write instead");

  await t.write(room, "later", 1);
  const resolved = await read(t, room, "v");
  assertMembers(resolved, [...members.view, "resolved_value"]);
  assert.equal(resolved.value, 2);
});

contract("whoever reads a view that fails is told which, and why", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann", { secure: true }).then(async ({ token }) => {
    const body = { scope: "_view", key: "hers", expr: "state.ann.later" };
    const headers = bearer(token);
    assertStatus(await t.request("PUT", `/rooms/${room}/state`, { headers, body }), 200);
  });
  await define(t, room, "v", "state._shared.later + 1");
  await define(t, room, "x-y", "lists.range(3)[7]");
  await define(t, room, "a", "state._view.b");
  await define(t, room, "b", "state._view.a");
  const reasons = {
    "state._view.v > 1": 'The view "v" fails: No such key: `state._shared.later`.',
    'state._view["x-y"] > 1': 'The view "x-y" fails: Index 7 is outside of a list of 3.',
    "state._view.a > 1": 'The view "a" is defined by itself.',
    "state._view.hers > 1": 'The view "hers" fails. Only "ann", who defined it, and admins are told why.',
  };
  for (const [condition, why] of Object.entries(reasons)) {
    const waited = await t.post(`/rooms/${room}/wait`, { condition, timeout: 0 });
    const { code, message, hint } = waited.body.last_error;
    assert.equal(code, "no_such_key");
    assert.match(message, /^No such key: `state\._view/);
    const evaluated = await t.post(`/rooms/${room}/eval`, { expr: condition });
    const gated = await t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: condition });
    assert.deepEqual([evaluated.status, gated.status], [400, 409]);
    for (const told of [hint, evaluated.body.hint, gated.body.hint]) {
      assert.equal(told, `${why} A view that fails is absent: has(...) is false of it.`);
    }
  }
  const { hint } = (await t.post(`/rooms/${room}/wait`, { condition: "state._view.none", timeout: 0 })).body
    .last_error;
  assert.match(hint, /^It may not be written yet/);
  assert.equal(await t.value(room, "has(state._view.v) || has(state._view.hers)"), false);
  await t.write(room, "later", 1);
  assert.equal(await t.value(room, "state._view.v > 1"), true);
});

contract("what fails since self is null says so, and that it always is in a view", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.write(room, "hand", [1, 2], { scope: "ann" });
  const evaluated = async (body: Json) => (await t.post(`/rooms/${room}/eval`, body)).body;
  for (const [expr, value] of [["state[self].hand", [1, 2]], ["agents[self].name", "ann"]] as const) {
    const message = `No such key: \`${expr.split(".")[0]}\`, since \`self\` is null`;
    const defined = await t.put(`/rooms/${room}/state`, { scope: "_view", key: "mine", expr, agent: "ann" });
    assertStatus(defined, 200);
    assert.deepEqual([defined.body.error.code, defined.body.error.message], ["no_such_key", message]);
    const waited = await t.post(`/rooms/${room}/wait`, { condition: expr, timeout: 0 });
    for (const { hint } of [await evaluated({ expr }), waited.body.last_error, defined.body.error]) {
      assert.match(hint, /^Send your id as `agent`\. In a view `self` is always null/);
    }
    assert.deepEqual((await evaluated({ expr, agent: "ann" })).value, value);
  }
  assert.doesNotMatch((await evaluated({ expr: "state[self].none", agent: "ann" })).hint, /self/);
  assert.doesNotMatch((await evaluated({ expr: "state[state._shared.?none.orValue(null)]" })).hint, /self/);
});

contract("a view whose result is no JSON says so", async (t) => {
  const room = await t.room();
  for (const expr of ["0.0 / 0.0", "1.0 / 0.0", "type(1)"]) {
    const reply = await define(t, room, "v", expr);
    assertStatus(reply, 200);
    assertViewError(reply.body.error, "not_json");
    assertViewError((await read(t, room, "v")).error, "not_json");
  }
});

contract("views may refer to other views in any order", async (t) => {
  const room = await t.room();
  await define(t, room, "a", "state._view.b + 1");
  await define(t, room, "b", "state._view.c + 1");
  await define(t, room, "c", "state._shared.n");
  await t.write(room, "n", 1);
  assert.deepEqual(await t.value(room, "state._view"), { a: 3, b: 2, c: 1 });
  assert.equal((await read(t, room, "a")).value, 3);
});

contract("views may build on one another as deep as there are views", async (t) => {
  const room = await t.room();
  const view = (n: number) => ({
    scope: "_view",
    key: `v${n}`,
    expr: n < 63 ? `state._view.v${n + 1} + 1` : "state._shared.n",
  });
  const path = `/rooms/${room}/state/batch`;
  for (let n = 0; n < 64; n += 16) {
    assertStatus(await t.put(path, { writes: Array.from({ length: 16 }, (_, k) => view(n + k)) }), 200);
  }
  await t.write(room, "n", 1);
  assert.equal(await t.value(room, "state._view.v0"), 64);
  assert.equal((await read(t, room, "v0")).value, 64);
});

contract("views that double one another answer soon", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 40; n++) {
    const expr = n ? `state._view.v${n - 1} + state._view.v${n - 1}` : "1";
    assertStatus(await define(t, room, `v${n}`, expr), 200);
  }
  const from = Date.now();
  const reply = await read(t, room, "v39");
  assert.ok(reply.value === 2 ** 39 || reply.error.code === "budget_exceeded", JSON.stringify(reply));
  assert.ok(Date.now() - from < 3_000, `${Date.now() - from} ms`);
});

contract("each member of a cycle of views has the error view_cycle, and nobody else", async (t) => {
  const room = await t.room();
  await define(t, room, "a", "state._view.b");
  await define(t, room, "b", "state._view.c");
  const closing = await define(t, room, "c", "state._view.a");
  assertStatus(closing, 200);
  assertViewError(closing.body.error, "view_cycle");
  await define(t, room, "own", "state._view.own");
  await define(t, room, "outside", "state._view.a");
  await define(t, room, "fine", "has(state._view.a)");
  for (const key of ["a", "b", "c", "own"]) assertViewError((await read(t, room, key)).error, "view_cycle");
  const outside = (await read(t, room, "outside")).error;
  assertViewError(outside);
  assert.notEqual(outside.code, "view_cycle");
  assert.equal((await read(t, room, "fine")).value, false);
  assert.deepEqual(await t.value(room, "state._view"), { fine: false });
});

contract("a view is in a cycle or not, whichever of its members is read first", async (t) => {
  // Each of the three refers to the others: x -> y -> z -> y and z -> x.
  const members = { x: "state._view.Y", y: "state._view.Z", z: "has(state._view.Y) ? 1 : state._view.X" };
  for (const names of ["abc", "acb", "bac", "bca", "cab", "cba"]) {
    const room = await t.room();
    const named = (expr: string) => expr.replace(/[XYZ]/g, (name) => names["XYZ".indexOf(name)]!);
    for (const [n, expr] of Object.values(members).entries()) await t.view(room, names[n]!, named(expr));
    const path = `/rooms/${room}/state?scope=_view&resolve=true`;
    for (const view of (await t.get(path)).body) assertViewError(view.error, "view_cycle");
    for (const key of names) assertViewError((await t.get(`${path}&key=${key}`)).body.error, "view_cycle");
  }
});

contract("inside CEL a view that fails is not there", async (t) => {
  const room = await t.room();
  await define(t, room, "bad", "state._shared.missing");
  await define(t, room, "good", "1");
  assert.equal(await t.value(room, "has(state._view.bad)"), false);
  assert.equal(await t.value(room, '"bad" in state._view'), false);
  assert.equal(await t.value(room, "has(state._view.good)"), true);
  assert.equal(await t.value(room, "state._view.?bad.orValue(7)"), 7);
  assert.deepEqual(await t.value(room, "state._view"), { good: 1 });
  const reply = await t.post(`/rooms/${room}/eval`, { expr: "state._view.bad" });
  assertError(reply, 400, "evaluation_failed", ["expression", "cause"]);
  const missing = await t.post(`/rooms/${room}/eval`, { expr: "state._view.nothing" });
  assert.equal(reply.body.cause.code, missing.body.cause.code);
});

contract("self is null in a view, whoever reads it", async (t) => {
  const room = await t.room();
  await define(t, room, "me", "self");
  assert.deepEqual(await t.value(room, "[self, state._view.me]", "ann"), ["ann", null]);
});

contract("a view is replaced and deleted like any entry", async (t) => {
  const room = await t.room();
  await t.view(room, "v", "1");
  const path = `/rooms/${room}/state`;
  const replaced = await t.put(path, { scope: "_view", key: "v", expr: "2", if_version: 1, agent: "ann" });
  assert.deepEqual([replaced.body.version, replaced.body.value], [2, 2]);
  assert.equal((await read(t, room, "v")).updated_by, "ann");
  const stale = await t.put(path, { scope: "_view", key: "v", expr: "3", if_version: 1 });
  assertError(stale, 409, "version_conflict", ["current"]);
  assert.equal(stale.body.current.expr, "2");
  const gated = await t.put(path, { scope: "_view", key: "v", expr: "3", if: "state._view.v == 9" });
  assertError(gated, 409, "precondition_failed", ["expression", "evaluated"]);
  const removed = await t.delete(path, { scope: "_view", key: "v" });
  assert.deepEqual(removed.body, { deleted: true });
  assert.equal(await t.value(room, "has(state._view.v)"), false);
});

contract("a view over agents and messages follows them", async (t) => {
  const room = await t.room();
  await t.view(room, "busy", 'size(agents.filter(id, agents[id].status == "busy"))');
  await t.view(room, "open", "messages.unclaimed");
  assert.deepEqual(await t.value(room, "state._view"), { busy: 0, open: 0 });
  await t.agent(room, "ann");
  await t.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
  await t.message(room);
  assert.deepEqual(await t.value(room, "state._view"), { busy: 1, open: 1 });
});

contract("a view may be written as it was read", async (t) => {
  const room = await t.room();
  await t.view(room, "v", "1 + 1");
  const { scope, key, value, expr } = await t.entry(room, "v", "_view");
  assert.equal(value, null);
  const again = await t.put(`/rooms/${room}/state`, { scope, key, value, expr });
  assert.deepEqual([again.status, again.body.resolved_value], [200, 2]);
});
