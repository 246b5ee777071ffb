import assert from "node:assert/strict";
import type { Json } from "../support/client.ts";
import { type Held, heldContract } from "../support/held.ts";
import { openEvents } from "../support/events.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { claimed, postTask, taskOf } from "../support/tasks.ts";

const LOST = ["status", "claimed_by", "claimed_until", "fence"];

const pick = (message: Json, names: string[]) => names.map((name) => message[name]);
const iso = (ms: number) => new Date(ms).toISOString();

heldContract(
  "a claim with ttl ends so many seconds from now by the database's clock",
  async ({ one, time }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    const claim = await claimed(task, "ann", 60);
    assert.equal(claim.claimed_until, iso(time.now + 60_000));
    assert.equal((await task.shown()).claimed_until, claim.claimed_until);
    const refused = await task.claim({ agent: "bob", ttl: 60 });
    assertError(refused, 409, "already_claimed", ["claimed", "claimed_by", "claimed_at", "claimed_until"]);
    assert.equal(refused.body.claimed_until, claim.claimed_until);
  },
);

/** Everything that shows whether a task is held; each is the first to look after its time. */
const LOOKS: Record<string, (held: Held, room: string, id: number) => Promise<string>> = {
  "the message": async ({ other }, room, id) => (await taskOf(other, room, id).shown()).status,
  "a list": async ({ other }, room) => (await other.get(`/rooms/${room}/messages`)).body[0].status,
  "a list of open ones": async ({ other }, room) =>
    (await other.get(`/rooms/${room}/messages`, { unclaimed: "true" })).body.length ? "open" : "claimed",
  "a list by status": async ({ other }, room) =>
    (await other.get(`/rooms/${room}/messages`, { status: "claimed" })).body.length ? "claimed" : "open",
  "what changed": async ({ other }, room) =>
    (await other.get(`/rooms/${room}/changes`, { after: 0 })).body.messages[0].status,
  "what changed since": async ({ other }, room, id) =>
    (await other.get(`/rooms/${room}/changes`, { after: id + 1 })).body.messages[0]?.status ?? "claimed",
  "an evaluation": async ({ other }, room) =>
    (await other.value(room, "messages.unclaimed")) === 1 ? "open" : "claimed",
  "its attempts": async ({ other }, room, id) =>
    (await taskOf(other, room, id).attempts())[0]!.ended === "expired" ? "open" : "claimed",
  "another's claim": async ({ other }, room, id) =>
    (await taskOf(other, room, id).claim({ agent: "bob", ttl: 60 })).status === 200 ? "open" : "claimed",
  "its own completion": async ({ other }, room, id) => {
    const task = taskOf(other, room, id);
    const { status, body } = await task.complete({ agent: "ann", fence: id + 1 });
    return status === 409 ? body.status : "claimed";
  },
};

for (const [name, look] of Object.entries(LOOKS)) {
  heldContract(`a lease never ends early and is never seen late: ${name}`, async (held) => {
    const { one, pass } = held;
    const early = await one.room();
    await claimed(await postTask(one, early), "ann", 60);
    const room = await one.room();
    const task = await postTask(one, room);
    const claim = await claimed(task, "ann", 60);
    pass(59_999);
    if (name !== "its own completion") assert.equal(await look(held, early, task.id), "claimed");
    pass(1);
    assert.equal(await look(held, room, task.id), "open");
    const [attempt] = await task.attempts();
    assert.deepEqual([attempt.ended, attempt.ended_at, attempt.error], [
      "expired",
      claim.claimed_until,
      null,
    ]);
    const shown = await task.shown();
    if (name === "another's claim") return assert.ok(shown.fence > claim.fence + 1);
    const names = ["claimed_by", "claimed_at", "claimed_until", "fence", "attempts", "done_at", "failure"];
    assert.deepEqual(pick(shown, names), [null, null, null, null, 1, null, null]);
    assert.equal(await one.revision(room), claim.fence + 1, "the ending is one revision");
  });
}

