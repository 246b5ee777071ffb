import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import { openEvents } from "../support/events.ts";
import { type Held, heldContract } from "../support/held.ts";
import { type HeldProcess, startHeldProcess } from "../support/held_process.ts";
import { holdTimers } from "../support/timers.ts";

/** No other timer has this length. */
const LONG_MS = 5_003;
const STAYS_MS = 5_000;
/** The time of a wait that goes on when its instance is killed. */
const GOES_ON_MS = 20_000;

const LEFT = "has(state._shared.left)";
const GOES_ON = "has(state._shared.goes_on)";

/** Two instances over one database. */
const SHARED = ["file", "libsql"];

const wait = (at: Subject, room: string, condition: string, timeout: number) =>
  at.post(`/rooms/${room}/wait`, { agent: "ann", condition, timeout });

const shown = async (at: Subject, room: string): Promise<string | null> =>
  (await at.get(`/rooms/${room}/agents/ann`)).body.waiting_on;

async function untilShown(at: Subject, room: string, condition: string): Promise<void> {
  await at.agentUntil(room, "ann", ({ waiting_on }) => waiting_on === condition);
}

async function roomOfAnn({ one }: Held): Promise<string> {
  const room = await one.room();
  await one.agent(room, "ann");
  return room;
}

/** Has ann wait in each room at an instance, until her time is over. */
async function timeOut({ one, pass }: Held, { at, fire }: Pick<HeldProcess, "at" | "fire">, rooms: string[]) {
  const waits = rooms.map((room) => wait(at, room, LEFT, LONG_MS));
  for (const room of rooms) await untilShown(one, room, LEFT);
  pass(LONG_MS);
  await fire();
  for (const { body } of await Promise.all(waits)) assert.equal(body.timeout, true);
}

/** Kills a third instance that has just left a mark of ann's in each of some rooms. */
async function killed(held: Held, rooms: string[]): Promise<void> {
  await using process = await startHeldProcess(held.database, held.time, LONG_MS);
  await timeOut(held, process, rooms);
  await process.kill();
}

heldContract(
  "a mark left by an instance that was killed ends after 5 s by the database's clock, as one change",
  async (held) => {
    const { one, other, pass } = held;
    const room = await roomOfAnn(held);
    await killed(held, [room]);
    const revision = await one.revision(room);
    const events = await openEvents(`${one.url}/rooms/${room}/events?after=${revision}`);
    const waiting = other.post(`/rooms/${room}/wait`, { condition: 'agents.ann.status == "active"' });
    pass(STAYS_MS - 1);
    for (const at of [one, other]) assert.equal(await shown(at, room), LEFT);
    assert.equal(await one.revision(room), revision, "not earlier");
    pass(1);
    // Nobody else looks.
    const event = await events.next(({ agents }) => agents?.length > 0);
    assert.deepEqual([event!.data.revision, event!.data.agents[0].waiting_on], [revision + 1, null]);
    assert.deepEqual([(await waiting).body.triggered, (await waiting).revision], [true, revision + 1]);
    events.leave();
    await events.ended;
    pass(60_000);
    assert.deepEqual(await Promise.all([one, other].map((at) => shown(at, room))), [null, null]);
    assert.equal(await one.revision(room), revision + 1, "once");
  },
  SHARED,
);

heldContract(
  "a mark left by an instance that was killed ends for whoever looks first, however many look",
  async (held) => {
    const { one, other, pass } = held;
    const room = await roomOfAnn(held);
    await killed(held, [room]);
    const revision = await one.revision(room);
    pass(STAYS_MS);
    const looks = [one, other, one, other].map((at) => shown(at, room));
    assert.deepEqual(await Promise.all(looks), [null, null, null, null]);
    assert.equal(await other.revision(room), revision + 1);
  },
  SHARED,
);

heldContract(
  "the same wait takes over the mark of an instance that was killed, until it ends, without a revision",
  async (held) => {
    const { one, other, pass } = held;
    const [room, late] = [await roomOfAnn(held), await roomOfAnn(held)];
    await killed(held, [room, late]);
    const [revision, ofLate] = [await one.revision(room), await one.revision(late)];
    pass(STAYS_MS - 1);
    {
      using timers = holdTimers(LONG_MS);
      const waiting = wait(other, room, LEFT, LONG_MS);
      const now = new Date(held.time.now).toISOString();
      await one.agentUntil(room, "ann", ({ last_heartbeat }) => last_heartbeat === now);
      pass(1);
      assert.equal(await shown(one, room), LEFT, "it no longer ends with what was left");
      const again = wait(other, late, LEFT, LONG_MS);
      await one.agentUntil(late, "ann", ({ last_heartbeat }) => last_heartbeat > now);
      assert.equal(await shown(one, late), LEFT);
      assert.equal(await one.revision(late), ofLate + 2, "one had ended, the other is new");
      pass(LONG_MS - 1);
      timers.fire();
      assert.deepEqual([(await waiting).body.timeout, (await waiting).revision], [true, revision]);
      await again;
    }
    pass(STAYS_MS - 1);
    assert.equal(await shown(one, room), LEFT);
    assert.equal(await one.revision(room), revision);
    pass(1);
    assert.equal(await shown(one, room), null);
    assert.equal(await one.revision(room), revision + 1);
  },
  SHARED,
);

