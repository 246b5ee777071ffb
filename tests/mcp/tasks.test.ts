import assert from "node:assert/strict";
import { type Held, heldContract } from "../support/held.ts";
import { type Agent, connectTo, overEach, refusalOf } from "../support/mcp.ts";

/** Gives a test one session at each of two instances. */
async function withSessions({ one, other }: Held, test: (ann: Agent, bob: Agent) => Promise<void>) {
  const sessions = await Promise.all([one, other].map(({ url }) => connectTo(url)));
  try {
    await test(sessions[0]!, sessions[1]!);
  } finally {
    for (const { client } of sessions) await client.close();
  }
}

heldContract(
  "MCP: the crash of a client in the middle of a task needs nothing of anybody",
  (held) =>
    withSessions(held, async (ann, bob) => {
      const room = await held.one.room();
      for (const agent of ["ann", "bob"]) await ann.call("join", { room, agent });
      const { body: { id } } = await ann.call("post_message", { room, from: "ann", kind: "task", body: 1 });
      const taken = (await ann.call("take_task", { room, agent: "ann", ttl: 60 })).body;
      assert.deepEqual([taken.claimed, taken.message_id, taken.message.body], [true, id, 1]);
      await ann.client.close(); // and is heard of no more

      const waiting = bob.call("take_task", { room, agent: "bob", timeout_seconds: 30 });
      await bob.call("wait", { room, condition: 'agents.bob.waiting_on == "claim"' });
      held.pass(60_000);
      const again = (await waiting).body;
      assert.deepEqual([again.claimed, again.message_id, again.attempts], [true, id, 2]);
      const done = { room, message: id, outcome: "complete", result: { lines: 12 } };

      const back = await connectTo(held.one.url);
      const late = await back.call("finish_task", { ...done, agent: "ann", fence: taken.fence });
      await back.client.close();
      assert.deepEqual([late.failed, late.body.error, late.body.claimed_by], [true, "lease_lost", "bob"]);
      assert.match(late.body.hint, /^Drop the work/);
      const { body } = await bob.call("finish_task", { ...done, agent: "bob", fence: again.fence });
      assert.deepEqual(body.result.body, { lines: 12 });
    }),
  ["file", "libsql"],
);

overEach("a day's work: post with needs, take, renew, release, finish, withdraw, wait", async (connect) => {
  const [ann, bob] = [await connect(), await connect()];
  for (const agent of ["ann", "bob"]) await ann.call("join", { room: "r", agent });
  const post = async (body: unknown, more = {}) =>
    (await ann.call("post_message", { room: "r", from: "ann", kind: "task", body, ...more })).body;
  const first = await post({ step: 1 });
  const second = await post({ step: 2 }, { needs: `${first.id}`, max_attempts: "2" });
  assert.deepEqual([second.status, second.needs, second.max_attempts], ["blocked", [first.id], 2]);
  const texts = await post({ step: 3 }, { needs: [`${first.id}`, second.id] });
  assert.deepEqual(texts.needs, [first.id, second.id]);

  const take = async (more = {}) =>
    (await bob.call("take_task", { room: "r", agent: "bob", timeout_seconds: 0, ...more })).body;
  assert.deepEqual((await take({ where: "message.body.step > 1" })).claimed, false);
  assert.deepEqual((await take({ kind: "other" })).claimed, false);
  const taken = await take({ ttl: "90", where: "message.body.step == 1" });
  assert.equal(taken.message_id, first.id);
  const listed = (await ann.call("list_messages", { room: "r", status: "claimed", claimed_by: "bob" })).body;
  assert.deepEqual(listed.items.map(({ id }: { id: number }) => id), [first.id]);

  const finish = (message: number, outcome: string, more = {}) =>
    bob.call("finish_task", { room: "r", agent: "bob", message, outcome, ...more });
  const renewed = (await finish(first.id, "renew", { fence: `${taken.fence}`, ttl: 600 })).body;
  assert.ok(renewed.claimed_until > taken.claimed_until);
  assert.equal(
    (await finish(first.id, "release", { fence: taken.fence, error: "tired" })).body.status,
    "open",
  );
  const { fence } = (await bob.call("take_task", { room: "r", agent: "bob", message: first.id })).body;

  const condition = `messages.id[${second.id}].status == "open"`;
  const waiting = ann.call("wait", { room: "r", agent: "ann", condition });
  await bob.call("wait", { room: "r", condition: "agents.ann.waiting_on != null" });
  const done = (await finish(first.id, "complete", { fence, result: "ok", error: null, ttl: null })).body;
  assert.deepEqual([done.completed, done.result.body, done.result.reply_to], [true, "ok", first.id]);
  assert.equal((await waiting).body.triggered, true);

  const last = await take();
  assert.equal(last.message_id, second.id);
  const failed = (await finish(last.message_id, "fail", { fence: last.fence, error: "no disk" })).body;
  assert.deepEqual([failed.failed, failed.status], [true, "failed"]);
  const third = await post({ step: 3 });
  const withdrawn = await ann.call("finish_task", {
    room: "r",
    agent: "ann",
    message: third.id,
    outcome: "fail",
  });
  assert.equal(withdrawn.body.status, "failed");
});

