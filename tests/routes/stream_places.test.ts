import assert from "node:assert/strict";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { withApp } from "../support/app.ts";
import { ask, openReader, readerOf, unchunked } from "../support/readers.ts";
import { Subject } from "../support/backends.ts";
import { openEvents } from "../support/events.ts";
import { holdTimers } from "../support/timers.ts";
import { until } from "../support/until.ts";

const BODY = "x".repeat(60_000);

interface Place {
  t: Subject;
  room: string;
  stream: string;
  /** Asserts that the place is taken. */
  assertHeld(): Promise<void>;
  /** Resolves when somebody else has got the place, and has left. */
  free(): Promise<void>;
}

/** Runs a test against a service on a socket, which has a place for one stream of each caller. */
function withOnePlace(test: (place: Place) => Promise<void>): Promise<void> {
  const fairUse = { ...FAIR_USE, callerPerSecond: 1_000_000, roomPerSecond: 0, streamsOfCaller: 1 };
  return withApp(async ({ app, services }) => {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
    try {
      const t = new Subject(`http://127.0.0.1:${server.addr.port}`);
      const room = await t.room();
      const stream = `/rooms/${room}/events`;
      await test({
        t,
        room,
        stream,
        async assertHeld() {
          const answer = await openReader(t.url, stream).then((reader) => reader.close(), String);
          assert.match(answer ?? "a stream", /HTTP\/1.1 429/);
        },
        async free() {
          const open = () => openReader(t.url, stream).catch(() => undefined);
          (await until(open, (reader) => reader !== undefined))!.close();
        },
      });
      await services.watch.drain();
    } finally {
      await server.shutdown();
    }
  }, { fairUse });
}

/** So many events stay untaken where a reader stalls; one that is between two pieces of an event has taken them. */
const UNTAKEN = 20;

/** Writes until a reader that takes nothing has made its stream wait for it, and the stream makes no event any more. */
async function stall({ t, room }: Place, timers: { count: number; set: number }) {
  let waiting = { timer: 0, since: 0 };
  for (let n = 0; n < 300; n++) {
    const { id } = await t.message(room, { body: BODY });
    // Once this is answered the service has looked at its streams too.
    await t.get(`/rooms/${room}/changes`, { after: id - 1 });
    // Each event sets the timer anew, and it runs while the event is taken: only one that stays is a reader's.
    if (timers.count === 0 || timers.set !== waiting.timer) waiting = { timer: timers.set, since: n };
    if (n - waiting.since >= UNTAKEN) return;
  }
  assert.fail("the stream never waits for its reader");
}

for (const ending of ["closes", "reads on"]) {
  Deno.test(`a reader that stalls holds its place for as long as its connection, and ${ending}`, () =>
    withOnePlace(async (place) => {
      using timers = holdTimers(LIMITS.stalledMs);
      const { t, room, stream } = place;
      using connection = await ask(t.url, stream);
      await stall(place, timers);
      const { error: log } = console;
      const lines: unknown[] = [];
      console.error = (...what: unknown[]) => void lines.push(what);
      timers.fire();
      console.error = log;
      assert.deepEqual(lines, [[
        "Readers of streams and large answers that took too little and were let go: 1.",
      ]]);
      for (let n = 0; n < 5; n++) await t.message(room, { body: BODY });
      await place.assertHeld();
      if (ending === "closes") {
        connection.close();
        return await place.free();
      }
      const text = unchunked(
        (await readerOf(connection).until("0\r\n\r\n")).split("\r\n\r\n").slice(1).join("\r\n\r\n"),
      );
      const whole = text.slice(0, text.lastIndexOf("\n\n") + 2);
      const last = [...whole.matchAll(/^id: (\d+)$/mg)].at(-1)![1]!;
      const told = [...whole.matchAll(/"messages":\[\{"id":(\d+)/g)].length;
      connection.close();
      await place.free();
      assert.ok(told > 0 && Number(last) < await t.revision(room), `${told} messages to ${last}`);
      const back = await openEvents(t.url + stream, { "Last-Event-ID": last });
      const { data } = (await back.next())!;
      back.leave();
      assert.equal(data.messages[0].id, Number(last) + 1, "it goes on behind the last whole event");
      await place.free();
    }));
}

Deno.test("every way out of a stream gives its place back, once", () =>
  withOnePlace(async (place) => {
    const { t, room, stream } = place;
    for (let n = 0; n < 60; n++) await t.message(room, { body: BODY });
    const ways: Record<string, () => Promise<unknown>> = {
      "it is read and left": async () => (await openReader(t.url, stream)).close(),
      "it is left unread": async () => (await ask(t.url, `${stream}?after=0`)).close(),
      "many are asked for and reset at once": () =>
        Promise.all(Array.from({ length: 50 }, async () => (await ask(t.url, `${stream}?after=0`)).close())),
      "two are asked for on one connection": async () => {
        const connection = await ask(t.url, stream);
        const again = `GET ${stream} HTTP/1.1\r\nHost: x\r\n\r\n`;
        await connection.write(new TextEncoder().encode(again));
        await readerOf(connection).until("\n\n\r\n");
        await place.assertHeld();
        connection.close();
      },
      "only its reader's half is closed": async () => {
        const connection = await ask(t.url, stream);
        await readerOf(connection).until("\n\n\r\n");
        await connection.closeWrite();
        connection.close();
      },
      "there is no such room": () => t.get("/rooms/none/events"),
      "it begins nowhere": () => t.get(`${stream}?after=x`),
      "it is the page's": async () => (await openReader(t.url, `/rooms/${room}/live?after=0`)).close(),
    };
    for (const [name, leave] of Object.entries(ways)) {
      await leave();
      await place.free().catch((error) => assert.fail(`${name}: ${error.message}`));
      await place.free();
    }
  }));