heldContract(
  "a message or a heartbeat at another instance ends the mark of an instance that was killed at once",
  async (held) => {
    const { one, other, pass } = held;
    const [posts, beats] = [await roomOfAnn(held), await roomOfAnn(held)];
    await killed(held, [posts, beats]);
    pass(1);
    for (const room of [posts, beats]) {
      const revision = await one.revision(room);
      assert.equal(await shown(one, room), LEFT);
      if (room === posts) await other.message(room, { from: "ann" });
      else await other.post(`/rooms/${room}/agents/ann/heartbeat`, {});
      assert.equal(await shown(one, room), null);
      const ended = revision + (room === posts ? 2 : 1);
      assert.equal(await one.revision(room), ended);
      const { body } = await other.get(`/rooms/${room}/changes`, { after: ended - 1 });
      assert.deepEqual(body.agents.map(({ id, waiting_on }: Record<string, unknown>) => [id, waiting_on]), [
        ["ann", null],
      ]);
      assert.deepEqual([body.revision, body.messages], [ended, []], "a change of its own");
    }
    pass(STAYS_MS);
    assert.equal(await shown(one, beats), null);
  },
  SHARED,
);

heldContract(
  "of two marks of one agent, what was left and what went on when their instance was killed end each in its time",
  async (held) => {
    const { one, other, time, pass } = held;
    const rooms = [await roomOfAnn(held), await roomOfAnn(held), await roomOfAnn(held)];
    const [silent, acts, waits] = rooms as [string, string, string];
    const began = time.now;
    {
      await using process = await startHeldProcess(held.database, time, LONG_MS);
      const lost = rooms.map((room) => assert.rejects(wait(process.at, room, GOES_ON, GOES_ON_MS)));
      for (const room of rooms) await untilShown(one, room, GOES_ON);
      await timeOut(held, process, rooms);
      await process.kill();
      await Promise.all(lost);
    }
    const last = new Map<string, number>();
    /** Asserts what ann shows, and how many revisions there were since this was last asked. */
    async function assertShown(room: string, condition: string | null, revisions: number, why: string) {
      assert.equal(await shown(other, room), condition, why);
      const revision = await one.revision(room);
      if (last.has(room)) assert.equal(revision - last.get(room)!, revisions, why);
      last.set(room, revision);
    }
    const beat = (room: string) => other.post(`/rooms/${room}/agents/ann/heartbeat`, {});
    for (const room of rooms) await assertShown(room, LEFT, 0, "the newest");

    pass(1);
    await beat(acts);
    await assertShown(acts, GOES_ON, 1, "a heartbeat ends what was left alone");
    const taking = wait(other, waits, LEFT, GOES_ON_MS);
    const now = new Date(time.now).toISOString();
    await one.agentUntil(waits, "ann", ({ last_heartbeat }) => last_heartbeat === now);
    await assertShown(waits, LEFT, 0, "what was left is taken over");
    const beside = wait(other, waits, GOES_ON, GOES_ON_MS);
    await untilShown(one, waits, GOES_ON);
    await assertShown(waits, GOES_ON, 1, "what went on is not taken over");
    await other.write(waits, "left", 1);
    await taking;
    await assertShown(waits, GOES_ON, 2, "the write, and the mark");
    await other.write(waits, "goes_on", 1);
    await beside;
    await assertShown(waits, GOES_ON, 2, "the write, and the mark; that of the killed instance stays");

    pass(STAYS_MS - 2);
    await assertShown(silent, LEFT, 0, "not earlier");
    pass(1);
    await assertShown(silent, GOES_ON, 1, "what was left has ended");

    pass(began + GOES_ON_MS - 100 - time.now);
    await beat(acts);
    await assertShown(acts, GOES_ON, 0, "its time is not over");
    pass(100);
    await beat(acts);
    await assertShown(acts, null, 1, "its time is over, and ann has done something");
    pass(STAYS_MS - 1);
    for (const room of [silent, waits]) await assertShown(room, GOES_ON, 0, "its lease lasts");
    pass(1);
    for (const room of [silent, waits]) await assertShown(room, null, 1, "its lease has ended");
    await assertShown(acts, null, 0, "nothing is left");
  },
  SHARED,
);
