import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { assertStatus } from "../support/shapes.ts";

/** Does something and tells by how much it moved the room's clock. Its answer must carry where the clock stood. */
async function moved(t: Subject, room: string, act: () => Promise<Reply>, status = 200): Promise<number> {
  const before = await t.revision(room);
  const reply = await act();
  assertStatus(reply, status);
  const after = await t.revision(room);
  assert.equal(reply.revision, after, "the answer carries the revision that it reflects");
  return after - before;
}

contract("every change moves the room's clock by one", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const steps: [string, () => Promise<Reply>, number?][] = [
    ["a registration", () => t.post(`${path}/agents`, { id: "ann", name: "Ann" }), 201],
    ["a registration again", () => t.post(`${path}/agents`, { id: "ann", name: "Anne" })],
    ["a heartbeat that changes the status", () => t.post(`${path}/agents/ann/heartbeat`, { status: "busy" })],
    ["a write", () => t.put(`${path}/state`, { key: "k", value: 1 })],
    ["a write of the same value", () => t.put(`${path}/state`, { key: "k", value: 1 })],
    ["a write of an agent", () => t.put(`${path}/state`, { key: "k", value: 1, agent: "ann" })],
    ["a gated write", () => t.put(`${path}/state`, { key: "k", value: 1, if: "state._shared.k == 1" })],
    ["an increment", () => t.put(`${path}/state`, { key: "n", increment: true })],
    ["a view", () => t.put(`${path}/state`, { scope: "_view", key: "v", expr: "1" })],
    ["a delete", () => t.delete(`${path}/state`, { key: "k" })],
    ["a message", () => t.post(`${path}/messages`, { body: 1, from: "ann" }), 201],
  ];
  for (const [step, act, status] of steps) assert.equal(await moved(t, room, act, status), 1, step);
  const { id } = await t.message(room);
  const claim = () => t.post(`${path}/messages/${id}/claim`, { agent: "ann" });
  assert.equal(await moved(t, room, claim), 1, "a claim");
  assert.equal(await moved(t, room, claim), 0, "a claim repeated");
});

contract("a batch moves the room's clock once", async (t) => {
  const room = await t.room();
  const writes = Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, value: n }));
  assert.equal(await moved(t, room, () => t.put(`/rooms/${room}/state/batch`, { writes })), 1);
  const revision = await t.revision(room);
  const since = async (n: number) => (await t.get(`/rooms/${room}/state`, { since: n })).body.length;
  assert.deepEqual([await since(revision - 1), await since(revision)], [20, 0]);
});

contract("what changes nothing leaves the room's clock", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  await t.agent(room, "ann");
  await t.write(room, "text", "t");
  const { id } = await t.message(room);
  await t.post(`${path}/messages/${id}/claim`, { agent: "ann" });
  const conflict = { key: "text", value: 1, if_version: 7 };
  const steps: [string, () => Promise<Reply>, number?][] = [
    ["joining", () => t.post("/rooms", { id: room })],
    ["a heartbeat", () => t.post(`${path}/agents/ann/heartbeat`, {})],
    ["a heartbeat of the same status", () => t.post(`${path}/agents/ann/heartbeat`, { status: "active" })],
    ["a refused version", () => t.put(`${path}/state`, conflict), 409],
    ["a refused gate", () => t.put(`${path}/state`, { key: "text", value: 1, if: "false" }), 409],
    ["a refused increment", () => t.put(`${path}/state`, { key: "text", increment: true }), 409],
    [
      "a refused batch",
      () => t.put(`${path}/state/batch`, { writes: [{ key: "n", value: 1 }, conflict] }),
      409,
    ],
    ["a refused claim", () => t.post(`${path}/messages/${id}/claim`, { agent: "bob" }), 409],
    ["a delete of nothing", () => t.delete(`${path}/state`, { key: "nothing" })],
    ["a refused delete", () => t.delete(`${path}/state`, { key: "text", if_version: 7 }), 409],
    ["a reply to nothing", () => t.post(`${path}/messages`, { body: 1, reply_to: 12345 }), 404],
    ["an evaluation", () => t.post(`${path}/eval`, { expr: "state", agent: "ann" })],
    ["a wait that is answered at once", () => t.get(`${path}/wait?condition=true&agent=ann`)],
    ["a wait of nobody", () => t.get(`${path}/wait?condition=false&timeout=1`)],
  ];
  for (const [step, act, status] of steps) assert.equal(await moved(t, room, act, status), 0, step);
});

