import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { DATABASES } from "../support/databases.ts";
import { heldContract } from "../support/held.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { claimed, postTask, type Task, taskOf } from "../support/tasks.ts";

const KEY = "Idempotency-Key";
/** Databases to which a test may connect beside the service. */
const SHARED = Object.keys(DATABASES);

async function leave(t: Subject, room: string, agent: string): Promise<boolean> {
  const reply = await t.delete(`/rooms/${room}/agents/${agent}`);
  assertStatus(reply, 200);
  assert.deepEqual(Object.keys(reply.body), ["left"]);
  return reply.body.left;
}

const rejoin = async (t: Subject, room: string, id: string) =>
  assertStatus(await t.post(`/rooms/${room}/agents`, { id, name: id }), 201);

const changesAfter = async (t: Subject, room: string, after: number): Promise<Json> => {
  const reply = await t.get(`/rooms/${room}/changes`, { after: String(after), limit: "1000" });
  assertStatus(reply, 200);
  return reply.body;
};

const reserve = async (t: Subject, room: string, agent: string, path: string): Promise<Json> => {
  const reply = await t.post(`/rooms/${room}/reservations`, { agent, paths: [path] });
  assertStatus(reply, 201);
  return reply.body;
};

const waitingFor = (t: Subject, room: string, agent: string, what: string) =>
  t.agentUntil(room, agent, ({ waiting_on }) => waiting_on === what);

function assertLeft(reply: Reply) {
  assertError(reply, 404, "agent_not_found");
  assert.match(reply.body.message, /has left this room/);
}

heldContract(
  "an agent that leaves is not registered any more; what it wrote stays",
  async ({ one, other }) => {
    const room = await one.room();
    for (const id of ["ann", "bob"]) await one.agent(room, id);
    const said = await one.message(room, { from: "ann" });
    await one.write(room, "note", 1, { scope: "ann", agent: "ann" });
    const before = await one.revision(room);
    assert.equal(await leave(other, room, "ann"), true);

    assert.equal(await one.revision(room), before + 1);
    assertError(await one.get(`/rooms/${room}/agents/ann`), 404, "agent_not_found");
    assertError(await one.post(`/rooms/${room}/agents/ann/heartbeat`, {}), 404, "agent_not_found");
    assert.deepEqual((await one.get(`/rooms/${room}/agents`)).body.map(({ id }: Json) => id), ["bob"]);
    assert.equal((await one.get(`/rooms/${room}/messages/${said.id}`)).body.from_agent, "ann");
    assert.equal((await one.get(`/rooms/${room}/state`, { scope: "ann", key: "note" })).body.value, 1);
    assert.equal(await one.value(room, "has(agents.ann)"), false);
    assert.equal(await one.value(room, "agents.size()"), 1);
    assert.equal((await one.message(room, { to: "ann" })).recipient.registered, false);
    assert.deepEqual((await changesAfter(one, room, before)).agents, [
      { id: "ann", left: true, revision: before + 1 },
    ]);
  },
);

heldContract("what is not there does not leave, and changes nothing", async ({ one }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  assert.equal(await leave(one, room, "ann"), true);
  for (const nobody of ["ann", "ghost", "%00", "_view"]) assert.equal(await leave(one, room, nobody), false);
  assert.equal(await one.revision(room), 2);
  assertError(await one.delete("/rooms/no-such-room/agents/ann"), 404, "room_not_found");
  assertInvalid(await one.delete(`/rooms/${room}/agents/ann`, { fence: 1 }), ["fence"]);
});

heldContract("under a key an agent leaves once, though it has come back", async ({ one, other }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  const path = `/rooms/${room}/agents/ann`;
  const first = await one.request("DELETE", path, { headers: { [KEY]: "leave" } });
  await rejoin(one, room, "ann");
  const again = await other.request("DELETE", path, { headers: { [KEY]: "leave" } });
  assert.deepEqual([first.body, again.body], [{ left: true }, { left: true }]);
  assert.deepEqual([again.revision, again.headers.get("Idempotency-Replayed")], [first.revision, "true"]);
  assertStatus(await one.get(path), 200);
  const none = `/rooms/${room}/agents/nobody`;
  for (const t of [one, other]) {
    const reply = await t.request("DELETE", none, { headers: { [KEY]: "nobody" } });
    assert.deepEqual(reply.body, { left: false });
  }
});

