import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { meddler } from "../support/meddler.ts";
import { holdTimers } from "../support/timers.ts";

const [TIMEOUT, LATE] = [25_000, 26_500];
const TAKE = "/rooms/r/messages/claim";
const RESERVE = "/rooms/r/reservations";
const LOOK: Held = ["read", "FROM messages"];

type Held = [mode: "read" | "write", piece: string];

/** Holds back the next batch of a mode that holds a piece of SQL. */
function holding() {
  let holds = (..._: Held): Promise<void> | undefined => undefined;
  return {
    /** `reached` resolves once such a batch is held. */
    next([mode, piece]: Held): { reached: Promise<void>; release(): void } {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      holds = (sent, sql) => {
        if (sent !== mode || !sql.includes(piece)) return;
        holds = () => undefined;
        reached.resolve();
        return released.promise;
      };
      return { reached: reached.promise, release: released.resolve };
    },
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        for (const { sql } of statements) await holds(mode, sql);
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  };
}

type At = Pick<TestApp, "json" | "nextBatch" | "batches">;

/** A room with an entry that conditions read. */
async function makeRoom({ json }: At): Promise<void> {
  await json("POST", "/rooms", { id: "r" });
  await json("PUT", "/rooms/r/state", { key: "n", value: 0 });
}

const post = ({ json }: At) => json("POST", "/rooms/r/messages", { kind: "task", body: 1 });

const take = ({ json }: At, agent = "ann", timeout = TIMEOUT) =>
  json("POST", TAKE, { agent, where: "message.body == 1 && state._shared.n >= 0", timeout });

/** Waits for the mark of a request: it has looked in vain. */
const lookedInVain = ({ nextBatch }: At) =>
  nextBatch(({ statements }) => statements.some(({ sql }) => sql.includes("INSERT INTO waits")));

const statuses = async ({ json }: At): Promise<string[]> =>
  (await json("GET", "/rooms/r/messages")).body.map(({ status }: { status: string }) => status);

interface Tools {
  /** Ends the time of the requests. */
  late(): void;
  hold: ReturnType<typeof holding>["next"];
  once: ReturnType<typeof meddler>["once"];
}

function test(name: string, run: (at: At, tools: Tools) => Promise<void>): void {
  Deno.test(name, async () => {
    using timers = holdTimers(LATE);
    const { next, wrap } = holding();
    const { once, wrap: meddled } = meddler();
    await withApp((at) => run(at, { late: timers.fire, hold: next, once }), {
      poll: 60_000,
      wrap: (connection) => wrap(meddled(connection)),
    });
  });
}

test("a take whose last look takes too long is answered by the one before it", async (at, { late, hold }) => {
  await makeRoom(at);
  const marked = lookedInVain(at);
  const taking = take(at);
  await marked;
  const look = hold(LOOK);
  await at.json("PUT", "/rooms/r/state", { key: "n", value: 1 });
  await look.reached;
  late();
  const { status, body } = await taking.finally(look.release);
  assert.deepEqual([status, body.claimed], [200, false]);
});

test(
  "a take that others preceded is answered by what it had found before",
  async (at, { late, hold, once }) => {
    await makeRoom(at);
    const marked = lookedInVain(at);
    const taking = take(at);
    await marked;
    const look = Promise.withResolvers<ReturnType<typeof hold>>();
    once(async () => {
      const { body: [{ id }] } = await at.json("GET", "/rooms/r/messages");
      await at.json("POST", `/rooms/r/messages/${id}/claim`, { agent: "bob" });
      look.resolve(hold(LOOK));
    });
    await post(at);
    const { reached, release } = await look.promise;
    await reached;
    late();
    const { status, body } = await taking.finally(release);
    assert.deepEqual([status, body.claimed], [200, false]);
    assert.deepEqual(await statuses(at), ["claimed"]);
  },
);

