import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { heldContract } from "../support/held.ts";
import { assertInvalidExpression, assertStatus } from "../support/shapes.ts";

/** Evaluates each expression, and compares its value. */
async function values(
  t: Subject,
  room: string,
  cases: Array<[expr: string, value: unknown]>,
  agent?: string,
) {
  for (const [expr, value] of cases) assert.deepEqual(await t.value(room, expr, agent), value, expr);
}

async function failure(t: Subject, room: string, expr: string): Promise<Json> {
  const reply = await t.post(`/rooms/${room}/eval`, { expr });
  assertStatus(reply, 400);
  assert.equal(reply.body.error, "evaluation_failed", expr);
  return reply.body.cause;
}

const claim = (t: Subject, room: string, id: number, agent: string) =>
  t.post(`/rooms/${room}/messages/${id}/claim`, { agent });

/** Waits as an agent of its own; comes back once the room shows that it waits. */
async function started(t: Subject, room: string, body: Json): Promise<{ answer: Promise<Reply> }> {
  const agent = body.agent ?? `waiter-${crypto.randomUUID()}`;
  await t.agent(room, agent);
  const answer = t.post(`/rooms/${room}/wait`, { timeout: 15_000, ...body, agent });
  await t.agentUntil(room, agent, ({ status }) => status === "waiting");
  return { answer };
}

contract("in an empty room every name gives zeros, and no message is there", async (t) => {
  const room = await t.room();
  const none = { count: 0, last: 0, open: 0, blocked: 0, claimed: 0, done: 0, failed: 0 };
  await values(t, room, [
    ["messages", { count: 0, unclaimed: 0 }],
    ["messages.last", 0],
    ["messages.kind.task", none],
    ["messages.kind['no such']", none],
    ["messages.to.ann", { last: 0 }],
    ["messages.from[self]", { last: 0 }],
    ["messages.to[null].last + messages.from[null].last + messages.kind[null].count", 0],
    ["has(messages.kind.task)", true],
    ["has(messages.id[1])", false],
    ["messages.?id[?1].?status.orValue('none')", "none"],
    ["messages.id[?1].hasValue()", false],
    ["cel.bind(m, messages, m.kind.task.open + m.count + m.last)", 0],
    ["(self == null ? messages : messages).to.ann.last", 0],
    ['{"kind": 1.0}.kind + 1.0', 2],
  ], "ann");
  assert.equal((await failure(t, room, "messages.id[1].status")).code, "no_such_key");
  assert.equal((await failure(t, room, "messages.id[0].status")).code, "no_such_key");
});

contract("counts of a kind, the newest of all, of a kind, to and from an agent", async (t) => {
  const room = await t.room();
  const first = await t.message(room, { kind: "task", from: "ann", to: "bob" });
  const second = await t.message(room, { kind: "task", from: "ann" });
  const other = await t.message(room, { kind: "it's", from: "bob", to: "ann" });
  const plain = await t.message(room);
  assertStatus(await claim(t, room, first.id, "cat"), 200);
  await values(t, room, [
    ["messages.last", plain.id],
    ["messages.kind.task.count", 2],
    ["messages.kind.task.last", second.id],
    ["messages.kind.task.open", 1],
    ["messages.kind.task.claimed", 1],
    ["messages.kind.task.done + messages.kind.task.failed + messages.kind.task.blocked", 0],
    [`messages.kind["it's"].last`, other.id],
    ["messages.kind.message.open", 1],
    ["messages.to.bob.last", first.id],
    ["messages.to.ann.last", other.id],
    ["messages.to[self].last", first.id],
    ["messages.from[self].last", other.id],
    ["messages.from.ann.last", second.id],
    ["messages.from.cat.last", 0],
    ["messages", { count: 4, unclaimed: 3 }],
    ["size(messages)", 2],
    ["messages.map(k, messages[k])", [4, 3]],
    ["'last' in messages && 'kind' in messages.kind.task == false", true],
    ["cel.bind(m, messages, m.last)", plain.id],
    ["cel.bind(m, messages, m.kind.task.open)", 1],
    ["cel.bind(m, messages, m['kind'][m.id[m.last].kind].last)", plain.id],
  ], "bob");
  const gated = { key: "k", value: 1, if: "cel.bind(m, messages, m.kind.task.open) == 1" };
  assertStatus(await t.put(`/rooms/${room}/state`, gated), 200);
  const lists = await t.message(room, { kind: "task" });
  await values(t, room, [["messages.kind.task.last", lists.id], ["messages.last", lists.id]]);
});

