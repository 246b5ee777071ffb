import assert from "node:assert/strict";
import { contract, type Subject, waitingContract } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertInvalid, assertMembers, assertRecent, assertStatus } from "../support/shapes.ts";

const beat = (t: Subject, room: string, id: string, body?: Json) =>
  t.post(`/rooms/${room}/agents/${id}/heartbeat`, body);

const wait = (t: Subject, room: string, agent: string, condition: string, timeout = 20_000) =>
  t.post(`/rooms/${room}/wait`, { agent, condition, timeout });

const waitsOn = (condition: string | null) => (agent: Json) => agent.waiting_on === condition;

contract("a heartbeat answers the agent, its status and the time", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const reply = await beat(t, room, "ann", { status: "busy" });
  assertStatus(reply, 200);
  assertMembers(reply.body, ["ok", "agent", "status", "heartbeat"]);
  assert.deepEqual([reply.body.ok, reply.body.agent, reply.body.status], [true, "ann", "busy"]);
  assertRecent(reply.body.heartbeat);
  const agent = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([agent.status, agent.last_heartbeat], ["busy", reply.body.heartbeat]);
});

contract("a heartbeat sets each of the four statuses", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  for (const status of ["idle", "busy", "waiting", "active"]) {
    assert.equal((await beat(t, room, "ann", { status })).body.status, status);
    assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.status, status);
  }
});

contract("a heartbeat without a status sets active", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  for (const body of [{}, undefined]) {
    await beat(t, room, "ann", { status: "busy" });
    assert.equal((await beat(t, room, "ann", body)).body.status, "active");
    assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.status, "active");
  }
});

contract("a heartbeat refuses any other status", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  for (const status of ["dead", "", "Active", 1, "<b>busy</b>"]) {
    assertInvalid(await beat(t, room, "ann", { status }), ["status"]);
  }
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.status, "active");
});

contract("a status waiting that a heartbeat set waits on nothing", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await beat(t, room, "ann", { status: "waiting" });
  const agent = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([agent.status, agent.waiting_on], ["waiting", null]);
});

contract("what an agent does counts as a heartbeat and leaves its status", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  await beat(t, room, "ann", { status: "busy" });
  const state = `/rooms/${room}/state`;
  const deeds: [string, () => Promise<Json>][] = [
    ["posting a message", () => t.post(`/rooms/${room}/messages`, { from: "ann", body: 1 })],
    ["claiming", () => t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann" })],
    ["writing", () => t.put(state, { key: "k", value: 1, agent: "ann" })],
    ["writing a batch", () => t.put(`${state}/batch`, { writes: [{ key: "k", value: 2 }], agent: "ann" })],
    ["deleting", () => t.delete(state, { key: "k", agent: "ann" })],
    ["waiting", () => t.get(`/rooms/${room}/wait`, { condition: "false", agent: "ann", timeout: 1 })],
  ];
  for (const [deed, act] of deeds) {
    const before = (await t.get(`/rooms/${room}/agents/ann`)).body;
    await t.after(before.last_heartbeat);
    assertStatus(await act(), deed === "posting a message" ? 201 : 200);
    const after = (await t.get(`/rooms/${room}/agents/ann`)).body;
    assert.ok(after.last_heartbeat > before.last_heartbeat, deed);
    assert.equal(after.status, "busy", deed);
  }
});

contract("what one agent does is no heartbeat of another", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const bob = await t.agent(room, "bob");
  await t.after(bob.last_heartbeat);
  await t.message(room, { from: "ann", to: "bob" });
  await beat(t, room, "ann");
  assert.deepEqual((await t.get(`/rooms/${room}/agents/bob`)).body, bob);
});

contract("an agent that waits shows it, and what it was before when the wait is over", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await beat(t, room, "ann", { status: "busy" });
  const condition = "has(state._shared.go)";
  const waiting = wait(t, room, "ann", condition);
  const during = await t.agentUntil(room, "ann", waitsOn(condition));
  assert.equal(during.status, "waiting");
  const listed = (await t.get(`/rooms/${room}/agents`)).body[0];
  assert.deepEqual([listed.status, listed.waiting_on], ["waiting", condition]);
  assert.deepEqual(await t.value(room, "[agents.ann.status, agents.ann.waiting_on]"), ["waiting", condition]);

  await t.write(room, "go", true);
  assert.equal((await waiting).body.triggered, true);
  const after = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([after.status, after.waiting_on], ["busy", null]);
});

contract("a wait that times out takes its mark away", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  assert.equal((await wait(t, room, "ann", "false", 50)).body.timeout, true);
  const agent = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([agent.status, agent.waiting_on], ["active", null]);
});

contract("a heartbeat during a wait decides the status after it", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const waiting = wait(t, room, "ann", "has(state._shared.go)");
  await t.agentUntil(room, "ann", waitsOn("has(state._shared.go)"));
  assertStatus(await beat(t, room, "ann", { status: "idle" }), 200);
  await t.write(room, "go", true);
  await waiting;
  const after = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([after.status, after.waiting_on], ["idle", null]);
});

contract("of two waits of one agent the newest shows, and each takes only its own mark away", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const [first, second, third] = ["a", "b", "c"].map((key) => `has(state._shared.${key})`);
  const waits = [];
  for (const condition of [first!, second!, third!]) {
    waits.push(wait(t, room, "ann", condition));
    await t.agentUntil(room, "ann", waitsOn(condition));
  }

  await t.write(room, "b", 1);
  await waits[1];
  const still = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([still.status, still.waiting_on], ["waiting", third]);

  await t.write(room, "c", 1);
  await waits[2];
  const oldest = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([oldest.status, oldest.waiting_on], ["waiting", first]);

  await t.write(room, "a", 1);
  await waits[0];
  const none = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.deepEqual([none.status, none.waiting_on], ["active", null]);
});

contract("a client that goes away ends its wait and the mark with it", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const gone = new AbortController();
  const waiting = t.request("POST", `/rooms/${room}/wait`, {
    body: { agent: "ann", condition: "false", timeout: 20_000 },
    signal: gone.signal,
  });
  await t.agentUntil(room, "ann", waitsOn("false"));
  gone.abort();
  await assert.rejects(waiting);
  const after = await t.agentUntil(room, "ann", waitsOn(null), 2_000);
  assert.equal(after.status, "active");
});

contract("one agent can wait until another one waits", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.agent(room, "bob");
  const condition = 'agents.bob.status == "waiting"';
  const ann = wait(t, room, "ann", condition);
  await t.agentUntil(room, "ann", waitsOn(condition));
  const bob = wait(t, room, "bob", "has(state._shared.go)");
  assert.equal((await ann).body.triggered, true);
  await t.write(room, "go", 1);
  assert.equal((await bob).body.triggered, true);
});

waitingContract("a waiter sees itself with the status it has without this wait", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await beat(t, room, "ann", { status: "idle" });
  const condition = 'agents.ann.status == "waiting"';
  const alone = await t.post(`/rooms/${room}/wait`, {
    agent: "ann",
    condition,
    timeout: 600,
    include: "agents",
  });
  assert.equal(alone.body.triggered, false);
  assert.deepEqual([alone.body.agents.ann.status, alone.body.agents.ann.waiting_on], ["idle", null]);

  const other = wait(t, room, "ann", "has(state._shared.go)");
  await t.agentUntil(room, "ann", waitsOn("has(state._shared.go)"));
  assert.equal((await wait(t, room, "ann", condition, 0)).body.triggered, true);
  await t.write(room, "go", 1);
  await other;
});
