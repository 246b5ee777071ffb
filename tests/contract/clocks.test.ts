import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { DATABASES } from "../support/databases.ts";
import { openEvents } from "../support/events.ts";
import { type Service, startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

const HOUR_MS = 3_600_000;
/** How far the clock of each instance is off, and by how much it is set back later. */
const [FAST, SLOW, SET_BACK] = [5 * HOUR_MS, -7 * HOUR_MS, -3 * HOUR_MS];
/** A time told is that of the database, give or take what a busy machine needs. */
const NEAR_MS = 2_000;
/** A mark outlives its wait by this; what waits for its end is answered within a polling interval and a second more. */
const [GRACE_MS, NOTICED_MS] = [4_000, 1_250 + NEAR_MS];
/** A wait that lasts until its mark was seen and looked at, on a busy machine too; below the 5 s that would linger. */
const SEEN_MS = 3_000;

const options = (shift: number, database?: string) => ({
  database,
  flags: ["--preload", "tests/support/wrong_clock.ts"],
  env: { CLOCK_SHIFT_MS: String(shift), CLOCK_JUMP_MS: String(SET_BACK) },
});

interface Instances {
  /** Two of one database, whose clocks are twelve hours apart; both are the same where there can be only one. */
  fast: Subject;
  slow: Subject;
  fastService: Service;
  database: string;
}

const opened = new Map<string, Promise<Instances>>();
const stops: (() => Promise<void>)[] = [];

Deno.test.afterAll(async () => {
  for (const stop of stops) await stop();
});

async function open(name: string): Promise<Instances> {
  const at = DATABASES[name];
  const database = await at?.() ?? { url: ":memory:", stop: () => Promise.resolve() };
  stops.unshift(database.stop);
  const fast = await startService(options(FAST, database.url));
  stops.unshift(fast.stop);
  const slow = at ? await startService(options(SLOW, database.url)) : fast;
  if (slow !== fast) stops.unshift(slow.stop);
  return {
    fast: new Subject(fast.url),
    slow: new Subject(slow.url),
    fastService: fast,
    database: database.url,
  };
}

/** The instances of a database are those of all tests, the last of which kills one of them. */
function instances(name: string): Promise<Instances> {
  if (!opened.has(name)) opened.set(name, open(name));
  return opened.get(name)!;
}

/** A test of each database, all at once: most of it is waiting. */
function together(names: string[], rule: string, test: (instances: Instances) => Promise<void>): void {
  Deno.test({
    name: `${names.join(", ")}: ${rule}`,
    // The instances are started by the first test and outlive it.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const results = await Promise.allSettled(names.map(async (name) => test(await instances(name))));
      const failed = results.flatMap((result, n) =>
        result.status === "rejected" ? [`${names[n]}: ${result.reason?.stack ?? result.reason}`] : []
      );
      assert.equal(failed.length, 0, failed.join("\n"));
    },
  });
}

/** Those that two instances can have at once, and all. */
const SHARED = Object.keys(DATABASES);
const ALL = [...SHARED, "memory"];

function assertNow(what: string, time: string): void {
  const off = Date.parse(time) - Date.now();
  assert.ok(Math.abs(off) < NEAR_MS, `${what} is ${time}, ${off} ms off`);
}

const waitsOn = (condition: string | null) => (agent: Json) => agent.waiting_on === condition;

together(
  ALL,
  "instances whose clocks are hours apart tell one time, in all that they write and evaluate",
  async ({ fast, slow, fastService }) => {
    for (const t of [fast, slow]) {
      const room = await t.room();
      assertNow("a room's created_at", (await t.get(`/rooms/${room}`)).body.created_at);
      const ann = await t.agent(room, "ann");
      assertNow("joined_at", ann.joined_at);
      assertNow("last_heartbeat", ann.last_heartbeat);
      const { id, created_at } = await t.message(room, { from: "ann" });
      assertNow("a message's created_at", created_at);
      assertNow("updated_at", (await t.write(room, "k", 1)).updated_at);
      await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann" });
      assertNow("claimed_at", (await t.get(`/rooms/${room}/messages/${id}`)).body.claimed_at);
      const beat = await t.post(`/rooms/${room}/agents/ann/heartbeat`, {});
      assertNow("a heartbeat", beat.body.heartbeat);
      await t.view(room, "time", "now");
      const { value } =
        (await t.get(`/rooms/${room}/state`, { scope: "_view", key: "time", resolve: "true" }))
          .body;
      assertNow("now in a view", value);
      assertNow("now", await t.value(room, "now"));
      const alive = `timestamp(agents.ann.last_heartbeat) > now - duration("30s")`;
      assert.deepEqual([await fast.value(room, alive), await slow.value(room, alive)], [true, true]);
      const gated = { key: "gated", value: 1, if: `now < timestamp("${stampIn(60_000)}")` };
      assertStatus(await t.put(`/rooms/${room}/state`, gated), 200);
    }
    assert.deepEqual(fastService.complaints, []);
  },
);

