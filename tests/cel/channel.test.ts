import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { createHints, MAX_TOLD, type OpenChannel } from "../../cel/waits/looks/hints.ts";
import { createPace, MAX_QUICK_ROOMS, QUICK_MS } from "../../cel/waits/looks/pace.ts";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { channelOf } from "../../routes/process/channel.ts";
import { createServices } from "../../routes/services.ts";
import { withApp } from "../support/app.ts";
import { holdTimers } from "../support/timers.ts";

/** A channel that only notes what becomes of it. */
function noted() {
  const posts: unknown[] = [];
  const open = { count: 0 };
  let receive: (posted: unknown) => void = () => {};
  const channel: OpenChannel = (hear) => {
    open.count++;
    receive = hear;
    return { post: (data) => void posts.push(data), close: () => void open.count-- };
  };
  return { channel, posts, open, receive: (posted: unknown) => receive(posted) };
}

const TOGETHER_MS = 5;
const IDLE_MS = 500;
const NEVER_MS = 60_000;

Deno.test("rooms that are written together are told together, each once, and so many at the most", () => {
  using timers = holdTimers(TOGETHER_MS);
  const { channel, posts } = noted();
  const hints = createHints(channel, () => {});
  for (const room of ["a", "b", "a"]) hints.tell(room);
  timers.fire();
  assert.deepEqual(posts, [["a", "b"]]);
  for (let n = 0; n < 2 * MAX_TOLD; n++) hints.tell(`r${n}`);
  assert.equal(timers.count, 1);
  timers.fire();
  assert.equal((posts[1] as string[]).length, MAX_TOLD);
  hints.close();
});

Deno.test("the channel is open while somebody waits and a moment after a write, and never once it is closed", () => {
  using idle = holdTimers(IDLE_MS);
  const { channel, open, posts } = noted();
  const hints = createHints(channel, () => {});
  assert.equal(open.count, 0);
  hints.listen();
  assert.deepEqual([open.count, idle.count], [1, 0]);
  hints.mute();
  idle.fire();
  assert.deepEqual([open.count, idle.count], [0, 0]);
  hints.listen();
  hints.close();
  hints.tell("r");
  hints.listen();
  assert.deepEqual([open.count, idle.count, posts], [0, 0, []]);
});

Deno.test("garbage is no hint, and a channel that fails is given up", () => {
  const heard: string[] = [];
  const { channel, receive } = noted();
  const hints = createHints(channel, (room) => heard.push(room));
  hints.listen();
  for (const garbage of [null, 1, "r", {}, { length: 9 }, [1, null, {}, "s"], Array(10_000).fill("t")]) {
    receive(garbage);
  }
  assert.deepEqual(heard, ["s", ...Array(MAX_TOLD).fill("t")]);
  hints.mute();
  receive(["late"]);
  assert.equal(heard.at(-1), "t");
  hints.close();
  const failing = createHints(() => {
    throw new Error("There are no channels here.");
  }, () => {});
  failing.listen();
  failing.tell("r");
  failing.close();
});

Deno.test("a hint brings one look; a flood of them no more than quick looks bring", () => {
  const pace = createPace(() => NEVER_MS, (room) => room !== "unwatched");
  pace.start(0);
  assert.equal(pace.next(), NEVER_MS);
  pace.hinted("unwatched");
  assert.equal(pace.next(), NEVER_MS);
  assert.equal(pace.hinted("r"), true);
  assert.equal(pace.hinted("r"), false);
  let now = 1_000;
  assert.ok(pace.next() <= now);
  assert.deepEqual(pace.begin(now), ["r"]);
  pace.end(now);
  assert.equal(pace.next(), NEVER_MS, "it found nothing");
  const looks: number[] = [];
  for (; now < 2_000; now++) {
    for (let n = 0; n < 3 * MAX_QUICK_ROOMS; n++) pace.hinted(`room ${n}`);
    if (pace.next() > now) continue;
    looks.push(pace.begin(now).length);
    pace.end(now);
  }
  assert.ok(looks.length <= 1_000 / QUICK_MS + 1, `${looks.length} looks in a second`);
  for (const rooms of looks) assert.ok(rooms <= MAX_QUICK_ROOMS);
});

Deno.test("a wait hears at once of a write of another instance of its runtime, without the poll", () =>
  withApp(async ({ json, request, file, nextBatch }) => {
    const database = createDatabase({ connect: () => connect(file) });
    const services = createServices(database, { poll: NEVER_MS, channel: channelOf("test") });
    const elsewhere = createApp(services);
    try {
      await json("POST", "/rooms", { id: "r" });
      const read = nextBatch(({ mode }) => mode === "read");
      const waiting = json("POST", "/rooms/r/wait", { condition: "has(state._shared.go)", timeout: 20_000 });
      await read;
      await pause(20);
      const garbage = new BroadcastChannel("convene test");
      garbage.postMessage(["r", { state: "garbage" }]);
      garbage.close();
      const began = performance.now();
      await elsewhere.request("/rooms/r/state", {
        method: "PUT",
        body: JSON.stringify({ key: "go", value: 1 }),
      });
      assert.equal((await waiting).body.triggered, true);
      assert.ok(performance.now() - began < 5_000, "only the last read has found it");
      assert.equal((await request("GET", "/rooms/r/state?key=go")).status, 200);
    } finally {
      await services.watch.drain();
      await database.close();
    }
  }, { poll: NEVER_MS, channel: channelOf("test") }));

Deno.test("a runtime without channels has none", () => {
  assert.equal(channelOf("test", {} as typeof globalThis), undefined);
});
