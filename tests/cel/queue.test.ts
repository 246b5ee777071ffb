import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { connect } from "../../db/driver/open.ts";
import { createDatabase } from "../../db/database.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { BY_SERVICE } from "../../db/write/context.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { type AppOptions, type TestApp, withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** Lets a write be applied and loses its reply, once. `lose` says which. */
function losing(lose: (sql: string) => boolean): { wrap: AppOptions["wrap"]; lost(): boolean } {
  let lost = false;
  return {
    lost: () => lost,
    wrap: (connection: Connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        const admitted = rows.some((row, n) => row.length > 0 && lose(statements[n]!.sql));
        if (lost || mode === "read" || !admitted) return rows;
        lost = true;
        throw new DatabaseUnavailable("The reply was lost.", true);
      },
      close: () => connection.close(),
    }),
  };
}

Deno.test("a take that waits is not made twice where its reply is lost: it is answered that nobody knows", async () => {
  const { wrap, lost } = losing((sql) => sql.includes("unclaimed_count - 1"));
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    for (const body of [1, 2]) await json("POST", "/rooms/r/messages", { kind: "task", body });
    const answer = await json("POST", "/rooms/r/messages/claim", { agent: "ann", timeout: 5_000 });
    assert.ok(lost());
    assert.deepEqual([answer.status, answer.body.error], [503, "unavailable"]);
    const { body: messages } = await json("GET", "/rooms/r/messages");
    assert.deepEqual(messages.map(({ status }: { status: string }) => status), ["claimed", "open"]);
  }, { wrap });
});

Deno.test("paths that are reserved without a reply are answered so, too", async () => {
  const { wrap, lost } = losing((sql) => /UPDATE rooms SET .*reservations_revision/s.test(sql));
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const request = { agent: "ann", paths: ["src/**"], timeout: 5_000 };
    const answer = await json("POST", "/rooms/r/reservations", request);
    assert.ok(lost());
    assert.deepEqual([answer.status, answer.body.error], [503, "unavailable"]);
    assert.equal((await json("GET", "/rooms/r/reservations")).body.length, 1);
  }, { wrap });
});

/** Requests for what one client can have, the SQL of the write that gives it, and where it shows. */
const GIVEN = [
  {
    path: "/rooms/r/messages/claim",
    body: { agent: "ann", timeout: 5_000 },
    made: "unclaimed_count - 1",
    shown: "/rooms/r/messages?status=claimed",
  },
  {
    path: "/rooms/r/reservations",
    body: { agent: "ann", paths: ["a"], timeout: 5_000 },
    made: "reservations_revision",
    shown: "/rooms/r/reservations",
  },
];

/** Has clients leave at the moment in which they are given what they asked for. */
function leaving() {
  let made = (_: string): Promise<unknown> | undefined => undefined;
  return {
    /** Sends a request of `GIVEN` whose client leaves once the write is made; `then` comes before its reply. */
    async leave(
      { app }: Pick<TestApp, "app">,
      { path, body, made: sql }: typeof GIVEN[number],
      { headers, then = () => Promise.resolve() }: {
        headers?: Record<string, string>;
        then?: () => Promise<unknown>;
      } = {},
    ): Promise<void> {
      const { signal, abort } = controlled();
      made = (written) => {
        if (!written.includes(sql)) return;
        made = () => undefined;
        abort();
        return then();
      };
      const sent = { method: "POST", headers, body: JSON.stringify(body), signal };
      await Promise.resolve(app.fetch(new Request(`http://localhost${path}`, sent))).catch(() => {});
      assert.ok(signal.aborted);
    },
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        if (mode === "read") return rows;
        for (const [n, { sql }] of statements.entries()) if (rows[n]!.length > 0) await made(sql);
        return rows;
      },
      close: () => connection.close(),
    }),
  };
}

