import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertMembers,
  assertRecent,
  assertStatus,
  members,
} from "../support/shapes.ts";
import { claimed, postTask, taskOf } from "../support/tasks.ts";

const OPEN = {
  status: "open",
  claimed_by: null,
  claimed_at: null,
  claimed_until: null,
  fence: null,
  attempts: 0,
  max_attempts: null,
  needs: [],
  done_at: null,
  result_id: null,
  failure: null,
};

const LOST = ["status", "claimed_by", "claimed_until", "fence"];

const pick = (message: Json, names: string[]) => names.map((name) => message[name]);

contract("a message is born as an open task, whatever its kind", async (t) => {
  const room = await t.room();
  for (const kind of ["message", "task", "result"]) {
    const message = await t.message(room, { kind });
    for (const shown of [message, await taskOf(t, room, message.id).shown()]) {
      for (const [name, value] of Object.entries(OPEN)) assert.deepEqual(shown[name], value, name);
      assertMembers(shown, members.message);
    }
  }
});

contract("a claim tells its fence, which is the room's revision at which it began", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const reply = await task.claim({ agent: "ann" });
  const shown = await task.shown();
  assert.deepEqual(reply.body, {
    claimed: true,
    claimed_by: "ann",
    message_id: task.id,
    claimed_at: shown.claimed_at,
    claimed_until: null,
    fence: reply.revision,
    attempts: 1,
    notice: "agent_not_registered",
  });
  assertRecent(shown.claimed_at);
  const names = ["status", "claimed_by", "claimed_until", "fence", "attempts", "done_at"];
  assert.deepEqual(pick(shown, names), ["claimed", "ann", null, reply.revision, 1, null]);
  assert.deepEqual((await task.claim({ agent: "ann" })).body, reply.body);
  assert.equal(await t.revision(room), reply.revision, "claimed again without ttl, nothing changes");
});

contract("a released task is open again, and the next claim has a higher fence", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const first = await claimed(task, "ann");
  const reply = await task.release({ agent: "ann" });
  assertStatus(reply, 200);
  assert.deepEqual(reply.body, { released: true, message_id: task.id, status: "open" });
  assert.equal(reply.revision, first.fence + 1);
  const shown = await task.shown();
  for (const [name, value] of Object.entries({ ...OPEN, attempts: 1 })) {
    assert.deepEqual(shown[name], value, name);
  }
  const second = await claimed(task, "bob");
  assert.deepEqual([second.fence, second.attempts], [first.fence + 2, 2]);
});

contract("a completed task is done, with its result in the same revision", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room, { from: "lead" });
  const { fence } = await claimed(task, "ann", 60);
  for (const result of [{ lines: 12 }]) {
    const reply = await task.complete({ agent: "ann", fence, result });
    assertStatus(reply, 200);
    const shown = await task.shown();
    const answer = (await t.get(`/rooms/${room}/messages/${shown.result_id}`)).body;
    assert.deepEqual(reply.body, {
      completed: true,
      message_id: task.id,
      done_at: shown.done_at,
      result: answer,
    });
    assert.equal(shown.result_id, reply.revision);
    const names = ["status", "claimed_by", "claimed_until", "fence", "attempts", "failure"];
    assert.deepEqual(pick(shown, names), ["done", "ann", null, fence, 1, null]);
    assertRecent(shown.done_at);
    assertMembers(answer, members.message);
    assert.deepEqual(answer, {
      ...OPEN,
      id: reply.revision,
      room_id: room,
      from_agent: "ann",
      to_agent: null,
      verified: false,
      kind: "result",
      body: result,
      created_at: shown.done_at,
      reply_to: task.id,
      status: "done",
      done_at: shown.done_at,
    });
  }
  assert.deepEqual(await t.value(room, "messages"), { count: 2, unclaimed: 0 });
});

contract("a result may be null, and without one no message is posted", async (t) => {
  const room = await t.room();
  const [one, other] = [await postTask(t, room), await postTask(t, room)];
  await claimed(one, "ann");
  await claimed(other, "ann");
  const withNull = (await one.complete({ agent: "ann", result: null })).body;
  assert.deepEqual([withNull.result.kind, withNull.result.body], ["result", null]);
  const { result, done_at } = (await other.complete({ agent: "ann" })).body;
  assert.equal(result, null);
  const shown = await other.shown();
  assert.deepEqual([shown.result_id, shown.done_at], [null, done_at]);
  assert.equal((await t.get(`/rooms/${room}/messages`)).body.length, 3);
});

