import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { nextPart } from "../../client/until.ts";
import { checked } from "../support/timers.ts";
import { acted, answer, refusal, type Sent } from "../support/scripted.ts";

/** What each call sends: the method, the path below the room, and the body. */
async function sentBy(
  act: (room: ReturnType<typeof roomOf>) => Promise<unknown>,
  body: unknown = {},
): Promise<unknown[]> {
  const { fetch, sent } = acted(() => answer(body));
  await act(roomOf(fetch));
  const [request] = sent as [Sent];
  return [`${request.method} ${request.path.slice("/rooms/r".length)}`, request.body];
}

const roomOf = (send: typeof fetch) => connect("http://service", { fetch: send }).room("r", { agent: "ada" });

checked("what is undefined is as if it were left out", async () => {
  const agent = undefined;
  assert.deepEqual(await sentBy((room) => room.join({ name: undefined, id: undefined })), ["POST /agents", {
    id: "ada",
    name: "ada",
  }]);
  const putting = ["PUT /state", { agent: "ada", key: "k", value: 1 }];
  assert.deepEqual(await sentBy(({ state }) => state.put("k", 1, { agent })), putting);
  const deleting = ["DELETE /state", { agent: "ada", key: "k" }];
  assert.deepEqual(await sentBy(({ state }) => state.delete("k", { agent })), deleting);
  const posting = ["POST /messages", { from: "ada", body: "hi" }];
  assert.deepEqual(await sentBy(({ messages }) => messages.post("hi", { from: agent })), posting);
});

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
  assert.deepEqual(await sentBy(({ messages }) => messages.attempts(7), []), [
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

checked("edits of a value, and keys that end", async () => {
  const put = (members: object) => ["PUT /state", { agent: "ada", key: "k", ...members }];
  assert.deepEqual(await sentBy(({ state }) => state.put("k", 1, { ttl: 60 })), put({ value: 1, ttl: 60 }));
  assert.deepEqual(await sentBy(({ state }) => state.merge("k", { a: null })), put({ merge: { a: null } }));
  assert.deepEqual(await sentBy(({ state }) => state.append("k", null)), put({ append: null }));
  assert.deepEqual(await sentBy(({ state }) => state.appendAll("k", [1, 2])), put({ append_all: [1, 2] }));
  assert.deepEqual(
    await sentBy(({ state }) => state.remove("k", "x", { scope: "s" })),
    put({ remove: "x", scope: "s" }),
  );
  assert.deepEqual(
    await sentBy(({ state }) => state.edit("k", { set: { "/a/0": 1 }, unset: ["/b"] }, { if_version: 4 })),
    put({ set: { "/a/0": 1 }, unset: ["/b"], if_version: 4 }),
  );
  assert.deepEqual(await sentBy(({ state }) => state.batch([{ key: "k", append: 1, ttl: 5 }])), [
    "PUT /state/batch",
    { agent: "ada", writes: [{ key: "k", append: 1, ttl: 5 }] },
  ]);
});

checked("agents leave, rooms change their meta", async () => {
  assert.deepEqual(await sentBy((room) => room.leave()), ["DELETE /agents/ada", {}]);
  assert.deepEqual(await sentBy((room) => room.leave({ agent: "b c" })), ["DELETE /agents/b%20c", {}]);
  assert.deepEqual(await sentBy((room) => room.patch({ meta: { topic: "x" } })), ["PATCH ", {
    meta: { topic: "x" },
  }]);
});

checked("reservations are made, listed, renewed and released", async () => {
  const { fetch } = acted(() => answer({ released: true }));
  assert.equal(await roomOf(fetch).reservations.release("id", { fence: 9 }), true);
  assert.deepEqual(
    await sentBy(({ reservations }) =>
      reservations.reserve(["src/**"], { mode: "shared", ttl: 60, note: { why: 1 } })
    ),
    ["POST /reservations", {
      agent: "ada",
      paths: ["src/**"],
      mode: "shared",
      ttl: 60,
      note: { why: 1 },
      timeout: 0,
    }],
  );
  assert.deepEqual(await sentBy(({ reservations }) => reservations.list({ path: "a/*.ts" }), []), [
    "GET /reservations?path=a%2F*.ts",
    undefined,
  ]);
  assert.deepEqual(await sentBy(({ reservations }) => reservations.renew("id", { fence: 9, ttl: 60 })), [
    "POST /reservations/id/renew",
    { agent: "ada", fence: 9, ttl: 60 },
  ]);
});

checked("paths that others have are waited for as long as one likes", async () => {
  const reserved = () => refusal(409, "reserved", { conflicts: [] });
  const script = [reserved(), reserved(), answer({ id: "x" })];
  const { fetch, sent } = acted(() => script.shift()!);
  assert.equal((await roomOf(fetch).reservations.reserve(["a"], { timeout: Infinity })).id, "x");
  assert.deepEqual(sent.map(({ body }) => body.timeout), [25_000, 25_000, 25_000]);
  assert.equal(new Set(sent.map(({ key }) => key)).size, 3, "each is a request of its own");
  const refused = acted(reserved);
  await assert.rejects(roomOf(refused.fetch).reservations.reserve(["a"]), { code: "reserved" });
  assert.equal(refused.sent.length, 1);
});

checked("a reservation that is made while its maker leaves is given back", async () => {
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<Response>();
  const { fetch, sent } = acted(({ method }) => {
    if (method === "DELETE") return answer({ released: true });
    asked.resolve();
    return told.promise;
  });
  const leave = new AbortController();
  const reason = new Error("enough");
  const making = roomOf(fetch).reservations.reserve(["a"], { timeout: Infinity, signal: leave.signal });
  await asked.promise;
  leave.abort(reason);
  told.resolve(answer({ id: "x", agent: "ada", fence: 9 }));
  await assert.rejects(making, reason);
  assert.deepEqual(sent.map(({ method, path, body }) => [method, path, body.fence]), [
    ["POST", "/rooms/r/reservations", undefined],
    ["DELETE", "/rooms/r/reservations/x", 9],
  ]);
});

checked("what takes longer than a request is waited for in equal parts", async () => {
  assert.deepEqual(
    [Infinity, 50_000, 28_000, 25_001, 25_000, 7, 0].map(nextPart),
    [25_000, 25_000, 14_000, 12_501, 25_000, 7, 0],
  );
  const first = async (act: Parameters<typeof sentBy>[0], body: unknown) => {
    const [, sent] = await sentBy(act, body) as [string, { timeout: number }];
    assert.ok(sent.timeout > 13_000 && sent.timeout <= 14_000, `${sent.timeout} ms`);
  };
  await first((room) => room.until("true", { timeout: 28_000 }), { triggered: true });
  await first(({ tasks }) => tasks.next({ timeout: 28_000 }), { claimed: true, message: {} });
  await first(({ reservations }) => reservations.reserve(["a"], { timeout: 28_000 }), { id: "x" });
});