heldContract(
  "a completion that comes late is refused, with who has the task now",
  async ({ one, other, pass }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    const { fence } = await claimed(task, "ann", 60);
    pass(60_000);
    const next = await claimed(taskOf(other, room, task.id), "bob", 60);
    for (
      const reply of [
        await task.complete({ agent: "ann", fence, result: 1 }),
        await task.release({ agent: "ann", fence }),
        await task.fail({ agent: "ann", fence }),
        await task.renew({ agent: "ann", fence, ttl: 60 }),
        await task.complete({ agent: "ann", result: 1 }),
      ]
    ) {
      assertError(reply, 409, "lease_lost", LOST);
      assert.deepEqual(pick(reply.body, LOST), ["claimed", "bob", next.claimed_until, next.fence]);
    }
    assertStatus(await task.complete({ agent: "bob", fence: next.fence, result: 2 }), 200);
    assert.equal((await one.get(`/rooms/${room}/messages`, { kind: "result" })).body.length, 1);
  },
);

heldContract(
  "who names the fence of another agent's claim is told that it is another's",
  async ({ one: t }) => {
    const room = await t.room();
    const task = await postTask(t, room);
    const { fence } = await claimed(task, "ann", 60);
    const hintOf = async (agent: string, fence?: number) => {
      const reply = await task.complete({ agent, fence });
      assertError(reply, 409, "lease_lost", LOST);
      return reply.body.hint;
    };
    assert.match(await hintOf("bob", fence), /another agent's claim.*`claimed_by`/);
    assert.match(await hintOf("bob"), /another agent's claim/);
    for (const agent of ["ann", "bob"]) assert.match(await hintOf(agent, fence + 1), /another fence/);
  },
);

heldContract(
  "the same agent's later claim is another: the fence of the first is refused",
  async ({ one, pass }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    const first = await claimed(task, "ann", 60);
    pass(60_000);
    const second = await claimed(task, "ann", 60);
    assert.ok(second.fence > first.fence);
    assert.equal(second.attempts, 2);
    assertError(await task.complete({ agent: "ann", fence: first.fence }), 409, "lease_lost", LOST);
    assertStatus(await task.complete({ agent: "ann", fence: second.fence }), 200);
    assertError(await task.complete({ agent: "ann", fence: first.fence }), 409, "lease_lost", LOST);
  },
);

heldContract(
  "a renewed claim keeps its fence and ends later; claimed again with ttl it does so too",
  async ({ one, time, pass }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    const claim = await claimed(task, "ann", 60);
    pass(50_000);
    const renewed = await task.renew({ agent: "ann", fence: claim.fence, ttl: 60 });
    assertStatus(renewed, 200);
    assert.deepEqual(renewed.body, { ...claim, claimed_until: iso(time.now + 60_000) });
    assert.equal(renewed.revision, claim.fence + 1);
    pass(50_000);
    const again = await task.claim({ agent: "ann", ttl: 100 });
    assert.deepEqual(again.body, { ...claim, claimed_until: iso(time.now + 100_000) });
    assert.equal(again.revision, claim.fence + 2, "a revision of its own");
    const plain = await task.claim({ agent: "ann" });
    assert.deepEqual([plain.body, plain.revision], [again.body, again.revision]);
    pass(99_999);
    assert.equal((await task.shown()).status, "claimed");
    pass(1);
    assert.equal((await task.shown()).status, "open");
    assert.equal((await task.attempts()).length, 1);
  },
);

heldContract("a claim without ttl never ends, until it is given one", async ({ one, time, pass }) => {
  const room = await one.room();
  const [kept, given] = [await postTask(one, room), await postTask(one, room)];
  await claimed(kept, "ann");
  const { fence } = await claimed(given, "ann");
  const reply = await given.renew({ agent: "ann", fence, ttl: 10 });
  assert.equal(reply.body.claimed_until, iso(time.now + 10_000));
  assertInvalid(await given.complete({ agent: "ann" }), ["fence"]);
  pass(30 * 86_400_000);
  assert.deepEqual([(await kept.shown()).status, (await given.shown()).status], ["claimed", "open"]);
  assertStatus(await kept.complete({ agent: "ann" }), 200);
});

heldContract(
  "a task whose last claim runs out is failed at that time, and so is what needs it",
  async ({ one, other, time, pass }) => {
    const room = await one.room();
    const task = await postTask(one, room, { max_attempts: 2 });
    const needing = await postTask(one, room, { needs: [task.id] });
    const first = await claimed(task, "ann", 60);
    await task.release({ agent: "ann", fence: first.fence, error: "slow" });
    const second = await claimed(task, "bob", 60);
    const due = iso(time.now + 60_000);
    pass(61_000);
    const shown = await taskOf(other, room, task.id).shown();
    const names = ["status", "claimed_by", "claimed_until", "fence", "attempts", "done_at", "failure"];
    assert.deepEqual(pick(shown, names), ["failed", "bob", null, second.fence, 2, due, {
      reason: "attempts",
      error: "slow",
    }]);
    const along = await needing.shown();
    assert.deepEqual(pick(along, ["status", "done_at", "failure"]), ["failed", due, {
      reason: "need",
      message: task.id,
    }]);
    assert.equal(await one.revision(room), second.fence + 1);
    assertError(await task.claim({ agent: "cid" }), 409, "task_over", ["status", "done_at", "claimed_by"]);
    assertError(await task.complete({ agent: "bob", fence: second.fence }), 409, "lease_lost", LOST);
  },
);

heldContract(
  "a wait and a stream are told of a lease that ends while nobody else looks",
  async ({ one, other, pass }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    await claimed(task, "ann", 60);
    const stream = await openEvents(`${other.url}/rooms/${room}/events?after=${await one.revision(room)}`);
    try {
      const waiting = other.post(`/rooms/${room}/wait`, { condition: "messages.unclaimed == 1" });
      pass(60_000);
      assert.equal((await waiting).body.triggered, true);
      const event = await stream.next(({ messages }) => messages?.length > 0);
      assert.deepEqual(event!.data.messages.map(({ id, status }: Json) => [id, status]), [[task.id, "open"]]);
    } finally {
      stream.leave();
    }
  },
);

heldContract("hundreds of leases end in revisions of a hundred", async ({ one, other, pass }) => {
  const room = await one.room();
  const tasks = await Promise.all(Array.from({ length: 150 }, () => postTask(one, room)));
  await Promise.all(tasks.map((task) => claimed(task, "ann", 60)));
  const before = await one.revision(room);
  pass(60_000);
  const counts = "[messages.unclaimed, messages.kind.task.open, messages.kind.task.claimed]";
  assert.deepEqual(await other.value(room, counts), [150, 150, 0]);
  assert.equal(await one.revision(room), before + 2);
});

heldContract(
  "what runs out together with others goes to one agent each, whoever looks first",
  async ({ one, other, pass }) => {
    const room = await one.room();
    const tasks = await Promise.all(Array.from({ length: 10 }, () => postTask(one, room)));
    await Promise.all(tasks.map((task) => claimed(task, "dead", 60)));
    pass(60_000);
    const won = await Promise.all(tasks.flatMap(({ id }) =>
      [one, other, one, other].map(async (t, n) => {
        const { status, body } = await taskOf(t, room, id).claim({ agent: `w${n}`, ttl: 60 });
        assert.ok(status === 200 || body.error === "already_claimed", JSON.stringify(body));
        return status === 200 ? [[id, body.fence]] : [];
      })
    ));
    const all = won.flat();
    assert.deepEqual(
      all.map(([id]) => id).sort((a, b) => a! - b!),
      tasks.map(({ id }) => id).sort((a, b) => a - b),
    );
    assert.equal(new Set(all.map(([, fence]) => fence)).size, 10);
  },
);

heldContract(
  "a room in which nothing is leased any more has nothing due",
  async ({ one, time, connection }) => {
    const room = await one.room();
    const task = await postTask(one, room);
    const { fence } = await claimed(task, "ann", 60);
    await task.complete({ agent: "ann", fence });
    time.now += 60_000;
    const before = await one.revision(room);
    await one.value(room, "messages.unclaimed");
    assert.equal(await one.revision(room), before);
    const opened = await connection();
    try {
      const [rows] = await opened.send(
        [{ sql: "SELECT due FROM rooms WHERE id = :room", args: { room } }],
        "read",
      );
      assert.equal(rows![0]!.due, null);
    } finally {
      opened.close();
    }
  },
  ["file", "libsql"],
);
