import assert from "node:assert/strict";
import { compile, EvaluationFailed } from "../../cel/rooms/expression.ts";
import { trackLookups } from "../../cel/language/lookups.ts";
import { MessageCollection } from "../../cel/language/message_reads.ts";
import type { MessageFact } from "../../db/snapshots/message_facts.ts";
import type { Json } from "../../db/json.ts";
import { contextOf, evaluate, loaded, type Room, thrown } from "./room.ts";

/** A message with what the tests look at. */
const message = (id: number, members: Record<string, Json> = {}) =>
  ({
    id,
    kind: "task",
    status: "open",
    body: null,
    reply_to: null,
    result: null,
    ...members,
  }) as unknown as MessageFact;

const ids = (...list: Array<[number, MessageFact | undefined]>) => loaded({ id: new Map(list) });

/** What an evaluation asks for that is not loaded. */
function missing(source: string, shared: Record<string, Json> = {}, facts?: Room["facts"]) {
  const collected = new MessageCollection();
  const room = { state: { _shared: shared }, facts, missing: collected };
  const error = thrown(() => compile(source).evaluate(contextOf(room)));
  assert.ok(error instanceof EvaluationFailed && error.code === "budget_exceeded", `${source}: ${error}`);
  const { kind, to, from, id } = collected.reads();
  return [...kind, ...to, ...from, ...id];
}

Deno.test("an evaluation that lacks something finds out all that it needs, and gives nothing", () => {
  const shared = { a: 1, b: 2, list: [3, 4, 5], k: "task" };
  const cases: Array<[source: string, asked: Array<string | number>]> = [
    ["messages.id[state._shared.a].status", [1]],
    ["messages.id[state._shared.a].kind + messages.id[state._shared.b].kind", [1, 2]],
    ["messages.id[state._shared.a].kind == 'x' && messages.id[state._shared.b].kind == 'x'", [1, 2]],
    ["messages.id[state._shared.a].kind == '' || messages.id[state._shared.b].kind == 'x'", [1, 2]],
    ["state._shared.list.all(t, messages.id[t].status == 'done')", [3, 4, 5]],
    ["state._shared.list.exists(t, messages.id[t].status == '')", [3, 4, 5]],
    ["state._shared.list.map(t, messages.id[t].body.score * 2)", [3, 4, 5]],
    ["state._shared.list.filter(t, messages.id[t].body.ready)", [3, 4, 5]],
    ["state._shared.list.map(t, messages.id[t].result.n).sum()", [3, 4, 5]],
    ["state._shared.list.filter(t, has(messages.id[t])).size()", [3, 4, 5]],
    ["messages.kind[state._shared.k].open + messages.to[state._shared.k].last", ["task", "task"]],
    [
      "messages.kind[state._shared.k].open > 0 ? messages.id[state._shared.a].id : messages.id[state._shared.b].id",
      ["task", 2],
    ],
    ["messages.?kind[?state._shared.k].?open.orValue(1)", ["task"]],
    ["messages.id[state._shared.a] == messages.id[state._shared.b]", [1, 2]],
    ["messages.id[messages.id[state._shared.a].reply_to].kind", [1]],
  ];
  for (const [source, asked] of cases) assert.deepEqual(missing(source, shared).sort(), asked.sort(), source);
});

Deno.test("what is loaded decides before what is not", async () => {
  const facts = await ids([1, message(1, { status: "done" })], [2, undefined]);
  const shared = { a: 1, b: 2, c: 3 };
  const over = (source: string) => evaluate(source, shared, { facts });
  assert.equal(
    over("messages.id[state._shared.a].status == 'done' || messages.id[state._shared.c].status == 'done'"),
    true,
  );
  assert.equal(over("[1, 3].exists(t, messages.id[t].status == 'done')"), true);
  assert.equal(over("has(messages.id[state._shared.b])"), false);
  assert.deepEqual(missing("[1, 3].all(t, messages.id[t].status == 'done')", shared, facts), [3]);
});

Deno.test("a hundred messages may be looked up, and one asked for twice counts once", async () => {
  const facts = await ids(...Array.from({ length: 100 }, (_, n): [number, undefined] => [n + 1, undefined]));
  const list = Array.from({ length: 100 }, (_, n) => n + 1);
  const count = "state._shared.list.filter(i, has(messages.id[i]) || has(messages.id[i])).size()";
  assert.equal(evaluate(count, { list }, { facts }), 0);
  const error = thrown(() => evaluate(count, { list: [...list, 101] }, { facts }));
  assert.deepEqual([error.code, /at most 100/.test(error.message)], ["budget_exceeded", true]);
  const absorbed = thrown(() => evaluate(`${count} > 0 || true`, { list: [...list, 101] }, { facts }));
  assert.equal(absorbed.code, "budget_exceeded");
  assert.equal(missing(count, { list: list.map((id) => id + 1_000) }).length, 100);
  assert.equal(missing(count, { list: Array.from({ length: 300 }, (_, n) => n + 1_000) }).length, 100);
});

Deno.test("2,000 names of a family may be looked up", async () => {
  const names = Array.from({ length: 2_001 }, (_, n) => `a${n}`);
  const facts = await loaded({ from: new Map(names.map((name) => [name, 1])) });
  const sum = "state._shared.names.map(a, messages.from[a].last).sum()";
  assert.equal(evaluate(sum, { names: names.slice(1) }, { facts }), 2_000);
  assert.equal(thrown(() => evaluate(sum, { names }, { facts })).code, "budget_exceeded");
});

Deno.test("the look-ups of a part are told, and count again where its result is used again", async () => {
  const facts = await loaded({
    kind: new Map([["task", { count: 1, last: 1, open: 1, blocked: 0, claimed: 0, done: 0, failed: 0 }]]),
  });
  const context = contextOf({ facts });
  const { result, lookups } = trackLookups(() => compile("messages.kind.task.open").evaluate(context));
  assert.deepEqual([result, [...lookups.names.kind], lookups.missing], [1, ["task"], false]);
  const lacking = trackLookups(() => thrown(() => compile("messages.to.ann.last").evaluate(contextOf())));
  assert.deepEqual([[...lacking.lookups.names.to], lacking.lookups.missing], [["ann"], true]);
});

Deno.test("a family is no map that is gone over, however it is reached", () => {
  for (
    const source of [
      "dyn(messages).kind",
      "size(dyn(messages).id)",
      "dyn(messages).to == {}",
      "dyn(messages).id.map(i, i)",
    ]
  ) {
    const error = thrown(() => evaluate(source));
    assert.deepEqual([error.code, /by name/.test(error.message)], ["no_such_key", true], source);
  }
  assert.equal(evaluate("dyn(messages) == {'count': 0, 'unclaimed': 0} && size(messages) == 2"), true);
  assert.deepEqual(missing("dyn(messages).kind.task.open"), ["task"]);
  const refused: Array<[source: string, code: string]> = [
    ["messages.id[dyn('x')]", "no_such_overload"],
    ["messages.id[dyn(true)]", "no_such_overload"],
    ["messages.kind[dyn(7)]", "no_such_overload"],
    ["messages.id[dyn(1.5)]", "no_such_key"],
    ["messages.id[dyn(-1)]", "no_such_key"],
    ["messages.id[dyn(null)]", "no_such_key"],
    ["messages.id[0.0 / 0.0]", "no_such_key"],
  ];
  for (const [source, code] of refused) assert.equal(thrown(() => evaluate(source)).code, code, source);
});
