import assert from "node:assert/strict";
import { openEvents } from "../support/events.ts";
import { type Held, heldContract } from "../support/held.ts";
import { holdTimers } from "../support/timers.ts";
import type { Reply } from "../support/client.ts";
import { until } from "../support/until.ts";

/** No other timer has this length. */
const LONG_MS = 5_003;
const STAYS_MS = 5_000;

const CONDITION = "has(state._shared.go)";

const wait = (at: Held["one"], room: string, members: object = {}) =>
  at.post(`/rooms/${room}/wait`, { agent: "ann", condition: CONDITION, timeout: LONG_MS, ...members });

const shown = async (at: Held["one"], room: string): Promise<string | null> =>
  (await at.get(`/rooms/${room}/agents/ann`)).body.waiting_on;

/** True of an agent whose wait has just been marked: that is a sign of life. */
const isMarked =
  ({ time }: Held) => ({ status, last_heartbeat }: { status: string; last_heartbeat: string }) =>
    status === "waiting" && last_heartbeat === new Date(time.now).toISOString();

/** Has ann wait until her time is over. Returns the answer. */
async function timedOut(held: Held, room: string, at = held.one, timeout = LONG_MS) {
  using timers = holdTimers(timeout);
  held.pass(1);
  const waiting = wait(at, room, { timeout });
  await at.agentUntil(room, "ann", isMarked(held));
  held.pass(timeout);
  timers.fire();
  const reply = await waiting;
  assert.equal(reply.body.timeout, true);
  return reply;
}

async function roomOfAnn({ one }: Held): Promise<string> {
  const room = await one.room();
  await one.agent(room, "ann");
  return room;
}

heldContract("a long wait that timed out leaves its mark for 5 s, which end it as a change", async (held) => {
  const { one, other, pass } = held;
  const room = await roomOfAnn(held);
  const { revision } = await timedOut(held, room);
  pass(STAYS_MS - 1);
  assert.equal(await shown(other, room), CONDITION);
  assert.equal(await one.revision(room), revision);
  pass(1);
  assert.equal(await shown(other, room), null);
  assert.equal(await one.revision(room), revision! + 1);
});

heldContract("a short wait that timed out leaves no mark", async (held) => {
  const room = await roomOfAnn(held);
  await timedOut(held, room, held.one, 4_999);
  assert.equal(await shown(held.other, room), null);
});

heldContract("the same wait takes the mark over without a revision, at any instance", async (held) => {
  const { one, other, pass } = held;
  const room = await roomOfAnn(held);
  const { revision } = await timedOut(held, room);
  const events = await openEvents(`${other.url}/rooms/${room}/events?after=${revision}`);
  for (const at of [other, one, one]) {
    pass(1_000);
    const before = (await one.get(`/rooms/${room}/agents/ann`)).body.last_heartbeat;
    assert.equal((await timedOut(held, room, at)).revision, revision);
    const { body } = await one.get(`/rooms/${room}/agents/ann`);
    assert.deepEqual([body.status, body.waiting_on], ["waiting", CONDITION]);
    assert.ok(body.last_heartbeat > before, "it is a sign of life");
  }
  pass(1);
  const waiting = wait(other, room, { timeout: 20_000 });
  await one.agentUntil(room, "ann", isMarked(held));
  await one.write(room, "go", true);
  assert.equal((await waiting).body.triggered, true);
  assert.equal(await shown(one, room), null);
  assert.equal(await one.revision(room), revision! + 2, "the write and the end of the mark");
  assert.ok((await events.next())!.data.revision > revision!, "streams hear of nothing before");
  events.leave();
  await events.ended;
});