heldContract(
  "an agent that comes back is new, and follows hear of that alone",
  async ({ one, other, pass }) => {
    const room = await one.room();
    const { joined_at } = await one.agent(room, "ann", { role: "judge", meta: { a: 1 } });
    await leave(one, room, "ann");
    pass(1_000);
    const reply = await other.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann", if_new: true });
    assertStatus(reply, 201);
    const { role, meta, created } = reply.body;
    assert.deepEqual([role, meta, created], ["agent", {}, true]);
    assert.notEqual(reply.body.joined_at, joined_at);
    const { agents } = await changesAfter(one, room, 1);
    assert.deepEqual(agents.map(({ id, left, revision }: Json) => [id, left, revision]), [[
      "ann",
      undefined,
      3,
    ]]);
  },
);

heldContract("agents that left make room for others", async ({ one, connection }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  const database = await connection();
  const full = { sql: "UPDATE rooms SET agent_count = 1000 WHERE id = :room", args: { room } };
  await database.send([full], "write");
  database.close();
  assertError(await one.post(`/rooms/${room}/agents`, { id: "bob", name: "b" }), 409, "limit_reached");
  await leave(one, room, "ann");
  await rejoin(one, room, "bob");
  assertError(await one.post(`/rooms/${room}/agents`, { id: "cyd", name: "c" }), 409, "limit_reached");
}, SHARED);

heldContract("all its claims that are not done are released, with a ttl and without", async (held) => {
  const { one, other, time, pass } = held;
  const room = await one.room();
  await one.agent(room, "ann");
  const [leased, plain, done, others] = [
    await postTask(one, room),
    await postTask(one, room),
    await postTask(one, room),
    await postTask(one, room),
  ];
  const { fence } = await claimed(leased, "ann", 60);
  await claimed(plain, "ann");
  await claimed(done, "ann");
  assertStatus(await done.complete({ agent: "ann", result: 1 }), 200);
  const kept = await claimed(others, "bob", 60);
  const before = await one.revision(room);
  pass(1_000);
  const left = new Date(time.now).toISOString();
  await leave(one, room, "ann");

  assert.equal(await one.revision(room), before + 2, "one for the agent, one for its claims");
  for (const task of [leased, plain]) {
    const { status, claimed_by, claimed_at, claimed_until, attempts, done_at } = await taskOf(
      other,
      room,
      task.id,
    ).shown();
    assert.deepEqual([status, claimed_by, claimed_at, claimed_until, attempts, done_at], [
      "open",
      null,
      null,
      null,
      1,
      null,
    ]);
    const [attempt] = await task.attempts();
    assert.deepEqual([attempt!.agent, attempt!.ended, attempt!.ended_at, attempt!.error], [
      "ann",
      "released",
      left,
      null,
    ]);
  }
  assert.deepEqual([(await done.shown()).status, (await done.shown()).claimed_by], ["done", "ann"]);
  assert.deepEqual([(await others.shown()).claimed_by, (await others.shown()).fence], ["bob", kept.fence]);
  assert.deepEqual(
    await one.value(
      room,
      "[messages.unclaimed, messages.kind.task.open, messages.kind.task.claimed, messages.kind.task.done]",
    ),
    [2, 2, 1, 1],
  );
  assertError(await leased.complete({ agent: "ann", fence }), 409, "lease_lost", [
    "status",
    "claimed_by",
    "claimed_until",
    "fence",
  ]);
  assert.equal(
    (await one.post(`/rooms/${room}/messages/claim`, { agent: "cyd" })).body.message_id,
    leased.id,
  );
});