test("a take that others preceded each time is answered so", async (at, { late, hold, once }) => {
  await makeRoom(at);
  await post(at);
  const look = Promise.withResolvers<ReturnType<typeof hold>>();
  once(async () => {
    await at.json("PUT", "/rooms/r/state", { key: "n", value: 1 });
    look.resolve(hold(LOOK));
  });
  const taking = take(at);
  const { reached, release } = await look.promise;
  await reached;
  late();
  const { status, body } = await taking.finally(release);
  assert.deepEqual([status, body.message], [503, "Others were first, each time."]);
  assert.deepEqual(await statuses(at), ["open"]);
});

test("a take of a chain that is answered leaves its message to the next one", async (at, { late, hold }) => {
  await makeRoom(at);
  const marked = lookedInVain(at);
  const taking = take(at);
  const next = take(at, "bob", TIMEOUT - 1);
  await marked;
  const look = hold(LOOK);
  const { body: { id } } = await post(at);
  await look.reached;
  late();
  assert.equal((await taking).body.claimed, false);
  look.release();
  assert.equal((await next).body.message_id, id);
});

test(
  "a take that comes to no look, since those before it cost too much, is answered so",
  async (at, { late, hold }) => {
    await makeRoom(at);
    const body = { list: Array.from({ length: 200 }, () => 1) };
    for (let n = 0; n < 12; n++) await at.json("POST", "/rooms/r/messages", { kind: "task", body });
    const where =
      "state._shared.n >= 0 && message.body.list.all(x, message.body.list.all(y, x + y > 0)) && message.id < 0";
    const marked = lookedInVain(at);
    const before = at.json("POST", TAKE, { agent: "ann", where, timeout: TIMEOUT });
    await marked;
    const look = hold(LOOK);
    await at.json("PUT", "/rooms/r/state", { key: "n", value: 1 });
    await look.reached;
    const taking = take(at, "bob");
    await at.json("GET", "/rooms/r");
    late();
    const { status, body: told } = await taking.finally(look.release);
    assert.deepEqual([status, told.message], [
      503,
      "Those who ask before this one in the room take too long to judge. Nothing was done.",
    ]);
    await before;
  },
);

interface Request {
  what: string;
  send(at: At): ReturnType<At["json"]>;
  /** Sends another one, whose turn comes after it. */
  next(at: At): ReturnType<At["json"]>;
  look: Held;
  write: Held;
}

const REQUESTS: Request[] = [
  {
    what: "a take",
    send: (at) => take(at),
    next: ({ json }) => json("POST", TAKE, { agent: "bob", where: "message.body == 2" }),
    look: LOOK,
    write: ["write", "unclaimed_count - 1"],
  },
  {
    what: "a reservation",
    send: ({ json }) => json("POST", RESERVE, { agent: "ann", paths: ["a"], timeout: TIMEOUT }),
    next: ({ json }) => json("POST", RESERVE, { agent: "bob", paths: ["b"] }),
    look: ["read", "FROM reservations"],
    write: ["write", "INSERT INTO reservations"],
  },
];

for (const { what, send, next, look, write } of REQUESTS) {
  for (
    const [which, piece, message] of [
      ["only look", look, "The database does not answer. Nothing was changed."],
      ["write", write, "The database did not answer. The change may or may not have been made."],
    ] as const
  ) {
    test(`${what} whose ${which} takes too long is answered so`, async (at, { late, hold }) => {
      await makeRoom(at);
      await post(at);
      const held = hold(piece);
      const sent = send(at);
      await held.reached;
      late();
      const { status, body } = await sent.finally(held.release);
      assert.deepEqual([status, body.message], [503, message]);
    });
  }

  test(`${what} that is answered takes nothing afterwards`, async (at, { late, hold }) => {
    await makeRoom(at);
    await post(at);
    const held = hold(look);
    const sent = send(at);
    await held.reached;
    late();
    assert.equal((await sent).status, 503);
    const before = at.batches.length;
    held.release();
    assert.ok((await next(at)).status < 300);
    const written = at.batches.slice(before).flatMap(({ statements }) =>
      statements.filter(({ sql }) => sql.includes(write[1])).map(({ args }) => JSON.stringify(args))
    );
    assert.deepEqual(written.filter((args) => args.includes("ann")), []);
  });
}