contract("a message is as the API shows it, with its replies and its result", async (t) => {
  const room = await t.room();
  const body = { title: "x", parts: [1, { "a.b": null }] };
  const { id } = await t.message(room, { kind: "task", from: "ann", body });
  const answers = [];
  for (const text of ["one", "two"]) answers.push(await t.message(room, { reply_to: id, body: text }));
  await t.message(room, { reply_to: answers[0].id });
  assertStatus(await claim(t, room, id, "bob"), 200);
  const { body: shown } = await t.get(`/rooms/${room}/messages/${id}`);
  const replies = { count: 2, last: answers[1].id };
  assert.deepEqual(await t.value(room, `messages.id[${id}]`), { ...shown, replies, result: null });
  for (const [member, value] of Object.entries(shown)) {
    assert.deepEqual(await t.value(room, `messages.id[${id}].${member}`), value, member);
  }
  await values(t, room, [
    [`messages.id[${id}].claimed_by`, "bob"],
    [`messages.id[${id}].body.parts[1]["a.b"]`, null],
    [`messages.id[${id}].replies.count > 1`, true],
    [`messages.id[${id}].result`, null],
    [`messages.id[${id}u].id == ${id}.0`, true],
    [`has(messages.id[${id}].body.title)`, true],
    [`messages.id[${answers[0].id}].replies`, { count: 1, last: answers[1].id + 1 }],
    [`messages.id[messages.id[${answers[0].id}].reply_to].kind`, "task"],
  ]);
});

contract("statuses are counted by kind, and a task has its result", async (t) => {
  const room = await t.room();
  const counts = "messages.kind.task";
  const none = { count: 0, last: 0, open: 0, blocked: 0, claimed: 0, done: 0, failed: 0 };
  const first = await t.message(room, { kind: "task" });
  const second = await t.message(room, { kind: "task", needs: [first.id] });
  const third = await t.message(room, { kind: "task", max_attempts: 1 });
  assert.deepEqual(await t.value(room, counts), { ...none, count: 3, last: third.id, open: 2, blocked: 1 });
  await values(t, room, [[`messages.id[${second.id}].status`, "blocked"], [
    `messages.id[${second.id}].needs`,
    [first.id],
  ]]);
  const of = (id: number, what: string) => `/rooms/${room}/messages/${id}/${what}`;
  assertStatus(await t.post(of(first.id, "claim"), { agent: "ann" }), 200);
  const result = { pages: [1, 2] };
  const done = await t.post(of(first.id, "complete"), { agent: "ann", result });
  assertStatus(done, 200);
  await values(t, room, [
    [counts, { ...none, count: 3, last: third.id, open: 2, done: 1 }],
    [`messages.id[${first.id}].status == "done" && messages.id[${second.id}].status == "open"`, true],
    [`messages.id[${first.id}].result.pages[1]`, 2],
    [`messages.id[${first.id}].result`, result],
    [`messages.id[messages.id[${first.id}].result_id].body.pages.size()`, 2],
    [`messages.id[${first.id}].replies`, { count: 1, last: done.body.result.id }],
    ["messages.kind.result", { ...none, count: 1, last: done.body.result.id, done: 1 }],
    ["messages.from.ann.last == messages.last", true],
  ]);
  assertStatus(await t.post(of(third.id, "claim"), { agent: "ann" }), 200);
  assertStatus(await t.post(of(third.id, "release"), { agent: "ann", error: "no paper" }), 200);
  await values(t, room, [
    [counts, { ...none, count: 3, last: third.id, open: 1, done: 1, failed: 1 }],
    [`messages.id[${third.id}].failure.reason`, "attempts"],
  ]);
});