together(
  ALL,
  "a wait on time ends on time, in instances whose clocks are hours apart and one is set back",
  async ({ fast, slow, fastService }) => {
    const room = await fast.room();
    await fast.agent(room, "ann");
    const due = Date.now() + 3_000;
    const condition = `now >= timestamp("${new Date(due).toISOString()}")`;
    const waits = [fast, slow].map(async (t) => {
      const { body } = await t.post(`/rooms/${room}/wait`, { condition, timeout: 10_000 });
      return { triggered: body.triggered, at: Date.now() };
    });
    const short = fast.post(`/rooms/${room}/wait`, { condition: "false", timeout: 1_500 });
    await fast.value(room, "now");
    Deno.kill(fastService.process.pid, "SIGUSR2");
    for (const { triggered, at } of await Promise.all(waits)) {
      assert.ok(
        triggered && at >= due - 100 && at < due + 1_000 + NEAR_MS,
        `${at - due} ms after it was due`,
      );
    }
    const { body: { timeout, elapsed_ms } } = await short;
    assert.ok(timeout && elapsed_ms >= 1_450 && elapsed_ms < 1_500 + NEAR_MS, `${elapsed_ms} ms`);
    assertNow(
      "a heartbeat after that",
      (await fast.post(`/rooms/${room}/agents/ann/heartbeat`, {})).body.heartbeat,
    );
    assertNow("now after that", await fast.value(room, "now"));
  },
);

together(
  ALL,
  "a mark shows for as long as its wait lasts, to instances whose clocks are hours apart",
  async ({ fast, slow }) => {
    const shows = async (one: Subject, other: Subject) => {
      const room = await one.room();
      await one.agent(room, "ann");
      const waiting = one.post(`/rooms/${room}/wait`, {
        condition: "false",
        agent: "ann",
        timeout: SEEN_MS,
      });
      await other.agentUntil(room, "ann", waitsOn("false"));
      const revision = await other.revision(room);
      const seen = await other.value(room, "[agents.ann.status, agents.ann.waiting_on]");
      assert.deepEqual(seen, ["waiting", "false"]);
      assert.equal(await other.revision(room), revision, "nothing has ended");
      await waiting;
      const { status, waiting_on } = (await other.get(`/rooms/${room}/agents/ann`)).body;
      assert.deepEqual([status, waiting_on], ["active", null]);
      assert.equal(await other.revision(room), revision + 1, "the wait has cleared its mark");
    };
    await Promise.all([shows(fast, slow), shows(slow, fast)]);
  },
);

together(
  SHARED,
  "a lease and a reservation end by the database's clock, at instances whose clocks are hours apart",
  async ({ fast, slow }) => {
    const LEASE_SECONDS = 1;
    await Promise.all([[fast, slow], [slow, fast]].map(async ([one, other]) => {
      const room = await one!.room();
      const { id } = await one!.message(room, { kind: "task" });
      const at = `/rooms/${room}/messages`;
      const reserve = (t: Subject, agent: string, ttl: number, timeout = 0) =>
        t.post(`/rooms/${room}/reservations`, { agent, paths: ["a"], ttl, timeout });
      const reserved = await reserve(one!, "ann", LEASE_SECONDS);
      assertNow("created_at", reserved.body.created_at);
      const held = (await one!.post(`${at}/${id}/claim`, { agent: "ann", ttl: LEASE_SECONDS })).body;
      assertNow("claimed_at", held.claimed_at);
      const [next, free] = await Promise.all([
        other!.post(`${at}/claim`, { agent: "bob", timeout: 10_000 })
          .then(({ body }) => ({ ...body, answered: Date.now() })),
        reserve(other!, "bob", 60, 10_000).then(({ body }) => ({ ...body, answered: Date.now() })),
      ]);
      assert.deepEqual([next.message_id, next.attempts], [id, 2]);
      const ends = [[held.claimed_until, next], [reserved.body.expires_at, free]] as const;
      for (const [end, { answered }] of ends) {
        const late = answered - Date.parse(end);
        assert.ok(late >= 0, `it ended ${-late} ms early`);
        assert.ok(late < NOTICED_MS, `it ended ${late} ms late`);
      }
      assert.ok(next.claimed_at >= held.claimed_until && free.created_at >= reserved.body.expires_at);
      const lost = await one!.post(`${at}/${id}/complete`, { agent: "ann", fence: held.fence });
      assert.deepEqual([lost.status, lost.body.error, lost.body.fence], [409, "lease_lost", next.fence]);
      const [first, second] = (await one!.get(`${at}/${id}/attempts`)).body;
      assert.deepEqual([first.ended, first.ended_at], ["expired", held.claimed_until]);
      assert.deepEqual([second.ended, second.fence], [null, next.fence]);
    }));
  },
);

