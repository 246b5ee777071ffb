import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";

/** What a wait of that `include` answers, beside what every wait answers. By GET and by POST it is the same. */
async function included(t: Subject, room: string, include: string, more: Json = {}): Promise<Json> {
  const query = { condition: "true", include, ...more };
  const byGet = await t.get(`/rooms/${room}/wait`, query);
  assertStatus(byGet, 200);
  const byPost = await t.post(`/rooms/${room}/wait`, query);
  const byList = await t.post(`/rooms/${room}/wait`, { ...query, include: include.split(",") });
  assert.deepEqual([byPost.body, byList.body], [byGet.body, byGet.body]);
  const { triggered, condition, value, ...rest } = byGet.body;
  assert.deepEqual([triggered, condition, value], [true, "true", true]);
  return rest;
}

async function furnished(t: Subject): Promise<string> {
  const room = await t.room();
  await t.agent(room, "ann", { meta: { m: 1 } });
  await t.write(room, "k", { x: 1 });
  await t.write(room, "own", 2, { scope: "ann" });
  await t.write(room, "other", 3, { scope: "bob" });
  await t.view(room, "v", "state._shared.k.x + 1");
  await t.view(room, "bad", "state._shared.missing");
  return room;
}

contract("state includes all scopes with the views resolved, failing ones absent", async (t) => {
  const room = await furnished(t);
  assert.deepEqual(await included(t, room, "state"), {
    state: { _shared: { k: { x: 1 } }, _view: { v: 2 }, ann: { own: 2 }, bob: { other: 3 } },
  });
});

contract("state.<scope> includes only the scopes that are named", async (t) => {
  const room = await furnished(t);
  assert.deepEqual(await included(t, room, "state.ann"), { state: { ann: { own: 2 } } });
  assert.deepEqual(await included(t, room, "state._view"), { state: { _view: { v: 2 } } });
  assert.deepEqual(await included(t, room, "state._shared,state.bob"), {
    state: { _shared: { k: { x: 1 } }, bob: { other: 3 } },
  });
  assert.deepEqual(await included(t, room, "state.ghost"), { state: { ghost: {} } });
});

contract(
  "state.<scope> of a scope that cannot be is refused, and the hint names what may be meant",
  async (t) => {
    const room = await furnished(t);
    for (const scope of ["_shared.k", "_view.v", "_sharde", "_", "_shared\n"]) {
      const wait = { condition: "true", include: [`state.${scope}`] };
      const refused = await t.post(`/rooms/${room}/wait`, wait);
      assertInvalid(refused, ["include"]);
      assert.match(refused.body.hint, /`state\._shared`, `state\._view`/);
    }
    assertInvalid(
      await t.get(`/rooms/${room}/wait`, { condition: "true", include: "agents, state._shared.k" }),
      [
        "include",
      ],
    );
    assert.deepEqual(await included(t, room, "state.ann_shared"), { state: { ann_shared: {} } });
  },
);

contract("agents includes the agents of the CEL context", async (t) => {
  const room = await furnished(t);
  const { agents } = await included(t, room, "agents");
  assertMembers(agents, ["ann"]);
  assertMembers(agents.ann, members.agentInCel);
  assert.deepEqual(agents, await t.value(room, "agents"));
});

contract("agents are included however much they say of themselves", async (t) => {
  const room = await t.room();
  const meta = { list: Array.from({ length: 30_000 }, () => 1) };
  for (let n = 0; n < 8; n++) await t.agent(room, `agent ${n}`, { meta });
  const { agents } = await included(t, room, "agents");
  assert.equal(Object.keys(agents).length, 8);
  assert.deepEqual(agents["agent 7"].meta, meta);
});

contract("messages includes the counts, and messages:after:<id> the messages", async (t) => {
  const room = await furnished(t);
  const posted = [await t.message(room), await t.message(room, { kind: "b" }), await t.message(room)];
  await t.post(`/rooms/${room}/messages/${posted[0].id}/claim`, { agent: "ann" });
  assert.deepEqual(await included(t, room, "messages"), { messages: { count: 3, unclaimed: 2 } });
  const since = await included(t, room, `messages:after:${posted[0].id}`);
  assert.deepEqual(since, { messages_since: posted.slice(1) });
  assert.deepEqual(await included(t, room, `messages:after:${posted[2].id}`), { messages_since: [] });
  const all = await included(t, room, "messages:after:0");
  assert.deepEqual(all.messages_since, (await t.get(`/rooms/${room}/messages`)).body);
});

