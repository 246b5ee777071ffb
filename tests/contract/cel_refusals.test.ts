import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import {
  assertCause,
  assertError,
  assertEvaluationFailed,
  assertInvalidExpression,
  assertStatus,
  assertViewError,
} from "../support/shapes.ts";

const evaluate = (t: Subject, room: string, expr: string) => t.post(`/rooms/${room}/eval`, { expr });

/** Three loops over as many numbers as a room's list has: thousands of millions of steps. */
const bomb = "state._shared.l.all(a, state._shared.l.all(b, state._shared.l.all(c, a + b + c >= 0)))";

async function roomWithList(t: Subject): Promise<string> {
  const room = await t.room();
  await t.write(room, "l", Array.from({ length: 2000 }, (_, n) => n));
  return room;
}

contract("an unknown root name is refused at its place, with the name that was meant", async (t) => {
  const room = await t.room();
  const near: [string, number, string][] = [
    ["stat._shared.x", 0, "state"],
    ["1 + mesages.count", 4, "messages"],
    ["agent.ann.status", 0, "agents"],
    ['"😀" + slf', 7, "self"],
  ];
  for (const [expr, position, meant] of near) {
    const reply = await evaluate(t, room, expr);
    assertInvalidExpression(reply, expr, position);
    assert.match(reply.body.hint ?? "", new RegExp(`\\b${meant}\\b`));
  }
  assertInvalidExpression(await evaluate(t, room, "qqqqqqqqqq"), "qqqqqqqqqq", 0);
});

contract("a syntax error is refused with its position", async (t) => {
  const room = await t.room();
  for (const expr of ["1 +", "state._shared.", "(1", "[1, 2", "true ?"]) {
    assertInvalidExpression(await evaluate(t, room, expr), expr, expr.length);
  }
  assertInvalidExpression(await evaluate(t, room, ""), "", 0);
  assertInvalidExpression(await evaluate(t, room, "1 + )"), "1 + )", 4);
  for (const expr of ["if (x) {}", "a b", "1 = 1", "'open", "`", "#"]) {
    assertInvalidExpression(await evaluate(t, room, expr), expr);
  }
});

contract("a type error that holds for any data is refused", async (t) => {
  const room = await t.room();
  for (const expr of ['1 + "a"', '"a" - 1', '-"a"', '"a" < 1', "size(5)", "nothing(1)", '"a".nothing()']) {
    assertInvalidExpression(await evaluate(t, room, expr), expr);
  }
});

contract("more than three nested loops are refused", async (t) => {
  const room = await t.room();
  const nested = (depth: number): string => depth === 0 ? "true" : `[1].all(x${depth}, ${nested(depth - 1)})`;
  assert.equal(await t.value(room, nested(3)), true);
  assertInvalidExpression(await evaluate(t, room, nested(4)), nested(4));
  const side = [nested(3), nested(3)].join(" && ");
  assert.equal(await t.value(room, side), true);
});

contract("an evaluation that never ends is stopped, and nothing in the expression can hide it", async (t) => {
  const room = await roomWithList(t);
  for (const expr of [bomb, `${bomb} || true`, `has(state._shared.x) || ${bomb}`, `${bomb} ? 1 : 2`]) {
    const started = Date.now();
    assertEvaluationFailed(await evaluate(t, room, expr), expr, "budget_exceeded");
    assert.ok(Date.now() - started < 5_000, "it took too long to be stopped");
  }
});

contract("a gate, a wait and a view past the budget say so", async (t) => {
  const room = await roomWithList(t);
  const gate = await t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: bomb });
  assertError(gate, 409, "precondition_failed", ["expression", "evaluated", "cause"]);
  assert.equal(gate.body.evaluated, null);
  assertCause(gate.body.cause, "budget_exceeded");

  const wait = await t.post(`/rooms/${room}/wait`, { condition: bomb, timeout: 0 });
  assertStatus(wait, 200);
  assert.equal(wait.body.last_error.code, "budget_exceeded");

  const view = await t.put(`/rooms/${room}/state`, { scope: "_view", key: "v", expr: bomb });
  assertStatus(view, 200);
  assertViewError(view.body.error, "budget_exceeded");
  assert.equal(await t.value(room, "1 + 1"), 2);
});

contract("a missing key is no error of the expression", async (t) => {
  const room = await t.room();
  for (
    const expr of ["state._shared.nothing", "agents.nobody.status", "state.nobody.x", "state._shared.a.b.c"]
  ) {
    assertEvaluationFailed(await evaluate(t, room, expr), expr);
  }
});

contract("matches is linear and knows only what RE2 knows", async (t) => {
  const room = await t.room();
  await t.write(room, "s", "a".repeat(50_000) + "!");
  const started = Date.now();
  assert.equal(await t.value(room, 'state._shared.s.matches("^(a+)+$")'), false);
  assert.equal(await t.value(room, 'state._shared.s.matches("^(a|aa)+$")'), false);
  assert.ok(Date.now() - started < 3_000, "a regex took too long");
  assert.equal(await t.value(room, '"task:12".matches("^task:[0-9]+$")'), true);
  assert.equal(await t.value(room, '"xtask:1".matches("task")'), true);
  for (const pattern of ["(?=a)", "(a)\\\\1", "(?<!a)b"]) {
    const reply = await evaluate(t, room, `"a".matches("${pattern}")`);
    assertStatus(reply, 400);
  }
});
