import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** As many writes as a batch has, each with as many pointers as an edit has, of values of nearly 64 KiB. */
const WRITES = 20;
const POINTERS = 20;

const entries = <T>(count: number, entry: (n: number) => [string, T]) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => entry(n)));

const members = (count: number) => entries(count, (n) => [n.toString(36), n % 10]);

/** The writes of a batch, each of them an edit. */
const each = (edit: (write: number) => object) => Array.from({ length: WRITES }, (_, n) => edit(n));
const pointers = (path: (n: number) => string) => Array.from({ length: POINTERS }, (_, n) => path(n));

const ATTACKS: Record<string, [value: Json, writes: object[]]> = {
  "items of a list": [
    Array.from({ length: 32_000 }, () => 1),
    each((k) => ({ set: entries(POINTERS, (n) => [`/${n * 1_000 + k}`, k]) })),
  ],
  "items that a list loses at its front": [
    Array.from({ length: 32_000 }, () => 1),
    each(() => ({ unset: pointers(() => "/0") })),
  ],
  "members of an object": [
    members(7_500),
    each((k) => ({ set: entries(POINTERS, (n) => [`/${(n * 300 + k).toString(36)}`, k]) })),
  ],
  "members that an object loses": [
    members(7_500),
    each((k) => ({ unset: pointers((n) => `/${(n * 300 + k).toString(36)}`) })),
  ],
  "members of many objects": [
    Array.from({ length: POINTERS }, () => members(350)),
    each((k) => ({ set: entries(POINTERS, (n) => [`/${n}/${k.toString(36)}`, k]) })),
  ],
  "members that are merged": [
    members(7_500),
    each((k) => ({ merge: entries(600, (n) => [(n * 10 + k).toString(36), k]) })),
  ],
  "items that the database sets": [
    Array.from({ length: 32_000 }, () => 1),
    [20, 6].map((count, k) => ({ set: entries(count, (n) => [`/${n * 1_000 + k}`, 2]) })),
  ],
  "numbers that the database removes": [
    Array.from({ length: 13_000 }, (_, n) => n % 4_000),
    [1, 2].map((n) => ({ remove: n * 100 })),
  ],
  "objects that are removed": [
    Array.from({ length: 4_000 }, (_, n) => ({ a: n % 10, b: 0.5 })),
    each((k) => ({ remove: { b: 0.5, a: k } })),
  ],
};

// A server is another process: an instance over it has less to do.
for (const backend of backends.slice(0, 1)) {
  Deno.test(`${backend.name}: a batch of large edits holds up no other room`, async () => {
    const service = await backend.open({ RATE_LIMIT: "0", ROOM_RATE_LIMIT: "0" });
    try {
      const t = new Subject(service.url);
      const [room, other] = [await t.room(), await t.room()];
      for (const [name, [value, writes]] of Object.entries(ATTACKS)) {
        await assertOthersServed(
          name,
          { url: service.url, path: `/rooms/${other}` },
          async () => {
            const batch = { writes: writes.map((write) => ({ key: "k", ...write })) };
            const { status, text } = await t.put(`/rooms/${room}/state/batch`, batch);
            assert.equal(status, 200, text.slice(0, 200));
          },
          () => t.write(room, "k", value),
        );
      }
    } finally {
      await service.stop();
    }
  });
}

/** Nearly 64 KiB of what takes longest to escape, of which twenty are stored under each key. */
const LARGE = Array.from({ length: 60 }, () => '"\\'.repeat(250));

for (const backend of backends) {
  Deno.test(`${backend.name}: batches of large edits under keys hold up no other room, and are answered`, async () => {
    const service = await backend.open({ RATE_LIMIT: "0", ROOM_RATE_LIMIT: "0" });
    try {
      const t = new Subject(service.url);
      const [room, other] = [await t.room(), await t.room()];
      const keys = Array.from({ length: WRITES }, (_, n) => `k${n}`);
      for (const key of keys) await t.write(room, key, LARGE);
      const edits = { writes: keys.map((key) => ({ key, append: 1 })) };
      let sent = 0;
      const edit = async (key = `edit ${sent++}`) => {
        const headers = { "Idempotency-Key": key };
        const { status, text } = await t.request("PUT", `/rooms/${room}/state/batch`, {
          body: edits,
          headers,
        });
        assert.equal(status, 200, text.slice(0, 200));
        return key;
      };
      await assertOthersServed(
        "edits under keys",
        { url: service.url, path: `/rooms/${other}` },
        async () => {
          const made = await Promise.all([edit(), edit(), edit()]);
          await Promise.all(made.map(edit));
        },
      );
    } finally {
      await service.stop();
    }
  });
}
