import assert from "node:assert/strict";
import { Hono } from "hono";
import { baseHeaders, withLength } from "../../routes/http/headers.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { createOutbox, OUTBOX } from "../../routes/http/outbox.ts";
import { sentInPieces } from "../../routes/http/pieces.ts";
import { withApp } from "../support/app.ts";

const MIB = 2 ** 20;
const answer = (mebibytes: number) => Array.from({ length: mebibytes }, () => new Uint8Array(MIB));

Deno.test("64 MiB of answers are under way at a time, then those that nobody reads are broken off after 2 s", async () => {
  let now = 0;
  let stalls = 0;
  const outbox = {
    ...createOutbox({ ...OUTBOX, bytes: LIMITS.answerBytes }, () => now),
    reportStalled: () => void stalls++,
  };
  const [unread, read, ...others] = Array.from(
    { length: LIMITS.answerBytes / (8 * MIB) },
    () => sentInPieces(answer(8), outbox).getReader(),
  );
  now = LIMITS.pressedMs;
  assert.equal((await read!.read()).value!.length, MIB);
  const last = sentInPieces(answer(1), outbox).getReader();
  await assert.rejects(unread!.read(), /took too little/);
  assert.equal(stalls, 1, "no more than needed");

  let bytes = MIB;
  for (let piece; !(piece = await read!.read()).done;) bytes += piece.value.length;
  assert.equal(bytes, 8 * MIB, "who reads gets all");
  for (const other of [...others, last]) await other.cancel();
  const again = Array.from(
    { length: LIMITS.answerBytes / (8 * MIB) },
    () => sentInPieces(answer(8), outbox).getReader(),
  );
  assert.equal(stalls, 1, "what was read or given up counts no more");
  for (const other of again) await other.cancel();
});

Deno.test("256 MiB of answers are under way at a time, then those that began first are broken off, though they are read", async () => {
  let now = 0;
  const outbox = createOutbox(
    { ...OUTBOX, bytes: LIMITS.answerBytes, max: LIMITS.maxAnswerBytes },
    () => now,
  );
  const begin = () => sentInPieces(answer(32), outbox).getReader();
  const slow = Array.from({ length: LIMITS.maxAnswerBytes / (32 * MIB) }, begin);
  for (let n = 0; n < 3; n++) {
    now += LIMITS.pressedMs - 1;
    for (const reader of slow) assert.equal((await reader.read()).value!.length, MIB);
  }
  const last = begin();
  await assert.rejects(slow.shift()!.read(), /took too little/);
  for (const reader of [...slow, last]) assert.equal((await reader.read()).value!.length, MIB);
  for (const reader of slow) await reader.cancel();

  const alone = sentInPieces(answer(2 * LIMITS.maxAnswerBytes / MIB), outbox).getReader();
  await assert.rejects(last.read(), /took too little/);
  assert.equal((await alone.read()).value!.length, MIB, "the latest goes on, however long it is");
  await alone.cancel();
});

Deno.test("what many answers have in common counts once", async () => {
  let now = 0;
  const outbox = createOutbox({ ...OUTBOX, bytes: LIMITS.answerBytes }, () => now);
  const common = new Uint8Array(MIB);
  const begin = () =>
    sentInPieces([new Uint8Array(1), common.subarray(0, 9), common.subarray(9)], outbox).getReader();
  const readers = Array.from({ length: 1_000 }, begin);
  now = LIMITS.pressedMs;
  readers.push(begin());
  for (const reader of readers) {
    let bytes = 0;
    for (let piece; !(piece = await reader.read()).done;) bytes += piece.value.length;
    assert.equal(bytes, MIB + 1);
  }
  const others = Array.from(
    { length: LIMITS.answerBytes / MIB - 3 },
    () => sentInPieces(answer(1), outbox).getReader(),
  );
  now += LIMITS.pressedMs;
  const more = begin();
  for (const reader of [...others, more]) {
    assert.equal((await reader.read()).done, false, "and is given back");
  }
  for (const reader of [...others, more]) await reader.cancel();
});

Deno.test("a long answer comes whole, piece by piece", async () => {
  await withApp(async ({ request }) => {
    await request("POST", "/rooms", { id: "r" });
    const body = "x".repeat(60_000);
    for (let n = 0; n < 10; n++) {
      await request("POST", "/rooms/r/messages", { body });
    }
    const response = await request("GET", "/rooms/r/messages");
    const text = await response.text();
    assert.equal(text.length, Number(response.headers.get("content-length")));
    assert.deepEqual(
      JSON.parse(text).map((message: { body: string }) => message.body.length),
      Array(10).fill(60_000),
    );
  });
});

Deno.test("an answer to HEAD gives its body up, and the memory that it counts", async () => {
  for (const middleware of [withLength, baseHeaders(() => undefined, () => {})]) {
    const outbox = createOutbox({ ...OUTBOX, bytes: LIMITS.answerBytes });
    let ended = 0;
    const counting = {
      ...outbox,
      take(name: string) {
        const share = outbox.take(name);
        return { ...share, end: () => void (share.end(), ended++) };
      },
    };
    const app = new Hono();
    app.use(middleware);
    app.get(
      "/",
      () =>
        new Response(sentInPieces(answer(8), counting), { headers: { "Content-Length": String(8 * MIB) } }),
    );
    const response = await app.request("/", { method: "HEAD" });
    assert.deepEqual([response.headers.get("Content-Length"), response.body], [String(8 * MIB), null]);
    assert.equal(ended, 1);
  }
});