heldContract("a task whose last attempt that was fails, and all that need it", async ({ one, other }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  const last = await postTask(one, room, { max_attempts: 1 });
  const needy = await postTask(one, room, { needs: [last.id] });
  const chained = await postTask(one, room, { needs: [needy.id] });
  await claimed(last, "ann", 60);
  const before = await one.revision(room);
  await leave(other, room, "ann");
  const shown = async ({ shown }: Task) => {
    const { status, failure, claimed_by } = await shown();
    return [status, failure, claimed_by];
  };
  assert.deepEqual(await shown(last), ["failed", { reason: "attempts" }, "ann"]);
  assert.deepEqual(await shown(needy), ["failed", { reason: "need", message: last.id }, null]);
  assert.deepEqual(await shown(chained), ["failed", { reason: "need", message: needy.id }, null]);
  assert.deepEqual(
    (await changesAfter(one, room, before)).messages.map(({ id, revision }: Json) => [id, revision])
      .toSorted(),
    [last, needy, chained].map(({ id }) => [id, before + 2]),
  );
  assert.equal((await last.attempts())[0]!.ended, "released");
});

heldContract("its reservations end, and who waits for their paths gets them", async ({ one, other }) => {
  const room = await one.room();
  for (const id of ["ann", "bob"]) await one.agent(room, id);
  const mine = [await reserve(one, room, "ann", "src/**"), await reserve(one, room, "ann", "docs/**")];
  const theirs = await reserve(one, room, "cyd", "tests/**");
  const waiting = other.post(`/rooms/${room}/reservations`, {
    agent: "bob",
    paths: ["src/a"],
    timeout: 20_000,
  });
  await waitingFor(one, room, "bob", "reserve src/a");
  const before = await one.revision(room);
  await leave(one, room, "ann");
  const got = await waiting;
  assertStatus(got, 201);
  const { reservations } = await changesAfter(other, room, before);
  assert.deepEqual(
    reservations.filter(({ ended }: Json) => ended).map(({ id, revision }: Json) => [id, revision])
      .toSorted(),
    mine.map(({ id }) => [id, before + 2]).toSorted(),
  );
  const inForce = (await other.get(`/rooms/${room}/reservations`)).body.map(({ id }: Json) => id);
  assert.deepEqual(inForce, [theirs.id, got.body.id]);
  const late = await one.delete(`/rooms/${room}/reservations/${mine[0]!.id}`, { agent: "ann" });
  assert.deepEqual(late.body, { released: false });
});

heldContract("what ends is cut into revisions of at most 100 things, which streams tell", async (held) => {
  const { one, other } = held;
  const room = await one.room();
  await one.agent(room, "ann");
  const tasks = await Promise.all(Array.from({ length: 250 }, () => postTask(one, room)));
  await Promise.all(tasks.map((task) => claimed(task, "ann", 60)));
  await reserve(one, room, "ann", "a");
  const before = await one.revision(room);
  const stream = await openEvents(`${other.url}/rooms/${room}/events?after=${before}`);
  await leave(one, room, "ann");
  const { agents, messages, reservations, revision } = await changesAfter(other, room, before);
  assert.deepEqual(agents, [{ id: "ann", left: true, revision: before + 1 }]);
  const cut = Map.groupBy<number, Json>(messages, ({ revision }) => revision);
  assert.deepEqual([...cut.values()].map((ended) => ended.length), [100, 100, 50]);
  assert.equal(reservations.length, 1);
  assert.equal(revision, before + 5);
  assert.ok(messages.every(({ status }: Json) => status === "open"));
  await stream.next(({ revision }) => revision === before + 5);
  const told = stream.said.flatMap(({ data }) => data ? [...data.agents, ...data.messages] : []);
  assert.ok(told.some(({ id, left }) => id === "ann" && left === true));
  assert.equal(new Set(told.filter(({ status }) => status === "open").map(({ id }) => id)).size, 250);
  stream.leave();
});