heldContract(
  "a lease that has ended is not shown as held, to whoever looks first",
  async ({ one: t, other, pass }) => {
    const room = await t.room();
    const { id } = await t.message(room, { kind: "task" });
    await t.write(room, "task", id);
    await t.view(room, "holder", "messages.id[state._shared.task].claimed_by");
    const held = async () =>
      assertStatus(await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann", ttl: 1 }), 200);
    await held();
    pass(999);
    await values(t, room, [
      ["messages.kind.task", { count: 1, last: id, open: 0, blocked: 0, claimed: 1, done: 0, failed: 0 }],
      ["state._view.holder", "ann"],
    ]);
    const condition = "state._view.holder == null";
    const early = await t.post(`/rooms/${room}/wait`, { condition, timeout: 0 });
    assert.equal(early.body.triggered, false, "not before its end");
    const wait = other.post(`/rooms/${room}/wait`, { condition, timeout: 9_000 });
    pass(1);
    assert.equal((await wait).body.triggered, true);
    await values(t, room, [["messages.kind.task.open", 1], [`messages.id[${id}].status`, "open"]]);
    await held();
    pass(1_000);
    const gated = {
      key: "k",
      value: 1,
      if: "messages.id[state._shared.task].status == 'open' && messages.kind.task.open == 1",
    };
    assertStatus(await other.put(`/rooms/${room}/state`, gated), 200);
  },
);

contract("names and ids that depend on data, of one revision however often they are looked up", async (t) => {
  const room = await t.room();
  const ids = [];
  for (const kind of ["task", "ask", "task"]) ids.push((await t.message(room, { kind, from: kind })).id);
  await t.write(room, "tasks", ids);
  await t.write(room, "one", ids[1]);
  await t.write(room, "k", "ask");
  await t.write(room, "gone", 9_999);
  await t.agent(room, "task");
  await t.agent(room, "ask");
  await values(
    t,
    room,
    [
      ["messages.id[state._shared.one].kind", "ask"],
      ["state._shared.tasks.map(t, messages.id[t].kind)", ["task", "ask", "task"]],
      ["state._shared.tasks.map(t, messages.id[t].body + '!')", ["text!", "text!", "text!"]],
      ["state._shared.tasks.filter(t, messages.id[t].kind == 'ask').size()", 1],
      ["messages.kind[state._shared.k].open", 1],
      ["messages.kind[messages.id[state._shared.one].kind].last", ids[1]],
      ["agents.map(a, messages.from[a].last)", [ids[2], ids[1]]],
      ["has(messages.id[state._shared.gone])", false],
      [
        "state._shared.gone > 5 && messages.id[state._shared.one].kind == 'task' || messages.kind[state._shared.k].open == 1",
        true,
      ],
      [
        "state._shared.tasks.all(t, messages.id[t].kind == 'task') ? 1 : messages.id[state._shared.tasks[0]].kind",
        "task",
      ],
      ["state._shared.tasks.exists(t, messages.id[t].body.nothing > 0)", null],
    ].slice(0, -1) as Array<[string, unknown]>,
  );
  assert.equal((await failure(t, room, "messages.id[state._shared.gone].kind")).code, "no_such_key");
  assert.equal((await failure(t, room, "messages.id[state._shared.k].kind")).code, "no_such_overload");
  assert.equal((await failure(t, room, "messages.kind[state._shared.one].open")).code, "no_such_overload");
});

contract("an evaluation looks up at most 100 messages", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room);
  await t.write(room, "ids", Array.from({ length: 100 }, (_, n) => id + n));
  await values(t, room, [
    ["state._shared.ids.filter(i, has(messages.id[i])).size()", 1],
    ["state._shared.ids.map(i, i % 2 == 0 ? 1 : 0).map(i, has(messages.id[i])).size()", 100],
  ]);
  await t.write(room, "ids", Array.from({ length: 101 }, (_, n) => id + n));
  assert.equal(
    (await failure(t, room, "state._shared.ids.map(i, has(messages.id[i]))")).code,
    "budget_exceeded",
  );
  await values(t, room, [["state._shared.ids.exists(i, has(messages.id[i]))", true]]);
  const wait = { condition: "state._shared.ids.all(i, !has(messages.id[i]) || i > 0)", timeout: 0 };
  assert.equal((await t.post(`/rooms/${room}/wait`, wait)).body.last_error.code, "budget_exceeded");
});