overEach("a task is waited for, and a call of the agent ends that without taking one", async (connect) => {
  const [ann, bob] = [await connect(), await connect()];
  for (const agent of ["ann", "bob"]) await ann.call("join", { room: "r", agent });
  const taking = () => bob.call("take_task", { room: "r", agent: "bob", kind: "build" });
  const waits = async () => {
    const condition = 'agents.bob.waiting_on == "claim build"';
    assert.equal((await ann.call("wait", { room: "r", condition })).body.triggered, true);
  };
  const given = taking();
  await waits();
  await bob.call("evaluate", { room: "r", agent: "bob", expr: "1" });
  const { failed, body } = await given;
  assert.deepEqual([failed, body.claimed, body.ended], [false, false, true]);
  const post = { room: "r", from: "ann", kind: "build", body: 1 };
  const { body: { id } } = await ann.call("post_message", post);
  assert.equal(
    (await ann.call("evaluate", { room: "r", expr: `messages.id[${id}].status` })).body.value,
    "open",
  );
  assert.equal((await taking()).body.message_id, id);
  const next = taking();
  await waits();
  const { body: { id: other } } = await ann.call("post_message", post);
  assert.equal((await next).body.message_id, other);
  assert.equal(
    (await bob.call("take_task", { room: "r", agent: "bob", timeout_seconds: 0 })).body.timeout,
    true,
  );
});

overEach("an agent leaves, and what it holds is free at once", async (connect) => {
  const [ann, bob] = [await connect(), await connect()];
  for (const agent of ["ann", "bob"]) await ann.call("join", { room: "r", agent });
  const { body: { id } } = await ann.call("post_message", { room: "r", from: "ann", kind: "task", body: 1 });
  await bob.call("take_task", { room: "r", agent: "bob" });
  await bob.call("reserve_paths", { room: "r", agent: "bob", paths: ["a"] });
  const leave = { room: "r", agent: "bob", leave: "true", name: null };
  assert.equal((await bob.call("join", leave)).body.left, true);
  assert.equal((await bob.call("join", leave)).body.left, false);
  const { agents } = (await ann.call("read_room", { room: "r" })).body;
  assert.deepEqual(Object.keys(agents), ["ann"]);
  const taken = (await ann.call("take_task", { room: "r", agent: "ann", timeout_seconds: 0 })).body;
  assert.equal(taken.message_id, id);
  assert.equal((await ann.call("reserve_paths", { room: "r", agent: "ann", paths: ["a"] })).failed, false);
});