contract("several can be included at once", async (t) => {
  const room = await furnished(t);
  const rest = await included(t, room, "state._shared,agents,messages,messages:after:0");
  assertMembers(rest, ["state", "agents", "messages", "messages_since"]);
  assert.deepEqual(rest.state, { _shared: { k: { x: 1 } } });
});

contract("nothing is included that was not asked for", async (t) => {
  const room = await furnished(t);
  const reply = await t.get(`/rooms/${room}/wait`, { condition: "true" });
  assertMembers(reply.body, ["triggered", "condition", "value"]);
});

contract("a wait that times out includes the same", async (t) => {
  const room = await furnished(t);
  const reply = await t.get(`/rooms/${room}/wait`, {
    condition: "false",
    timeout: 0,
    include: "state.ann,messages",
  });
  assertMembers(reply.body, ["triggered", "timeout", "elapsed_ms", "state", "messages"]);
  assert.deepEqual(reply.body.state, { ann: { own: 2 } });
});

contract("a wait that has waited includes what is there when it ends", async (t) => {
  const room = await furnished(t);
  await t.agent(room, "bob");
  const waiting = t.post(`/rooms/${room}/wait`, {
    condition: "messages.count == 1",
    agent: "bob",
    include: ["messages", "messages:after:0", "state.ann", "agents"],
    timeout: 15_000,
  });
  await t.agentUntil(room, "bob", ({ status }) => status === "waiting");
  await t.write(room, "own", 9, { scope: "ann" });
  const message = await t.message(room);
  const reply = await waiting;
  assert.deepEqual(
    [reply.body.messages, reply.body.messages_since, reply.body.state],
    [{ count: 1, unclaimed: 1 }, [message], { ann: { own: 9 } }],
  );
  assert.deepEqual([reply.body.agents.bob.status, reply.body.agents.bob.waiting_on], ["active", null]);
});

contract("agents that wait for the same each see themselves at work, and all else alike", async (t) => {
  const room = await furnished(t);
  const ids = ["bob", "cid", "dan"];
  for (const id of ids) await t.agent(room, id, { meta: { of: id } });
  await t.message(room);
  const waiting = ids.map((agent) =>
    t.post(`/rooms/${room}/wait`, {
      condition: "state._shared.go == 1",
      agent,
      include: ["state", "agents", "messages:after:0", "changes:after:0"],
      timeout: 15_000,
    })
  );
  for (const id of ids) await t.agentUntil(room, id, ({ status }) => status === "waiting");
  await t.write(room, "go", 1);
  const answers = (await Promise.all(waiting)).map(({ body }) => body);
  for (const [n, { agents, changes, state, messages_since }] of answers.entries()) {
    const own = ids[n]!;
    assert.deepEqual([agents[own].status, agents[own].waiting_on], ["active", null]);
    assertMembers(agents, ["ann", ...ids]);
    for (const { id, room_id: _, revision: __, ...changed } of changes.agents) {
      assert.deepEqual({ id, ...changed }, agents[id]);
    }
    assert.deepEqual(changes.agents.map(({ id }: Json) => id).toSorted(), ["ann", ...ids]);
    assert.deepEqual(changes.messages.map(({ revision: _, ...message }: Json) => message), messages_since);
    assert.equal(state._shared.go, 1);
    assertMembers(state, ["_shared", "_view", "ann", ...ids]);
  }
});

contract("anything else that is to be included is refused", async (t) => {
  const room = await furnished(t);
  for (
    const include of [
      "everything",
      "state,nothing",
      "messages:after:x",
      "messages:after:-1",
      "messages:before:1",
    ]
  ) {
    assertInvalid(await t.get(`/rooms/${room}/wait`, { condition: "true", include }));
    assertInvalid(await t.post(`/rooms/${room}/wait`, { condition: "true", include }));
    assertInvalid(await t.post(`/rooms/${room}/wait`, { condition: "true", include: include.split(",") }));
  }
  assertInvalid(await t.post(`/rooms/${room}/wait`, { condition: "true", include: 5 }));
});

contract("an include names at most 100 fields", async (t) => {
  const room = await furnished(t);
  const fields = ["state.ann", ...Array.from({ length: 99 }, (_, n) => `state.s${n}`)];
  const { state } = await included(t, room, fields.join());
  assert.deepEqual([Object.keys(state).length, state.ann], [100, { own: 2 }]);
  const wait = (include: Json) => t.post(`/rooms/${room}/wait`, { condition: "true", include });
  for (const include of [[...fields, "agents"], [...fields, "agents"].join()]) {
    assertInvalid(await wait(include), ["include"]);
  }
  assertInvalid(await t.get(`/rooms/${room}/wait`, { condition: "true", include: `${fields},agents` }), [
    "include",
  ]);
});
