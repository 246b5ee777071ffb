import assert from "node:assert/strict";
import { createBurial } from "../../db/rooms/burial.ts";
import { createDatabase, type Database } from "../../db/database.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import { ROOM_TABLES } from "../../db/driver/schema.ts";
import type { Row, Statement } from "../../db/driver/statement.ts";
import { markWaiting } from "../../db/agents/marks.ts";
import { SERVICE } from "../../db/viewer.ts";
import { BY_SERVICE } from "../../db/write/context.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { DATABASES } from "../support/databases.ts";
import { heldTime } from "../support/held_time.ts";
import { bearer, OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const OUTAGE = Object.assign(new Error("fetch failed"), { cause: { code: "ECONNREFUSED" } });

interface Instance {
  database: Database;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  rows(sql: string): Promise<Row[]>;
  /** Called with each batch before it is sent. */
  before: (statements: Statement[]) => void | Promise<void>;
  close(): Promise<void>;
}

const time = { now: Date.parse("2026-01-01T00:00:00.000Z") };

function instanceOn(url: string): Instance {
  const open = async (): Promise<Connection> => {
    const connection = await connect(url);
    return {
      async send(statements, mode) {
        await instance.before(statements);
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    };
  };
  const database = createDatabase(heldTime(time, open));
  const services = createServices(database, { operatorToken: OPERATOR });
  const app = createApp(services);
  const instance: Instance = {
    database,
    request: async (method, path, body, headers = bearer(OPERATOR)) =>
      await app.request(path, { method, headers, ...body !== undefined && { body: JSON.stringify(body) } }),
    rows: async (sql) => (await database.read(SERVICE, [{ sql, args: {} }]))[0]!,
    before: () => {},
    async close() {
      await services.watch.drain();
      await database.close();
    },
  };
  return instance;
}

/** Runs a test with instances on a database of each kind. */
function onEach(
  name: string,
  test: (open: () => Instance, kind: string) => Promise<void>,
  kinds = Object.keys(DATABASES),
) {
  for (const kind of kinds) {
    Deno.test(`${kind}: ${name}`, async () => {
      const { url, stop } = await DATABASES[kind]!();
      const opened: Instance[] = [];
      try {
        await test(() => {
          opened.push(instanceOn(url));
          return opened.at(-1)!;
        }, kind);
      } finally {
        for (const { close } of opened) await close();
        await stop();
      }
    });
  }
}

/** A room with an entry at version 4. */
async function begin({ request }: Instance, id: string): Promise<void> {
  await request("POST", "/rooms", { id });
  for (const value of [1, 2, 3, 4]) await request("PUT", `/rooms/${id}/state`, { key: "k", value });
}

/** A room with rows in every table. */
async function fill({ request, database }: Instance, id: string): Promise<void> {
  const post = async (at: string, body: unknown, headers?: Record<string, string>, method = "POST") => {
    const { status } = await request(method, at, body, headers);
    assert.ok(status < 300, `${method} ${at}: ${status}`);
  };
  await post("/rooms", { id });
  const room = `/rooms/${id}`;
  for (const agent of ["ann", "bob", "zed"]) await post(`${room}/agents`, { id: agent, name: agent });
  await post(`${room}/agents`, { id: "eve", name: "Eve", secure: true, private: true });
  for (let n = 0; n < 4; n++) await post(`${room}/messages`, { from: "ann", kind: "task", body: n });
  await post(`${room}/messages`, { from: "ann", kind: "task", body: 5, needs: [5], reply_to: 5 });
  await post(`${room}/messages/5/claim`, { agent: "bob", ttl: 60 });
  for (const value of [1, 2, 3, 4]) await post(`${room}/state`, { key: "k", value }, undefined, "PUT");
  await post(`${room}/state`, { key: "last", value: 1 }, { "Idempotency-Key": "kept" }, "PUT");
  await post(`${room}/state`, { scope: "eve", key: "hidden", value: 1 }, undefined, "PUT");
  await post(`${room}/reservations`, { agent: "bob", paths: ["a"] });
  await post(`${room}/agents/zed`, {}, undefined, "DELETE");
  await database.commit(SERVICE, [
    { sql: "INSERT INTO living VALUES (:id, '_shared', 'last')", args: { id } },
    { sql: "INSERT INTO waits VALUES (:id, 'ann', 't', 'true', 9e15, 1)", args: { id } },
    {
      sql: `INSERT INTO invites (room_id, id, hash, role, uses, created_at, expires_at)
            VALUES (:id, 'i', :id, 'member', 1, '', 1)`,
      args: { id },
    },
  ]);
}

const countOf = (table: string, column: string, id: string) =>
  `SELECT '${table}' AS name, COUNT(*) AS count FROM ${table} 
    WHERE ${column} = '${id}' OR ${column} LIKE '${id}' || char(10) || '%'`;
const counts = async ({ rows }: Instance, id: string) =>
  new Map(
    (await rows(
      Object.entries(ROOM_TABLES).map(([table, column]) => countOf(table, column, id)).join(" UNION ALL "),
    )).map(({ name, count }) => [name as string, Number(count)]),
  );

const isEmptied = async ({ rows }: Instance, id: string) =>
  (await rows(`SELECT 1 FROM graves WHERE id = '${id}' AND emptied`)).length > 0;

/** Resolves when nothing is left of a deleted room. */
const emptied = (instance: Instance, id: string) => until(() => isEmptied(instance, id), (is) => is);

const isBurial = (statements: Statement[]) =>
  statements.some(({ sql }) => /\bgraves SET|FROM graves/.test(sql));

/** Deletes rooms that `make` fills, each by an instance that dies one step later; returns the number of steps. */
async function dyingAtEachStep(
  [one, watcher]: [Instance, Instance],
  name: string,
  make: (instance: Instance, id: string) => Promise<void>,
  by: number,
): Promise<number> {
  let step = 0;
  for (let ended = false; !ended; step += by) {
    const id = `${name}-${step}`;
    one.before = () => {};
    await make(one, id);
    let steps = 0;
    const dies = Promise.withResolvers<void>();
    one.before = (statements) => {
      if (!statements.some(({ sql }) => /graves/.test(sql) && /^\s*(UPDATE|DELETE)/.test(sql))) return;
      if (steps++ < step) return;
      one.before = () => Promise.reject(OUTAGE);
      dies.resolve();
      throw OUTAGE;
    };
    const deleted = await one.request("DELETE", `/rooms/${id}`);
    assert.equal(deleted.status, 200);
    await Promise.race([dies.promise, emptied(watcher, id)]);
    ended = await isEmptied(watcher, id);
    assert.equal((await watcher.request("GET", `/rooms/${id}`)).status, 404);
    if (!ended) assert.equal((await watcher.request("POST", "/rooms", { id })).status, 409);
    time.now += 10_001;
    // Whoever asks the database for the time next hears of it.
    await watcher.rows("SELECT 1");
    await emptied(watcher, id);
    for (const [table, count] of await counts(watcher, id)) assert.equal(count, 0, table);
    if (step === 0) {
      const left = await watcher.rows(`SELECT 1 FROM rooms WHERE id LIKE '${name}-%'`);
      assert.equal(left.length, 0);
    }
    const made = await watcher.request("POST", "/rooms", { id });
    assert.equal(made.status, 201);
    const put = await watcher.request("PUT", `/rooms/${id}/state`, { key: "k", value: 1 });
    assert.equal((await put.json()).version, 5, "the highest version was 4");
  }
  return step;
}

onEach("a deletion goes on wherever its instance dies", async (open, kind) => {
  const both: [Instance, Instance] = [open(), open()];
  await fill(both[0], "whole");
  for (const [table, count] of await counts(both[1], "whole")) assert.ok(count > 0, `no row of ${table}`);
  const large = await dyingAtEachStep(both, "large", fill, kind === "file" ? 1 : 6);
  assert.ok(large > 15, `${large} steps`);
  const small = await dyingAtEachStep(both, "small", begin, 1);
  assert.equal(small, 3, "the hold of the room, the one batch that removes it, and the look for the next");
});

onEach("who removes rows for too long takes none of the room that is made anew", async (open) => {
  const [slow, quick] = [open(), open()];
  await fill(slow, "r");
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const { promise: held, resolve: holds } = Promise.withResolvers<void>();
  slow.before = async (statements) => {
    if (!statements.some(({ sql }) => sql.includes("DELETE FROM messages"))) return;
    holds();
    await goOn;
  };
  assert.equal((await slow.request("DELETE", "/rooms/r")).status, 200);
  await held;
  time.now += 10_001;
  await createBurial(quick.database).begin();
  const made = await quick.request("POST", "/rooms", { id: "r" });
  assert.equal(made.status, 201);
  for (let n = 0; n < 3; n++) await quick.request("POST", "/rooms/r/messages", { body: n });
  await quick.request("PUT", "/rooms/r/state", { key: "k", value: 1 });
  resolve();
  await createBurial(slow.database).begin();
  await slow.request("GET", "/rooms/r");
  const left = await counts(quick, "r");
  assert.deepEqual([left.get("messages"), left.get("state"), left.get("rooms")], [3, 1, 1]);
});

onEach(
  "an earlier release makes no room among the rows of a deleted one, nor beside a locked one",
  async (open) => {
    const one = open();
    const made = (id: string) =>
      one.database.commit(SERVICE, [
        {
          sql: "INSERT INTO rooms (id, created_at, meta) VALUES (:id, '', '{}') ON CONFLICT DO NOTHING",
          args: { id },
        },
        { sql: "SELECT * FROM rooms WHERE id = :id AND requires <= 2", args: { id } },
      ]).then(([, rows]) => rows!.length);
    await fill(one, "r");
    const { revision } = (await one.rows("SELECT revision FROM rooms WHERE id = 'r'"))[0]!;
    one.before = (statements) =>
      isBurial(statements) && !/INSERT/.test(statements[1]?.sql ?? "") ? Promise.reject(OUTAGE) : undefined;
    assert.equal((await one.request("DELETE", "/rooms/r")).status, 200);
    assert.equal(await made("r"), 0);
    assert.equal((await counts(one, "r")).get("messages"), 5);
    one.before = () => {};
    time.now += 10_001;
    await createBurial(one.database).begin();
    // It makes one above the deleted one, which it does not serve: it would begin at the first version.
    assert.equal(await made("r"), 0);
    const [room] = await one.rows("SELECT * FROM rooms WHERE id = 'r'");
    assert.deepEqual([room!.revision, room!.forgotten, room!.requires].map(Number), [
      Number(revision) + 1,
      Number(revision) + 1,
      3,
    ]);
    await one.request("POST", "/rooms", { id: "l", locked: true });
    assert.equal(await made("l"), 0);
    assert.equal((await one.rows("SELECT 1 FROM rooms WHERE id = 'l'")).length, 0);
  },
);

onEach("a deleted room is kept in mind for 30 days", async (open) => {
  const one = open();
  const deletes = async (id: string) => {
    await one.request("POST", "/rooms", { id });
    await one.request("DELETE", `/rooms/${id}`);
    await emptied(one, id);
    const graves = await one.rows("SELECT id FROM graves ORDER BY id");
    return graves.map(({ id }) => id);
  };
  assert.deepEqual(await deletes("a"), ["a"]);
  time.now += 30 * 86_400_000 - 1;
  assert.deepEqual(await deletes("b"), ["a", "b"]);
  time.now += 1;
  assert.deepEqual(await deletes("c"), ["b", "c"]);
}, ["file"]);

/** Every request that may write, with a key and without. */
const WRITES: Array<[method: string, at: string, body: unknown]> = [
  ["POST", "/agents", { id: "new", name: "New" }],
  ["POST", "/agents", { id: "safe", name: "Safe", secure: true }],
  ["POST", "/agents/ann/heartbeat", { status: "busy" }],
  ["DELETE", "/agents/ann", {}],
  ["POST", "/messages", { from: "ann", body: 1 }],
  ["POST", "/messages", { from: "ann", body: 1, reply_to: 6, needs: [5] }],
  ["POST", "/messages/5/claim", { agent: "ann" }],
  ["POST", "/messages/claim", { agent: "ann", timeout: 10 }],
  ["POST", "/messages/claim", { agent: "ann", where: "true", timeout: 10 }],
  ["POST", "/messages/5/complete", { agent: "bob", fence: 1, result: 1 }],
  ["PUT", "/state", { key: "k", value: 1 }],
  ["PUT", "/state", { key: "n", value: 1, if: "true" }],
  ["PUT", "/state", { key: "n", append: 1 }],
  ["PUT", "/state", { key: "n", increment: 1, ttl: 60 }],
  ["PUT", "/state/batch", { writes: [{ key: "n", value: 1 }] }],
  ["DELETE", "/state", { key: "k" }],
  ["POST", "/reservations", { agent: "ann", paths: ["b"], timeout: 10 }],
  ["POST", "/wait", { agent: "ann", condition: "false", timeout: 10 }],
  ["POST", "/tokens", { role: "reader" }],
  ["POST", "/invites", { role: "member" }],
  ["DELETE", "/tokens/none", undefined],
  ["DELETE", "/invites/none", undefined],
  ["PATCH", "", { meta: { a: 1 } }],
];

onEach("nothing that is asked of a deleted room makes or changes a row", async (open) => {
  const one = open();
  await fill(one, "r");
  one.before = (statements) =>
    statements.some(({ sql }) => /^\s*UPDATE graves/.test(sql)) ? Promise.reject(OUTAGE) : undefined;
  assert.equal((await one.request("DELETE", "/rooms/r")).status, 200);
  const before = await counts(one, "r");
  assert.deepEqual([before.get("rooms"), before.get("tokens"), before.get("invites")], [2, 0, 0]);
  for (const [n, [method, at, body]] of WRITES.entries()) {
    for (const key of [undefined, { "Idempotency-Key": `a key of ${n}` }]) {
      for (const by of [undefined, bearer(OPERATOR)]) {
        const headers: Record<string, string> = { ...key, ...by };
        const { status } = await one.request(method, `/rooms/r${at}`, body, headers);
        assert.equal(status, 404, `${method} ${at}`);
      }
    }
  }
  assert.equal((await one.request("POST", "/rooms", { id: "r" }, { "Idempotency-Key": "made" })).status, 409);
  const mark = { room: "r", agent: "ann", token: "late" };
  await markWaiting(one.database, BY_SERVICE, mark, { waitingOn: "true", lasts: 1_000 });
  assert.deepEqual(await counts(one, "r"), before);
  assert.equal((await one.rows("SELECT 1 FROM waits WHERE room_id = 'r'")).length, 1);
});

onEach("a key of a deleted room has no answer, and another one in the room made anew", async (open) => {
  const one = open();
  const keyed = () =>
    one.request("PUT", "/rooms/r/state", { key: "k", value: 1 }, { "Idempotency-Key": "a key" });
  await one.request("POST", "/rooms", { id: "r" });
  assert.equal((await keyed()).headers.get("Idempotency-Replayed"), null);
  assert.equal((await keyed()).headers.get("Idempotency-Replayed"), "true");
  one.before = (statements) =>
    statements.some(({ sql }) => /^\s*UPDATE graves/.test(sql)) ? Promise.reject(OUTAGE) : undefined;
  await one.request("DELETE", "/rooms/r");
  assert.equal((await keyed()).status, 404);
  one.before = () => {};
  time.now += 10_001;
  await createBurial(one.database).begin();
  await one.request("POST", "/rooms", { id: "r" });
  const anew = await keyed();
  assert.deepEqual([anew.status, anew.headers.get("Idempotency-Replayed")], [200, null]);
});

onEach("rows that come late keep the id from being free until they are gone too", async (open) => {
  const one = open();
  await fill(one, "r");
  let late = true;
  one.before = async (statements) => {
    if (!late || !statements.some(({ sql }) => sql.includes("DELETE FROM rooms"))) return;
    late = false;
    await one.database.commit(SERVICE, [
      { sql: "INSERT INTO departed VALUES ('r', 'agents', 'late', 1)", args: {} },
    ]);
  };
  assert.equal((await one.request("DELETE", "/rooms/r")).status, 200);
  await emptied(one, "r");
  assert.equal(late, false);
  for (const [table, count] of await counts(one, "r")) assert.equal(count, 0, table);
}, ["file"]);