contract(
  "a completion is answered again to its agent under its fence, whatever happened since",
  async (t) => {
    const room = await t.room();
    const task = await postTask(t, room);
    const { fence } = await claimed(task, "ann", 60);
    const first = await task.complete({ agent: "ann", fence, result: 1 });
    await t.message(room, { reply_to: task.id });
    await t.write(room, "k", 1);
    const before = await t.revision(room);
    for (const result of [1, 2, undefined]) {
      const again = await task.complete({ agent: "ann", fence, result });
      assertStatus(again, 200);
      assert.deepEqual(again.body, first.body);
    }
    assert.equal(await t.revision(room), before, "nothing is done twice");
    for (const other of [{ agent: "bob", fence }, { agent: "ann", fence: fence - 1 }, { agent: "ann" }]) {
      const reply = await task.complete(other);
      assertError(reply, 409, "lease_lost", LOST);
      assert.deepEqual(pick(reply.body, LOST), ["done", "ann", null, fence]);
    }
  },
);

contract(
  "a completion of a claim that had no ttl is answered again without a fence, and with it",
  async (t) => {
    const room = await t.room();
    const task = await postTask(t, room);
    const { fence } = await claimed(task, "ann");
    const first = await task.complete({ agent: "ann", result: "x" });
    assertStatus(first, 200);
    assert.deepEqual((await task.complete({ agent: "ann" })).body, first.body);
    assert.deepEqual((await task.complete({ agent: "ann", fence })).body, first.body);
    assert.equal(await t.revision(room), first.revision);
  },
);

contract("who holds no claim is told what has become of the task", async (t) => {
  const room = await t.room();
  const hintOf = async (ending: Promise<Reply>) => {
    const reply = await ending;
    assertError(reply, 409, "lease_lost", LOST);
    return reply.body.hint;
  };
  const task = await postTask(t, room, { from: "lead" });
  const blocked = await postTask(t, room, { needs: [task.id] });
  assert.match(await hintOf(task.complete({ agent: "ann" })), /^Claim it first: POST/);
  assert.match(await hintOf(task.fail({ agent: "ann" })), /^Claim it first: POST/);
  assert.match(
    await hintOf(blocked.complete({ agent: "ann" })),
    /^It cannot be claimed until what it needs is done/,
  );
  const { fence } = await claimed(task, "ann", 60);
  await task.release({ agent: "ann", fence });
  assert.match(await hintOf(task.complete({ agent: "ann", fence })), /^Claim it again: POST/);
  await task.fail({ agent: "lead" });
  assert.match(await hintOf(task.complete({ agent: "ann", fence })), /^Drop the work: the task has failed/);
  const ended = await postTask(t, room, { from: "lead" });
  const own = await claimed(ended, "ann", 60);
  await ended.complete({ agent: "ann", fence: own.fence });
  assert.match(await hintOf(ended.release({ agent: "ann", fence: own.fence })), /^You have completed it/);
  assert.match(await hintOf(ended.fail({ agent: "ann" })), /^You have completed it/);
  assert.match(await hintOf(ended.release({ agent: "ann", fence: own.fence - 1 })), /^Drop the work: what/);
  for (const ending of ["release", "complete", "fail"] as const) {
    assert.match(await hintOf(ended[ending]({ agent: "lead" })), /^Drop the work: another agent has/);
    assert.match(
      await hintOf(ended[ending]({ agent: "bob", fence: own.fence })),
      /^Drop the work: another agent has/,
    );
  }
  const withdrawn = await postTask(t, room, { from: "lead" });
  await withdrawn.fail({ agent: "lead" });
  assert.match(await hintOf(withdrawn.complete({ agent: "ann" })), /^Nobody claimed it/);
});

contract("who holds a task may fail it; it stays failed whatever is left of its attempts", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room, { max_attempts: 5 });
  const { fence } = await claimed(task, "ann", 60);
  const error = { message: "no such file", detail: { code: null } };
  const reply = await task.fail({ agent: "ann", fence, error });
  assertStatus(reply, 200);
  const shown = await task.shown();
  assert.deepEqual(reply.body, {
    failed: true,
    message_id: task.id,
    status: "failed",
    done_at: shown.done_at,
  });
  const names = ["status", "claimed_by", "claimed_until", "fence", "attempts", "failure"];
  assert.deepEqual(pick(shown, names), ["failed", "ann", null, fence, 1, { reason: "failed", error }]);
  assert.ok(shown.claimed_at !== null);
  const refused = await task.claim({ agent: "bob" });
  assertError(refused, 409, "task_over", ["status", "done_at", "claimed_by"]);
  assert.deepEqual(pick(refused.body, ["status", "done_at", "claimed_by"]), ["failed", shown.done_at, "ann"]);
});

