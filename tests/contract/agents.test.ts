import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertMembers,
  assertRecent,
  assertStatus,
  assertUuid,
  members,
} from "../support/shapes.ts";

contract("an agent registers with all that it says of itself", async (t) => {
  const room = await t.room();
  const meta = { model: "m", tools: ["a", { b: 1 }] };
  const reply = await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann", role: "writer", meta });
  assertStatus(reply, 201);
  assertMembers(reply.body, [...members.agent, "created"]);
  const { joined_at, last_heartbeat, ...rest } = reply.body;
  assert.deepEqual(rest, {
    id: "ann",
    room_id: room,
    name: "Ann",
    role: "writer",
    meta,
    status: "active",
    waiting_on: null,
    alive: true,
    secure: false,
    created: true,
  });
  assertRecent(joined_at);
  assert.equal(last_heartbeat, joined_at);
});

contract("an agent that gives only a name gets a UUID, the role agent and an empty meta", async (t) => {
  const room = await t.room();
  const reply = await t.post(`/rooms/${room}/agents`, { name: "Ann" });
  assertStatus(reply, 201);
  assertUuid(reply.body.id);
  assert.deepEqual([reply.body.name, reply.body.role, reply.body.meta], ["Ann", "agent", {}]);
});

contract("an agent needs a name", async (t) => {
  const room = await t.room();
  assertInvalid(await t.post(`/rooms/${room}/agents`, { id: "ann" }), ["name"]);
  assertInvalid(await t.post(`/rooms/${room}/agents`), ["name"]);
  assertInvalid(await t.post(`/rooms/${room}/agents`, { name: 5 }), ["name"]);
  assert.deepEqual((await t.get(`/rooms/${room}/agents`)).body, []);
});

contract("role must be text and meta an object", async (t) => {
  const room = await t.room();
  assertInvalid(await t.post(`/rooms/${room}/agents`, { name: "a", role: 1 }), ["role"]);
  for (const meta of [[], "text", 5]) {
    assertInvalid(await t.post(`/rooms/${room}/agents`, { name: "a", meta }), ["meta"]);
  }
});

contract("registering again updates what is given and keeps the rest", async (t) => {
  const room = await t.room();
  const first = await t.agent(room, "ann", { name: "Ann", role: "writer", meta: { a: 1 } });
  await t.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
  await t.after(first.joined_at);

  const renamed = await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Anne" });
  assertStatus(renamed, 200);
  assertMembers(renamed.body, [...members.agent, "created"]);
  const { name, role, meta, joined_at, status } = renamed.body;
  assert.deepEqual([name, role, meta, joined_at, status], [
    "Anne",
    "writer",
    { a: 1 },
    first.joined_at,
    "active",
  ]);

  const changed = await t.post(`/rooms/${room}/agents`, {
    id: "ann",
    name: "Anne",
    role: "judge",
    meta: { b: 2 },
  });
  assertStatus(changed, 200);
  assert.deepEqual([changed.body.role, changed.body.meta], ["judge", { b: 2 }]);
  const { created, ...agent } = changed.body;
  assert.equal(created, false);
  assert.deepEqual((await t.get(`/rooms/${room}/agents/ann`)).body, agent);
});

contract("registering one agent many times at once makes one agent", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann" })),
  );
  assert.deepEqual(replies.map((reply) => reply.status).sort(), [...Array(11).fill(200), 201]);
  assert.equal((await t.get(`/rooms/${room}/agents`)).body.length, 1);
});

contract("the same agent id in two rooms is two agents", async (t) => {
  const [one, other] = [await t.room(), await t.room()];
  await t.agent(one, "ann", { role: "writer" });
  await t.agent(other, "ann", { role: "judge" });
  await t.post(`/rooms/${one}/agents/ann/heartbeat`, { status: "busy" });
  const here = (await t.get(`/rooms/${one}/agents/ann`)).body;
  const there = (await t.get(`/rooms/${other}/agents/ann`)).body;
  assert.deepEqual([here.room_id, here.role, here.status], [one, "writer", "busy"]);
  assert.deepEqual([there.room_id, there.role, there.status], [other, "judge", "active"]);
});