contract("what cannot be read of messages is refused with what was meant", async (t) => {
  const room = await t.room();
  const cases: Array<[expr: string, position: number, hint: RegExp]> = [
    ["messages.kind", 9, /messages\.kind\.task\.open/],
    ["has(messages.to)", 13, /messages\.to\[self\]\.last/],
    ["messages.from == {}", 9, /messages\.from\.alice\.last/],
    ["1 in messages.id", 14, /has\(messages\.id\[7\]\)/],
    ["messages.id.exists(i, i > 1)", 9, /messages\.id\[7\]/],
    ["size(messages.kind)", 14, /messages\.kind\.task/],
    ["messages.size() > 3", 9, /messages\.count/],
    ["messages.cout", 9, /count/],
    ["messages.kind.task.opne", 19, /open/],
    ["messages.to.ann.count", 16, /last/],
    ["messages.id[7].state", 15, /status/],
    ["messages.id[7].replies.cuont", 23, /count/],
    ["messages.id['x']", 12, /messages\.id\[7\]/],
    ["messages.id.x", 12, /messages\.id\[7\]/],
    ["messages.kind[7].open", 14, /messages\.kind\[k\]/],
    ["messages.kind.task.open == 'x'", 0, /./],
  ];
  for (const [expr, position, hint] of cases) {
    const reply = await t.post(`/rooms/${room}/eval`, { expr });
    assertInvalidExpression(reply, expr);
    assert.match(reply.body.hint ?? reply.body.message, hint, expr);
    if (position > 0) assert.equal(reply.body.position, position, `${expr}: ${reply.body.message}`);
  }
});

contract("gates read facts in the very state that the write applies to", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room, { kind: "task", to: "ann" });
  const put = (condition: string, agent?: string) =>
    t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: condition, agent });
  assertStatus(await put("messages.kind.task.open == 1 && messages.to[self].last > 0", "ann"), 200);
  assertStatus(await put(`messages.id[${id}].status == 'open'`), 200);
  await t.write(room, "task", id);
  assertStatus(await put("messages.id[state._shared.task].status == 'open'"), 200);
  assertStatus(await claim(t, room, id, "ann"), 200);
  const refused = await put("messages.id[state._shared.task].status == 'open'");
  assertStatus(refused, 409);
  assert.equal(refused.body.evaluated, false);
  const absent = await put("messages.id[99999].status == 'open'");
  assert.deepEqual([absent.body.evaluated, absent.body.cause.code], [null, "no_such_key"]);
});

contract("of many writes behind a gate on a count, each is judged after the posts before it", async (t) => {
  const room = await t.room();
  const post = () => t.message(room, { kind: "task" });
  const gated = (n: number) =>
    t.put(`/rooms/${room}/state`, { key: `k${n}`, value: n, if: `messages.kind.task.count == ${n}` });
  for (let n = 0; n < 5; n++) {
    const [reply] = await Promise.all([gated(n), post()]);
    const entry = await t.entry(room, `k${n}`);
    assert.equal(reply.status === 200, entry !== undefined);
    assert.equal(await t.value(room, "messages.kind.task.count"), n + 1);
  }
});