contract(
  "who posted a task may fail it while it is open or blocked; anybody where it has no sender",
  async (t) => {
    const room = await t.room();
    const open = await postTask(t, room, { from: "lead" });
    const stranger = await open.fail({ agent: "ann" });
    assertError(stranger, 409, "lease_lost", LOST);
    assert.deepEqual(pick(stranger.body, LOST), ["open", null, null, null]);
    assertStatus(await open.fail({ agent: "lead", error: "not needed" }), 200);
    const shown = await open.shown();
    const names = ["status", "claimed_by", "claimed_at", "fence", "attempts", "failure"];
    assert.deepEqual(pick(shown, names), ["failed", null, null, null, 0, {
      reason: "failed",
      error: "not needed",
    }]);
    const need = await postTask(t, room);
    const blocked = await postTask(t, room, { from: "lead", needs: [need.id] });
    assertStatus(await blocked.fail({ agent: "lead" }), 200);
    assert.deepEqual((await blocked.shown()).failure, { reason: "failed" });
    assertStatus(await need.fail({ agent: "anybody" }), 200);
    const given = await postTask(t, room, { from: "lead" });
    const { fence } = await claimed(given, "ann", 60);
    assertStatus(await given.release({ agent: "ann", fence, error: "no disk" }), 200);
    assertStatus(await given.fail({ agent: "lead" }), 200);
    // Nobody held it when it ended: that it was ann's once is in its attempts alone.
    assert.deepEqual(pick(await given.shown(), names), ["failed", null, null, null, 1, { reason: "failed" }]);
    const taken = await postTask(t, room, { from: "lead" });
    await claimed(taken, "ann");
    assertError(await taken.fail({ agent: "lead" }), 409, "lease_lost", LOST);
    assert.deepEqual(await t.value(room, "messages.unclaimed"), 0);
  },
);

contract(
  "a fence that is no longer the agent's never ends an open task as if by who posted it",
  async (t) => {
    const room = await t.room();
    const task = await postTask(t, room, { from: "ann" });
    const { fence } = await claimed(task, "ann", 60);
    await task.release({ agent: "ann", fence });
    assertError(await task.fail({ agent: "ann", fence }), 409, "lease_lost", LOST);
    assert.equal((await task.shown()).status, "open");
  },
);

contract("a task whose last claim ends without completion is failed", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room, { max_attempts: 2 });
  assert.equal((await task.shown()).max_attempts, 2);
  await claimed(task, "ann");
  assert.equal((await task.release({ agent: "ann", error: "first" })).body.status, "open");
  const { fence } = await claimed(task, "bob");
  const error = { a: null, b: [1] };
  const reply = await task.release({ agent: "bob", error });
  assert.equal(reply.body.status, "failed");
  const shown = await task.shown();
  const names = ["status", "claimed_by", "fence", "attempts", "failure"];
  assert.deepEqual(pick(shown, names), ["failed", "bob", fence, 2, { reason: "attempts", error }]);
  assertError(await task.claim({ agent: "cid" }), 409, "task_over", ["status", "done_at", "claimed_by"]);
  assert.deepEqual(await t.value(room, "messages"), { count: 1, unclaimed: 0 });
  const [first, second] = await task.attempts();
  assert.deepEqual([first.agent, first.ended, first.error], ["ann", "released", "first"]);
  assert.deepEqual([second.agent, second.ended, second.error], ["bob", "released", error]);
});

contract("attempts are listed with how each ended, the oldest first", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  assert.deepEqual(await task.attempts(), []);
  const fences: number[] = [];
  for (const agent of ["ann", "bob"]) {
    fences.push((await claimed(task, agent, 60)).fence);
    await task.release({ agent, fence: fences.at(-1), error: agent === "bob" ? undefined : [agent] });
  }
  const last = await claimed(task, "cid", 60);
  const open = await task.attempts();
  assert.deepEqual(open.map(({ agent, fence, ended, error }) => [agent, fence, ended, error]), [
    ["ann", fences[0], "released", ["ann"]],
    ["bob", fences[1], "released", null],
    ["cid", last.fence, null, null],
  ]);
  assert.deepEqual([open[2]!.ended_at, open[2]!.claimed_at], [null, last.claimed_at]);
  const { done_at } = (await task.complete({ agent: "cid", fence: last.fence })).body;
  const [, , done] = await task.attempts();
  assert.deepEqual([done!.ended, done!.ended_at], ["completed", done_at]);
  assertError(await t.get(`/rooms/${room}/messages/999/attempts`), 404, "message_not_found");
});

