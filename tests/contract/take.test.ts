import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { heldContract } from "../support/held.ts";
import { assertInvalid, assertStatus } from "../support/shapes.ts";
import { claimed, postTask, taskOf } from "../support/tasks.ts";

const take = (t: Subject, room: string, members: Json) => t.post(`/rooms/${room}/messages/claim`, members);

async function taken(t: Subject, room: string, members: Json): Promise<Json> {
  const reply = await take(t, room, members);
  assertStatus(reply, 200);
  assert.equal(reply.body.claimed, true, reply.text);
  return reply.body;
}

async function nothing(t: Subject, room: string, members: Json): Promise<Json> {
  const reply = await take(t, room, members);
  assertStatus(reply, 200);
  assert.equal(reply.body.claimed, false, reply.text);
  assert.equal(reply.body.timeout, true);
  assert.ok(reply.body.elapsed_ms >= 0);
  return reply.body;
}

heldContract("a take claims the oldest open task for five minutes", async ({ one, other, time }) => {
  const room = await one.room();
  await one.message(room, { kind: "message" });
  const first = await postTask(one, room, { from: "boss", body: { n: 1 } });
  const second = await postTask(one, room);
  const got = await taken(one, room, { agent: "ann" });
  const shown = await first.shown();
  assert.deepEqual(got, {
    claimed: true,
    claimed_by: "ann",
    message_id: first.id,
    claimed_at: new Date(time.now).toISOString(),
    claimed_until: new Date(time.now + 300_000).toISOString(),
    fence: second.id + 1,
    attempts: 1,
    notice: "agent_not_registered",
    message: shown,
  });
  assert.equal(shown.status, "claimed");
  assert.equal((await taken(other, room, { agent: "ann", ttl: 60 })).message_id, second.id);
  await nothing(one, room, { agent: "bob" });
  const [attempt] = await first.attempts();
  assert.deepEqual([attempt.agent, attempt.fence, attempt.ended], ["ann", got.fence, null]);
  assert.equal(await one.value(room, "messages.kind.task.claimed"), 2);
});

heldContract("without a kind talk, results and asks are not taken; by name they are", async ({ one }) => {
  const room = await one.room();
  for (const kind of ["message", "result", "ask"]) await one.message(room, { kind });
  await nothing(one, room, { agent: "ann" });
  for (const kind of ["message", "result", "ask"]) {
    assert.equal((await taken(one, room, { agent: "ann", kind })).message.kind, kind);
  }
  await postTask(one, room, { kind: "review" });
  await nothing(one, room, { agent: "ann", kind: "task" });
  assert.equal((await taken(one, room, { agent: "ann" })).message.kind, "review");
});

heldContract(
  "filters are exact; without `to` what is for nobody or for the agent is taken",
  async ({ one }) => {
    const room = await one.room();
    const forBob = await postTask(one, room, { to: "bob", from: "x" });
    const forAnn = await postTask(one, room, { to: "ann", from: "y" });
    const free = await postTask(one, room, { from: "x" });
    await nothing(one, room, { agent: "cy", to: "ann", kind: "other" });
    await nothing(one, room, { agent: "cy", from: "z" });
    await nothing(one, room, { agent: "cy", after: free.id });
    assert.equal((await taken(one, room, { agent: "ann", from: "x" })).message_id, free.id);
    assert.equal((await taken(one, room, { agent: "ann" })).message_id, forAnn.id);
    await nothing(one, room, { agent: "ann" });
    assert.equal((await taken(one, room, { agent: "ann", to: "bob", kind: "task" })).message_id, forBob.id);
  },
);

heldContract(
  "what is blocked, over or held is not taken; what a lease gives back is",
  async ({ one, pass }) => {
    const room = await one.room();
    const held = await postTask(one, room);
    const blocked = await postTask(one, room, { needs: [held.id] });
    const { fence } = await taken(one, room, { agent: "ann", ttl: 10 });
    await nothing(one, room, { agent: "bob" });
    pass(10_000);
    const again = await taken(one, room, { agent: "bob" });
    assert.deepEqual([again.message_id, again.attempts], [held.id, 2]);
    assert.ok(again.fence > fence);
    assertStatus(await held.complete({ agent: "bob", fence: again.fence }), 200);
    assert.equal((await taken(one, room, { agent: "bob" })).message_id, blocked.id);
  },
);

