// What a program does with the client, on whichever runtime this runs: node tour.mjs <module> <url of the service>
import assert from "node:assert/strict";
import process from "node:process";

const [module, url] = process.argv.slice(2);
const { connect, ConveneError } = await import(module);

const convene = connect(url);
const room = await convene.open(undefined, {
  agent: "ada",
  meta: { topic: "tour" },
});
assert.equal((await room.info()).meta.topic, "tour");
assert.ok(
  (await convene.rooms({ limit: 1000 })).some(({ id }) => id === room.id),
);

// Agents
assert.equal((await room.join({ name: "Ada", role: "planner" })).id, "ada");
const bob = room.as("bob");
await bob.join();
assert.deepEqual((await room.agents()).map(({ id, name }) => [id, name]), [[
  "ada",
  "Ada",
], ["bob", "bob"]]);
assert.equal((await room.heartbeat("busy")).status, "busy");

// State
assert.equal(
  (await room.state.put("turn", "ada", { if_version: 0 })).version,
  1,
);
assert.equal((await room.state.get("turn")).updated_by, "ada");
assert.equal(await room.state.get("nobody wrote it"), undefined);
assert.equal((await room.state.increment("moves")).value, 1);
assert.equal(
  (await room.state.increment("moves", 2.5, { scope: "ada" })).value,
  2.5,
);
assert.equal(
  (await room.state.view("twice", "state._shared.moves * 2")).resolved_value,
  2,
);
assert.equal(
  (await room.state.get("twice", { scope: "_view", resolve: true })).value,
  2,
);
assert.deepEqual(
  (await room.state.batch([{ key: "a", value: 1 }, { key: "b", value: null }]))
    .length,
  2,
);
assert.deepEqual(
  (await room.state.list({ scope: "_shared", prefix: "m" })).map(({ key }) => key),
  ["moves"],
);
assert.equal(await room.state.delete("a"), true);
assert.equal(await room.state.delete("a"), false);

// An error says all that the answer said.
const refused = await room.state.put("turn", "bob", {
  if: 'state._shared.turn == "bob"',
}).catch((error) => error);
assert.ok(refused instanceof ConveneError);
assert.deepEqual([refused.code, refused.status, refused.body.evaluated], [
  "precondition_failed",
  409,
  false,
]);
const misspelt = await room.eval("message.count").catch((error) => error);
assert.deepEqual([misspelt.code, misspelt.hint], [
  "invalid_expression",
  "Did you mean `messages`?",
]);

// Messages
const leave = new AbortController();
const followed = [];
const following = (async () => {
  for await (
    const message of bob.messages.follow({ kind: "task", signal: leave.signal })
  ) {
    followed.push(message.body);
    if (followed.length === 3) leave.abort();
  }
})();
const task = await room.messages.post({ n: 1 }, { kind: "task" });
await room.messages.post("not a task");
assert.equal((await bob.messages.claim(task.id)).claimed, true);
assert.deepEqual((await room.messages.claim(task.id)).claimed_by, "bob");
await room.messages.post({ n: 2 }, { kind: "task" });
await room.messages.post({ n: 3 }, { kind: "task" });
await following;
assert.deepEqual(followed, [{ n: 1 }, { n: 2 }, { n: 3 }]);
assert.equal((await room.messages.list()).length, 4);
assert.equal(
  (await room.messages.list({ kind: "task", unclaimed: true })).length,
  2,
);
assert.equal((await room.messages.list({ last: 1 }))[0].body.n, 3);
assert.equal((await room.messages.get(task.id)).from_agent, "ada");

// Changes
const page = await room.changes({ after: task.id });
assert.equal(page.more, false);
const changed = room.follow({ after: page.revision });
await room.state.put("turn", "bob");
assert.equal((await changed.next()).value.state[0].value, "bob");
await changed.return();

// Waits
const outcome = await bob.until("state._shared.turn == self", {
  include: ["state._shared"],
});
assert.deepEqual([outcome.triggered, outcome.state._shared.turn], [
  true,
  "bob",
]);
const late = await room.until("state._shared.winner", { timeout: 50 });
assert.deepEqual([late.triggered, late.last_error.code], [
  false,
  "no_such_key",
]);
assert.ok(late.elapsed_ms >= 50);
const reason = new Error("enough");
const aborted = room.until("state._shared.winner", {
  signal: AbortSignal.abort(reason),
});
assert.equal(await aborted.catch((error) => error), reason);

// Tasks: one by one, then by a worker
const first = await room.messages.post({ n: 1 }, { kind: "count", max_attempts: 2 });
await room.messages.post({ n: 2 }, { kind: "count", needs: [first.id] });
const taken = await bob.tasks.next({ kind: "count", where: "message.body.n < 10", ttl: 60 });
assert.deepEqual([taken.message.id, taken.claimed_by, taken.attempts], [first.id, "bob", 1]);
const { fence } = taken;
assert.equal((await bob.messages.renew(first.id, { fence, ttl: 120 })).fence, fence);
const finished = await bob.messages.complete(first.id, { fence, result: { n: 10 } });
assert.deepEqual([finished.result.body, finished.result.reply_to], [{ n: 10 }, first.id]);
assert.deepEqual((await room.messages.attempts(first.id)).map(({ ended }) => ended), ["completed"]);
assert.equal((await room.messages.claim(first.id)).code, "task_over");
assert.equal((await room.tasks.next({ kind: "nothing", timeout: 50 })).claimed, false);
const enough = new AbortController();
const working = bob.tasks.worker(({ body: { n } }) => ({ n: n * 10 }), {
  kind: "count",
  signal: enough.signal,
});
await room.until("messages.kind.count.done == 2");
enough.abort();
await working;
assert.deepEqual((await room.messages.list({ kind: "result" })).map(({ body }) => body.n), [10, 20]);

// Values in their place, locks, a barrier
await room.state.merge("config", { a: 1, b: 2 });
await room.state.edit("config", { set: { "/c": [1] }, unset: ["/b"] });
assert.deepEqual((await room.state.get("config")).value, { a: 1, c: [1] });
await room.state.append("list", "x");
await room.state.appendAll("list", ["y", "x"], { ttl: 60 });
const list = await room.state.remove("list", "x");
assert.deepEqual([list.value, list.expires_at], [["y"], null]);
const held = await room.lock("door", { ttl: 5 });
const waiting = bob.lock("door");
assert.equal(await held.release(), true);
const next = await waiting;
assert.ok(next.fence > held.fence);
await next.release();
await Promise.all([room.barrier("end", 2), bob.barrier("end", 2)]);

// Reservations, a room's meta, and leaving
const reserved = await bob.reservations.reserve(["src/**"], { note: "parser", ttl: 60 });
const kept = await room.reservations.reserve(["src/a.ts"]).catch((error) => error);
assert.deepEqual([kept.code, kept.body.conflicts[0].id], ["reserved", reserved.id]);
assert.deepEqual((await room.reservations.list({ path: "src/*.ts" })).map(({ agent }) => agent), ["bob"]);
assert.equal((await room.patch({ meta: { stage: 2 } })).meta.topic, "tour");
assert.equal(await bob.leave(), true);
assert.equal(await bob.leave(), false);
assert.deepEqual(await room.reservations.list(), []);
console.log("done");
