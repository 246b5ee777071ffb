import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { createReader } from "../../cel/rooms/reader.ts";
import { createWatch } from "../../cel/waits/watch.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { createChangesLog, openEvents } from "../support/events.ts";
import { isPoll, withApp } from "../support/app.ts";
import { contract, oneBackend, Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";
import { startService } from "../support/service.ts";
import { assertError, assertInvalid, assertMembers } from "../support/shapes.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const events = (t: Subject, room: string, query = "", headers: Record<string, string> = {}) =>
  openEvents(`${t.url}/rooms/${encodeURIComponent(room)}/events${query}`, headers);

contract("a stream begins now, says what changes, and names each revision", async (t) => {
  const room = await t.room();
  await t.write(room, "old", 1);
  const stream = await events(t, room);
  try {
    assert.match(stream.headers.get("content-type")!, /^text\/event-stream/);
    assert.match(stream.headers.get("cache-control")!, /no-store/);
    await t.write(room, "a", 1);
    const first = await stream.next();
    assertMembers(first!.data, ["revision", "state", "agents", "messages", "reservations", "more"]);
    assert.deepEqual([first!.id, first!.data.revision, first!.type], [2, 2, undefined]);
    assert.deepEqual(first!.data, (await t.get(`/rooms/${room}/changes`, { after: 1 })).body);
    const { id } = await t.message(room);
    assert.equal((await stream.next())!.data.messages[0].id, id);
    await t.agent(room, "ann");
    assert.equal((await stream.next())!.data.agents[0].id, "ann");
    await t.delete(`/rooms/${room}/state`, { key: "a" });
    assert.equal((await stream.next())!.data.state[0].deleted, true);
    assert.equal(stream.said[0]!.id, 1, "a reader that leaves before the first event knows where it was");
  } finally {
    stream.leave();
  }
});

contract("a stream begins after a revision, and after what the reader got last", async (t) => {
  const room = await t.room();
  for (let n = 1; n <= 5; n++) await t.write(room, `k${n}`, n);
  for (
    const [query, headers] of [
      ["?after=2", {}],
      ["", { "Last-Event-ID": "2" }],
      ["?after=4", { "Last-Event-ID": "2" }],
    ] as Array<[string, Record<string, string>]>
  ) {
    const stream = await events(t, room, query, headers);
    const { data } = (await stream.next())!;
    assert.deepEqual([data.state.map(({ key }: { key: string }) => key), data.revision], [
      ["k3", "k4", "k5"],
      5,
    ]);
    stream.leave();
  }
});

contract("a stream begins with all that has changed, whatever a reader before it was told", async (t) => {
  const room = await t.room();
  for (const key of ["a", "b", "c"]) {
    await t.write(room, key, 1);
    const stream = await events(t, room, "?after=0");
    const { id, data } = (await stream.next())!;
    stream.leave();
    await stream.ended;
    assert.deepEqual([id, data.state.at(-1).key], [data.state.length, key]);
  }
});

contract("changes come in order, none lost, none twice, however often the reader comes back", async (t) => {
  const room = await t.room();
  const log = createChangesLog();
  let last = 0;
  let writing = true;
  async function read() {
    while (writing || last < await t.revision(room)) {
      const stream = await events(t, room, "", { "Last-Event-ID": String(last) });
      for (let n = 0; n < 4 && (writing || last < await t.revision(room)); n++) {
        const event = await stream.next();
        assert.ok(event!.id! > last, "not in order");
        last = event!.id!;
        log.add(event!.data);
      }
      stream.leave();
    }
  }
  const reading = read();
  await Promise.all(["x", "y", "z"].map(async (name) => {
    for (let n = 0; n < 20; n++) {
      if (n % 5 === 4) await t.delete(`/rooms/${room}/state`, { key: `${name}${n % 3}` });
      else await t.write(room, `${name}${n % 3}`, n);
      if (n % 4 === 0) await t.message(room, { from: name });
    }
  }));
  writing = false;
  await t.write(room, "end", true);
  await reading;
  log.assertIs((await t.get(`/rooms/${room}/state`)).body, (await t.get(`/rooms/${room}/messages`)).body);
});

contract("an event tells of at most 100 things, the next one of the rest", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 101; n++) await t.message(room, { body: n });
  const stream = await events(t, room, "?after=0");
  const told = [(await stream.next())!.data, (await stream.next())!.data];
  assert.deepEqual(told.map(({ messages, more }) => [messages.length, more]), [[100, true], [1, false]]);
  const after = `?after=${told[0].messages[0].id}`;
  stream.leave();
  const exact = await events(t, room, after);
  const { data: { messages, more } } = (await exact.next())!;
  assert.deepEqual([messages.length, more], [100, false]);
  assert.equal(exact.said[0]!.retry, 1_000);
  exact.leave();
}, oneBackend);

