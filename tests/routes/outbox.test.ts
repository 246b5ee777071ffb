import assert from "node:assert/strict";
import { LIMITS } from "../../routes/limits.ts";
import { createOutbox, type Outbox, type Share } from "../../routes/outbox.ts";
import { event } from "../../routes/stream.ts";

const MIB = 2 ** 20;
const reserving = (outbox: Outbox) => {
  let n = 0;
  return (ms: number) => outbox.reserve(`read ${n++}`, ms);
};
const mebibyte = () => [new Uint8Array(MIB)];
const never = () => assert.fail("was let go");

Deno.test("64 MiB of events are sent at a time; who has taken nothing for 2 s makes room where others wait", async () => {
  let now = 0;
  const outbox = createOutbox(undefined, () => now);
  const reserve = reserving(outbox);
  const gone: number[] = [];
  const shares: Share[] = [];
  for (let n = 0; n < LIMITS.streamBytes / MIB; n++) {
    const share = (await reserve(0))!;
    shares.push(share);
    share.hold(mebibyte(), () => {
      gone.push(n);
      share.end();
    });
  }
  assert.equal(await reserve(0), undefined, "no more than 64");
  now = LIMITS.pressedMs - 1;
  shares[0]!.progress();
  assert.equal(await reserve(0), undefined);
  assert.deepEqual(gone, [], "for less than 2 s");
  now = LIMITS.pressedMs;
  const next = await reserve(0);
  assert.ok(next);
  assert.deepEqual(gone, [1], "the one that has taken nothing for the longest time, and no more than needed");
  next.end();
  next.end();
  for (const share of shares) share.end();
});

Deno.test("the memory for events is given first come first served, and all of it comes back", async () => {
  const outbox = createOutbox({ bytes: 2, reserved: 1, pressedMs: 60_000 });
  const reserve = reserving(outbox);
  const [a, b] = [(await reserve(0))!, (await reserve(0))!];
  const order: string[] = [];
  const waiting = ["first", "second", "third"].map(async (name) => {
    const share = await reserve(60_000);
    order.push(name);
    return share!;
  });
  assert.equal(await reserve(1), undefined, "one that gives up");
  a.end();
  const first = await waiting[0]!;
  assert.deepEqual(order, ["first"]);
  b.end();
  first.end();
  (await waiting[1]!).end();
  (await waiting[2]!).end();
  assert.deepEqual(order, ["first", "second", "third"]);
  for (const share of [await reserve(0), await reserve(0)]) assert.ok(share);
  assert.equal(await reserve(0), undefined);
});

Deno.test("what many are sent counts once, until the last of them has it", async () => {
  const outbox = createOutbox({ bytes: 3 * MIB, reserved: MIB, pressedMs: 60_000 });
  const reserve = reserving(outbox);
  const pieces = [new Uint8Array(MIB), new Uint8Array(MIB)];
  const shares: Share[] = [];
  for (let n = 0; n < 100; n++) {
    const share = await reserve(0);
    assert.ok(share, `reader ${n}`);
    share.hold(pieces, never);
    shares.push(share);
  }
  const more = (await reserve(0))!;
  assert.equal(await reserve(0), undefined);
  for (const share of shares.slice(1)) share.end();
  assert.equal(await reserve(0), undefined);
  shares[0]!.end();
  for (const share of [await reserve(0), await reserve(0)]) assert.ok(share);
  more.end();
});

Deno.test("those who are about to read the same reserve it once", async () => {
  const outbox = createOutbox({ bytes: 2, reserved: 1, pressedMs: 60_000 });
  const same = [];
  for (let n = 0; n < 100; n++) same.push((await outbox.reserve("a", 0))!);
  const other = (await outbox.reserve("b", 0))!;
  assert.equal(await outbox.reserve("c", 0), undefined);
  same.push((await outbox.reserve("a", 0))!);
  for (const share of same.slice(1)) share.end();
  assert.equal(await outbox.reserve("c", 0), undefined);
  same[0]!.end();
  const third = await outbox.reserve("c", 0);
  assert.ok(third);
  other.end();
  third.end();
});

Deno.test("an event of 32 KiB is one piece, a longer one is sent in several", () => {
  const frame = event(1, "")[0]!.length;
  const [whole, cut] = [0, 1].map((more) => event(1, "x".repeat(LIMITS.pieceBytes - frame + more)));
  assert.deepEqual(whole!.map(({ length }) => length), [LIMITS.pieceBytes]);
  assert.deepEqual(cut!.map(({ length }) => length), [LIMITS.pieceBytes, 1]);
  assert.ok(cut!.every(({ buffer, length }) => buffer.byteLength === length), "a piece holds no other");
  const text = "ä€😀\n".repeat(20_000);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const said = event(7, text, "room").map((piece) => decoder.decode(piece, { stream: true })).join("");
  assert.equal(said, `event: room\nid: 7\n${text.split("\n").map((line) => `data: ${line}\n`).join("")}\n`);
});

Deno.test("the operator is told of readers that were let go at most every 10 s, and of how many", () => {
  let now = 0;
  const outbox = createOutbox(undefined, () => now);
  const lines: unknown[] = [];
  const { error: log } = console;
  console.error = (line: unknown) => void lines.push(line);
  try {
    for (now = 0; now <= 10_000; now += 1_000) outbox.reportStalled();
  } finally {
    console.error = log;
  }
  assert.deepEqual(lines, [1, 10].map((n) => `Streams: readers that took nothing and were let go: ${n}.`));
});