/** What else an agent waits for in a loop: what others see, the request, and what grants it. */
const QUEUES: Record<string, {
  shows: string;
  ask: (at: Held["one"], room: string, timeout: number) => Promise<Reply>;
  granted: (reply: Reply) => boolean;
  prepare?: (at: Held["one"], room: string) => Promise<unknown>;
  grant: (at: Held["one"], room: string) => Promise<unknown>;
}> = {
  "a take": {
    shows: "claim task",
    ask: (at, room, timeout) =>
      at.post(`/rooms/${room}/messages/claim`, { agent: "ann", kind: "task", timeout }),
    granted: ({ body }) => body.claimed === true,
    grant: (at, room) => at.message(room, { kind: "task" }),
  },
  "a take of those that fit": {
    shows: "claim",
    ask: (at, room, timeout) =>
      at.post(`/rooms/${room}/messages/claim`, { agent: "ann", where: "message.body == 1", timeout }),
    granted: ({ body }) => body.claimed === true,
    prepare: (at, room) => at.message(room, { kind: "task", body: 0 }),
    grant: (at, room) => at.message(room, { kind: "task", body: 1 }),
  },
  "a request for paths": {
    shows: "reserve src/**",
    ask: (at, room, timeout) =>
      at.post(`/rooms/${room}/reservations`, { agent: "ann", paths: ["src/**"], timeout }),
    granted: ({ status }) => status === 201,
    prepare: (at, room) =>
      at.post(`/rooms/${room}/reservations`, { agent: "bob", paths: ["src/a.ts"], ttl: 3_600 }),
    grant: async (at, room) => {
      const { body: [{ id }] } = await at.get(`/rooms/${room}/reservations`);
      return await at.delete(`/rooms/${room}/reservations/${id}`, { agent: "bob" });
    },
  },
};

for (const [name, { shows, ask, granted, prepare, grant }] of Object.entries(QUEUES)) {
  heldContract(`${name} in a loop takes its mark over without a revision, at any instance`, async (held) => {
    const { one, other, pass } = held;
    const room = await roomOfAnn(held);
    await prepare?.(one, room);
    const outlast = async (at: Held["one"], timeout = LONG_MS) => {
      using timers = holdTimers(timeout);
      pass(1);
      const asking = ask(at, room, timeout);
      await at.agentUntil(room, "ann", isMarked(held));
      pass(timeout);
      timers.fire();
      const reply = await asking;
      assert.equal(granted(reply), false);
      return reply;
    };
    await outlast(one, 4_999);
    assert.equal(await shown(other, room), null, "a short one leaves no mark");
    await outlast(one);
    const revision = await one.revision(room);
    for (const at of [other, one]) {
      pass(1_000);
      assert.equal(await shown(other, room), shows);
      await outlast(at);
      assert.equal(await one.revision(room), revision);
    }
    pass(1);
    const asking = ask(other, room, 20_000);
    await one.agentUntil(room, "ann", isMarked(held));
    assert.equal(await one.revision(room), revision);
    await grant(one, room);
    assert.equal(granted(await asking), true);
    assert.equal(await shown(one, room), null);
  });
}

heldContract("a take that gets a task at once ends the mark that an earlier one has left", async (held) => {
  const { one, other, pass } = held;
  const room = await roomOfAnn(held);
  const { ask, granted, grant } = QUEUES["a take"]!;
  {
    using timers = holdTimers(LONG_MS);
    const asking = ask(one, room, LONG_MS);
    await one.agentUntil(room, "ann", ({ status }) => status === "waiting");
    pass(LONG_MS);
    timers.fire();
    await asking;
  }
  await grant(one, room);
  assert.equal(granted(await ask(other, room, 20_000)), true);
  assert.equal(await shown(one, room), null);
});

heldContract("a wait that goes on keeps its mark beside the same wait that begins", async (held) => {
  const { one, other } = held;
  const room = await roomOfAnn(held);
  const first = wait(one, room, { timeout: 20_000 });
  await one.agentUntil(room, "ann", ({ status }) => status === "waiting");
  const revision = await one.revision(room);
  const leaving = new AbortController();
  const second = other.request("POST", `/rooms/${room}/wait`, {
    body: { agent: "ann", condition: CONDITION, timeout: 20_000 },
    signal: leaving.signal,
  });
  await until(() => one.revision(room), (now) => now > revision);
  leaving.abort();
  await assert.rejects(second);
  await until(() => one.revision(room), (now) => now > revision + 1);
  assert.equal(await shown(one, room), CONDITION);
  await one.write(room, "go", true);
  await first;
});