contract("a stream refuses what cannot be", async (t) => {
  const room = await t.room();
  assertError(await t.get("/rooms/no-such-room/events"), 404, "room_not_found");
  assertInvalid(await t.get(`/rooms/${room}/events?after=x`));
  assertInvalid(await t.request("GET", `/rooms/${room}/events`, { headers: { "Last-Event-ID": "x" } }));
  assert.equal((await t.request("HEAD", `/rooms/${room}/events`)).status, 405);
  assertError(await t.post(`/rooms/${room}/events`), 405, "method_not_allowed");
});

contract("a silent stream says that it lives at least every 4 s", async (t) => {
  const room = await t.room();
  const from = Date.now();
  const stream = await events(t, room);
  await pause(8_500);
  stream.leave();
  const times = [from, ...stream.said.map(({ at }) => at), Date.now()];
  assert.ok(stream.said.filter(({ comment }) => comment).length >= 2);
  for (let n = 1; n < times.length; n++) assert.ok(times[n]! - times[n - 1]! < 4_000, String(times));
}, oneBackend);

Deno.test("an instance that ends ends its streams and says when to come back, whoever stalls", async () => {
  const service = await startService();
  const t = new Subject(service.url);
  const room = await t.room();
  const streams = await Promise.all(Array.from({ length: 5 }, () => events(t, room)));
  const stalls = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(t.url).port) });
  await stalls.write(
    new TextEncoder().encode(`GET /rooms/${room}/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n`),
  );
  const body = "x".repeat(60_000);
  for (let n = 0; n < 200; n++) await t.message(room, { body });
  const from = Date.now();
  await service.stop();
  assert.ok(Date.now() - from < 6_000, `it took ${Date.now() - from} ms`);
  for (const stream of streams) {
    await stream.ended;
    assert.ok(stream.said.at(-1)!.retry! > 0);
  }
  stalls.close();
});

Deno.test("two instances: a stream of one tells what the other writes, and goes on at the other", async () => {
  const cluster = await startCluster(2);
  try {
    const [a, b] = cluster.services.map(({ url }) => new Subject(url)) as [Subject, Subject];
    const room = await a.room();
    const stream = await events(a, room);
    for (let n = 1; n <= 3; n++) {
      const from = Date.now();
      await b.write(room, "k", n);
      const event = await stream.next();
      assert.deepEqual([event!.id, event!.data.state[0].value], [n, n]);
      // A stream that was not woken would look with its next keep-alive.
      assert.ok(event!.at - from < LIMITS.beatMs - 500, `${event!.at - from} ms`);
    }
    stream.leave();
    await a.write(room, "k", 4);
    const resumed = await events(b, room, "", { "Last-Event-ID": "3" });
    assert.equal((await resumed.next())!.id, 4);
    resumed.leave();
  } finally {
    await cluster.stop();
  }
});

