import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { markWaiting } from "../../db/agents/marks.ts";
import { listAgents } from "../../db/agents/read.ts";
import { createDatabase, type Database } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { BY_SERVICE } from "../../db/write/context.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { type AppOptions, type Batch, isPoll, type TestApp, withApp } from "../support/app.ts";
import { heldTime } from "../support/held_time.ts";
import { until } from "../support/until.ts";

const BEGAN = Date.parse("2026-01-01T00:00:00.000Z");
const LASTS_MS = 10_000;
const DAY_MS = 86_400_000;
/** Writes that are queued, each of which is a batch of its own: the last of them wait for longer than they may. */
const [WRITES, WRITE_MS] = [6, 1_000];
/** Far below a wait's 25 s. */
const SOON_MS = 10_000;

/** A room whose agents have so many waits in progress, of an instance that nobody hears of any more. */
async function withMarks(
  count: number,
  test: (app: TestApp & { time: { now: number }; revision(): Promise<number> }) => Promise<void>,
  options: AppOptions = {},
): Promise<void> {
  const time = { now: BEGAN };
  await withApp(async (app) => {
    await app.json("POST", "/rooms", { id: "r" });
    const ids = Array.from({ length: count }, (_, n) => `a${n}`);
    await Promise.all(ids.map((id) => app.json("POST", "/rooms/r/agents", { id, name: id })));
    await run(
      app.file,
      `INSERT INTO waits SELECT room_id, id, 'dead', 'false', ${BEGAN + LASTS_MS}, revision FROM agents`,
    );
    const revision = async () =>
      Number((await app.request("GET", "/rooms/r")).headers.get("Convene-Revision"));
    await test({ ...app, time, revision });
  }, { ...options, time });
}

async function run(url: string, sql: string) {
  const client = createClient({ url });
  const { rows } = await client.execute(sql);
  client.close();
  return rows.map((row) => ({ ...row }));
}

const dueOf = async ({ file }: Pick<TestApp, "file">) => (await run(file, "SELECT due FROM rooms"))[0]!.due;

/** Everything that shows whether the first agent waits. */
const LOOKS: Record<string, [request: [string, string, unknown?], shown: (body: Shown) => unknown]> = {
  "the agent": [["GET", "/rooms/r/agents/a0"], (agent) => agent.status],
  "all agents": [["GET", "/rooms/r/agents"], ([agent]) => agent.status],
  "what changed": [["GET", "/rooms/r/changes?after=0"], ({ agents: [agent] }) => agent.status],
  "an evaluation": [["POST", "/rooms/r/eval", { expr: "agents.a0.status" }], ({ value }) => value],
  "a wait's answer": [
    ["POST", "/rooms/r/wait", { condition: "true", include: "agents" }],
    ({ agents }) => agents.a0.status,
  ],
  "a wait's changes": [
    ["POST", "/rooms/r/wait", { condition: "true", include: "changes:after:0" }],
    ({ changes: { agents: [agent] } }) => agent.status,
  ],
};
// deno-lint-ignore no-explicit-any -- a body is looked into, not typed
type Shown = any;

for (const [name, [request, shown]] of Object.entries(LOOKS)) {
  Deno.test(`a mark shows until its time and no longer, which takes a revision and one further round trip: ${name}`, () =>
    withMarks(1, async ({ json, time, revision, batches, ...app }) => {
      const look = async () => {
        const before = batches.length;
        const { body } = await json(...request);
        return { shown: shown(body), trips: batches.length - before };
      };
      const before = await revision();
      time.now += LASTS_MS - 1;
      assert.deepEqual(await look(), { shown: "waiting", trips: 1 });
      assert.equal(await revision(), before);
      time.now += 1;
      assert.deepEqual(await look(), { shown: "active", trips: 2 });
      assert.equal(await revision(), before + 1);
      assert.deepEqual(await look(), { shown: "active", trips: 1 });
      assert.equal(await revision(), before + 1);
      assert.deepEqual(await run(app.file, "SELECT * FROM waits"), []);
    }));
}