/** What ends the mark that a wait of ann's has left. */
const ACTS: Record<string, (at: Held["one"], room: string) => Promise<unknown>> = {
  "a write": (at, room) => at.write(room, "k", 1, { agent: "ann" }),
  "a write under a condition": (at, room) => at.write(room, "k", 1, { agent: "ann", if: "true" }),
  "a delete": (at, room) => at.delete(`/rooms/${room}/state`, { key: "none", agent: "ann", if: "true" }),
  "a message": (at, room) => at.message(room, { from: "ann" }),
  "a refused claim": (at, room) => at.post(`/rooms/${room}/messages/1000/claim`, { agent: "ann" }),
  "a reservation": (at, room) =>
    at.post(`/rooms/${room}/reservations`, { agent: "ann", paths: ["a"], ttl: 60 }),
  "a bare heartbeat": (at, room) => at.post(`/rooms/${room}/agents/ann/heartbeat`, {}),
  "a registration": (at, room) => at.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann" }),
  "a look": (at, room) => wait(at, room, { timeout: 0 }),
  "the same wait, true at once": async (at, room) => {
    await at.write(room, "go", true);
    assert.equal((await wait(at, room)).body.triggered, true);
  },
  "another wait": (at, room) => wait(at, room, { condition: "false", timeout: 20 }),
};

for (const [name, act] of Object.entries(ACTS)) {
  heldContract(`what an agent does ends the mark that its wait has left: ${name}`, async (held) => {
    const { one, other, pass } = held;
    const room = await roomOfAnn(held);
    await timedOut(held, room);
    pass(1_000);
    await act(other, room);
    assert.equal(await shown(one, room), null);
    const { body } = await other.get(`/rooms/${room}/changes`, { after: 0 });
    assert.deepEqual([body.agents[0].id, body.agents[0].waiting_on], ["ann", null]);
    pass(STAYS_MS);
    assert.equal(await one.revision(room), body.revision, "it has ended once");
  });
}

heldContract("what others do, and a write while a wait goes on, end no mark", async (held) => {
  const { one, other } = held;
  const room = await roomOfAnn(held);
  await one.agent(room, "bob");
  await timedOut(held, room);
  await other.write(room, "k", 1, { agent: "bob" });
  await other.write(room, "k", 1);
  assert.equal(await shown(one, room), CONDITION);
  const waiting = wait(one, room, {
    timeout: 20_000,
    condition: "has(state._shared.k) && has(state._shared.go)",
  });
  await one.agentUntil(room, "ann", ({ waiting_on }) => waiting_on !== CONDITION && waiting_on !== null);
  await other.write(room, "l", 1, { agent: "ann" });
  assert.notEqual(await shown(one, room), null);
  await one.write(room, "go", true);
  await waiting;
});

heldContract(
  "streams and waits hear that the mark has ended, and a waiter does not see it of itself",
  async (held) => {
    const { one, other } = held;
    const room = await roomOfAnn(held);
    const { revision } = await timedOut(held, room);
    const events = await openEvents(`${other.url}/rooms/${room}/events?after=${revision}`);
    const idle = 'agents.ann.status == "active"';
    const waiting = one.post(`/rooms/${room}/wait`, { condition: idle });
    await one.message(room, { from: "ann" });
    assert.equal((await waiting).body.triggered, true);
    for (let agents = []; agents.length === 0;) agents = (await events.next())!.data.agents;
    events.leave();
    await events.ended;
    const left = await timedOut(held, room);
    const own = await wait(other, room, { condition: idle, include: "agents,changes:after:0" });
    assert.deepEqual([own.body.triggered, own.revision], [true, left.revision]);
    assert.equal(own.body.agents.ann.waiting_on, null);
    assert.equal(own.body.changes.agents[0].waiting_on, null);
  },
);

heldContract(
  "a delete that finds nothing is kept under its key, whatever its own heartbeat ends",
  async (held) => {
    const { one, other, pass } = held;
    const room = await roomOfAnn(held);
    const remove = (at: Held["one"], key: string, members: object = {}) =>
      at.request("DELETE", `/rooms/${room}/state`, {
        body: { key: "draft", agent: "ann", ...members },
        headers: { "Idempotency-Key": key },
      });
    const gate = { if: "timestamp(agents.ann.last_heartbeat) < now" };
    for (const [key, members] of [["mark", {}], ["gate", gate]] as const) {
      await timedOut(held, room);
      pass(1);
      assert.deepEqual((await remove(one, key, members)).body, { deleted: false });
      await one.write(room, "draft", key);
      const again = await remove(other, key, members);
      assert.deepEqual([again.body, again.headers.get("idempotency-replayed")], [{ deleted: false }, "true"]);
      assert.equal((await one.get(`/rooms/${room}/state?key=draft`)).body.value, key);
      assert.deepEqual((await one.delete(`/rooms/${room}/state`, { key: "draft" })).body, { deleted: true });
    }
  },
);