Deno.test("many followers of a room share one read a change, and one poll", () =>
  withApp(async ({ request, json, batches, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const readers = [];
    for (let n = 0; n < 20; n++) {
      const response = await request("GET", "/rooms/r/events");
      readers.push(response.body!.pipeThrough(new TextDecoderStream()).getReader());
    }
    await Promise.all(readers.map((reader) => reader.read()));
    await nextBatch(isPoll);
    const pending = readers.map((reader) => reader.read());
    const before = batches.length;
    await json("PUT", "/rooms/r/state", { key: "k", value: 1 });
    for (const read of pending) assert.match((await read).value!, /^id: 1\ndata: \{/);
    const sent = batches.slice(before).flatMap(({ statements }) => statements);
    assert.equal(sent.filter(({ sql }) => sql.includes(" AS edge")).length, 1, "reads of what has changed");
    for (const reader of readers) await reader.cancel();
    await pause(100);
    const after = batches.length;
    await pause(300);
    assert.equal(batches.length, after, "nobody follows, and yet the database is asked");
  }, { poll: 50 }));

Deno.test("what a slow reader does not take is not kept for it: it is caught up from where it was", () =>
  withApp(async ({ request, json }) => {
    await json("POST", "/rooms", { id: "r" });
    const { body } = await request("GET", "/rooms/r/events");
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    const told: number[] = [];
    let events = 0;
    for (let n = 0; n < 60; n++) {
      await json("POST", "/rooms/r/messages", { body: n });
      await json("PUT", "/rooms/r/state", { key: "k", value: n });
    }
    while (told.length < 60) {
      const { value } = await reader.read();
      const [, data] = /^data: (.*)$/m.exec(value!) ?? [];
      if (data === undefined) continue;
      events++;
      told.push(...JSON.parse(data).messages.map(({ id }: { id: number }) => id));
    }
    assert.deepEqual(told, Array.from({ length: 60 }, (_, n) => 2 * n + 1));
    assert.ok(events < 10, `${events} events were kept`);
    await reader.cancel();
  }));

Deno.test("followers are limited in a room and in an instance; one that leaves makes room", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const database = createDatabase({ connect: () => connect(`file:${folder}/convene.db`) });
  const followers = { max: 3, maxPerRoom: 2, length: 10 };
  const watch = createWatch(database, createReader(database), { poll: 50, max: 9, followers });
  try {
    for (const room of ["r", "s"]) {
      await database.commit(SERVICE, [{
        sql: `INSERT INTO rooms (id, created_at, meta) VALUES (:room, '', '{}')`,
        args: { room },
      }]);
    }
    const one = await watch.follow(EVERYBODY, "r");
    await watch.follow(EVERYBODY, "r");
    await assert.rejects(watch.follow(EVERYBODY, "r"), { facts: { why: "followers_of_room", max: 2 } });
    await assert.rejects(watch.follow(EVERYBODY, "none"), { code: "room_not_found" });
    const three = await watch.follow(EVERYBODY, "s");
    await assert.rejects(watch.follow(EVERYBODY, "s"), { facts: { why: "followers", max: 3 } });
    const pending = one.next(60_000);
    one.end();
    one.end();
    assert.deepEqual([await pending, one.ended], [undefined, true]);
    await watch.follow(EVERYBODY, "r");
    await watch.drain();
    assert.deepEqual([await three.next(60_000), three.ended], [undefined, true]);
  } finally {
    await database.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a client that leaves frees its place", async () => {
  const service = await startService({ env: { RATE_LIMIT: "1000", STREAMS_PER_CALLER: "100" } });
  try {
    const t = new Subject(service.url);
    const room = await t.room();
    /** Opens a stream as soon as there is a place. Nothing else tells that a connection which was closed is noticed. */
    const open = async (deadline: number) => {
      for (;;) {
        const stream = await events(t, room);
        if (stream.status === 200) return stream;
        assert.deepEqual([stream.status, Date.now() < deadline], [429, true], "places are not given back");
        await pause(10);
      }
    };
    for (let round = 0; round < 6; round++) {
      const deadline = Date.now() + 10_000;
      const streams = await Promise.all(Array.from({ length: 100 }, () => open(deadline)));
      if (round === 0) assert.equal((await events(t, room)).status, 429, "there are no more places");
      await t.write(room, "k", round);
      await Promise.all(streams.map((stream) => stream.next()));
      for (const stream of streams) stream.leave();
    }
  } finally {
    await service.stop();
  }
});
