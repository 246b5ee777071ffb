import assert from "node:assert/strict";
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
  await assert.rejects(unread!.read(), /took nothing/);
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