contract("views read facts, also through other views and in waits", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room, { kind: "task" });
  await t.write(room, "task", id);
  await t.view(room, "holder", "messages.id[state._shared.task].claimed_by");
  await t.view(room, "left", "messages.kind.task.open");
  await t.view(
    room,
    "said",
    "string(state._view.left) + (state._view.holder == null ? '' : ' ' + state._view.holder)",
  );
  await values(t, room, [["state._view.said", "1"], ["state._view", { holder: null, left: 1, said: "1" }]]);
  const wait = await started(t, room, { condition: "state._view.said == '0 bob'", include: ["state"] });
  assertStatus(await claim(t, room, id, "bob"), 200);
  const { body } = await wait.answer;
  assert.deepEqual([body.triggered, body.state._view.said], [true, "0 bob"]);
  const listed = await t.get(`/rooms/${room}/state`, { scope: "_view", key: "said", resolve: "true" });
  assert.equal(listed.body.value, "0 bob");
  const all = await t.get(`/rooms/${room}/state`, { scope: "_view", resolve: "true" });
  assert.deepEqual(all.body.map((entry: Json) => entry.resolved_value), ["bob", 0, "0 bob"]);
  const put = await t.view(room, "again", "messages.id[state._shared.task].claimed_by + '!'");
  assert.equal(put.resolved_value, "bob!");
});

contract("a wait on a fact is answered with the change that makes it true", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room, { kind: "task" });
  await t.write(room, "task", id);
  const conditions = [
    `messages.id[${id}].claimed_by == "bob"`,
    "messages.id[state._shared.task].status == 'claimed'",
    "messages.kind.task.claimed == 1",
    `messages.last > ${id}`,
    `messages.id[${id}].replies.count == 1`,
    "messages.to.ann.last > 0",
    "messages.to[self].last > 0",
    "agents.exists(a, messages.from[a].last > 0)",
  ];
  const waits = [];
  for (const condition of conditions) {
    waits.push(await started(t, room, { condition, ...(condition.includes("self") && { agent: "me" }) }));
  }
  await t.agent(room, "ann");
  assertStatus(await claim(t, room, id, "bob"), 200);
  await t.message(room, { reply_to: id, from: "ann", to: "ann" });
  await t.message(room, { to: "me" });
  for (const [n, { answer }] of waits.entries()) {
    assert.equal((await answer).body.triggered, true, conditions[n]!);
  }
});

contract("a wait goes on to look up what the room comes to name", async (t) => {
  const room = await t.room();
  const wait = await started(t, room, {
    condition: "state._shared.ids.all(i, messages.id[i].body == 'done')",
  });
  const ids = [];
  for (const body of ["done", "done", "done"]) {
    ids.push((await t.message(room, { body })).id);
    await t.write(room, "ids", [...ids, 99_999]);
  }
  await t.write(room, "ids", ids);
  assert.equal((await wait.answer).body.triggered, true);
});

contract("hundreds of messages and replies later a fact is the same", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room, { kind: "task", from: "ann" });
  for (let part = 0; part < 6; part++) {
    await Promise.all(
      Array.from(
        { length: 50 },
        (_, n) => t.message(room, { kind: "talk", from: `a${n % 7}`, ...(n % 2 && { reply_to: id }) }),
      ),
    );
  }
  await values(t, room, [
    ["messages.from.ann.last", id],
    ["messages.kind.talk.count", 300],
    [`messages.id[${id}].replies.count`, 150],
    ["messages.kind.talk.last == messages.last", true],
  ]);
});

contract("agents show whether they are alive, wherever they are shown", async (t) => {
  const room = await t.room();
  const registered = await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann" });
  assert.equal(registered.body.alive, true);
  assert.equal((await t.get(`/rooms/${room}/agents`)).body[0].alive, true);
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.alive, true);
  assert.equal((await t.get(`/rooms/${room}/changes`, { after: 0 })).body.agents[0].alive, true);
  const wait = await t.post(`/rooms/${room}/wait`, {
    condition: "agents.ann.alive",
    include: ["agents"],
    agent: "ann",
  });
  assert.deepEqual([wait.body.triggered, wait.body.agents.ann.alive], [true, true]);
  await values(t, room, [["agents.ann.alive", true], ["agents.filter(a, agents[a].alive)", ["ann"]]]);
  const gated = { key: "k", value: 1, if: "agents.ann.alive && !agents.exists(a, !agents[a].alive)" };
  assertStatus(await t.put(`/rooms/${room}/state`, gated), 200);
  assert.equal((await failure(t, room, "agents.bob.alive")).code, "no_such_key");
});