contract("agents are listed in order of joining", async (t) => {
  const room = await t.room();
  const ids = ["zoe", "ann", "mia", "bob"];
  for (const id of ids) await t.agent(room, id);
  await t.post(`/rooms/${room}/agents`, { id: "zoe", name: "again" });
  const reply = await t.get(`/rooms/${room}/agents`);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.map((agent: Json) => agent.id), ids);
  for (const agent of reply.body) assertMembers(agent, members.agent);
});

contract("a room without agents lists none", async (t) => {
  const reply = await t.get(`/rooms/${await t.room()}/agents`);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body, []);
});

contract("an agent reads as it was registered", async (t) => {
  const room = await t.room();
  const agent = await t.agent(room, "ann", { meta: { a: [1] } });
  const reply = await t.get(`/rooms/${room}/agents/ann`);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body, agent);
});

contract("an agent that nobody registered is not found", async (t) => {
  const room = await t.room();
  assertError(await t.get(`/rooms/${room}/agents/ghost`), 404, "agent_not_found");
  assertError(await t.post(`/rooms/${room}/agents/ghost/heartbeat`, {}), 404, "agent_not_found");
});

contract("who acts as an agent that is not registered is told so, the same in each repetition", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const at = `/rooms/${room}/messages`;
  const { id } = await t.message(room);
  const other = await t.message(room);
  for (let n = 0; n < 4; n++) await t.message(room, { kind: "task" });
  const requests: Array<[path: string, body: object]> = [
    [`${at}/${id}/claim`, {}],
    [`${at}/${other.id}/claim`, { ttl: 60 }],
    [`${at}/claim`, {}],
    [`${at}/claim`, { where: "true" }],
    [`${at}/claim`, { kind: "none" }],
    [`${at}/claim`, { kind: "none", where: "true" }],
    [`${at}/claim`, { kind: "none", timeout: 50 }],
    [`/rooms/${room}/reservations`, { paths: ["a"] }],
  ];
  for (const [path, body] of requests) {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const send = (agent: string, more = {}) =>
      t.request("POST", path, { body: { ...body, agent, ...more }, headers });
    const told = JSON.stringify([path, body]);
    const ghost = await send("ghost");
    assert.equal(ghost.body.notice, "agent_not_registered", told);
    const again = await send("ghost");
    assert.deepEqual({ ...again.body, elapsed_ms: 0 }, { ...ghost.body, elapsed_ms: 0 }, told);
    if (ghost.body.claimed) {
      const { message_id, fence } = ghost.body;
      assertStatus(await t.post(`${at}/${message_id}/release`, { agent: "ghost", fence }), 200);
    }
    headers["Idempotency-Key"] = crypto.randomUUID();
    const registered = await send("ann", path.endsWith("reservations") ? { paths: ["b"] } : {});
    assert.ok(registered.status < 300, registered.text);
    assert.equal("notice" in registered.body, false, told);
  }
  for (const more of [{}, { to: "ann" }, { to: "nobody" }, { reply_to: id }, { needs: [id], to: "ann" }]) {
    for (const headers of [{}, { "Idempotency-Key": crypto.randomUUID() }] as Array<Record<string, string>>) {
      const post = (from: string | undefined, key = headers) =>
        t.request("POST", at, { body: { body: 1, ...more, from }, headers: key });
      const [ghost, again] = [await post("ghost"), await post("ghost")];
      assert.deepEqual(
        [ghost.status, ghost.body.notice],
        [201, "agent_not_registered"],
        JSON.stringify(more),
      );
      assert.equal(again.body.notice, "agent_not_registered");
      for (const from of ["ann", undefined]) assert.equal("notice" in (await post(from, {})).body, false);
    }
  }
  const both = await Promise.all(["ann", "ghost", "ann"].map((from) => t.post(at, { from, body: 1 })));
  assert.deepEqual(both.map(({ body }) => body.notice), [undefined, "agent_not_registered", undefined]);
});