together(
  SHARED,
  "tokens and invitations end by the database's clock, at instances whose clocks are hours apart",
  async ({ fast, slow, database }) => {
    const client = createClient({ url: database });
    for (const [one, other] of [[fast, slow], [slow, fast]] as const) {
      const room = await one.room();
      const as = (t: Subject, token: string) => (method: string, path: string, body?: unknown) =>
        t.request(method, path, { body, headers: bearer(token) });
      const { token } = await one.agent(room, "ann", { secure: true });
      const made = (await as(one, token)("POST", `/rooms/${room}/tokens`, { role: "reader", ttl: 60 })).body;
      const invite = (await one.post(`/rooms/${room}/invites`, { role: "member", uses: 9, ttl: 60 })).body;
      assertNow("created_at", made.created_at);
      for (const { expires_at } of [made, invite]) {
        assertNow("an end", new Date(Date.parse(expires_at) - 60_000).toISOString());
      }
      for (const t of [one, other]) {
        assertStatus(await as(t, made.token)("GET", `/rooms/${room}`), 200);
        assertStatus(await t.post(`/join/${invite.code}`), 201);
      }
      const wait = { condition: "false", timeout: 10_000 };
      const waits = [one, other].map((t) => as(t, made.token)("POST", `/rooms/${room}/wait`, wait));
      await Promise.all(
        [one, other].map((t) => as(t, made.token)("POST", `/rooms/${room}/eval`, { expr: "1" })),
      );
      // A moment ago, by the database, whatever the instances think of it.
      const ended = "SET expires_at = unixepoch('subsec') * 1000 - 1 WHERE id = ?";
      await client.execute({ sql: `UPDATE tokens ${ended}`, args: [made.id] });
      await client.execute({ sql: `UPDATE invites ${ended}`, args: [invite.id] });
      for (const { status } of await Promise.all(waits)) assert.equal(status, 401);
      for (const t of [one, other]) {
        assertStatus(await as(t, made.token)("GET", `/rooms/${room}`), 401);
        assertStatus(await t.post(`/join/${invite.code}`), 404);
      }
    }
    client.close();
  },
);

together(
  SHARED,
  "the mark of an instance that dies ends by the database's clock, as a change that all hear of",
  async ({ fast, slow, fastService, database }) => {
    const room = await fast.room();
    await fast.agent(room, "ann");
    await fast.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
    const lost = assert.rejects(
      fast.post(`/rooms/${room}/wait`, { condition: "false", agent: "ann", timeout: SEEN_MS }),
    );
    await slow.agentUntil(room, "ann", waitsOn("false"));
    await fastService.kill();
    const died = Date.now();
    await lost;
    const revision = await slow.revision(room);
    const stream = await openEvents(`${slow.url}/rooms/${room}/events?after=${revision}`);
    try {
      const told = await slow.post(`/rooms/${room}/wait`, { condition: `agents.ann.status == "busy"` });
      assert.equal(told.body.triggered, true);
      const took = Date.now() - died;
      const event = await stream.next(({ agents }) => agents?.length > 0);
      assert.ok(took > GRACE_MS - NEAR_MS, `it ended early, after ${took} ms`);
      assert.ok(took < SEEN_MS + GRACE_MS + NOTICED_MS, `it ended late, after ${took} ms`);
      const changed = { id: "ann", status: "busy", waiting_on: null, revision: revision + 1 };
      const shown = ({ id, status, waiting_on, revision }: Json) => ({ id, status, waiting_on, revision });
      assert.deepEqual(event!.data.agents.map(shown), [changed]);
      const { body } = await slow.get(`/rooms/${room}/changes`, { after: revision });
      assert.deepEqual([body.revision, body.agents.map(shown)], [revision + 1, [changed]]);
    } finally {
      stream.leave();
    }
    const client = createClient({ url: database });
    const { rows } = await client.execute("SELECT * FROM waits");
    client.close();
    assert.deepEqual(rows, []);
  },
);

function stampIn(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