overEach("paths are reserved, listed, waited for, renewed and ended", async (connect) => {
  const [ann, bob] = [await connect(), await connect()];
  for (const agent of ["ann", "bob"]) await ann.call("join", { room: "r", agent });
  const reserve = { room: "r", paths: ["src/**"] };
  const held = (await ann.call("reserve_paths", { ...reserve, agent: "ann", note: "moving files" })).body;
  const refused = await bob.call("reserve_paths", { ...reserve, agent: "bob", paths: ["src/a.ts"] });
  assert.deepEqual([refused.failed, refused.body.error], [true, "reserved"]);
  assert.deepEqual(refused.body.conflicts.map(({ note }: { note: string }) => note), ["moving files"]);
  assert.match(refused.body.hint, /timeout_seconds/);

  const list = async (more = {}) =>
    (await bob.call("reserve_paths", { room: "r", action: "list", ...more })).body.items
      .map(({ id }: { id: string }) => id);
  assert.deepEqual(await list(), [held.id]);
  assert.deepEqual(await list({ paths: ["src/a.ts"] }), [held.id]);
  assert.deepEqual(await list({ paths: ["docs/a.md"] }), []);
  assert.deepEqual(await list({ agent: "bob" }), []);

  const own = { room: "r", agent: "ann", reservation: held.id };
  const renewed =
    (await ann.call("reserve_paths", { ...own, action: "renew", fence: held.fence, ttl: 3_600 })).body;
  assert.ok(renewed.expires_at > held.expires_at);

  const waiting = bob.call("reserve_paths", { ...reserve, agent: "bob", timeout_seconds: 20 });
  const condition = 'agents.bob.waiting_on == "reserve src/**"';
  assert.equal((await ann.call("wait", { room: "r", condition })).body.triggered, true);
  await list({ agent: "bob" }); // names bob as a filter, and is not by him
  assert.equal((await ann.call("reserve_paths", { ...own, action: "end" })).body.released, true);
  const { failed, body } = await waiting;
  assert.deepEqual([failed, body.agent, body.paths], [false, "bob", ["src/**"]]);
  const over = await ann.call("reserve_paths", { ...own, action: "renew", fence: held.fence, ttl: 60 });
  assert.deepEqual([over.body.error, over.body.hint], [
    "lease_lost",
    "Reserve the paths again: reserve_paths.",
  ]);
});

overEach("values are edited in place, and null is as if left out unless it is all", async (connect) => {
  const { client, call } = await connect();
  await call("join", { room: "r", agent: "ann" });
  const write = async (write: Record<string, unknown>) => {
    const { body } = await call("write_state", { room: "r", writes: [{ key: "k", ...write }] });
    return body.value;
  };
  const none = {
    value: null,
    increment: null,
    merge: null,
    append_all: null,
    set: null,
    unset: null,
    ttl: null,
  };
  assert.deepEqual(await write({ merge: { a: [1] } }), { a: [1] });
  assert.deepEqual(await write({ set: { "/a/-": 2, "/b": 3 }, unset: ["/b"], append: null, remove: null }), {
    a: [1, 2],
  });
  assert.deepEqual(await write({ value: [], append: null, remove: null }), []);
  assert.deepEqual(await write({ append: { x: 1 } }), [{ x: 1 }]);
  assert.deepEqual(await write({ append: null }), [{ x: 1 }, null]);
  assert.deepEqual(await write({ remove: null }), [{ x: 1 }]);
  assert.deepEqual(await write({ append_all: [2, 3], append: null }), [{ x: 1 }, 2, 3]);
  assert.deepEqual(await write({ remove: { x: 1 } }), [2, 3]);
  assert.deepEqual(await write({ ...none, append: null, remove: null }), null);
  const lock = { key: "lock", value: "ann", if_version: 0, ttl: "60" };
  const { body } = await call("write_state", { room: "r", writes: [lock] });
  assert.match(body.expires_at, /Z$/);
  const wrong = await refusalOf(client, "write_state", { room: "r", writes: [{ key: "lock", append: 1 }] });
  assert.match(wrong, /not_editable.*is a text, and append needs a list/);
  const both = { room: "r", writes: [{ key: "k", append: 1, remove: 2 }] };
  assert.match(await refusalOf(client, "write_state", both), /remove must not stand beside append/);
});

overEach(
  "a take that waits says at once that a thousand do not fit and others follow",
  async (connect, { url }) => {
    const { call } = await connect();
    await call("join", { room: "r", agent: "ann" });
    const post = async () => {
      const init = { method: "POST", body: JSON.stringify({ from: "bob", kind: "task", body: 1 }) };
      await (await fetch(`${url}/rooms/r/messages`, init)).body?.cancel();
    };
    for (let n = 0; n < 11; n++) await Promise.all(Array.from({ length: 100 }, post));
    const began = performance.now();
    for (const filter of [{ where: "message.body == 2" }, { from: "cid" }]) {
      const { body } = await call("take_task", { room: "r", agent: "ann", timeout_seconds: 60, ...filter });
      assert.deepEqual([body.claimed, body.more, typeof body.next], [false, true, "number"]);
    }
    assert.ok(performance.now() - began < 20_000);
  },
);