contract("attempts with long errors are all listed", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const error = "x".repeat(4_000);
  for (let n = 0; n < 300; n++) {
    await task.claim({ agent: `agent-${n}` });
    assertStatus(await task.release({ agent: `agent-${n}`, error }), 200);
  }
  const all = await task.attempts();
  assert.deepEqual(all.map(({ agent }) => agent), Array.from({ length: 300 }, (_, n) => `agent-${n}`));
  assert.ok(all.every((attempt) => attempt.error === error));
});

contract(
  "a holder of a claim with ttl names its fence, else the request is refused before all else",
  async (t) => {
    const room = await t.room();
    const task = await postTask(t, room, { from: "ann" });
    const { fence } = await claimed(task, "ann", 60);
    for (const end of [task.release, task.complete, task.fail]) {
      assertInvalid(await end({ agent: "ann" }), ["fence"]);
      assertError(await end({ agent: "bob" }), 409, "lease_lost", LOST);
      const stale = await end({ agent: "ann", fence: fence - 1 });
      assertError(stale, 409, "lease_lost", LOST);
      assert.deepEqual(pick(stale.body, ["status", "claimed_by", "fence"]), ["claimed", "ann", fence]);
    }
    assertInvalid(await task.renew({ agent: "ann", ttl: 60 }), ["fence"]);
    assert.equal((await task.shown()).status, "claimed");
  },
);

contract(
  "a task of nobody's and one that does not exist are refused alike by all that ends a claim",
  async (t) => {
    const room = await t.room();
    const open = await postTask(t, room, { from: "lead" });
    const body = { agent: "ann", fence: 1 };
    for (const name of ["renew", "release", "complete", "fail"] as const) {
      const sent = name === "renew" ? { ...body, ttl: 5 } : body;
      const lost = await open[name](sent);
      assertError(lost, 409, "lease_lost", LOST);
      assert.equal(lost.revision, open.id);
      assertError(await taskOf(t, room, 999)[name](sent), 404, "message_not_found");
      assertError(await t.post(`/rooms/${room}/messages/x/${name}`, sent), 404, "message_not_found");
      assertError(await t.post(`/rooms/${room}-/messages/${open.id}/${name}`, sent), 404, "room_not_found");
    }
  },
);

contract("members of tasks have their types and bounds", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const path = `/rooms/${room}/messages`;
  for (const ttl of [0, -1, 1.5, 86_401, "60"]) {
    assertInvalid(await task.claim({ agent: "ann", ttl }), ["ttl"]);
  }
  for (const max_attempts of [0, 1_001, 1.5, "2"]) {
    assertInvalid(await t.post(path, { body: 1, max_attempts }), ["max_attempts"]);
  }
  assertInvalid(await t.post(path, { body: 1, needs: task.id }), ["needs"]);
  assertInvalid(await t.post(path, { body: 1, needs: ["1"] }), ["needs", 0]);
  assertInvalid(await t.post(path, { body: 1, needs: Array.from({ length: 33 }, (_, n) => n + 1) }), [
    "needs",
  ]);
  // The same id twice counts once.
  const doubled = await t.post(path, { body: 1, needs: Array.from({ length: 33 }, () => task.id) });
  assert.deepEqual([doubled.status, doubled.body.needs], [201, [task.id]]);
  assertInvalid(await task.renew({ agent: "ann", fence: 1 }), ["ttl"]);
  assertInvalid(await task.renew({ fence: 1, ttl: 1 }), ["agent"]);
  for (const end of [task.release, task.complete, task.fail]) {
    assertInvalid(await end({}), ["agent"]);
    assertInvalid(await end({ agent: "ann", fence: "5" }), ["fence"]);
  }
  assertInvalid(await task.release({ agent: "ann", result: 1 }), ["result"]);
  assertStatus(await t.post(path, { body: 1, max_attempts: 1_000 }), 201);
  assertStatus(await task.claim({ agent: "ann", ttl: 86_400 }), 200);
});

