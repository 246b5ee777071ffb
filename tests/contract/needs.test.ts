import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertStatus } from "../support/shapes.ts";
import { claimed, postTask, type Task, taskOf } from "../support/tasks.ts";

const pick = (message: Json, names: string[]) => names.map((name) => message[name]);
const statusOf = async (task: Task) => (await task.shown()).status;
const statusesOf = (tasks: Task[]) => Promise.all(tasks.map(statusOf));

async function done(task: Task): Promise<number> {
  await claimed(task, "ann");
  const reply = await task.complete({ agent: "ann" });
  assertStatus(reply, 200);
  return reply.revision!;
}

contract(
  "a message is blocked until all that it needs is done, and open from that revision on",
  async (t) => {
    const room = await t.room();
    const [a, b] = [await postTask(t, room), await postTask(t, room)];
    const reply = await t.post(`/rooms/${room}/messages`, {
      body: 1,
      kind: "task",
      needs: [a.id, b.id, a.id],
    });
    assertStatus(reply, 201);
    const task = taskOf(t, room, reply.body.id);
    assert.deepEqual(await task.shown(), reply.body);
    const names = ["status", "needs", "claimed_by", "claimed_at", "fence", "attempts", "done_at"];
    assert.deepEqual(pick(reply.body, names), ["blocked", [a.id, b.id], null, null, null, 0, null]);
    assert.deepEqual(await t.value(room, "messages"), { count: 3, unclaimed: 2 });
    const refused = await task.claim({ agent: "ann" });
    assertError(refused, 409, "task_blocked", ["blocked_by"]);
    assert.deepEqual(refused.body.blocked_by, [a.id, b.id]);
    await done(a);
    assert.deepEqual((await task.claim({ agent: "ann" })).body.blocked_by, [b.id]);
    const revision = await done(b);
    assert.deepEqual(pick(await task.shown(), names), ["open", [a.id, b.id], null, null, null, 0, null]);
    assert.deepEqual(await t.value(room, "messages"), { count: 3, unclaimed: 1 });
    const { messages } = (await t.get(`/rooms/${room}/changes`, { after: revision - 1 })).body;
    const changed = messages.map(({ id }: Json) => id).sort((a: number, b: number) => a - b);
    assert.deepEqual(changed, [b.id, task.id], "in the same revision");
    await claimed(task, "bob", 60);
  },
);

contract("with needs that are all done, or none, a message is born open", async (t) => {
  const room = await t.room();
  const a = await postTask(t, room);
  await done(a);
  for (const needs of [[a.id], [], null]) {
    const { status, needs: shown } = await t.message(room, { needs });
    assert.deepEqual([status, shown], ["open", needs ?? []]);
  }
});

contract(
  "where a need fails, so do those that need it, in the same revision, down the whole chain",
  async (t) => {
    const room = await t.room();
    const other = await postTask(t, room);
    const chain = [await postTask(t, room)];
    for (let n = 0; n < 10; n++) chain.push(await postTask(t, room, { needs: [chain.at(-1)!.id, other.id] }));
    const { fence } = await claimed(chain[0]!, "ann", 60);
    const reply = await chain[0]!.fail({ agent: "ann", fence, error: "broken" });
    assertStatus(reply, 200);
    for (const [n, task] of chain.entries()) {
      const shown = await task.shown();
      const failure = n === 0
        ? { reason: "failed", error: "broken" }
        : { reason: "need", message: chain[n - 1]!.id };
      assert.deepEqual(pick(shown, ["status", "failure", "done_at", "claimed_by"]), [
        "failed",
        failure,
        reply.body.done_at,
        n === 0 ? "ann" : null,
      ]);
    }
    assert.equal(await t.revision(room), reply.revision);
    const { messages } = (await t.get(`/rooms/${room}/changes`, { after: reply.revision! - 1 })).body;
    assert.equal(messages.length, chain.length);
    assert.equal(await statusOf(other), "open");
    assert.deepEqual(await t.value(room, "messages.unclaimed"), 1);
    assertStatus(await other.fail({ agent: "ann" }), 200);
  },
);

contract("a message that needs what has failed is born failed", async (t) => {
  const room = await t.room();
  const [bad, good] = [await postTask(t, room), await postTask(t, room)];
  await bad.fail({ agent: "ann" });
  const before = await t.value(room, "messages.unclaimed");
  const message = await t.message(room, { needs: [good.id, bad.id] });
  assert.deepEqual(pick(message, ["status", "failure", "done_at", "claimed_by"]), [
    "failed",
    { reason: "need", message: bad.id },
    message.created_at,
    null,
  ]);
  assert.equal(await t.value(room, "messages.unclaimed"), before);
  const next = await t.message(room, { needs: [message.id] });
  assert.deepEqual(next.failure, { reason: "need", message: message.id });
  await done(good);
  assert.equal(await statusOf(taskOf(t, room, message.id)), "failed");
});

