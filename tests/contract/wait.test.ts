import assert from "node:assert/strict";
import { contract, type Subject, waitingContract } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertInvalidExpression,
  assertMembers,
  assertStatus,
} from "../support/shapes.ts";

const get = (t: Subject, room: string, query: Record<string, string | number>) =>
  t.get(`/rooms/${room}/wait`, query);
const post = (t: Subject, room: string, body: Json) => t.post(`/rooms/${room}/wait`, body);

/** Waits as an agent of its own; comes back once the room shows that it waits. */
async function started(t: Subject, room: string, body: Json): Promise<{ answer: Promise<Reply> }> {
  const agent = `waiter-${crypto.randomUUID()}`;
  await t.agent(room, agent);
  const answer = post(t, room, { agent, timeout: 15_000, ...body });
  await t.agentUntil(room, agent, ({ status }) => status === "waiting");
  return { answer };
}

contract("a condition that is true is answered at once with its value", async (t) => {
  const room = await t.room();
  const conditions: [string, Json][] = [["true", true], ["1 + 1", 2], ['"a"', "a"], ["[]", []], ["{}", {}]];
  for (const [condition, value] of conditions) {
    const expected = { triggered: true, condition, value };
    const byGet = await get(t, room, { condition });
    assertStatus(byGet, 200);
    assert.deepEqual(byGet.body, expected);
    const byPost = await post(t, room, { condition });
    assertStatus(byPost, 200);
    assert.deepEqual(byPost.body, expected);
  }
});

contract("what is not truthy is waited for until the timeout", async (t) => {
  const room = await t.room();
  for (const condition of ["false", "null", "0", '""', "0.0 / 0.0", "messages.count > 0"]) {
    const reply = await get(t, room, { condition, timeout: 0 });
    assertStatus(reply, 200);
    assertMembers(reply.body, ["triggered", "timeout", "elapsed_ms"]);
    assert.deepEqual([reply.body.triggered, reply.body.timeout], [false, true]);
    assert.ok(reply.body.elapsed_ms >= 0);
  }
});

waitingContract("a wait lasts as long as its timeout", async (t) => {
  const room = await t.room();
  const from = Date.now();
  const [byGet, byPost] = await Promise.all([
    get(t, room, { condition: "false", timeout: 700 }),
    post(t, room, { condition: "false", timeout: 700 }),
  ]);
  const took = Date.now() - from;
  for (const { body } of [byGet, byPost]) {
    assert.equal(body.timeout, true);
    assert.ok(body.elapsed_ms >= 690 && body.elapsed_ms < 2_700, `${body.elapsed_ms} ms`);
  }
  assert.ok(took >= 690 && took < 2_700, `${took} ms`);
});

contract("a wait ends with the write that makes its condition true", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  const writes: [string, () => Promise<unknown>, Json][] = [
    ["has(state._shared.k)", () => t.write(room, "k", 1), true],
    ["state._shared.later == 5", () => t.write(room, "later", 5), true],
    ["!has(state._shared.k)", () => t.delete(`/rooms/${room}/state`, { key: "k" }), true],
    ["state._view.v", () => t.view(room, "v", "messages.count * 7"), 7],
    ["messages.count == 2", () => t.message(room), true],
    ["messages.unclaimed < 2", () => t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "x" }), true],
    ['"bob" in agents', () => t.agent(room, "bob"), true],
    [
      'agents.ann.status == "busy"',
      () => t.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" }),
      true,
    ],
  ];
  for (const [condition, write, value] of writes) {
    const wait = await started(t, room, { condition });
    await write();
    const { body } = await wait.answer;
    assert.deepEqual(body, { triggered: true, condition, value });
  }
});

contract("a view wakes those who wait on it when what it reads changes", async (t) => {
  const room = await t.room();
  await t.view(room, "done", "state._view.count >= 2");
  await t.view(room, "count", "state._shared.list.size()");
  const wait = await started(t, room, { condition: "state._view.done" });
  await t.write(room, "list", [1]);
  await t.write(room, "list", [1, 2]);
  assert.equal((await wait.answer).body.triggered, true);
});

contract("one write ends all waits on it", async (t) => {
  const room = await t.room();
  const waits = await Promise.all(
    Array.from({ length: 8 }, (_, n) => started(t, room, { condition: `state._shared.go >= ${n}` })),
  );
  await t.write(room, "go", 100);
  for (const { answer } of waits) assert.equal((await answer).body.triggered, true);
});

