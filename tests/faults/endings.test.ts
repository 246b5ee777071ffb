import assert from "node:assert/strict";
import { connect } from "../../db/driver/open.ts";
import { Subject } from "../support/backends.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { TextLineStream } from "../support/lines.ts";
import { readReply, slowRequestBeingRead } from "../support/raw.ts";
import { startService } from "../support/service.ts";
import { assertError } from "../support/shapes.ts";

const MAX_MS = 5_000;
const SAME_SIGNAL_MS = 1_000;

/** A process whose end takes until it is let go. It prints every signal that has reached it, and how it ends. */
const ENDING = `
  import { onEnd } from "./routes/process/ending.ts";
  const go = Deno.stdin.read(new Uint8Array(1));
  onEnd(async () => await go, async () => console.log("closed"));
  Deno.addSignalListener("SIGTERM", () => console.log("told"));
  console.log("ready");
`;

/** A process whose answers keep its thread busy for longer than copies of a signal are expected. */
const BUSY = `
  import { onEnd } from "./routes/process/ending.ts";
  onEnd(() => {
    console.log("told");
    for (const until = performance.now() + ${SAME_SIGNAL_MS + 500}; performance.now() < until;);
    return Promise.resolve();
  }, async () => console.log("closed"));
  setInterval(() => {}, 60_000);
  console.log("ready");
`;

async function withEnding(
  test: (process: Deno.ChildProcess, printed: () => Promise<string | undefined>) => Promise<void>,
  program = ENDING,
): Promise<void> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", program],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  try {
    assert.equal((await lines.read()).value, "ready");
    await test(process, async () => (await lines.read()).value);
  } finally {
    await lines.cancel();
    await process.stdin.close().catch(() => {}); // closed by the test
    await process[Symbol.asyncDispose]();
  }
}

Deno.test("a second signal within a second is the same one", () =>
  withEnding(async (process, printed) => {
    for (const signal of [1, 2]) {
      process.kill("SIGTERM");
      assert.equal(await printed(), "told", `signal ${signal}`);
    }
    const writer = process.stdin.getWriter();
    await writer.write(new Uint8Array(1));
    await writer.close();
    assert.equal(await printed(), "closed");
    assert.equal((await process.status).code, 0);
  }));

Deno.test("a second signal after a second ends the process at once", () =>
  withEnding(async (process, printed) => {
    process.kill("SIGTERM");
    assert.equal(await printed(), "told");
    await new Promise((resolve) => setTimeout(resolve, SAME_SIGNAL_MS + 100));
    process.kill("SIGTERM");
    assert.equal((await process.status).code, 1);
  }));

Deno.test("a second signal within a second is the same one, however late a busy thread hears it", () =>
  withEnding(async (process, printed) => {
    process.kill("SIGTERM");
    assert.equal(await printed(), "told");
    process.kill("SIGTERM");
    assert.equal(await printed(), "closed");
    assert.equal((await process.status).code, 0);
  }, BUSY));

Deno.test("a file database that was closed at the end is whole without its log", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    const service = await startService({ database: `file:${folder}/convene.db` });
    const t = new Subject(service.url);
    const room = await t.room();
    await t.write(room, "kept", 1);
    assert.ok((await Deno.stat(`${folder}/convene.db-wal`)).size > 0, "the log holds what was written");
    await service.stop();
    await Deno.copyFile(`${folder}/convene.db`, `${folder}/copy.db`);
    const copy = await connect(`file:${folder}/copy.db`);
    const [rows] = await copy.send([{ sql: "SELECT value FROM state WHERE key = 'kept'", args: {} }], "read");
    assert.deepEqual(rows!.map(({ value }) => value), ["1"]);
    copy.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an instance that is asked to end while its database hangs answers all that it holds, and ends in time", async () => {
  const server = await startLibsqlServer();
  try {
    const service = await startService({ database: server.url });
    const t = new Subject(service.url);
    const room = await t.room();
    await t.agent(room, "ann");
    const waits = [undefined, "ann", undefined].map((agent, n) =>
      t.post(`/rooms/${room}/wait`, { condition: "false", agent, include: n === 2 ? "state" : undefined })
    );
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    await server.freeze();
    const others = [t.get(`/rooms/${room}/state`), t.put(`/rooms/${room}/state`, { key: "k", value: 1 })];
    // One that has come since tells that the instance has taken these in.
    await fetch(`${t.url}/robots.txt`).then((answer) => answer.body?.cancel());
    const from = Date.now();
    await service.stop();
    const took = Date.now() - from;
    for (const reply of await Promise.all([...waits, ...others])) {
      assertError(reply, 503, "unavailable");
      assert.match(reply.headers.get("retry-after") ?? "", /^\d+$/);
    }
    assert.ok(took < MAX_MS, `${took} ms`);
  } finally {
    server.thaw();
    await server.stop();
  }
});

Deno.test("what an instance still answers when it ends says that its connection closes", async () => {
  const service = await startService();
  const t = new Subject(service.url);
  const room = await t.room();
  await t.agent(room, "ann");
  const { hostname, port } = new URL(service.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const body = JSON.stringify({ condition: "false", agent: "ann" });
  const head =
    `POST /rooms/${room}/wait HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head + body));
  await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
  const before = await t.get(`/rooms/${room}`);
  await service.stop();
  const answer = await new Response(connection.readable).text();
  assert.match(answer, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n.*"timeout":true\}$/is);
  assert.equal(before.headers.get("connection"), null);
});

Deno.test("a body that is on its way when an instance ends is to be sent again: 503, and not 400", async () => {
  const service = await startService();
  const t = new Subject(service.url);
  const room = await t.room();
  const sent = await slowRequestBeingRead(t.url, "PUT", `/rooms/${room}/state`);
  const [{ status, text }] = await Promise.all([readReply(sent), service.stop()]);
  assert.equal(status, 503, text);
  assert.equal(JSON.parse(text).error, "unavailable");
});

/** Where `deno serve` has the service, which it prints. */
async function served(process: Deno.ChildProcess): Promise<string> {
  const lines = process.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const port = /Listening on http:\S+:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
  }
  return assert.fail("it does not start");
}

Deno.test("an instance under another server than its own answers all that it holds before it ends", async () => {
  const server = await startLibsqlServer();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["serve", "-A", "--host", "127.0.0.1", "--port", "0", "main.ts"],
    cwd: new URL("../../", import.meta.url),
    env: { TURSO_DATABASE_URL: server.url, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const t = new Subject(await served(process));
    const room = await t.room();
    await t.agent(room, "ann");
    const wait = t.post(`/rooms/${room}/wait`, { condition: "false", agent: "ann" });
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    await server.freeze(); // so the answer takes until the database is given up
    const write = t.put(`/rooms/${room}/state`, { key: "k", value: 1 });
    await fetch(`${t.url}/robots.txt`).then((answer) => answer.body?.cancel());
    process.kill("SIGTERM");
    for (const reply of await Promise.all([wait, write])) assertError(reply, 503, "unavailable");
    assert.equal((await process.status).code, 0);
  } finally {
    server.thaw();
    await process[Symbol.asyncDispose]();
    await server.stop();
  }
});