heldContract("its waits end with 404 at every instance, and others' go on", async ({ one, other }) => {
  const room = await one.room();
  for (const id of ["ann", "bob"]) await one.agent(room, id);
  const wait = (t: Subject, agent: string | undefined, key: string) =>
    t.post(`/rooms/${room}/wait`, { condition: `has(state._shared.${key})`, agent, timeout: 20_000 });
  const on = [wait(one, "ghost", "go"), wait(other, undefined, "go")];
  const ended = [];
  for (const [key, t] of [["a", one], ["b", other], ["c", one]] as const) {
    ended.push(wait(t, "ann", key));
    await waitingFor(one, room, "ann", `has(state._shared.${key})`);
  }
  on.push(wait(other, "bob", "go"));
  await waitingFor(one, room, "bob", "has(state._shared.go)");
  await leave(one, room, "ann");
  for (const reply of await Promise.all(ended)) assertLeft(reply);
  await one.write(room, "go", 1);
  for (const reply of await Promise.all(on)) assert.equal(reply.body.triggered, true);
  assert.equal((await on[0]!).body.notice, "agent_not_registered");
});

heldContract("they end too where it comes back at once, and those after it go on", async ({ one, other }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  const wait = (t: Subject, key: string) =>
    t.post(`/rooms/${room}/wait`, { condition: `has(state._shared.${key})`, agent: "ann", timeout: 20_000 });
  const take = (t: Subject, kind: string, more: Json = {}) =>
    t.post(`/rooms/${room}/messages/claim`, { agent: "ann", kind, timeout: 20_000, ...more });
  const held = await reserve(one, room, "bob", "src");
  const ended: Array<Promise<Reply>> = [];
  for (
    const [what, ask] of [
      ["has(state._shared.a)", () => wait(other, "a")],
      ["claim x", () => take(other, "x")],
      ["claim y", () => take(other, "y", { where: "message.id > 0" })],
      [
        "reserve src",
        () => other.post(`/rooms/${room}/reservations`, { agent: "ann", paths: ["src"], timeout: 20_000 }),
      ],
    ] as Array<[string, () => Promise<Reply>]>
  ) {
    ended.push(ask());
    await waitingFor(one, room, "ann", what);
  }
  await leave(one, room, "ann");
  await rejoin(one, room, "ann");
  // What they ask for is there before they hear of it.
  for (const kind of ["x", "y"]) await postTask(one, room, { kind });
  await one.delete(`/rooms/${room}/reservations/${held.id}`, { agent: "bob" });
  for (const reply of await Promise.all(ended)) assertLeft(reply);
  assert.deepEqual(await one.value(room, "[messages.kind.x.open, messages.kind.y.open]"), [1, 1]);
  assert.deepEqual((await one.get(`/rooms/${room}/reservations`)).body, []);
  assert.equal((await take(other, "x")).body.claimed, true);
  assert.equal((await take(one, "y")).body.claimed, true);
});

heldContract("of many who wait for a task, those who left get none", async ({ one, other }) => {
  const room = await one.room();
  const workers = ["a", "b", "c", "d", "e", "f", "g"];
  for (const id of workers) await one.agent(room, id);
  const waiting = new Map<string, Promise<Reply>>();
  for (const agent of workers) {
    waiting.set(agent, other.post(`/rooms/${room}/messages/claim`, { agent, timeout: 20_000 }));
    await waitingFor(one, room, agent, "claim");
  }
  const gone = ["a", "c", "g"];
  for (const agent of gone) await leave(one, room, agent);
  for (const agent of gone) await rejoin(one, room, agent);
  for (let n = 0; n < 4; n++) await postTask(one, room);
  const got = await Promise.all(workers.map(async (agent) => [agent, await waiting.get(agent)!] as const));
  for (const [agent, reply] of got) {
    if (gone.includes(agent)) assertLeft(reply);
    else assert.equal(reply.body.claimed_by, agent);
  }
});