contract("the value is that of the state that the answer reflects", async (t) => {
  const room = await t.room();
  const condition = "state._shared.n > 0 ? state._shared.n : false";
  const wait = await started(t, room, { condition, include: "state._shared,messages" });
  await t.write(room, "n", 5);
  const { body } = await wait.answer;
  assert.equal(body.value, body.state._shared.n);
});

contract("a wait knows who waits as self", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const condition = "state._shared.turn == self";
  await t.write(room, "turn", "ann");
  assert.equal((await get(t, room, { condition, agent: "ann" })).body.triggered, true);
  assert.equal((await get(t, room, { condition, timeout: 0 })).body.triggered, false);
});

waitingContract("a condition that reads the time is judged as it passes", async (t) => {
  const room = await t.room();
  const at = new Date(Date.now() + 1_200).toISOString();
  const reply = await get(t, room, { condition: `now > timestamp("${at}")`, timeout: 10_000 });
  assert.equal(reply.body.triggered, true);
  const late = Date.now() - Date.parse(at);
  assert.ok(late >= 0 && late < 2_000, `${late} ms late`);
});

waitingContract("a condition on an agent's last heartbeat is judged as it ages", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const condition = 'timestamp(agents.ann.last_heartbeat) < now - duration("1s")';
  assert.equal((await get(t, room, { condition, timeout: 0 })).body.triggered, false);
  const reply = await get(t, room, { condition, timeout: 10_000 });
  assert.equal(reply.body.triggered, true);
});

waitingContract("a view that reads the time is judged as it passes, for those who wait on it", async (t) => {
  const room = await t.room();
  const at = new Date(Date.now() + 1_200).toISOString();
  await t.view(room, "late", "state._view.inner");
  await t.view(room, "inner", `now > timestamp("${at}")`);
  const reply = await get(t, room, { condition: "state._view.late", timeout: 10_000 });
  assert.equal(reply.body.triggered, true);
  assert.ok(Date.now() - Date.parse(at) < 2_000);
});

contract("a heartbeat that changes no status wakes those who wait for it within a second", async (t) => {
  const room = await t.room();
  const { last_heartbeat } = await t.agent(room, "ann");
  await t.view(room, "seen", "agents.ann.last_heartbeat");
  const conditions = [
    `agents.ann.last_heartbeat != "${last_heartbeat}"`,
    `agents.exists(id, id == "ann" && agents[id].last_heartbeat > "${last_heartbeat}")`,
    `state._view.seen != "${last_heartbeat}"`,
  ];
  const waits = await Promise.all(conditions.map((condition) => started(t, room, { condition })));
  await t.after(last_heartbeat);
  const from = Date.now();
  await t.post(`/rooms/${room}/agents/ann/heartbeat`, {});
  for (const { answer } of waits) assert.equal((await answer).body.triggered, true);
  assert.ok(Date.now() - from < 2_000, `${Date.now() - from} ms`);
});

contract("a wait that times out says why its condition could not be evaluated", async (t) => {
  const room = await t.room();
  const missing = await get(t, room, { condition: "state._shared.later > 1", timeout: 0 });
  assertStatus(missing, 200);
  assertMembers(missing.body, ["triggered", "timeout", "elapsed_ms", "last_error"]);
  assertMembers(missing.body.last_error, ["code", "message", "hint"]);
  for (const text of Object.values(missing.body.last_error)) assert.equal(typeof text, "string");
  const infinite = await get(t, room, { condition: "1.0 / 0.0", timeout: 0 });
  assert.equal(infinite.body.last_error.code, "not_json");
});

waitingContract("a condition whose last evaluation went well leaves no last_error", async (t) => {
  const room = await t.room();
  const wait = await started(t, room, { condition: "state._shared.later > 1", timeout: 3_000 });
  await t.write(room, "later", 1);
  const { body } = await wait.answer;
  assertMembers(body, ["triggered", "timeout", "elapsed_ms"]);
});

contract("a condition that is true at once never marks its agent", async (t) => {
  const room = await t.room();
  const ann = await t.agent(room, "ann");
  const before = await t.revision(room);
  const reply = await get(t, room, { condition: "true", agent: "ann" });
  assert.equal(reply.body.triggered, true);
  assert.equal(await t.revision(room), before);
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.status, ann.status);
});