contract("a mark set and cleared moves the clock each time", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const before = await t.revision(room);
  const waiting = t.post(`/rooms/${room}/wait`, {
    condition: "has(state._shared.go)",
    agent: "ann",
    timeout: 20_000,
  });
  await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
  const during = await t.revision(room);
  assert.equal(during, before + 1);
  await t.write(room, "go", 1);
  assert.equal((await waiting).body.triggered, true);
  assert.equal(await t.revision(room), during + 2, "the write, and the mark cleared");
});

contract("rooms have clocks of their own", async (t) => {
  const [one, other] = [await t.room(), await t.room()];
  const before = await t.revision(other);
  for (let n = 0; n < 5; n++) await t.write(one, "k", n);
  assert.equal(await t.revision(other), before);
});

contract("every answer about a room carries its revision", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  await t.write(room, "k", 1);
  const answers: [string, string, number, Json?][] = [
    ["GET", "", 200],
    ["GET", "/agents", 200],
    ["POST", "/agents", 201, { id: "bob", name: "Bob" }],
    ["GET", "/agents/ann", 200],
    ["POST", "/agents/ann/heartbeat", 200, {}],
    ["GET", "/messages", 200],
    ["POST", "/messages", 201, { body: 1 }],
    ["GET", `/messages/${id}`, 200],
    ["POST", `/messages/${id}/claim`, 200, { agent: "ann" }],
    ["GET", "/state", 200],
    ["GET", "/state?key=k", 200],
    ["PUT", "/state", 200, { key: "k", value: 1 }],
    ["PUT", "/state/batch", 200, { writes: [{ key: "k", value: 1 }] }],
    ["PUT", "/state", 200, { scope: "_view", key: "v", expr: "1" }],
    ["DELETE", "/state", 200, { key: "k" }],
    ["POST", "/eval", 200, { expr: "1" }],
    ["GET", "/wait?condition=true", 200],
    ["POST", "/wait", 200, { condition: "false", timeout: 0 }],
    ["GET", "/agents/ghost", 404],
    ["POST", "/agents/ghost/heartbeat", 404, {}],
    ["GET", "/messages/12345", 404],
    ["GET", "/messages/none", 404],
    ["POST", "/messages/12345/claim", 404, { agent: "ann" }],
    ["POST", "/messages", 404, { body: 1, reply_to: 12345 }],
    ["GET", "/state?key=ghost", 404],
    ["GET", "/wait?condition=true&agent=ghost", 200],
    ["GET", "/wait?condition=true&agent=_ghost", 404],
    ["PUT", "/state", 409, { key: "k", value: 1, if_version: 99 }],
    ["PUT", "/state", 409, { key: "k", value: 1, if: "false" }],
    ["DELETE", "/state", 409, { key: "ghost", if_version: 1 }],
    ["POST", `/messages/${id}/claim`, 409, { agent: "bob" }],
  ];
  for (const [method, rest, status, body] of answers) {
    const reply = await t.request(method, path + rest, { body });
    assert.equal(reply.status, status, `${method} ${rest}: ${reply.text}`);
    assert.equal(reply.revision, await t.revision(room), `${method} ${rest}`);
  }
  const created = await t.post("/rooms", {});
  assert.equal(created.revision, await t.revision(created.body.id));
  assert.equal((await t.get(`${path}/nothing`)).revision, undefined);
  assert.equal((await t.get("/rooms/no-such-room")).revision, undefined);
});
