import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { connect } from "../../db/driver/open.ts";
import { createDatabase } from "../../db/database.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { type AppOptions, withApp } from "../support/app.ts";

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

Deno.test("what is given to a client that has left meanwhile is given back", async () => {
  let leave = (_: string) => {};
  await withApp(async ({ json, app }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    for (
      const [path, body, made, look, free] of [
        [
          "/rooms/r/messages/claim",
          { agent: "ann", timeout: 5_000 },
          "unclaimed_count - 1",
          "/rooms/r/messages?status=claimed",
          "/rooms/r/messages?status=open",
        ],
        [
          "/rooms/r/reservations",
          { agent: "ann", paths: ["a"], timeout: 5_000 },
          "reservations_revision",
          "/rooms/r/reservations",
          "",
        ],
      ] as const
    ) {
      const controller = new AbortController();
      leave = (sql) => sql.includes(made) && controller.abort();
      const request = new Request(`http://localhost${path}`, {
        method: "POST",
        body: JSON.stringify(body),
        signal: controller.signal,
      });
      await Promise.resolve(app.fetch(request)).catch(() => {});
      leave = () => {};
      assert.ok(controller.signal.aborted);
      for (let tries = 0; (await json("GET", look)).body.length > 0; tries++) assert.ok(tries < 500, path);
      if (free) assert.equal((await json("GET", free)).body.length, 1);
    }
  }, {
    wrap: (connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        if (mode === "write") statements.forEach(({ sql }, n) => rows[n]!.length > 0 && leave(sql));
        return rows;
      },
      close: () => connection.close(),
    }),
  });
});

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

for (
  const [what, isSlow, answer] of [
    ["last look takes too long is answered by the one before it", "FROM messages", [200, false]],
    ["write takes too long is answered that nobody knows", "unclaimed_count - 1", [503, undefined]],
  ] as const
) {
  Deno.test(`a take whose ${what}`, async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let slow = false;
    await withApp(async ({ json, nextBatch }) => {
      await json("POST", "/rooms", { id: "r" });
      const marked = nextBatch(({ statements }) =>
        statements.some(({ sql }) => sql.includes("INSERT INTO waits"))
      );
      const take = { agent: "ann", where: "message.body == 2", timeout: 300 };
      const taking = json("POST", "/rooms/r/messages/claim", take);
      await marked;
      slow = true;
      if (answer[0] === 503) await json("POST", "/rooms/r/messages", { kind: "task", body: 2 });
      const { status, body } = await taking.finally(end);
      assert.deepEqual([status, body.claimed], answer);
    }, {
      poll: 60_000,
      wrap: (connection) => ({
        async send(statements, mode) {
          if (slow && statements.some(({ sql }) => sql.includes(isSlow))) await ended;
          return await connection.send(statements, mode);
        },
        close: () => connection.close(),
      }),
    });
  });
}
