import assert from "node:assert/strict";
import fc from "fast-check";
import { createPace, MAX_QUICK_ROOMS, type Pace, QUICK_MS, type Rooms } from "../../cel/waits/looks/pace.ts";

const INTERVAL_MS = 200;

interface Look {
  at: number;
  rooms: Rooms;
}

/** Runs a pace until `until` without any clock: `during` is called in each look and returns what it takes. */
function looksOf(pace: Pace, until: number, during: (look: Look) => number): Look[] {
  const looks: Look[] = [];
  for (let at = pace.next(); at < until;) {
    const look = { at, rooms: pace.begin(at) };
    looks.push(look);
    const ended = at + during(look);
    pace.end(ended);
    at = Math.max(ended, pace.next());
  }
  return looks;
}

const gaps = (looks: Look[]) => looks.slice(1).map(({ at }, n) => at - looks[n]!.at);
const everyMs = (ms: number, watched: (room: string) => boolean = () => true) => {
  const pace = createPace(() => ms, watched);
  pace.start(0);
  return pace;
};

Deno.test("after a find quick looks come, less and less often, and only at its room", () => {
  const pace = everyMs(INTERVAL_MS);
  const looks = looksOf(pace, 6_000, ({ at }) => {
    if (at === INTERVAL_MS) pace.found("r", 7);
    return 0;
  });
  const first = looks.filter(({ at, rooms }) => at < 2 * INTERVAL_MS && rooms !== "all");
  assert.deepEqual(first.slice(0, 6).map(({ at }) => at - INTERVAL_MS), [25, 50, 75, 100, 125, 150]);
  for (const { rooms } of looks) assert.ok(rooms === "all" || rooms.length === 1 && rooms[0] === "r");
  const quick = looks.filter(({ rooms }) => rooms !== "all").length;
  assert.ok(quick > 20 && quick < 50, `${quick} looks`);
  assert.ok(gaps(looks.filter(({ at }) => at > 4_000)).every((gap) => gap === INTERVAL_MS));
});

Deno.test("looks at all rooms come as often as without a find", () => {
  const pace = everyMs(INTERVAL_MS);
  let revision = 0;
  const all = looksOf(pace, 10_000, () => {
    pace.found("r", ++revision);
    return 3;
  }).filter(({ rooms }) => rooms === "all");
  assert.ok(all.length >= 10_000 / INTERVAL_MS - 1, `${all.length} looks`);
  for (const gap of gaps(all)) assert.ok(gap <= INTERVAL_MS && gap >= INTERVAL_MS - QUICK_MS, `${gap} ms`);
});

Deno.test("a room that nobody watches is looked at no more, and quickly again once it is", () => {
  let watched = true;
  const pace = everyMs(INTERVAL_MS, () => watched);
  looksOf(pace, INTERVAL_MS + 1, () => (pace.found("r", 1), 0));
  watched = false;
  assert.deepEqual(looksOf(pace, 500, () => 0).map(({ rooms }) => rooms), ["all"]);
  watched = true;
  assert.ok(pace.joined("r", 510) && !pace.joined("s", 510));
  assert.ok(pace.next() < 510 + 2 * QUICK_MS, `${pace.next()}`);
});

Deno.test("a find that turns out to be an own write is as if it had not been", () => {
  const pace = everyMs(INTERVAL_MS);
  pace.begin(INTERVAL_MS);
  pace.found("r", 7);
  pace.end(INTERVAL_MS);
  pace.isOwn("r", 6);
  assert.equal(pace.next(), INTERVAL_MS + QUICK_MS);
  pace.isOwn("r", 7);
  assert.equal(pace.next(), 2 * INTERVAL_MS);
  // What another instance wrote before it goes on to count.
  pace.begin(2 * INTERVAL_MS);
  pace.found("r", 8);
  pace.end(2 * INTERVAL_MS);
  pace.begin(2 * INTERVAL_MS + QUICK_MS);
  pace.found("r", 9);
  pace.end(2 * INTERVAL_MS + QUICK_MS);
  pace.isOwn("r", 9);
  assert.equal(pace.next(), 2 * INTERVAL_MS + 2 * QUICK_MS);
});

Deno.test("an interval that is shorter than quick looks has none", () => {
  const pace = everyMs(QUICK_MS - 5);
  const looks = looksOf(pace, 2_000, () => (pace.found("r", 1), 0));
  assert.ok(looks.every(({ rooms }) => rooms === "all"));
  assert.ok(gaps(looks).every((gap) => gap === QUICK_MS - 5));
});

Deno.test("quick looks serve a bounded number of rooms: those in which something was found last", () => {
  const pace = everyMs(INTERVAL_MS);
  pace.begin(INTERVAL_MS);
  for (let n = 0; n < 3 * MAX_QUICK_ROOMS; n++) pace.found(`r${n}`, 1);
  pace.end(INTERVAL_MS);
  const rooms = pace.begin(pace.next());
  assert.equal(rooms.length, MAX_QUICK_ROOMS);
  assert.ok(rooms.includes(`r${3 * MAX_QUICK_ROOMS - 1}`));
});

Deno.test("however much is found, by whom and how slowly: no more looks than promised, none overlooked", () => {
  const seed = Number(Deno.env.get("PACE_SEED") ?? Date.now() % 2 ** 31);
  const drawn = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed, numRuns: 100_003 });
  let next = 0;
  const random = () => drawn[next++ % drawn.length]! / 2 ** 30;
  for (let run = 0; run < 100; run++) {
    const between = (min: number, max: number) => min + (max - min) * random();
    const unwatched = new Set<string>();
    const interval = between(40, 1_000);
    const slow = random() < 0.3;
    const pace = createPace(() => interval * between(0.8, 0.9), (room) => !unwatched.has(room));
    pace.start(0);
    const ends: Array<{ at: number; ended: number; rooms: Rooms }> = [];
    let revision = 0;
    looksOf(pace, 20_000, ({ at, rooms }) => {
      assert.ok(rooms === "all" || rooms.length > 0, `${seed}: a look at nothing`);
      const took = slow ? between(0, 2 * interval) : between(0, 10);
      for (let n = random() * 4; n > 1; n--) pace.found(`r${Math.floor(random() * 200)}`, ++revision);
      if (random() < 0.2) pace.isOwn(`r${Math.floor(random() * 200)}`, revision);
      if (random() < 0.2) pace.joined(`r${Math.floor(random() * 200)}`, at + took);
      if (random() < 0.1) unwatched.add(`r${Math.floor(random() * 200)}`);
      if (random() < 0.1) unwatched.clear();
      ends.push({ at, ended: at + took, rooms });
      return took;
    });
    for (const [n, { at, rooms }] of ends.slice(1).entries()) {
      const before = ends[n]!;
      assert.ok(at - before.at >= QUICK_MS - 1e-6, `${seed}: ${at - before.at} ms after the look before`);
      const rest = at - before.ended;
      if (rooms !== "all") {
        assert.ok(rest >= before.ended - before.at - 1e-6, `${seed}: a rest of ${rest} ms`);
      }
    }
    const all = ends.filter(({ rooms }) => rooms === "all");
    assert.ok(all.length > 5, `${seed}: ${all.length} looks at all rooms`);
    for (const [n, { at }] of all.slice(1).entries()) {
      const took = Math.max(
        ...ends.filter((end) => end.at >= all[n]!.at && end.at < at).map((end) => end.ended - end.at),
      );
      const late = at - all[n]!.at;
      assert.ok(late <= 0.9 * interval + 2 * took + 1e-6, `${seed}: ${late} ms, a look took ${took}`);
    }
  }
});