heldContract("`thread` takes what is at or below a message", async ({ one }) => {
  const room = await one.room();
  const root = await one.message(room, { kind: "message" });
  const other = await postTask(one, room);
  const reply = await one.message(room, { kind: "message", reply_to: root.id });
  const below = await postTask(one, room, { reply_to: reply.id });
  assert.equal((await taken(one, room, { agent: "ann", thread: root.id })).message_id, below.id);
  await nothing(one, room, { agent: "ann", thread: root.id });
  assert.equal((await taken(one, room, { agent: "ann", thread: other.id })).message_id, other.id);
});

heldContract("`where` is judged of each message; what cannot be evaluated does not fit", async ({ one }) => {
  const room = await one.room();
  const plain = await postTask(one, room, { body: "text" });
  const small = await postTask(one, room, { body: { size: 1 } });
  const large = await postTask(one, room, { body: { size: 9 } });
  const got = await taken(one, room, { agent: "ann", where: "message.body.size > 5" });
  assert.equal(got.message_id, large.id);
  const none = await nothing(one, room, { agent: "ann", where: "message.body.size > 5" });
  assert.equal(none.last_error.code.length > 0, true);
  assert.deepEqual(Object.keys(none.last_error).slice(0, 2), ["code", "message"]);
  assert.equal((await nothing(one, room, { agent: "ann", where: "false" })).last_error, undefined);
  assert.equal(
    (await taken(one, room, { agent: "ann", where: "message.id == " + small.id })).message_id,
    small.id,
  );
  const mine = "self == 'ann' && message.status == 'open' && message.attempts == 0";
  assert.equal((await taken(one, room, { agent: "ann", where: mine })).message_id, plain.id);
});

heldContract("`where` reads the room: state, other messages, agents", async ({ one }) => {
  const room = await one.room();
  const task = await postTask(one, room, { body: { part: "db" } });
  const where = "state._shared.?open.orValue([]).exists(part, part == message.body.part)";
  await nothing(one, room, { agent: "ann", where });
  await one.put(`/rooms/${room}/state`, { key: "open", value: ["db"] });
  const counts = "messages.id[message.id].status == 'open' && messages.kind[message.kind].open == 1";
  assert.equal(
    (await taken(one, room, { agent: "ann", where: `${where} && ${counts}` })).message_id,
    task.id,
  );
});

heldContract(
  "of many workers at two instances each task goes to one, the oldest first",
  async ({ one, other }) => {
    const room = await one.room();
    const tasks = [];
    for (let n = 0; n < 30; n++) tasks.push(await postTask(one, room));
    const got = await Promise.all(
      Array.from(
        { length: 40 },
        (_, n) =>
          take(n % 2 ? one : other, room, {
            agent: `w${n}`,
            ...(n % 5 === 0 && { where: "message.id > 0" }),
          }),
      ),
    );
    const ids = got.flatMap(({ body }) => body.claimed ? [body.message_id] : []);
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      tasks.map(({ id }) => id),
    );
    assert.equal(got.filter(({ body }) => body.claimed === false).length, 10);
  },
);

heldContract(
  "a take waits for a task, whichever instance posts it, and shows what it waits on",
  async ({ one, other }) => {
    const room = await one.room();
    await one.agent(room, "ann");
    const waiting = taken(one, room, { agent: "ann", kind: "task", timeout: 20_000 });
    await one.agentUntil(
      room,
      "ann",
      ({ status, waiting_on }) => status === "waiting" && waiting_on === "claim task",
    );
    await other.message(room, { kind: "message" });
    const task = await postTask(other, room);
    assert.equal((await waiting).message_id, task.id);
    assert.equal((await one.get(`/rooms/${room}/agents/ann`)).body.status, "active");
  },
);