contract("a condition that is no expression is refused at once", async (t) => {
  const room = await t.room();
  for (const condition of ["state._shared.", "mesages.count > 1", '1 + "a"']) {
    assertInvalidExpression(await get(t, room, { condition }), condition);
    assertInvalidExpression(await post(t, room, { condition }), condition);
  }
});

contract("the parameters of a wait are checked", async (t) => {
  const room = await t.room();
  assertInvalid(await get(t, room, {}), ["condition"]);
  assertInvalid(await post(t, room, {}), ["condition"]);
  assertInvalid(await post(t, room, undefined), ["condition"]);
  assertInvalid(await post(t, room, { condition: 5 }), ["condition"]);
  for (const timeout of [-1, 1.5, "soon"]) {
    assertInvalid(await get(t, room, { condition: "true", timeout }), ["timeout"]);
    assertInvalid(await post(t, room, { condition: "true", timeout }), ["timeout"]);
  }
  assertInvalid(await post(t, room, { condition: "true", agent: 5 }), ["agent"]);
});

contract("a timeout above the most counts as the most", async (t) => {
  const room = await t.room();
  for (const timeout of ["25001", "99999999999999999999999"]) {
    assertStatus(await get(t, room, { condition: "true", timeout }), 200);
  }
  assertStatus(await post(t, room, { condition: "true", timeout: 1e12 }), 200);
});

contract("what is wrong comes first, then what is missing", async (t) => {
  const room = await t.room();
  assertInvalidExpression(await get(t, "no-such-room", { condition: "1 +" }), "1 +", 3);
  assertInvalid(await get(t, "no-such-room", { condition: "true", timeout: "x" }), ["timeout"]);
  assertError(await get(t, "no-such-room", { condition: "true", agent: "ghost" }), 404, "room_not_found");
  assertError(await post(t, "no-such-room", { condition: "true" }), 404, "room_not_found");
  assertInvalidExpression(await get(t, room, { condition: "1 +", agent: "ghost" }), "1 +", 3);
  assertError(await post(t, "no-such-room", { condition: "true", agent: "_ghost" }), 404, "room_not_found");
  assertInvalidExpression(await post(t, room, { condition: "1 +", agent: "_ghost" }), "1 +", 3);
});

waitingContract("an agent that is not registered waits without a mark, and is told so", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const before = await t.revision(room);
  const notice = "agent_not_registered";
  const included = { messages: { count: 0, unclaimed: 0 } };
  for (const ask of [get, post]) {
    const condition = 'self == "ghost"';
    const atOnce = await ask(t, room, { condition, agent: "ghost", include: "messages" });
    assertStatus(atOnce, 200);
    assert.deepEqual(atOnce.body, { triggered: true, condition, value: true, notice, ...included });
    const late = await ask(t, room, { condition: "agents.ghost.name", agent: "ghost", timeout: 300 });
    assertStatus(late, 200);
    assertMembers(late.body, ["triggered", "timeout", "elapsed_ms", "last_error", "notice"]);
    assert.equal(late.body.notice, notice);
  }
  assert.equal(await t.revision(room), before, "no mark was set");
  assert.equal((await post(t, room, { condition: "true", agent: "ann" })).body.notice, undefined);
});

contract("a wait that began before its agent was registered goes on, and wakes", async (t) => {
  const room = await t.room();
  // The agent's mark shows that what was sent before it has begun as well.
  const unregistered = post(t, room, { condition: "has(agents.bob)", agent: "bob", timeout: 15_000 });
  const { answer } = await started(t, room, { condition: "has(agents.bob)" });
  await t.agent(room, "bob");
  assert.equal((await answer).body.triggered, true);
  assert.equal((await unregistered).body.triggered, true);
});

contract("what can be no agent's id waits for nothing", async (t) => {
  const room = await t.room();
  for (const agent of ["_ghost", "_"]) {
    assertError(await get(t, room, { condition: "false", agent }), 404, "agent_not_found");
    assertError(await post(t, room, { condition: "false", agent }), 404, "agent_not_found");
  }
  for (const agent of [".", "..", " ", "a\u0000"]) {
    assertError(await get(t, room, { condition: "false", agent }), 404, "agent_not_found");
    assertInvalid(await post(t, room, { condition: "false", agent }), ["agent"]);
  }
});