contract("an error has at most 4 KiB of JSON, a result 64 KiB", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const { fence } = await claimed(task, "ann", 60);
  const most = "é".repeat(2_047);
  for (const end of [task.release, task.fail]) {
    assertError(await end({ agent: "ann", fence, error: `${most}x` }), 413, "too_large");
  }
  const large = "x".repeat(64 * 1024 - 1);
  assertError(await task.complete({ agent: "ann", fence, result: large }), 413, "too_large");
  assertStatus(await task.release({ agent: "ann", fence, error: most }), 200);
  const again = await claimed(task, "ann", 60);
  assertStatus(await task.complete({ agent: "ann", fence: again.fence, result: large.slice(1) }), 200);
});

contract("of many completions at once one counts, and each is answered the same", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const { fence } = await claimed(task, "ann", 60);
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, n) => task.complete({ agent: "ann", fence, result: n })),
  );
  for (const reply of replies) {
    assertStatus(reply, 200);
    assert.deepEqual(reply.body, replies[0]!.body);
  }
  assert.equal((await t.get(`/rooms/${room}/messages`, { kind: "result" })).body.length, 1);
});

contract("each write to a task is done once under its key", async (t) => {
  const room = await t.room();
  const once = async (path: string, body: Json, key: string) => {
    const send = () => t.request("POST", path, { body, headers: { "Idempotency-Key": key } });
    const first = await send();
    assert.ok(first.status < 300, first.text);
    const again = await send();
    assert.deepEqual([again.status, again.body], [first.status, first.body]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(again.revision, first.revision);
    return { ...first, replay: send };
  };
  const path = `/rooms/${room}/messages`;
  const need = await postTask(t, room);
  const posted = await once(path, { body: 1, needs: [need.id], max_attempts: 3, to: "ann" }, "post");
  assert.equal(posted.body.status, "blocked");
  assert.deepEqual(posted.body.recipient.registered, false);
  const of = `${path}/${need.id}`;
  const claim = await once(`${of}/claim`, { agent: "ann", ttl: 60 }, "claim");
  const { fence } = claim.body;
  await once(`${of}/renew`, { agent: "ann", ttl: 60, fence }, "renew");
  const release = await once(`${of}/release`, { agent: "ann", fence }, "release");
  const next = await claimed(taskOf(t, room, need.id), "bob", 60);
  const complete = await once(`${of}/complete`, { agent: "bob", fence: next.fence, result: 1 }, "complete");
  await once(`${path}/${posted.body.id}/fail`, { agent: "ann" }, "fail");
  const before = await t.revision(room);
  for (const { body, replay } of [posted, claim, release, complete]) {
    assert.deepEqual((await replay()).body, body);
  }
  assert.equal(await t.revision(room), before);
});

contract("lists are filtered by status, by who has a task and by what is answered", async (t) => {
  const room = await t.room();
  const tasks = [];
  for (let n = 0; n < 6; n++) tasks.push(await postTask(t, room, { kind: n % 2 ? "odd" : "even" }));
  const [open, held, done, failed, need] = tasks as [
    typeof tasks[0],
    typeof tasks[0],
    typeof tasks[0],
    typeof tasks[0],
    typeof tasks[0],
  ];
  const blocked = await postTask(t, room, { needs: [need.id], reply_to: open.id });
  await claimed(held, "ann", 60);
  await claimed(done, "ann");
  const { result } = (await done.complete({ agent: "ann", result: 1 })).body;
  await failed.fail({ agent: "ann" });
  const list = async (query: Record<string, string | number>) =>
    (await t.get(`/rooms/${room}/messages`, query)).body.map(({ id }: Json) => id);
  const opens = [open.id, need.id, tasks[5]!.id];
  assert.deepEqual(await list({ status: "open" }), opens);
  assert.deepEqual(await list({ unclaimed: "true" }), opens);
  assert.deepEqual(await list({ status: "claimed" }), [held.id]);
  assert.deepEqual(await list({ status: "blocked" }), [blocked.id]);
  assert.deepEqual(await list({ status: "done" }), [done.id, result.id]);
  assert.deepEqual(await list({ status: "failed" }), [failed.id]);
  assert.deepEqual(await list({ status: "done", kind: "even" }), [done.id]);
  assert.deepEqual(await list({ status: "open", kind: "odd" }), [tasks[5]!.id]);
  assert.deepEqual(await list({ status: "open", unclaimed: "true", last: 1 }), [tasks[5]!.id]);
  assert.deepEqual(await list({ claimed_by: "ann" }), [held.id, done.id]);
  assert.deepEqual(await list({ claimed_by: "ann", status: "done" }), [done.id]);
  assert.deepEqual(await list({ claimed_by: "bob" }), []);
  assert.deepEqual(await list({ claimed_by: "." }), []);
  assert.deepEqual(await list({ reply_to: done.id }), [result.id]);
  assert.deepEqual(await list({ reply_to: open.id, kind: "task", status: "blocked" }), [blocked.id]);
  assert.deepEqual(await list({ reply_to: open.id, after: blocked.id }), []);
  assert.deepEqual(await list({ thread: done.id, status: "done" }), [done.id, result.id]);
  assert.deepEqual(await list({ thread: done.id, claimed_by: "ann" }), [done.id]);
  assertInvalid(await t.get(`/rooms/${room}/messages`, { status: "finished" }), ["status"]);
  assertInvalid(await t.get(`/rooms/${room}/messages`, { reply_to: "x" }), ["reply_to"]);
  const pages = await t.pages(`/rooms/${room}/messages?status=open&limit=2`);
  assert.deepEqual(pages.map((page) => page.body.map(({ id }: Json) => id)), [
    opens.slice(0, 2),
    opens.slice(2),
  ]);
});

contract("the answer to a message that is for somebody tells whether anybody is there", async (t) => {
  const room = await t.room();
  const to = async (to: string, members: Json = {}) => (await t.message(room, { to, ...members })).recipient;
  assert.deepEqual(await to("ghost"), {
    registered: false,
    alive: null,
    status: null,
    waiting_on: null,
    last_heartbeat: null,
  });
  const bob = await t.agent(room, "bob");
  await t.post(`/rooms/${room}/agents/bob/heartbeat`, { status: "busy" });
  const need = await postTask(t, room);
  for (const members of [{}, { reply_to: need.id }, { needs: [need.id] }]) {
    const recipient = await to("bob", members);
    assertMembers(recipient, ["registered", "alive", "status", "waiting_on", "last_heartbeat"]);
    assert.deepEqual(pick(recipient, ["registered", "alive", "status", "waiting_on"]), [
      true,
      true,
      "busy",
      null,
    ]);
    assert.ok(recipient.last_heartbeat >= bob.last_heartbeat);
  }
  const waiting = t.post(`/rooms/${room}/wait`, { condition: "has(state._shared.go)", agent: "bob" });
  await t.agentUntil(room, "bob", ({ status }) => status === "waiting");
  const recipient = await to("bob");
  assert.deepEqual([recipient.status, recipient.waiting_on], ["waiting", "has(state._shared.go)"]);
  await t.write(room, "go", 1);
  await waiting;
  assert.equal((await t.message(room)).recipient, undefined);
  const many = await Promise.all(
    Array.from({ length: 10 }, (_, n) => t.message(room, { to: n % 2 ? "bob" : "ghost", body: n })),
  );
  for (const { body, recipient } of many) assert.equal(recipient.registered, body % 2 === 1);
});

contract("what tasks go through stands in changes, as it is now", async (t) => {
  const room = await t.room();
  const task = await postTask(t, room);
  const changed = async (after: number) =>
    (await t.get(`/rooms/${room}/changes`, { after })).body.messages.map((
      { id, status }: Json,
    ) => [id, status]);
  const { fence } = await claimed(task, "ann", 60);
  assert.deepEqual(await changed(task.id), [[task.id, "claimed"]]);
  const released = await task.release({ agent: "ann", fence });
  assert.deepEqual(await changed(fence), [[task.id, "open"]]);
  assert.deepEqual(await changed(released.revision!), []);
  const again = await claimed(task, "ann");
  const done = await task.complete({ agent: "ann", result: 5 });
  assert.deepEqual(await changed(again.fence), [[task.id, "done"], [done.body.result.id, "done"]]);
});

contract("a sign of life comes of every write to a task", async (t: Subject) => {
  const room = await t.room();
  let { last_heartbeat } = await t.agent(room, "ann");
  const task = await postTask(t, room, { from: "lead" });
  let fence = 0;
  const writes = [
    async () => fence = (await claimed(task, "ann", 60)).fence,
    () => task.renew({ agent: "ann", fence, ttl: 60 }),
    () => task.release({ agent: "ann", fence }),
    () => task.fail({ agent: "ann" }), // refused
  ];
  for (const write of writes) {
    await t.after(last_heartbeat);
    await write();
    const { body } = await t.get(`/rooms/${room}/agents/ann`);
    assert.ok(body.last_heartbeat > last_heartbeat, String(write));
    last_heartbeat = body.last_heartbeat;
  }
});