heldContract("of those who wait the first comes first, and each gets one", async ({ one }) => {
  const room = await one.room();
  const workers = ["a", "b", "c", "d", "e", "f", "g"];
  const waiting = [];
  for (const id of workers) {
    await one.agent(room, id);
    waiting.push(taken(one, room, { agent: id, timeout: 20_000 }));
    await one.agentUntil(room, id, ({ waiting_on }) => waiting_on === "claim");
  }
  for (const [n, wait] of waiting.entries()) {
    const task = await postTask(one, room);
    const got = await wait;
    assert.deepEqual([got.message_id, got.claimed_by], [task.id, workers[n]]);
  }
});

heldContract(
  "a take that waits is woken by what its `where` reads, by an expiry and by a need that is done",
  async ({ one, other, pass }) => {
    const room = await one.room();
    await one.agent(room, "ann");
    const isWaiting = () => one.agentUntil(room, "ann", ({ status }) => status === "waiting");
    const task = await postTask(one, room);
    const byState = taken(one, room, {
      agent: "ann",
      where: "state._shared.go == true",
      timeout: 20_000,
      ttl: 5,
    });
    await isWaiting();
    await other.put(`/rooms/${room}/state`, { key: "go", value: true });
    assert.equal((await byState).message_id, task.id);

    const byExpiry = taken(one, room, { agent: "ann", timeout: 20_000 });
    await isWaiting();
    pass(5_000);
    assert.equal((await byExpiry).message_id, task.id);

    const later = await postTask(one, room, { needs: [task.id] });
    const byNeed = taken(one, room, { agent: "ann", timeout: 20_000 });
    await isWaiting();
    assertStatus(
      await taskOf(other, room, task.id).complete({ agent: "ann", fence: (await task.shown()).fence }),
      200,
    );
    assert.equal((await byNeed).message_id, later.id);
  },
);

heldContract("a take that waits in vain says so when its time is over", async ({ one }) => {
  const room = await one.room();
  await claimed(await postTask(one, room), "bob", 60);
  const none = await nothing(one, room, { agent: "ann", timeout: 300 });
  assert.equal(none.elapsed_ms, 0); // the clock is held
});

heldContract("a take under a key is made once, and its repetition is answered alike", async ({ one }) => {
  const room = await one.room();
  await postTask(one, room);
  await postTask(one, room);
  const request = { body: { agent: "ann" }, headers: { "Idempotency-Key": "take one" } };
  const first = await one.request("POST", `/rooms/${room}/messages/claim`, request);
  const again = await one.request("POST", `/rooms/${room}/messages/claim`, request);
  assertStatus(first, 200);
  assert.deepEqual(again.body, first.body);
  assert.equal(await one.value(room, "messages.kind.task.claimed"), 1);
});

heldContract(
  "a take by `where` or `thread` under a key is answered again, though nothing fits any more",
  async ({ one, other }) => {
    const room = await one.room();
    const root = await one.message(room);
    for (const [n, members] of [{ where: "message.attempts == 0" }, { thread: root.id }].entries()) {
      const task = await postTask(one, room, { reply_to: root.id });
      const request = { body: { agent: "ann", ...members }, headers: { "Idempotency-Key": `take ${n}` } };
      const first = await one.request("POST", `/rooms/${room}/messages/claim`, request);
      assert.equal(first.body.message_id, task.id);
      const again = await other.request("POST", `/rooms/${room}/messages/claim`, request);
      assert.deepEqual([again.body, again.headers.get("Idempotency-Replayed")], [first.body, "true"]);
    }
  },
);

heldContract("a take that finds nothing is a sign of life, with filters and by `where`", async (held) => {
  const { one, time, pass } = held;
  const room = await one.room();
  await one.agent(room, "ann");
  for (const members of [{}, { kind: "task" }, { thread: 5 }, { where: "message.id > 0" }]) {
    pass(1_000);
    await nothing(one, room, { agent: "ann", ...members });
    const { last_heartbeat } = (await one.get(`/rooms/${room}/agents/ann`)).body;
    assert.equal(Date.parse(last_heartbeat), time.now, JSON.stringify(members));
  }
});