heldContract("whoever holds no registration waits on, whoever leaves", async ({ one, other }) => {
  const room = await one.room();
  await one.agent(room, "ann");
  await one.agent(room, "bob");
  const take = other.post(`/rooms/${room}/messages/claim`, { agent: "ghost", timeout: 20_000 });
  const known = other.post(`/rooms/${room}/messages/claim`, { agent: "bob", kind: "x", timeout: 20_000 });
  await waitingFor(one, room, "bob", "claim x");
  await leave(one, room, "ann");
  await postTask(one, room);
  assert.equal((await take).body.claimed_by, "ghost");
  await postTask(one, room, { kind: "x" });
  assert.equal((await known).body.claimed_by, "bob");
});

heldContract("conditions of others see that it is gone", async ({ one, other }) => {
  const room = await one.room();
  for (const id of ["ann", "bob"]) await one.agent(room, id);
  const conditions = [
    "!has(agents.ann)",
    "agents.size() == 1",
    "!('ann' in state)",
    "!agents.?ann.hasValue()",
  ];
  const waits = conditions.map((condition) =>
    other.post(`/rooms/${room}/wait`, { condition, agent: "bob", timeout: 20_000, include: "agents" })
  );
  await one.agentUntil(room, "bob", ({ status }) => status === "waiting");
  await leave(one, room, "ann");
  for (const reply of await Promise.all(waits)) {
    assert.deepEqual([reply.body.triggered, Object.keys(reply.body.agents)], [true, ["bob"]]);
  }
});

heldContract(
  "who follows from before departures that are forgotten starts anew",
  async ({ one, connection }) => {
    const room = await one.room();
    await one.agent(room, "ann");
    await one.agent(room, "bob");
    for (let n = 0; n < 3; n++) await one.write(room, `k${n}`, n);
    const database = await connection();
    // As if 10,000 reservations had ended in revisions 6 to 105.
    await database.send([
      {
        sql: `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
        INSERT INTO departed SELECT :room, 'reservations', 'r' || n, 6 + n / 100 FROM n`,
        args: { room },
      },
      { sql: "UPDATE rooms SET revision = 105, requires = 2 WHERE id = :room", args: { room } },
    ], "write");
    const paged = async (query: Record<string, string>) => {
      const { body, headers } = await one.get(`/rooms/${room}/changes`, { limit: "2", ...query });
      return { ...body, link: /<([^>]*)>/.exec(headers.get("link") ?? "")?.[1] };
    };
    assert.equal((await paged({ after: "5" })).reset, undefined);
    await leave(one, room, "ann");
    assert.equal((await paged({ after: "6" })).reset, undefined, "all after it is known");
    const anew = await paged({ after: "5" });
    assert.deepEqual([anew.reset, anew.revision, anew.more], [true, 3, true]);
    assert.deepEqual(anew.agents.map(({ id }: Json) => id), ["bob"]);
    const began = new URLSearchParams(anew.link!.split("?")[1]);
    assert.deepEqual([began.get("after"), began.get("began"), anew.began], [
      String(anew.revision),
      "106",
      106,
    ]);
    const next = await paged({ after: "3", began: "106" });
    assert.deepEqual([next.reset, next.revision, next.began], [undefined, 5, 106]);
    const last = await paged({ after: "105", began: "106" });
    assert.deepEqual([last.reset, last.more, last.began], [undefined, false, undefined]);
    const [count] = await database.send([
      { sql: "SELECT COUNT(*) AS count FROM departed WHERE room_id = :room", args: { room } },
    ], "read");
    database.close();
    assert.ok(Number(count![0]!.count) <= 10_000);
    assert.equal((await paged({ after: "0" })).reset, undefined);
    assert.equal((await paged({ after: "4" })).reset, true);
    const stream = await openEvents(`${one.url}/rooms/${room}/events?after=5`);
    await stream.next(({ revision }) => revision === 106);
    assert.deepEqual(stream.said.filter(({ type }) => type === "reset").length, 1);
    stream.leave();
  },
  SHARED,
);
