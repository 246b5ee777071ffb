import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertIntact } from "../support/integrity.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { type Service, startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";

const CLIENTS = 8;
/** Answers after which the kill comes, in the middle of what the others send. */
const ANSWERED = Number(Deno.env.get("FAULTS_ANSWERED") ?? 100);

/** What clients were answered, by which the database is judged afterwards. */
interface Record {
  pairs: string[];
  increments: number;
  messages: Set<string>;
  /** Increments whose answer never came: each may or may not have been made. */
  unknown: number;
}

/** Clients that write until `enough`: pairs of keys as a batch, increments of one number, messages. */
async function writeUntil(t: Subject, room: string, kill: () => Promise<void>): Promise<Record> {
  const record: Record = { pairs: [], increments: 0, messages: new Set(), unknown: 0 };
  let killed: Promise<void> | undefined;
  let answers = 0;
  const clients = Array.from({ length: CLIENTS }, async (_, n) => {
    for (let k = 0; !killed; k++) {
      const name = `${n}:${k}`;
      const writes = [{ key: name, value: k }, { key: `twin of ${name}`, value: k }];
      const kind = (n + k) % 3;
      const reply = await [
        () => t.put(`/rooms/${room}/state/batch`, { writes }),
        () => t.put(`/rooms/${room}/state`, { key: "sum", increment: 1 }),
        () => t.post(`/rooms/${room}/messages`, { body: name }),
      ][kind]!().catch(() => undefined);
      if (!reply?.status || reply.status === 503) {
        if (kind === 1) record.unknown++;
        return;
      }
      assertStatus(reply, kind === 2 ? 201 : 200);
      if (kind === 0) record.pairs.push(name);
      else if (kind === 1) record.increments++;
      else record.messages.add(name);
      if (++answers === ANSWERED) killed = kill();
    }
  });
  await Promise.all(clients);
  assert.ok(killed, "nothing was killed");
  await killed;
  return record;
}

/** Asserts that all that was answered is there, and of each batch both halves or none. */
async function assertKept(t: Subject, room: string, record: Record): Promise<void> {
  const keys = new Map<string, Json>();
  for (const { key, value } of (await t.get(`/rooms/${room}/state`)).body) keys.set(key, value);
  const sum = keys.get("sum") ?? 0;
  keys.delete("sum");
  for (const key of record.pairs) assert.ok(keys.has(key), `${key} is lost`);
  for (const [key, value] of keys) assert.equal(keys.get(twin(key)), value, `half of a batch: ${key}`);
  const most = record.increments + record.unknown;
  assert.ok(sum >= record.increments && sum <= most, `${sum}, not ${record.increments} to ${most}`);
  const bodies = (await t.pages(`/rooms/${room}/messages?limit=1000`)).flatMap(({ body }) => body);
  const posted = new Set(bodies.map(({ body }: Json) => body));
  assert.equal(posted.size, bodies.length, "a message was posted twice");
  for (const body of record.messages) assert.ok(posted.has(body), `message ${body} is lost`);
}

const twin = (key: string) => key.startsWith("twin of ") ? key.slice("twin of ".length) : `twin of ${key}`;

Deno.test("kill -9 of an instance on a file loses nothing that was answered, and no half of a batch", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  const database = `file:${directory}/convene.db`;
  try {
    const first = await startService({ database });
    const t = new Subject(first.url);
    const room = await t.room();
    const record = await writeUntil(t, room, () => first.kill());
    await assertIntact(database);
    const second = await startService({ database });
    try {
      await assertKept(new Subject(second.url), room, record);
    } finally {
      await second.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("kill -9 of one of two instances on a libSQL server loses nothing that was answered", async () => {
  const server = await startLibsqlServer();
  const services: Service[] = [];
  try {
    services.push(await startService({ database: server.url }));
    services.push(await startService({ database: server.url }));
    const [a, b] = services.map(({ url }) => new Subject(url)) as [Subject, Subject];
    const room = await a.room();
    const record = await writeUntil(a, room, () => services.shift()!.kill());
    await b.write(room, "sum", 0, { increment: true });
    await assertKept(b, room, record);
    await assertIntact(server.url);
  } finally {
    for (const service of services) await service.stop();
    await server.stop();
  }
});

Deno.test("kill -9 of the libSQL server loses nothing that was answered; the instance goes on with the next", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-libsql-" });
  let server = await startLibsqlServer({ directory });
  let service: Service | undefined;
  try {
    service = await startService({ database: server.url });
    const t = new Subject(service.url);
    const room = await t.room();
    const record = await writeUntil(t, room, () => server.stop());
    assert.equal((await t.get(`/rooms/${room}`)).status, 503);
    server = await startLibsqlServer({ directory, port: Number(new URL(server.url).port) });
    await t.write(room, "sum", 0, { increment: true });
    await assertKept(t, room, record);
    await assertIntact(server.url);
  } finally {
    await service?.stop();
    await server.stop();
    await Deno.remove(directory, { recursive: true });
  }
});
