import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { atOnce } from "../support/at_once.ts";
import { type Batch, isLoad, isPoll, type TestApp, withApp } from "../support/app.ts";
import { holdTimers } from "../support/timers.ts";

const NEVER = 3_600_000; // a poll that does not come within a test

const sends = ({ statements }: Batch, sql: string) =>
  statements.some((statement) => statement.sql.includes(sql));
const isMark = (batch: Batch) => sends(batch, "INSERT INTO waits");
const isClear = (batch: Batch) => sends(batch, "token = :token");

/** Another instance on the same database, which this one hears nothing from. */
async function withOther(
  file: string,
  test: (write: (body: unknown) => Promise<void>) => Promise<void>,
): Promise<void> {
  const database = createDatabase({ connect: () => connect(file) });
  const other = createApp(createServices(database));
  try {
    await test(async (body) => {
      const response = await other.request("/rooms/r/state", { method: "PUT", body: JSON.stringify(body) });
      assert.equal(response.status, 200, await response.text());
    });
  } finally {
    await database.close();
  }
}

async function room({ json }: TestApp): Promise<void> {
  await json("POST", "/rooms", { id: "r" });
  await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
}

/** Far below a wait's 25 s, whose last read finds everything that was missed before. */
const SOON_MS = 5_000;

async function soon<T>(answer: Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await answer;
  assert.ok(performance.now() - began < SOON_MS, "only the last read has found it");
  return result;
}

const goes = { key: "go", value: true };
const condition = "has(state._shared.go)";

Deno.test("a write of the same instance wakes the wait without the poll", () =>
  withApp(async (app) => {
    await room(app);
    const marked = app.nextBatch(isMark);
    const wait = app.json("POST", "/rooms/r/wait", { condition, agent: "ann" });
    await marked;
    await app.json("PUT", "/rooms/r/state", goes);
    assert.deepEqual((await soon(wait)).body, { triggered: true, condition, value: true });
  }, { poll: NEVER }));