Deno.test("what is due ends in revisions of a hundred things, all in one further round trip", () =>
  withMarks(250, async ({ json, time, revision, batches, ...app }) => {
    const before = await revision();
    time.now += LASTS_MS;
    const sent = batches.length;
    const { body } = await json("GET", `/rooms/r/changes?after=${before}&limit=1000`);
    assert.equal(batches.length - sent, 2);
    assert.equal(body.revision, before + 3);
    const of = (revision: number) => body.agents.filter((agent: Shown) => agent.revision === revision).length;
    assert.deepEqual([of(before + 1), of(before + 2), of(before + 3)], [100, 100, 50]);
    assert.deepEqual(await run(app.file, "SELECT * FROM waits"), []);
  }));

Deno.test("a database that takes no writes shows what is due as it is, and ends it when it takes some again", async () => {
  const time = { now: BEGAN };
  let full = false;
  await withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "a0", name: "Ann" });
    await run(file, `INSERT INTO waits VALUES ('r', 'a0', 'dead', 'false', ${BEGAN + LASTS_MS}, 2)`);
    time.now += LASTS_MS;
    for (const [status, isFull] of [["waiting", true], ["active", false]] as const) {
      full = isFull;
      for (const [name, [request, shown]] of Object.entries(LOOKS)) {
        const answer = await json(...request);
        assert.deepEqual([answer.status, shown(answer.body)], [200, status], name);
      }
    }
  }, {
    time,
    wrap: (connection) => ({
      send(statements, mode) {
        if (!full || mode === "read") return connection.send(statements, mode);
        return Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }));
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("what is due is shown as ended beside a long queue of writes", async () => {
  const time = { now: BEGAN };
  const held = Promise.withResolvers<void>();
  let holds = false;
  let database: Database;
  await withApp(async ({ json, file, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "a0", name: "Ann" });
    await run(file, `INSERT INTO waits VALUES ('r', 'a0', 'dead', 'false', ${BEGAN + LASTS_MS}, 2)`);
    time.now += LASTS_MS;
    holds = true;
    const sent = nextBatch(({ mode }) => mode === "write");
    const heavy = { sql: "SELECT 1 AS one", args: {}, weight: 1_000 };
    const writes = Array.from({ length: WRITES }, () => database.commit(SERVICE, [heavy]));
    await sent;
    const look = json("GET", "/rooms/r/agents/a0");
    await until(() => database.load().write.queued, (queued) => queued === WRITES); // all but one, and the ends
    held.resolve();
    assert.equal((await look).body.status, "active");
    await Promise.allSettled(writes);
  }, {
    time,
    seen: (opened) => database = opened,
    wrap: (connection) => ({
      async send(statements, mode) {
        if (holds && mode === "write") {
          await held.promise;
          time.now += WRITE_MS;
        }
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("a gated write is refused at once where what is due cannot be ended, since its gate holds in no state", async () => {
  const time = { now: BEGAN };
  let full = false;
  await withApp(async ({ json, file, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "a0", name: "Ann" });
    await run(file, `INSERT INTO waits VALUES ('r', 'a0', 'dead', 'false', ${BEGAN + LASTS_MS}, 2)`);
    time.now += LASTS_MS;
    full = true;
    const sent = batches.length;
    const { status, body } = await json("PUT", "/rooms/r/state", { key: "k", value: 1, if: "true" });
    const told = [status, body.error, body.message];
    assert.deepEqual(told, [503, "unavailable", "The database does not answer. Nothing was changed."]);
    assert.equal(batches.length - sent, 2, "it reads, and tries to end what is due");
    full = false;
    const write = { key: "k", value: 1, if: `agents.a0.status == "active"` };
    assert.equal((await json("PUT", "/rooms/r/state", write)).body.version, 1);
  }, {
    time,
    wrap: (connection) => ({
      send(statements, mode) {
        if (!full || !isEnd({ mode, statements })) return connection.send(statements, mode);
        return Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }));
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("what ends most goes in a batch of its own, however many look at the same time", () =>
  withMarks(1_000, async ({ json, time, batches }) => {
    time.now += LASTS_MS;
    const sent = batches.length;
    const looks = await Promise.all(Array.from({ length: 8 }, () => json("GET", "/rooms/r/agents/a0")));
    assert.ok(looks.every(({ body }) => body.status === "active"));
    const ends = batches.slice(sent).filter(isEnd).map(({ statements }) =>
      statements.filter(({ sql }) => sql.includes("DELETE FROM waits WHERE rowid")).length
    );
    assert.ok(ends.includes(10));
    for (const count of ends) assert.ok(count === 10 || count % 3 === 0 && count <= 18, String(count));
  }));

Deno.test("of two instances that meet what is due at the same time one ends it", () =>
  withMarks(150, async ({ json, time, revision, file }) => {
    const other = createDatabase(heldTime(time, () => connect(file)));
    const app = createApp(createServices(other));
    try {
      const before = await revision();
      time.now += LASTS_MS;
      const answers = await Promise.all(Array.from({ length: 8 }, async (_, n) => {
        const path = "/rooms/r/agents";
        return n % 2 ? (await json("GET", path)).body : await (await app.request(path)).json();
      }));
      for (const agents of answers) {
        assert.ok(agents.every(({ status }: Shown) => status === "active"));
      }
      assert.equal(await revision(), before + 2);
    } finally {
      await other.close();
    }
  }));

Deno.test("a gate does not hold over a mark that ended since it was evaluated", async () => {
  const time = { now: BEGAN };
  let evaluated: (() => void) | undefined;
  await withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await run(file, `INSERT INTO waits VALUES ('r', 'ann', 'dead', 'false', ${BEGAN + LASTS_MS}, 1)`);
    time.now += LASTS_MS - 1;
    evaluated = () => time.now++;
    const gated = { key: "k", value: 1, if: 'agents.ann.status == "waiting"' };
    const { status, body } = await json("PUT", "/rooms/r/state", gated);
    assert.deepEqual([status, body.error, body.evaluated], [409, "precondition_failed", false]);
  }, {
    time,
    wrap: (connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        if (mode === "read") evaluated = void evaluated?.();
        return rows;
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("an agent that registers while a mark of its is due is shown without it", () =>
  withMarks(1, async ({ json, time }) => {
    time.now += LASTS_MS;
    const { body } = await json("POST", "/rooms/r/agents", { id: "a0", name: "a0" });
    assert.deepEqual([body.status, body.waiting_on], ["active", null]);
  }));

Deno.test("a room in which nothing ends has nothing due, whatever was waited for in it", () =>
  withMarks(0, async (app) => {
    const { json, services } = app;
    for (const id of ["ann", "bob"]) await json("POST", "/rooms/r/agents", { id, name: id });
    assert.equal(await dueOf(app), null);
    const marked = () =>
      app.nextBatch(({ statements }) => statements.some(({ sql }) => /INTO waits/.test(sql)));
    const waits = [];
    for (const [agent, timeout] of [["ann", 20_000], ["bob", 10_000], ["ann", 15_000]]) {
      const set = marked();
      waits.push(json("POST", "/rooms/r/wait", { condition: "has(state._shared.go)", agent, timeout }));
      await set;
    }
    await json("GET", "/rooms/r"); // behind the last mark
    assert.equal(await dueOf(app), BEGAN + 15_000);
    await json("PUT", "/rooms/r/state", { key: "go", value: 1 });
    await Promise.all(waits);
    assert.equal(await dueOf(app), null);
    await services.watch.drain();
  }));

Deno.test("a room of which more is said to be due than is, after rows were removed by other means, goes on", () =>
  withMarks(1, async ({ json, time, revision, ...app }) => {
    await run(app.file, "UPDATE rooms SET due = 5");
    const before = await revision();
    assert.equal((await json("GET", "/rooms/r/agents/a0")).body.status, "waiting");
    assert.equal(await revision(), before);
    assert.equal(await dueOf(app), BEGAN + LASTS_MS);
    time.now += LASTS_MS;
    assert.equal((await json("GET", "/rooms/r/agents/a0")).body.status, "active");
    assert.equal(await dueOf(app), null);
  }));

Deno.test("a wait is marked though something else of the room is due when its mark is set", () =>
  withMarks(2, async ({ json, time, services: { database } }) => {
    time.now += LASTS_MS;
    const mark = { room: "r", agent: "a0", token: "own" };
    await markWaiting(database, BY_SERVICE, mark, { waitingOn: "true", lasts: LASTS_MS });
    assert.equal((await json("GET", "/rooms/r/agents/a0")).body.status, "waiting");
    assert.equal((await json("GET", "/rooms/r/agents/a1")).body.status, "active");
  }));

Deno.test("a stream and a wait are told of what ends while nobody else looks", () =>
  withMarks(1, async ({ json, time, revision, app, nextBatch }) => {
    const before = await revision();
    const wait = json("POST", "/rooms/r/wait", { condition: 'agents.a0.status == "active"' });
    const events = await app.request(`/rooms/r/events?after=${before}`);
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    const heard = async () => {
      for (let text = "";;) {
        text += (await reader.read()).value ?? assert.fail("the stream has ended");
        if (text.includes('"a0"')) return text;
      }
    };
    await nextBatch(isPoll); // both have begun: what waits in a queue expires with the time
    time.now += LASTS_MS;
    const began = performance.now();
    const [{ body }, text] = await Promise.all([wait, heard()]);
    assert.equal(body.triggered, true);
    assert.ok(text.includes(`"revision":${before + 1}`), text);
    assert.ok(performance.now() - began < SOON_MS, "only the last read of the wait has found it");
    await reader.cancel();
  }));

Deno.test("what cannot be ended yet keeps no wait of another room from being judged", async () => {
  const time = { now: BEGAN };
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let ends = 0;
  await withApp(async ({ json, file, app, nextBatch }) => {
    for (const id of ["r", "s"]) await json("POST", "/rooms", { id });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await run(file, `INSERT INTO waits VALUES ('r', 'ann', 'dead', 'false', ${BEGAN + LASTS_MS}, 2)`);
    const follower = await app.request("/rooms/r/events");
    const condition = `now >= timestamp("${new Date(BEGAN + 2 * LASTS_MS).toISOString()}")`;
    const wait = json("POST", "/rooms/s/wait", { condition, timeout: 20_000 });
    const hangs = nextBatch(isEnd);
    time.now += LASTS_MS;
    await hangs;
    time.now += LASTS_MS;
    const began = performance.now();
    assert.equal((await wait).body.triggered, true);
    assert.ok(performance.now() - began < SOON_MS, "only the last read of the wait has found it");
    assert.equal(ends, 1, "it is tried once at a time");
    release();
    await follower.body!.cancel();
  }, {
    time,
    wrap: (connection) => ({
      async send(statements, mode) {
        if (isEnd({ statements, mode })) {
          ends++;
          await released;
        }
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});

const isEnd = ({ mode, statements }: Batch) =>
  mode === "write" && statements.some(({ sql }) => sql.includes("DELETE FROM waits WHERE rowid"));

Deno.test("marks of before the migration end, however far ahead a wrong clock has put it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const url = `file:${folder}/convene.db`;
  const before = await connect(url);
  const database = createDatabase({ connect: () => connect(url) });
  const plainly = (sql: string) => ({ sql, args: {} });
  try {
    const first = MIGRATIONS.findIndex((statements) => statements.some((sql) => sql.includes("waits_due")));
    const log = MIGRATIONS.slice(0, first).map((_, n) => `(${n + 1}, '')`).join();
    const room = "INSERT INTO rooms (id, created_at, meta, agent_count) VALUES";
    const now = Date.now();
    await before.send(
      [
        "CREATE TABLE migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT",
        `INSERT INTO migrations VALUES ${log}`,
        ...MIGRATIONS.slice(0, first).flat(),
        `${room} ('r', '', '{}', 2), ('s', '', '{}', 0)`,
        `INSERT INTO agents SELECT 'r', value, value, '', '{}', 'idle', 1, '', '', 1 FROM json_each('["a", "b"]')`,
        `INSERT INTO waits VALUES ('r', 'a', '1', 'x', ${now + DAY_MS}, 1), ('r', 'b', '2', 'x', ${
          now - 1
        }, 1)`,
      ].map(plainly),
      "write",
    );
    const { agents } = await listAgents(database, EVERYBODY, "r");
    assert.deepEqual(agents.map(({ status }) => status), ["waiting", "idle"]);
    const [due, none] = (await run(url, "SELECT due FROM rooms ORDER BY id")).map(({ due }) => due);
    assert.ok(Number(due) > now && Number(due) < now + 60_000, `${due}, and it is ${now}`);
    assert.equal(none, null);
  } finally {
    before.close();
    await database.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a day that passes while the machine sleeps is seen with the next request", async () => {
  const database = { now: BEGAN };
  const machine = { elapsed: 0, timeOfDay: 5 * DAY_MS };
  const held = heldTime(database, () => connect(":memory:"));
  const clocks = { elapsed: () => machine.elapsed, timeOfDay: () => machine.timeOfDay };
  const opened = createDatabase({ ...held, clocks });
  try {
    const now = async () => (await opened.time()).getTime();
    assert.equal(await now(), BEGAN);
    // Both run on: what has elapsed is added, and the machine's time of day is none of the database's.
    for (const ms of [1, 5_000, 100]) {
      machine.elapsed += ms, machine.timeOfDay += ms, database.now += ms;
      assert.equal(await now(), database.now);
    }
    // Asleep, the even clock stood still; set back, the time of day jumps: neither is believed.
    for (const jump of [DAY_MS, -3 * DAY_MS]) {
      machine.timeOfDay += jump, database.now += DAY_MS;
      assert.equal(await now(), database.now);
    }
    // The database's own clock is set: that is seen with a batch some seconds later.
    database.now -= 60_000;
    machine.elapsed += 11_000, machine.timeOfDay += 11_000, database.now += 11_000;
    await opened.read(SERVICE, [{ sql: "SELECT 1", args: {} }]);
    assert.equal(await now(), database.now);
  } finally {
    await opened.close();
  }
});

Deno.test("what many writes at once find due is ended once for all of them", () =>
  withMarks(20, async ({ json, batches, time }) => {
    time.now += 2 * LASTS_MS;
    const before = batches.length;
    const beats = Array.from(
      { length: 20 },
      (_, n) => json("POST", `/rooms/r/agents/a${n}/heartbeat`, { status: "busy" }),
    );
    for (const { status } of await Promise.all(beats)) assert.equal(status, 200);
    const ends = batches.slice(before).filter(({ statements }) =>
      statements.some(({ sql }) => sql.includes("DELETE FROM waits WHERE rowid IN"))
    );
    assert.equal(ends.length, 1);
    const tries = ends[0]!.statements.filter(({ sql }) => sql.includes("DELETE FROM waits WHERE rowid IN"));
    assert.equal(tries.length, 3, "the revisions of one round trip");
  }));

Deno.test("what many reads at once find due is ended once for all of them, and none shows it", () =>
  withMarks(20, async ({ json, batches, time }) => {
    time.now += 2 * LASTS_MS;
    const before = batches.length;
    const reads = Array.from({ length: 20 }, async (_, n) => {
      const { body } = await json("POST", "/rooms/r/eval", { expr: `agents.a${n}.waiting_on` });
      return body.value;
    });
    const lists = [0, 1].map(async () => (await json("GET", "/rooms/r/agents")).body[0].waiting_on);
    assert.deepEqual(await Promise.all([...reads, ...lists]), Array(22).fill(null));
    const ends = batches.slice(before).flatMap(({ statements }) =>
      statements.filter(({ sql }) => sql.includes("DELETE FROM waits WHERE rowid IN"))
    );
    assert.equal(ends.length, 3, "the revisions of one round trip");
  }));

Deno.test("a read that waits for the ends of another, which fail, makes them itself", () => {
  let fails = false;
  return withMarks(2, async ({ json, time }) => {
    time.now += 2 * LASTS_MS;
    fails = true;
    const first = json("POST", "/rooms/r/eval", { expr: "agents.a0.waiting_on" });
    const second = json("POST", "/rooms/r/eval", { expr: "agents.a1.waiting_on" });
    await first;
    assert.equal((await second).body.value, null);
  }, {
    wrap: (connection) => ({
      send(statements, mode) {
        if (!fails || !isEnd({ mode, statements })) return connection.send(statements, mode);
        fails = false;
        return Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }));
      },
      close: () => connection.close(),
    }),
  });
});
