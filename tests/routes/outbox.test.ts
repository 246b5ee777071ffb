import assert from "node:assert/strict";
import { PAGE_BYTES } from "../../db/consistent_read/listing.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { createOutbox, type Share } from "../../routes/http/outbox.ts";
import { event } from "../../routes/http/stream.ts";
import { withApp } from "../support/app.ts";

const MIB = 2 ** 20;
const PRESSED_MS = 60_000;
const small = { bytes: 3 * MIB, page: MIB, small: 1, pressedMs: PRESSED_MS };
const mebibyte = () => [new Uint8Array(MIB)];
const never = () => assert.fail("was let go");

Deno.test("32 MiB of events are sent at a time, then events are small, and who has taken nothing for 2 s makes room", () => {
  let now = 0;
  const outbox = createOutbox(undefined, () => now);
  const gone: number[] = [];
  const shares: Share[] = [];
  const hold = (n: number) => {
    const share = outbox.take(`read ${n}`);
    share.hold([new Uint8Array(PAGE_BYTES)], () => {
      gone.push(n);
      share.end();
    });
    shares.push(share);
    return share.bytes;
  };
  const whole = LIMITS.streamBytes / PAGE_BYTES;
  for (let n = 0; n < whole; n++) assert.equal(hold(n), PAGE_BYTES, `event ${n}`);
  now = LIMITS.pressedMs - 1;
  shares[0]!.progress();
  assert.equal(hold(whole), LIMITS.smallEventBytes);
  assert.deepEqual(gone, [], "for less than 2 s");
  now = LIMITS.pressedMs;
  shares[2]!.progress();
  outbox.take("more").end();
  assert.deepEqual(
    gone,
    [1, 3],
    "those that have taken nothing for the longest time, and no more than needed",
  );
  assert.equal(outbox.take("again").bytes, PAGE_BYTES);
  for (const share of shares) share.end();
});

Deno.test("all of the memory for events comes back, however it is given back", () => {
  const outbox = createOutbox(small, () => 0);
  for (let n = 0; n < 10; n++) {
    const [read, ...held] = ["a", "b", "c"].map((name) => outbox.take(name + n));
    const more = outbox.take(`d${n}`);
    assert.deepEqual([read!.bytes, more.bytes], [MIB, 1]);
    for (const share of held) share.hold(mebibyte(), never);
    more.hold(mebibyte(), never);
    for (const share of [read!, ...held, more, read!, more]) share.end();
    more.hold(mebibyte(), never);
    read!.progress();
  }
});

Deno.test("what many are sent, or are about to read, counts once, until the last of them has it", () => {
  const outbox = createOutbox(small, () => 0);
  const shares: Share[] = [];
  for (let n = 0; n < 100; n++) shares.push(outbox.take("same"));
  const others = [outbox.take("b"), outbox.take("c")];
  assert.deepEqual([outbox.take("d").bytes, outbox.take("same").bytes], [1, MIB]);
  for (const share of others) share.end();
  const pieces = [new Uint8Array(MIB), new Uint8Array(MIB)];
  for (const share of shares) share.hold(pieces, never);
  for (const share of shares.slice(1)) share.end();
  assert.equal(outbox.take("d").bytes, 1, "the last one has it still, and one is about to read");
  shares[0]!.end();
  assert.equal(outbox.take("e").bytes, MIB);
});

Deno.test("where the memory for events is in use a stream tells less at once, and all the same all", () =>
  withApp(async ({ request, json, services }) => {
    await json("POST", "/rooms", { id: "r" });
    const body = "x".repeat(LIMITS.smallEventBytes / 8);
    for (let n = 0; n < 40; n++) await json("POST", "/rooms/r/messages", { body });
    for (const [name, most] of [["all is free", 40], ["none is free", 9]] as const) {
      const held = name === "all is free"
        ? []
        : Array.from({ length: 80 }, (_, n) => services.outbox.take(name + n));
      const response = await request("GET", "/rooms/r/events?after=0");
      const ids: number[] = [];
      let events = 0;
      let text = "";
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (!text.endsWith("\n\n")) continue;
        const data = /^data: (.*)$/m.exec(text)?.[1];
        text = "";
        if (data === undefined) continue;
        const { messages } = JSON.parse(data);
        assert.ok(messages.length <= most, `${name}: ${messages.length}`);
        ids.push(...messages.map(({ id }: { id: number }) => id));
        events++;
        if (ids.length === 40) break;
      }
      assert.deepEqual(ids, Array.from({ length: 40 }, (_, n) => n + 1), name);
      assert.equal(events, Math.ceil(40 / most), name);
      for (const share of held) share.end();
    }
  }));

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
  assert.deepEqual(
    lines,
    [1, 10].map((n) => `Readers of streams and large answers that took too little and were let go: ${n}.`),
  );
});