Deno.test("a write between the first read and what follows is not missed", async () => {
  let meddle: (() => Promise<unknown>) | undefined;
  await withApp(async (app) => {
    await room(app);
    meddle = () => app.json("PUT", "/rooms/r/state", goes);
    assert.equal((await soon(app.json("POST", "/rooms/r/wait", { condition }))).body.triggered, true);
  }, {
    poll: NEVER,
    wrap: (connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        const action = mode === "read" ? meddle : undefined;
        meddle = mode === "read" ? undefined : meddle;
        await action?.();
        return rows;
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("a write of another instance is found by the poll", () =>
  withApp(async (app) => {
    await room(app);
    await withOther(app.file, async (write) => {
      const polled = app.nextBatch(isPoll);
      const wait = app.json("POST", "/rooms/r/wait", { condition });
      await polled;
      await write(goes);
      assert.equal((await wait).body.triggered, true);
    });
  }, { poll: 20 }));

/** Far above the time of quick looks, which a test can tell from the usual ones however slow the machine is. */
const SLOW_POLL_MS = 1_500;
const QUICK_LOOKS = 10;

/** Milliseconds of the next looks, with the rooms of each. */
async function nextLooks(app: TestApp, count: number): Promise<{ took: number; rooms: string[] }> {
  await app.nextBatch(isPoll);
  const began = performance.now();
  const rooms: string[] = [];
  for (let n = 0; n < count; n++) {
    const { statements } = await app.nextBatch(isPoll);
    rooms.push(...statements.flatMap(({ args }) => "rooms" in args ? [String(args.rooms)] : []));
  }
  return { took: performance.now() - began, rooms };
}

atOnce({
  "once a write of another instance was found, its room alone is looked at more often": () =>
    withApp(async (app) => {
      await room(app);
      await app.json("POST", "/rooms", { id: "idle" });
      await withOther(app.file, async (write) => {
        const idle = app.json("POST", "/rooms/idle/wait", { condition: "false" });
        const wait = app.json("POST", "/rooms/r/wait", { condition });
        const other = app.json("POST", "/rooms/r/wait", { condition: "has(state._shared.never)" });
        await app.nextBatch(isPoll);
        await write(goes);
        assert.equal((await wait).body.triggered, true);
        const { took, rooms } = await nextLooks(app, QUICK_LOOKS);
        assert.ok(took < 2 * SLOW_POLL_MS, `${QUICK_LOOKS} looks in ${took} ms`);
        assert.ok(rooms.includes('["r"]') && !rooms.includes('["idle"]'), rooms.join());
        await app.services.watch.drain();
        for (const { body } of await Promise.all([idle, other])) assert.equal(body.timeout, true);
      });
    }, { poll: SLOW_POLL_MS }),

  "a stream's room is looked at more often too, and one that changes in what no wait reads is not": () =>
    withApp(async (app) => {
      await room(app);
      await withOther(app.file, async (write) => {
        const wait = app.json("POST", "/rooms/r/wait", { condition: "messages.count > 9" });
        await app.nextBatch(isPoll);
        await write(goes);
        await app.nextBatch(isPoll); // finds it
        const usual = await nextLooks(app, 1);
        assert.ok(usual.took > SLOW_POLL_MS / 2, `${usual.took} ms`);

        const stream = await app.request("GET", "/rooms/r/events");
        await app.nextBatch(isPoll);
        await write({ key: "more", value: 1 });
        await app.nextBatch(isPoll);
        const quick = await nextLooks(app, QUICK_LOOKS);
        assert.ok(quick.took < 2 * SLOW_POLL_MS, `${QUICK_LOOKS} looks in ${quick.took} ms`);
        await stream.body?.cancel();
        await app.services.watch.drain();
        assert.equal((await wait).body.timeout, true);
      });
    }, { poll: SLOW_POLL_MS }),

  "an own write that a look finds before its answer makes looks no more often": async () => {
    let holding = false;
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    await withApp(async (app) => {
      await room(app);
      const wait = app.json("POST", "/rooms/r/wait", { condition: "has(state._shared.never)" });
      await app.nextBatch(isPoll);
      holding = true;
      const put = app.json("PUT", "/rooms/r/state", goes);
      await written.promise;
      holding = false;
      await app.nextBatch(isPoll);
      await app.nextBatch(isLoad); // the look has found it, and woken the wait
      release();
      assert.equal((await put).status, 200);
      const { took } = await nextLooks(app, 1);
      assert.ok(took > SLOW_POLL_MS / 2, `${took} ms`);
      await app.services.watch.drain();
      assert.equal((await wait).body.timeout, true);
    }, {
      poll: SLOW_POLL_MS,
      wrap: (connection) => ({
        async send(statements, mode) {
          const rows = await connection.send(statements, mode);
          if (holding && mode === "write") {
            written.resolve();
            await held;
          }
          return rows;
        },
        close: () => connection.close(),
      }),
    });
  },

  "the last read at the deadline finds what no poll has seen": () =>
    withApp(async (app) => {
      await room(app);
      await withOther(app.file, async (write) => {
        const marked = app.nextBatch(isMark);
        const wait = app.json("POST", "/rooms/r/wait", { condition, agent: "ann", timeout: 3_000 });
        await marked;
        await write(goes);
        assert.equal((await wait).body.triggered, true);
      });
    }, { poll: NEVER }),
});

Deno.test("one write wakes a hundred waits with one load of the room", () =>
  withApp(async (app) => {
    await room(app);
    const waits: ReturnType<TestApp["json"]>[] = [];
    for (let n = 0; n < 100; n++) {
      const read = app.nextBatch(isLoad);
      waits.push(app.json("POST", "/rooms/r/wait", { condition }));
      await read;
    }
    const before = app.batches.length;
    await app.json("PUT", "/rooms/r/state", goes);
    for (const { body } of await Promise.all(waits)) assert.equal(body.triggered, true);
    assert.ok(app.batches.length - before <= 3, `${app.batches.length - before} batches`);
  }, { poll: NEVER }));

Deno.test("a change of what a condition does not read does not load the room", () =>
  withApp(async (app) => {
    await room(app);
    const before = app.batches.length;
    const looked = app.nextBatch(isLoad);
    const wait = app.json("POST", "/rooms/r/wait", { condition, timeout: 300 });
    await looked;
    await app.nextBatch(isPoll);
    await app.json("POST", "/rooms/r/messages", { body: 1 });
    assert.equal((await wait).body.timeout, true);
    const loads = app.batches.slice(before).filter(isLoad);
    assert.equal(loads.length, 2, "the first read and the last");
  }, { poll: 20 }));

Deno.test("a wait whose time ends in the midst of a look answers with all that it includes", async () => {
  const TIMEOUT_MS = 24_000;
  using timers = holdTimers(TIMEOUT_MS);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let holding = false;
  await withApp(async (app) => {
    await room(app);
    await app.json("PUT", "/rooms/r/state", { key: "always", value: 1, scope: "ann" });
    const first = app.nextBatch(isLoad);
    const wait = app.json("POST", "/rooms/r/wait", {
      condition: "has(state._shared.never)",
      include: ["state.ann"],
      timeout: TIMEOUT_MS,
    });
    await first;
    const second = app.nextBatch(isLoad);
    holding = true;
    await app.json("PUT", "/rooms/r/state", goes);
    await second;
    timers.fire();
    release();
    const { body } = await wait;
    assert.deepEqual([body.triggered, body.state], [false, { ann: { always: 1 } }]);
  }, {
    poll: NEVER,
    wrap: (connection) => ({
      async send(statements, mode) {
        if (holding && isLoad({ mode, statements })) await held;
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("a client that leaves ends its wait and clears its mark", () =>
  withApp(async (app) => {
    await room(app);
    const client = new AbortController();
    const marked = app.nextBatch(isMark);
    const body = JSON.stringify({ condition, agent: "ann" });
    const request = new Request("http://test/rooms/r/wait", { method: "POST", body, signal: client.signal });
    const left = app.app.request(request);
    await marked;
    const cleared = app.nextBatch(isClear);
    client.abort();
    await cleared;
    await (await left).body?.cancel();
    const { body: ann } = await app.json("GET", "/rooms/r/agents/ann");
    assert.deepEqual([ann.status, ann.waiting_on], ["active", null]);
  }, { poll: NEVER }));

Deno.test("a wait that ends clears its own mark and leaves the other of the same agent", () =>
  withApp(async (app) => {
    await room(app);
    const first = app.nextBatch(isMark);
    const one = app.json("POST", "/rooms/r/wait", { condition, agent: "ann" });
    await first;
    const second = app.nextBatch(isMark);
    const two = app.json("POST", "/rooms/r/wait", { condition: "has(state._shared.stop)", agent: "ann" });
    await second;
    await app.json("PUT", "/rooms/r/state", goes);
    await one;
    const waiting = (await app.json("GET", "/rooms/r/agents/ann")).body;
    assert.deepEqual([waiting.status, waiting.waiting_on], ["waiting", "has(state._shared.stop)"]);
    await app.json("PUT", "/rooms/r/state", { key: "stop", value: 1 });
    await two;
    assert.equal((await app.json("GET", "/rooms/r/agents/ann")).body.status, "active");
  }, { poll: NEVER }));

Deno.test("the end of the instance answers all waits early, and later ones at once", () =>
  withApp(async (app) => {
    await room(app);
    const polled = app.nextBatch(isPoll);
    const waits = Array.from(
      { length: 30 },
      () => app.json("POST", "/rooms/r/wait", { condition, agent: "ann" }),
    );
    await polled;
    await app.services.watch.drain();
    for (const { body } of await Promise.all(waits)) {
      assert.equal(body.timeout, true);
      assert.ok(body.elapsed_ms < 20_000);
    }
    assert.equal((await app.json("POST", "/rooms/r/wait", { condition })).body.timeout, true);
    assert.equal((await app.json("GET", "/rooms/r/agents/ann")).body.status, "active");
  }, { poll: 20 }));

Deno.test("a wait outlasts a database that is away for a while, and says 503 where its last read fails", async () => {
  let away = false;
  await withApp(async (app) => {
    await room(app);
    const begun = app.nextBatch(isPoll);
    const wait = app.json("POST", "/rooms/r/wait", { condition });
    await begun;
    away = true;
    await app.nextBatch(isPoll);
    await app.nextBatch(isPoll);
    away = false;
    await app.json("PUT", "/rooms/r/state", goes);
    assert.equal((await wait).body.triggered, true);

    const polled = app.nextBatch(isPoll);
    const failing = app.request("POST", "/rooms/r/wait", { condition: "false", timeout: 200 });
    await polled;
    away = true;
    const { status, headers } = await failing;
    assert.deepEqual([status, headers.get("Retry-After")], [503, "1"]);
    away = false;
  }, {
    poll: 20,
    wrap: (connection) => ({
      send: (statements, mode) =>
        away ? Promise.reject(new TypeError("away")) : connection.send(statements, mode),
      close: () => connection.close(),
    }),
  });
});

Deno.test("without waits nothing is asked of the database", () =>
  withApp(async (app) => {
    await room(app);
    const polled = app.nextBatch(isPoll);
    const wait = app.json("POST", "/rooms/r/wait", { condition: "false", timeout: 100 });
    await polled;
    await wait;
    await app.request("GET", "/rooms/r"); // a poll that was queued when the wait ended is sent by then
    const before = app.batches.length;
    await new Promise((resolve) => setTimeout(resolve, 100)); // five intervals: nothing can be awaited that must not come
    assert.equal(app.batches.length, before);
  }, { poll: 20 }));
