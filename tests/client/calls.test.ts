import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { checked } from "../support/timers.ts";
import { acted, answer, refusal, type Sent } from "../support/scripted.ts";

/** What each call sends: the method, the path below the room, and the body. */
async function sentBy(act: (room: ReturnType<typeof roomOf>) => Promise<unknown>): Promise<unknown[]> {
  const { fetch, sent } = acted(() => answer({}));
  await act(roomOf(fetch));
  const [{ method, path, body }] = sent as [Sent];
  return [`${method} ${path.slice("/rooms/r".length)}`, body];
}

const roomOf = (send: typeof fetch) => connect("http://service", { fetch: send }).room("r", { agent: "ada" });

checked("claims, what is done with them, and who does it", async () => {
  assert.deepEqual(await sentBy(({ messages }) => messages.claim(7)), ["POST /messages/7/claim", {
    agent: "ada",
  }]);
  assert.deepEqual(await sentBy(({ messages }) => messages.claim(7, { ttl: 60, agent: "bob" })), [
    "POST /messages/7/claim",
    { agent: "bob", ttl: 60 },
  ]);
  assert.deepEqual(await sentBy(({ messages }) => messages.renew(7, { fence: 9, ttl: 60 })), [
    "POST /messages/7/renew",
    { agent: "ada", fence: 9, ttl: 60 },
  ]);
  assert.deepEqual(await sentBy(({ messages }) => messages.release(7, { fence: 9, error: { exit: 1 } })), [
    "POST /messages/7/release",
    { agent: "ada", fence: 9, error: { exit: 1 } },
  ]);
  assert.deepEqual(await sentBy(({ messages }) => messages.complete(7, { fence: 9, result: null })), [
    "POST /messages/7/complete",
    { agent: "ada", fence: 9, result: null },
  ]);
  assert.deepEqual(await sentBy(({ messages }) => messages.fail(7)), ["POST /messages/7/fail", {
    agent: "ada",
  }]);
  assert.deepEqual(await sentBy(({ messages }) => messages.attempts(7)), [
    "GET /messages/7/attempts",
    undefined,
  ]);
  assert.deepEqual(
    await sentBy(({ messages }) => messages.post("x", { kind: "task", needs: [3, 5], max_attempts: 2 })),
    ["POST /messages", { from: "ada", kind: "task", needs: [3, 5], max_attempts: 2, body: "x" }],
  );
});

checked("what cannot be claimed is told as a value, whatever keeps it", async () => {
  const cases = [
    ["already_claimed", { claimed: false, claimed_by: "bob", claimed_at: "t", claimed_until: null }],
    ["task_over", { status: "done", done_at: "t", claimed_by: "bob" }],
    ["task_blocked", { blocked_by: [3] }],
  ] as const;
  for (const [code, facts] of cases) {
    const { fetch } = acted(() => refusal(409, code, { ...facts, hint: "Take another." }));
    assert.deepEqual(await roomOf(fetch).messages.claim(7), {
      claimed_by: null,
      ...facts,
      claimed: false,
      code,
    });
  }
  const { fetch } = acted(() => refusal(404, "message_not_found"));
  await assert.rejects(roomOf(fetch).messages.claim(7), { code: "message_not_found" });
});
