import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import type { Reply } from "../support/client.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { type Service, startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";

/** What the service may have open, and how many connections more than that are made. */
const OPEN_FILES = 256;
const CONNECTIONS = 600;
/** Waits that leave enough descriptors for others, and that together with as many more do not. */
const WAITS = 150;
/** The service may need this long to accept connections again. */
const AGAIN_MS = 2_000;
const END_MS = 4_500;
/** Far more than it needs to close idle connections. */
const MAX_HELD_MS = 5_000;

const encoder = new TextEncoder();

/** Runs a test with a service that may open few files; a libSQL server may open as many as it likes. */
async function withFewFiles(backend: "file" | "libsql", test: (service: Service) => Promise<void>) {
  const server = backend === "libsql" ? await startLibsqlServer() : undefined;
  try {
    const service = await startService({
      database: server?.url,
      openFiles: OPEN_FILES,
      env: { RATE_LIMIT: "0", WAITS_PER_CALLER: "0" },
    });
    try {
      await test(service);
    } finally {
      await service.stop();
    }
  } finally {
    await server?.stop();
  }
}

function connectTo(url: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  return Deno.connect({ hostname, port: Number(port) });
}

/** Opens a connection and sends one byte; undefined where it is refused or reset. */
async function oneByte(url: string): Promise<Deno.TcpConn | undefined> {
  let connection: Deno.TcpConn | undefined;
  try {
    connection = await connectTo(url);
    await connection.write(encoder.encode("G"));
    return connection;
  } catch {
    connection?.close();
    return undefined;
  }
}

/** Resolves when the service has closed a connection. */
async function closed(connection: Deno.TcpConn): Promise<void> {
  await connection.read(new Uint8Array(1)).catch(() => {});
}

/** Opens more connections than the service can have, and holds them until it has closed the first. */
async function flood(url: string): Promise<void> {
  const held: Deno.TcpConn[] = [];
  for (let n = 0; n < CONNECTIONS; n++) {
    const connection = await oneByte(url);
    if (connection) held.push(connection);
  }
  const late = setTimeout(() => held.forEach((connection) => connection.close()), MAX_HELD_MS);
  const from = performance.now();
  if (held.length > 0) await closed(held[0]!);
  clearTimeout(late);
  assert.ok(performance.now() - from < MAX_HELD_MS, "the idle connections were not closed");
  for (const connection of held) connection.close();
}

/** Asks until the service takes a connection, which it must do in time. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (const from = performance.now();;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() - from > AGAIN_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Asks over a new connection. */
async function answersAgain(url: string): Promise<void> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await again(() => fetch(url, { client }));
  await response.body?.cancel();
  assert.equal(response.status, 200);
}

/** Has many wait in a room; resolves when all are known to. */
async function manyWait(t: Subject, room: string): Promise<Promise<Reply>[]> {
  await t.agent(room, "ada");
  const waits = Array.from({ length: WAITS }, (_, n) => {
    const agent = n === WAITS - 1 ? "ada" : undefined; // marked when those before it wait
    return t.post(`/rooms/${room}/wait`, { condition: "state._shared.go == true", agent });
  });
  for (const wait of waits) wait.catch(() => {}); // it is looked at later
  await t.agentUntil(room, "ada", ({ status }) => status === "waiting");
  return waits;
}

async function assertTriggered(waits: Promise<Reply>[]): Promise<void> {
  for (const reply of await Promise.all(waits)) {
    assertStatus(reply, 200);
    assert.equal(reply.body.triggered, true);
  }
}

function assertOneComplaint({ complaints }: Service): void {
  assert.match(complaints.join("\n"), /^No connection could be accepted.*open files.*$/);
}

for (const backend of ["file", "libsql"] as const) {
  Deno.test(`${backend}: connections that take every descriptor are closed, and nobody else is`, async () => {
    await withFewFiles(backend, async (service) => {
      const t = new Subject(service.url);
      const [room, other] = [await t.room(), await t.room()];
      const path = `/rooms/${other}`;
      const stream = await fetch(`${t.url}/rooms/${room}/events`);
      const waits = await manyWait(t, room);
      await assertOthersServed(`${backend}: ${CONNECTIONS} connections with one byte`, {
        url: t.url,
        path,
      }, async () => {
        await answersAgain(t.url + path);
        await flood(t.url);
      });
      await answersAgain(t.url + path);
      await again(() => t.write(room, "go", true));
      await assertTriggered(waits);
      await told(stream, '"go"');
      assertOneComplaint(service);
    });
  });

  Deno.test(`${backend}: more waits than descriptors: those that wait are answered, others refused`, async () => {
    await withFewFiles(backend, async (service) => {
      const t = new Subject(service.url);
      const [room, other] = [await t.room(), await t.room()];
      const waits = await manyWait(t, room);
      const wait = JSON.stringify({ condition: "state._shared.go == true" });
      const request =
        `POST /rooms/${room}/wait HTTP/1.1\r\nHost: x\r\nContent-Length: ${wait.length}\r\n\r\n${wait}`;
      const more: Promise<string>[] = [];
      await assertOthersServed(`${backend}: more waits than descriptors`, {
        url: t.url,
        path: `/rooms/${other}`,
      }, async () => {
        const from = more.length;
        while (more.length < from + WAITS) more.push(answerOf(t.url, request));
        await Promise.race(more.slice(from)); // one is refused
      });
      await again(() => t.write(room, "go", true));
      await assertTriggered(waits);
      await Promise.all(more);
      await answersAgain(`${t.url}/rooms/${other}`);
      assertOneComplaint(service);
    });
  });
}

Deno.test("an instance that is asked to end during a flood of connections answers its waits and ends in time", async () => {
  const service = await startService({ openFiles: OPEN_FILES });
  const t = new Subject(service.url);
  const room = await t.room();
  await t.agent(room, "ada");
  const waiting = t.post(`/rooms/${room}/wait`, { condition: "false", agent: "ada" });
  await t.agentUntil(room, "ada", ({ status }) => status === "waiting");
  await flood(t.url);

  let ended = false;
  const goesOn = (async () => {
    while (!ended) await flood(t.url);
  })();
  const from = performance.now();
  await service.stop();
  const took = performance.now() - from;
  ended = true;
  await goesOn;
  assert.equal((await waiting).body.timeout, true);
  assert.equal((await service.process.status).code, 0);
  assert.ok(took < END_MS, `${took} ms`);
});

/** What is answered to a request on a connection of its own; nothing where it is refused or reset. */
async function answerOf(url: string, request: string): Promise<string> {
  let connection: Deno.TcpConn | undefined;
  try {
    connection = await connectTo(url);
    await connection.write(encoder.encode(request));
    const buffer = new Uint8Array(64 * 1024);
    const read = await connection.read(buffer);
    return read === null ? "" : new TextDecoder().decode(buffer.subarray(0, read));
  } catch {
    return "";
  } finally {
    connection?.close();
  }
}

/** Reads a stream until it has told of something, and ends it. */
async function told(stream: Response, what: string): Promise<void> {
  let all = "";
  for await (const text of stream.body!.pipeThrough(new TextDecoderStream())) {
    if ((all += text).includes(what)) return;
  }
  assert.fail(`The stream ended with: ${all}`);
}
