import assert from "node:assert/strict";
import { faultOf, isSchemaMissing } from "../../db/driver/faults.ts";
import { connectRemote } from "../../db/driver/remote.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";

const insert = (id: string): Statement => ({
  sql: "INSERT INTO t (id) VALUES (:id) RETURNING id",
  args: { id },
});
const LIST: Statement = { sql: "SELECT id FROM t ORDER BY id", args: {} };

type Forward = () => Promise<Response>;

/** A libSQL server behind a gateway; `disturb` answers the next call that names a kept stream. */
async function withGateway(
  test: (gateway: {
    connection: Awaited<ReturnType<typeof connectRemote>>;
    list(): Promise<string>;
    disturb(answer: (forward: Forward) => Promise<Response>): void;
    batches(): number;
    encodings: Set<string | null>;
    /** The server itself. */
    url: string;
  }) => Promise<void>,
): Promise<void> {
  const server = await startLibsqlServer();
  let disturbance: ((forward: Forward) => Promise<Response>) | undefined;
  let batches = 0;
  const encodings = new Set<string | null>();
  const gateway = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const [{ pathname }, body] = [new URL(request.url), await request.text()];
    const { method, headers } = request;
    encodings.add(headers.get("Accept-Encoding"));
    const forward = () => fetch(new URL(pathname, server.url), { method, headers, body: body || undefined });
    const answer = disturbance;
    if (body.includes('"type":"batch"')) batches++;
    if (answer === undefined || !body.includes('"baton":"')) return await forward();
    disturbance = undefined;
    return await answer(forward);
  });
  const connection = await connectRemote(`http://127.0.0.1:${gateway.addr.port}`);
  try {
    await connection.send([{ sql: "CREATE TABLE t (id TEXT PRIMARY KEY)", args: {} }], "write");
    await test({
      connection,
      list: async () => (await connection.send([LIST], "read"))[0]!.map(({ id }) => id).join(" "),
      disturb: (answer) => disturbance = answer,
      batches: () => batches,
      encodings,
      url: server.url,
    });
  } finally {
    connection.close();
    await gateway.shutdown();
    await server.stop();
  }
}

Deno.test("what a statement names that is not there is known as the statement's fault, whichever word the server has", () =>
  withGateway(async ({ connection }) => {
    for (const sql of ["SELECT absent FROM t", "SELECT id FROM absent", "UPDATE t SET absent = 1"]) {
      for (const mode of ["read", "write"] as const) {
        for (const before of [[], [LIST]]) {
          const sent = connection.send([...before, { sql, args: {} }], mode);
          const error = await sent.then(() => assert.fail(sql), (error) => error);
          assert.deepEqual(faultOf(error), { kind: "statement", index: before.length }, sql);
          assert.ok(isSchemaMissing(error), sql);
        }
      }
    }
  }));

Deno.test("a write goes over a kept stream, and is made anew where the server has forgotten that", () =>
  withGateway(async ({ connection, list, disturb, batches }) => {
    const forgotten = () => Promise.resolve(new Response("Received an invalid baton", { status: 400 }));
    const expired = () =>
      Promise.resolve(Response.json({ message: "expired", code: "STREAM_EXPIRED" }, { status: 400 }));
    await connection.send([insert("a")], "write");
    for (const [id, answer] of [["b", forgotten], ["c", expired]] as const) {
      disturb(answer);
      const before = batches();
      assert.deepEqual(await connection.send([insert(id)], "write"), [[{ id }]]);
      assert.equal(batches() - before, 2);
      await connection.send([insert(`${id}2`)], "write");
    }
    assert.equal(await list(), "a b b2 c c2");
  }));

Deno.test("a write of which nobody says that it was not made is not made again", () =>
  withGateway(async ({ connection, list, disturb }) => {
    await connection.send([insert("a")], "write");
    const answers = [
      () => new Response("Bad gateway", { status: 502 }),
      () => Response.json({ message: "Endpoint request timed out" }, { status: 504 }),
      () => Response.json({ message: "Internal error", code: null }, { status: 500 }),
      () => new Response("{", { headers: { "Content-Type": "application/json" } }),
    ];
    for (const [n, answer] of answers.entries()) {
      disturb(async (forward) => {
        await (await forward()).body?.cancel();
        return answer();
      });
      const lost = connection.send([insert(`lost${n}`)], "write");
      await lost.then(
        () => assert.fail("it went well"),
        (error) => assert.equal(faultOf(error).kind, "lost"),
      );
      await connection.send([insert(`next${n}`)], "write");
    }
    assert.equal(await list(), "a lost0 lost1 lost2 lost3 next0 next1 next2 next3");
  }));

Deno.test("no answer is asked for packed: that costs more time than a longer one", () =>
  withGateway(async ({ connection, list, disturb, encodings }) => {
    await connection.send([insert("a")], "write");
    disturb(() => Promise.resolve(new Response("Received an invalid baton", { status: 400 })));
    await connection.send([insert("b")], "write");
    assert.equal(await list(), "a b");
    assert.deepEqual([...encodings], ["identity"]);
  }));

Deno.test("a statement that fails takes its batch with it and is named, and the next batch is none the worse", () =>
  withGateway(async ({ connection, list }) => {
    await connection.send([insert("a")], "write");
    await connection.send([insert("b"), insert("a")], "write").then(
      () => assert.fail("it went well"),
      (error) => assert.deepEqual(faultOf(error), { kind: "statement", index: 1 }),
    );
    await connection.send([insert("c")], "write");
    const [ids, counts] = await connection.send(
      [LIST, { sql: "SELECT COUNT(*) AS n FROM t", args: {} }],
      "read",
    );
    assert.deepEqual(ids!.map(({ id }) => id), ["a", "c"]);
    assert.equal(counts![0]!.n, 2);
    assert.equal(await list(), "a c");
  }));

Deno.test("values come back as they were sent, alone, beside others, and from a write", () =>
  withGateway(async ({ connection }) => {
    const args = { text: 'ž \u0000 "\ud83d\ude00', whole: 2 ** 53 - 1, negative: -1, part: 0.1, none: null };
    const sql = `SELECT ${Object.keys(args).map((name) => `:${name} AS ${name}`).join(", ")}`;
    for (const mode of ["read", "write"] as const) {
      for (const before of [[], [LIST]]) {
        assert.deepEqual(await connection.send([...before, { sql, args }], mode), [...before.map(() => []), [
          args,
        ]]);
      }
    }
  }));

Deno.test("a server that names another address for its stream is asked there", () =>
  withGateway(async ({ connection, disturb, batches, list, url }) => {
    await connection.send([insert("a")], "write");
    disturb(async (forward) => Response.json({ ...await (await forward()).json(), base_url: url }));
    await connection.send([insert("b")], "write");
    const before = batches();
    await connection.send([insert("c")], "write");
    assert.equal(batches(), before);
    assert.equal(await list(), "a b c");
  }));