heldContract(
  "a task that was waited for under a key is claimed when it is there",
  async ({ one, time, pass }) => {
    const room = await one.room();
    await one.agent(room, "ann");
    const waiting = one.request("POST", `/rooms/${room}/messages/claim`, {
      body: { agent: "ann", ttl: 60, timeout: 20_000 },
      headers: { "Idempotency-Key": "late" },
    });
    await one.agentUntil(room, "ann", ({ waiting_on }) => waiting_on === "claim");
    pass(5_000);
    await postTask(one, room);
    const at = new Date(time.now).toISOString();
    assert.equal((await waiting).body.claimed_at, at);
    assert.equal((await one.get(`/rooms/${room}/agents/ann`)).body.last_heartbeat, at);
  },
);

heldContract("a take names what is wrong with it", async ({ one }) => {
  const room = await one.room();
  assertInvalid(await take(one, room, {}), ["agent"]);
  assertInvalid(await take(one, room, { agent: "ann", ttl: 0 }), ["ttl"]);
  assertInvalid(await take(one, room, { agent: "ann", ttl: 86_401 }), ["ttl"]);
  assertInvalid(await take(one, room, { agent: "ann", timeout: -1 }), ["timeout"]);
  assertInvalid(await take(one, room, { agent: "ann", Kind: "task" }), ["Kind"]);
  for (
    const [where, meant] of [["mesage.id == 1", "message"], ["body.size > 1", "message.body"], [
      "stat._shared.x",
      "state",
    ]]
  ) {
    const { body } = await take(one, room, { agent: "ann", where });
    assert.equal(body.hint, `Did you mean \`${meant}\`?`);
  }
  for (const where of ["message.bdy == 1", "mesage.id == 1", "message.id ==", "unknown > 1"]) {
    const reply = await take(one, room, { agent: "ann", where });
    assertStatus(reply, 400);
    assert.equal(reply.body.error, "invalid_expression", where);
    assert.equal(typeof reply.body.position, "number");
  }
  assert.equal((await take(one, "no-such-room", { agent: "ann" })).body.error, "room_not_found");
  assert.equal(
    (await take(one, "no-such-room", { agent: "ann", timeout: 5_000 })).body.error,
    "room_not_found",
  );
  assert.equal(
    (await take(one, "no-such-room", { agent: "ann", where: "true" })).body.error,
    "room_not_found",
  );
  // Over a room without a message the name is no root.
  assert.equal(
    (await one.post(`/rooms/${room}/eval`, { expr: "message.id == 1" })).body.error,
    "invalid_expression",
  );
});

heldContract("`where` looks at 1,000 open messages, and says where to go on", async ({ one }) => {
  const room = await one.room();
  for (let from = 0; from < 2_100; from += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => one.message(room, { kind: "task", body: from + n })),
    );
  }
  const where = "message.id == 2100";
  const first = await nothing(one, room, { agent: "ann", kind: "task", where });
  assert.deepEqual([first.more, first.next], [true, 1_000]);
  const second = await nothing(one, room, { agent: "ann", kind: "task", where, after: first.next });
  assert.deepEqual([second.more, second.next], [true, 2_000]);
  assert.equal(
    (await taken(one, room, { agent: "ann", kind: "task", where, after: second.next })).message_id,
    2_100,
  );
  const rest = await nothing(one, room, { agent: "ann", kind: "task", where, after: second.next });
  assert.deepEqual([rest.more, rest.next], [undefined, undefined]);
  const bySender = await nothing(one, room, { agent: "ann", from: "nobody" });
  assert.equal(bySender.more, true);
  assert.ok(bySender.next >= 1_000 && bySender.next <= 1_001);
});

heldContract("a take that gets nothing says where nothing of its kind was ever posted", async ({ one }) => {
  const room = await one.room();
  const task = await postTask(one, room);
  const hint = async (members: Json) => (await nothing(one, room, { agent: "ann", ...members })).hint;
  assert.match(await hint({ kind: "tsk" }), /No message of kind "tsk" was ever posted/);
  assert.match(await hint({ kind: "tsk", timeout: 20 }), /"tsk"/);
  assert.equal(await hint({ kind: "task", to: "bob" }), undefined);
  await taken(one, room, { agent: "ann" });
  assert.equal(await hint({ kind: "task" }), undefined, `${task.id} was one`);
  assert.equal(await hint({}), undefined);
});