function controlled(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** Waits until nothing shows at a path. */
const becomesEmpty = ({ json }: Pick<TestApp, "json">, path: string) =>
  until(() => json("GET", path), ({ body }) => body.length === 0);

Deno.test("what is given to a client that has left meanwhile is given back", async () => {
  const { leave, wrap } = leaving();
  await withApp(async (at) => {
    await at.json("POST", "/rooms", { id: "r" });
    await at.json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    for (const given of GIVEN) {
      await leave(at, given);
      await becomesEmpty(at, given.shown);
    }
    assert.equal((await at.json("GET", "/rooms/r/messages?status=open")).body.length, 1);
  }, { wrap });
});

Deno.test("what is given to a client that has left is given back, though its token is revoked by then", async () => {
  const { leave, wrap } = leaving();
  await withApp(async (at) => {
    const other = createDatabase({ connect: () => connect(at.file) });
    const { request } = createApp(createServices(other));
    await at.json("POST", "/rooms", { id: "r" });
    await at.json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    const { body: ann } = await at.json("POST", "/rooms/r/agents", { id: "ann", name: "Ann", secure: true });
    const headers = bearer(ann.token);
    const rows = await (await at.request("GET", "/rooms/r/tokens", undefined, headers)).json();
    const [task] = GIVEN;
    await leave(at, task!, {
      headers,
      then: async () => {
        const path = `/rooms/r/tokens/${rows[0].id}`;
        assert.equal((await request(path, { method: "DELETE", headers })).status, 200);
      },
    });
    await becomesEmpty(at, task!.shown);
    await other.close();
  }, { wrap });
});

Deno.test("what is given under a key to a client that has left stays its own: the same request is answered with it", async () => {
  const { leave, wrap } = leaving();
  await withApp(async (at) => {
    const { json, request } = at;
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    for (const given of GIVEN) {
      const { path, body, shown } = given;
      const headers = { "Idempotency-Key": path };
      await leave(at, given, { headers });
      // Who comes after it gets what was given back, if anything was.
      assert.notEqual((await json("POST", path, { ...body, agent: "bob", timeout: 100 })).status, 201);
      const again = await request("POST", path, body, headers);
      assert.equal(again.headers.get("Idempotency-Replayed"), "true", path);
      const { fence } = await again.json();
      const held = (await json("GET", shown)).body;
      assert.deepEqual(held.map((one: { fence: number }) => one.fence), [fence], path);
    }
  }, { wrap });
});

Deno.test("a wait under a key that its client leaves does not use the key up", () =>
  withApp(async ({ json, request, app, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const { body: held } = await json("POST", "/rooms/r/reservations", { agent: "eve", paths: ["a"] });
    const free = [
      () => json("POST", "/rooms/r/messages", { kind: "task", body: 1 }),
      () => json("DELETE", `/rooms/r/reservations/${held.id}`, { agent: "eve" }),
    ];
    for (const [n, { path, body }] of GIVEN.entries()) {
      const headers = { "Idempotency-Key": path };
      const { signal, abort } = controlled();
      const marked = nextBatch(({ statements }) =>
        statements.some(({ sql }) => sql.includes("INSERT INTO waits"))
      );
      const sent = { method: "POST", headers, body: JSON.stringify(body), signal };
      const waiting = app.fetch(new Request(`http://localhost${path}`, sent));
      await marked;
      abort();
      await waiting;
      await free[n]!();
      const again = await request("POST", path, body, headers);
      assert.deepEqual([again.ok, typeof (await again.json()).fence], [true, "number"], path);
    }
  }));

Deno.test("paths that end at another instance while others are given go to the oldest that waits for them", async () => {
  let meanwhile: (() => Promise<unknown>) | undefined;
  await withApp(async ({ json, file, nextBatch }) => {
    const database = createDatabase({ connect: () => connect(file) });
    const services = createServices(database);
    const other = createApp(services);
    const release = ({ id, agent }: { id: string; agent: string }) =>
      [
        `/rooms/r/reservations/${id}`,
        { method: "DELETE", body: JSON.stringify({ agent }) },
      ] as const;
    await json("POST", "/rooms", { id: "r" });
    const reserve = (agent: string, paths: string[], timeout = 0) =>
      json("POST", "/rooms/r/reservations", { agent, paths, timeout });
    const [{ body: first }, { body: second }] = [await reserve("ann", ["a/**"]), await reserve("eve", ["c"])];
    const given: string[] = [];
    const waits: Promise<unknown>[] = [];
    for (const [agent, path] of [["bob", "a/x"], ["cy", "c"], ["dan", "*/x"]] as const) {
      const looked = nextBatch(({ statements }) =>
        statements.some(({ sql }) => sql.includes("FROM reservations"))
      );
      const got = async () => {
        const { status, body } = await reserve(agent, [path], 20_000);
        assert.equal(status, 201);
        given.push(agent);
        await json(...["DELETE", release(body)[0], { agent }] as const);
      };
      waits.push(got());
      await looked;
    }
    // Between the look that finds `c` free and its reservation.
    meanwhile = async () => await other.request(...release(first));
    await json("DELETE", release(second)[0], { agent: "eve" });
    await Promise.all(waits);
    assert.equal(meanwhile, undefined);
    assert.deepEqual(given.filter((agent) => agent !== "cy"), ["bob", "dan"]);
    await services.watch.drain();
    await database.close();
  }, {
    poll: 60_000,
    wrap: (connection) => ({
      async send(statements, mode) {
        const ended = meanwhile;
        if (ended && statements.some(({ sql }) => sql.includes("INSERT INTO reservations"))) {
          meanwhile = undefined;
          await ended();
        }
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});

/** Globs that count how often they are made ready to be compared. */
class CountedPaths extends Array<string> {
  compared = 0;
  override [Symbol.iterator]() {
    this.compared++;
    return super[Symbol.iterator]();
  }
}

Deno.test("the paths of who waits are compared anew only when what kept them off has ended", () =>
  withApp(async ({ json, services: { database, reserving }, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const reserve = async (path: string) =>
      (await json("POST", "/rooms/r/reservations", { agent: "ann", paths: [path] })).body;
    const first = await reserve("a/**");
    const paths = new CountedPaths("a/x");
    const asked = { agent: "bob", paths, mode: "exclusive" as const, ttl: 60, note: null };
    const { signal } = new AbortController();
    const context = { ...BY_SERVICE, time: database.time, newId: database.newId };
    const looked = nextBatch(({ statements }) =>
      statements.some(({ sql }) => sql.includes("FROM reservations"))
    );
    const given = reserving.reserve("r", asked, { timeout: 20_000, signal }).run(context);
    await looked;
    // Each of these comes to its turn behind him, and is a change for which he is tried again.
    const others = [];
    for (const path of ["b", "c", "d", "a/x/y", "a/*"]) others.push(await reserve(path));
    assert.equal(paths.compared, 1);
    await json("DELETE", `/rooms/r/reservations/${first.id}`, { agent: "ann" });
    await reserve("e");
    assert.equal(paths.compared, 2, "another one keeps him off now");
    await json("DELETE", `/rooms/r/reservations/${others[4].id}`, { agent: "ann" });
    await given;
    assert.equal(paths.compared, 3);
  }));

Deno.test("nothing is compared for who leaves while those who wait for paths are looked at", async () => {
  const readsBoard = (statements: Statement[]) =>
    statements.some(({ sql }) => sql.includes("FROM reservations"));
  let leave: (() => void) | undefined;
  await withApp(async ({ json, services: { database, reserving }, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const reserve = (agent: string, path: string, timeout = 0) =>
      json("POST", "/rooms/r/reservations", { agent, paths: [path], timeout });
    const { body: first } = await reserve("ann", "a/**");
    const marked = () =>
      nextBatch(({ statements }) => statements.some(({ sql }) => sql.includes("INSERT INTO waits")));
    for (const id of ["bob", "cy"]) await json("POST", "/rooms/r/agents", { id, name: id });
    const bobs = reserve("bob", "a/x", 20_000);
    await marked();
    const paths = new CountedPaths("a/y");
    const asked = { agent: "cy", paths, mode: "exclusive" as const, ttl: 60, note: null };
    const context = { ...BY_SERVICE, time: database.time, newId: database.newId };
    const { signal, abort } = controlled();
    const cys = reserving.reserve("r", asked, { timeout: 20_000, signal }).run(context);
    await marked();
    leave = abort;
    const refused = assert.rejects(cys, { code: "unavailable" });
    await json("DELETE", `/rooms/r/reservations/${first.id}`, { agent: "ann" });
    await refused;
    assert.equal((await bobs).status, 201);
    assert.equal(paths.compared, 1);
  }, {
    poll: 60_000,
    wrap: (connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        if (mode === "read" && readsBoard(statements)) leave?.();
        return rows;
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("what the refusals of those who wait for paths and end together show is read at once", async () => {
  const agents = ["bob", "cy", "dan", "eve", "fay"];
  const readsNotes = (statements: Statement[]) =>
    statements.some(({ sql }) => sql.includes("SELECT id, note"));
  const allAsked = Promise.withResolvers<void>();
  let [asked, sent] = [0, 0];
  await withApp(async ({ json, services: { watch }, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a/**"], note: "mine" });
    const waits = [];
    for (const agent of agents) {
      const looked = nextBatch(({ statements }) =>
        statements.some(({ sql }) => sql.includes("FROM reservations"))
      );
      const body = { agent, paths: [`a/${agent}`], timeout: 20_000 };
      waits.push(json("POST", "/rooms/r/reservations", body));
      await looked;
    }
    await watch.drain();
    for (const { status, body } of await Promise.all(waits)) {
      assert.deepEqual([status, body.conflicts?.[0].note], [409, "mine"]);
    }
  }, {
    seen: (database) => ({
      ...database,
      read(viewer, statements) {
        if (readsNotes(statements) && ++asked === agents.length) allAsked.resolve();
        return database.read(viewer, statements);
      },
    }),
    wrap: (connection) => ({
      async send(statements, mode) {
        // The first one ends before the others: what they show is asked for before any of them is answered.
        if (readsNotes(statements) && ++sent > 1) await allAsked.promise;
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});
