import assert from "node:assert/strict";
import { MAX_LENGTH, readInLanes } from "../../db/consistent_read/lanes.ts";
import type { Database } from "../../db/database.ts";
import { createMutex } from "../../db/serialize.ts";
import { isRefusal } from "../../db/refusal.ts";

const MEBI = 2 ** 20;

/** What reads share, with a time that goes on by `ms` with each of their steps. */
function shared(ms = 0) {
  const time = { now: 0 };
  const database = { ...createMutex(), elapsed: () => time.now } as Database;

  /** Reads so many MiB, one a step; `at` is called before each. */
  async function read(room: string, mebis: number, at: (mebi: number) => Promise<void> | void = () => {}) {
    let length = 0;
    const next = async () => {
      await at(length / MEBI);
      await new Promise((resolve) => setImmediate(resolve));
      time.now += ms;
      length += MEBI;
      return length >= mebis * MEBI;
    };
    await readInLanes(database, room, next, () => length);
    return room;
  }
  return read;
}

/** Begins to read a long room of so many MiB, and comes back when it has stopped `at` one of them. */
async function stopped(read: ReturnType<typeof shared>, mebis: number, at: number) {
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const long = read("long", mebis, async (mebi) => {
    if (mebi !== at) return;
    reached.resolve();
    await held.promise;
  });
  await reached.promise;
  return { long, goOn: held.resolve };
}

Deno.test("a request reads at most 96 MiB of a room", async () => {
  const read = shared();
  await read("full", 96);
  await assert.rejects(read("more", 97), (error) => {
    assert.ok(isRefusal(error, "too_large"));
    assert.deepEqual(error.facts, { max: MAX_LENGTH, read: true });
    return true;
  });
  await read("full", 96);
});

Deno.test("a list of some megabytes waits for none that is longer", async () => {
  const read = shared();
  const { long, goOn } = await stopped(read, 90, 40);
  assert.deepEqual(await Promise.all([read("some", 3), read("more", 20)]), ["some", "more"]);
  const behind = read("as long", 50);
  goOn();
  assert.deepEqual(await Promise.all([long, behind]), ["long", "as long"]);
});

Deno.test("a read is given up when its request has been answered, and the next one begins", async () => {
  const read = shared(1_000);
  await assert.rejects(read("slow", 20), (error) => isRefusal(error, "unavailable"));
  assert.equal(await read("next", 5), "next");
});

Deno.test("at most eight wait for a long read, two of a room, each with what it has read", async () => {
  const read = shared();
  const { long, goOn } = await stopped(read, 30, 10);
  const isRefused = (reading: Promise<unknown>) =>
    assert.rejects(reading, (error) => isRefusal(error, "unavailable"));
  const own = Array.from({ length: 3 }, () => read("long", 10));
  await isRefused(own[2]!);
  const others = Array.from({ length: 8 }, (_, n) => read(`other ${n}`, 10));
  await Promise.all(others.slice(6).map(isRefused));
  goOn();
  await Promise.all([long, ...own.slice(0, 2), ...others.slice(0, 6)]);
});