contract("needs are messages of the room", async (t) => {
  const [room, elsewhere] = [await t.room(), await t.room()];
  const [a, b] = [await postTask(t, room), await postTask(t, elsewhere)];
  await postTask(t, elsewhere);
  const path = `/rooms/${room}/messages`;
  for (const needs of [[a.id, a.id + 1], [b.id + 50], [999, a.id]]) {
    const reply = await t.post(path, { body: 1, needs });
    assertError(reply, 404, "message_not_found");
    const missing = needs.find((id) => id !== a.id)!;
    assert.ok(reply.body.message.includes(String(missing)), reply.body.message);
  }
  assertError(await t.post(path, { body: 1, needs: [a.id], reply_to: 999 }), 404, "message_not_found");
  assert.equal((await t.get(path)).body.length, 1);
});

contract("a blocked task that its poster fails takes along what needs it, and frees nothing", async (t) => {
  const room = await t.room();
  const a = await postTask(t, room);
  const b = await postTask(t, room, { needs: [a.id], from: "lead" });
  const c = await postTask(t, room, { needs: [b.id] });
  assertStatus(await b.fail({ agent: "lead" }), 200);
  assert.deepEqual(await statusesOf([a, b, c]), ["open", "failed", "failed"]);
  await done(a);
  assert.deepEqual(await statusesOf([b, c]), ["failed", "failed"]);
});

contract("many tasks may need one, and are all open when it is done", async (t) => {
  const room = await t.room();
  const a = await postTask(t, room);
  const others = await Promise.all(Array.from({ length: 50 }, () => postTask(t, room, { needs: [a.id] })));
  assert.equal(await t.value(room, "messages.unclaimed"), 1);
  await done(a);
  assert.deepEqual(new Set(await statusesOf(others)), new Set(["open"]));
  assert.equal(await t.value(room, "messages.unclaimed"), 50);
});

/** Posts tasks, each of which needs those that `needsOf` names of the ids before it. */
async function postAll(t: Subject, room: string, count: number, needsOf: (ids: number[]) => number[]) {
  const ids: number[] = [];
  for (let n = 0; n < count; n++) ids.push((await t.message(room, { kind: "task", needs: needsOf(ids) })).id);
  return ids;
}

contract(
  "at most 1,000 tasks that are not over hang together by needs, in whichever direction",
  async (t) => {
    const room = await t.room();
    const path = `/rooms/${room}/messages`;
    // A chain, and what hangs together by one task that needs both.
    const chain = await postAll(t, room, 500, (ids) => ids.slice(-1));
    const [hub] = await postAll(t, room, 1, () => []);
    const star: number[] = [];
    while (star.length < 497) {
      const posts = Array.from({ length: 71 }, () => t.message(room, { kind: "task", needs: [hub] }));
      star.push(...(await Promise.all(posts)).map(({ id }) => id));
    }
    const joined = await t.message(room, { needs: [chain[250], star[7]] });
    const last = await t.message(room, { needs: [star[3]] });
    for (const needs of [[chain[499]], [joined.id], [hub], [last.id, chain[0]]]) {
      assertError(await t.post(path, { body: 1, needs }), 409, "limit_reached");
    }
    const alone = await postTask(t, room);
    assertStatus(await t.post(path, { body: 1, needs: [alone.id] }), 201);
    // What is over counts no more.
    await taskOf(t, room, last.id).fail({ agent: "ann" });
    assertStatus(await t.post(path, { body: 1, needs: [chain[499]] }), 201);
    assertError(await t.post(path, { body: 1, needs: [chain[499]] }), 409, "limit_reached");
    await taskOf(t, room, chain[0]!).fail({ agent: "ann" });
    const { body } = await t.get(path, { status: "failed", limit: 1_000 });
    assert.equal(body.length, 503, "the chain, what joins, and what needs them");
  },
);

contract("of completions and failures at once, what needs both is failed", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 5; n++) {
    const [a, b] = [await postTask(t, room), await postTask(t, room)];
    const both = await postTask(t, room, { needs: [a.id, b.id] });
    await claimed(a, "ann");
    await claimed(b, "bob");
    const ends = await Promise.all([a.complete({ agent: "ann" }), b.fail({ agent: "bob" })]);
    for (const reply of ends) assertStatus(reply, 200);
    assert.deepEqual((await both.shown()).failure, { reason: "need", message: b.id });
  }
});

contract("hundreds of tasks that need 32 others each fail together in time", async (t) => {
  const room = await t.room();
  const ids = await postAll(t, room, 300, (ids) => ids.slice(-32));
  const began = performance.now();
  assertStatus(await taskOf(t, room, ids[0]!).fail({ agent: "ann" }), 200);
  const took = performance.now() - began;
  assert.ok(took < 1_000, `${took} ms`);
  assert.equal((await t.get(`/rooms/${room}/messages`, { status: "failed", limit: 1_000 })).body.length, 300);
});
