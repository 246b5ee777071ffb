import assert from "node:assert/strict";
import { createContext } from "../../cel/rooms/context.ts";
import { compile } from "../../cel/rooms/expression.ts";
import { NO_FACTS, NONE_LOADED } from "./room.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import { toCel } from "../../cel/language/values.ts";
import type { Json } from "../../db/json.ts";

const NOW = new Date("2026-11-22T12:00:00.000Z");

/** A room as it would be loaded, with these views and entries. */
function roomData(views: Record<string, string>, shared: Record<string, unknown> = {}): RoomData {
  const agent = {
    id: "ann",
    name: "Ann",
    role: "agent",
    meta: {},
    status: "busy" as const,
    joined_at: "",
    last_heartbeat: "",
    joined: 1,
    secure: false,
  };
  return {
    definitions: new Map(
      Object.entries(views).map((
        [name, source],
      ) => [name, { source, eyes: null, reads: compile(source).reads }]),
    ),
    reads: NOTHING,
    scopes: new Map([["_shared", toCel(shared as Json) as Map<string, unknown>], ["ann", new Map()]]),
    lacksViews: false,
    hidden: new Map(),
    metas: new Map([["ann", new Map()]]),
    facts: NONE_LOADED,
    snapshot: {
      now: NOW,
      createdAt: "",
      overdue: false,
      size: 0,
      guarded: false,
      secured: [],
      revisions: { revision: 7, state: 7, private: 0, views: 7, agents: 7, messages: 7 },
      counts: { count: 3, unclaimed: 1 },
      facts: NO_FACTS,
      entries: Object.entries(shared).map(([key, value]) => ({
        scope: "_shared",
        key,
        value: value as null,
      })),
      hidden: false,
      owners: new Map(),
      hiddenEntries: [],
      views: new Map(),
      agents: [agent],
      waits: [{ agent_id: "ann", token: "t1", waiting_on: "x", over: false }, {
        agent_id: "ann",
        token: "t2",
        waiting_on: "y",
        over: false,
      }],
      agentIds: ["ann"],
      extra: [],
    },
  };
}

const evaluate = (data: RoomData, source: string) =>
  compile(source).evaluate(createContext(data).from({ self: null }).context);

Deno.test("views refer to views in any order", async () => {
  const data = roomData({ c: "state._view.b + 1", a: "state._shared.n", b: "state._view.a * 10" }, { n: 4 });
  const views = await createContext(data).views(data.definitions.keys());
  assert.deepEqual([...views], [["c", { value: 41 }], ["a", { value: 4 }], ["b", { value: 40 }]]);
});

Deno.test("each member of a cycle fails with view_cycle, who reads one from outside just does not find it", async () => {
  const data = roomData({
    out: 'has(state._view.a) ? "there" : "not there"',
    a: "state._view.b",
    b: "state._view.c",
    c: "state._view.a + state._view.self",
    self: "state._view.self",
    fine: "1",
  });
  const views = await createContext(data).views(data.definitions.keys());
  for (const name of ["a", "b", "c", "self"]) {
    const view = views.get(name)!;
    assert.equal("error" in view && view.error.code, "view_cycle", name);
  }
  assert.deepEqual(views.get("out"), { value: "not there" });
  assert.deepEqual(views.get("fine"), { value: 1 });
});

Deno.test("a view that goes through all scopes is in no cycle while it does not read itself", () => {
  const data = roomData({ done: "agents.all(a, size(state[a]) == 0)" });
  assert.equal(evaluate(data, "state._view.done"), true);
});

Deno.test("a view that fails is not a member of state._view", () => {
  const data = roomData({ broken: "state._shared.missing", fine: "5" });
  assert.equal(evaluate(data, "has(state._view.broken)"), false);
  assert.equal(evaluate(data, '"broken" in state._view'), false);
  assert.equal(evaluate(data, "size(state._view)"), 1);
  assert.deepEqual(evaluate(data, "state._view.map(name, name)"), ["fine"]);
  assert.deepEqual(evaluate(data, "state._view"), { fine: 5 });
  assert.throws(() => evaluate(data, "state._view.broken"), { code: "no_such_key" });
});

Deno.test("a view is evaluated only when something reads it", () => {
  const data = roomData({
    bomb: "[1, 2, 3].all(x, state._shared.big.all(y, state._shared.big.all(z, x + y + z > 0)))",
    fine: "5",
  }, {
    big: Array.from({ length: 2_000 }, (_, n) => n),
  });
  assert.equal(evaluate(data, "state._view.fine"), 5);
  assert.throws(() => evaluate(data, "has(state._view.bomb) || true"), { code: "budget_exceeded" });
});

Deno.test("a large view is made once for all that reads it", () => {
  const map = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
  const list = Array.from({ length: 10_000 }, (_, i) => i);
  const room = createContext(roomData({ large: "state._shared.map" }, { map, list }));
  const { context } = room.from({ self: null });
  const expression = compile("state._shared.list.map(i, state._view.large.size()).size()");
  const from = performance.now();
  assert.equal(expression.evaluate(context), 10_000);
  // Made anew for each it took 10 s and more.
  const elapsed = performance.now() - from;
  assert.ok(elapsed < 1_000, `${elapsed} ms`);
});

Deno.test("to go through all views costs steps each time", () => {
  const views = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`v${i}`, String(i)]));
  const room = createContext(roomData(views, { list: Array.from({ length: 10_000 }, (_, i) => i) }));
  const { context } = room.from({ self: null });
  for (const part of ["state._view.size() < 0", "state._view == {}", "state._view.exists(v, v == '')"]) {
    const { failure } = compile(`state._shared.list.exists(i, ${part})`).judge(context);
    assert.equal(failure?.code, "budget_exceeded", part);
  }
  assert.equal(compile("state._view.size()").evaluate(context), 60);
});

Deno.test("what a view looks up is counted once for all that reads it", () => {
  const names = "lists.range(1990).map(i, messages.kind['k' + string(i)].count).size()";
  const room = createContext(roomData({ names }, { list: Array.from({ length: 10_000 }, (_, i) => i) }));
  const { context } = room.from({ self: null });
  const expression = compile("state._shared.list.exists(i, state._view.names < 0)");
  expression.judge(context);
  const from = performance.now();
  expression.judge(context);
  const elapsed = performance.now() - from;
  assert.ok(elapsed < 300, `${elapsed} ms`);
});

Deno.test("the newest wait of an agent shows, the looker's own does not", () => {
  const room = createContext(roomData({}));
  const seen = (wait?: string) =>
    compile("[agents.ann.status, agents.ann.waiting_on]").evaluate(room.from({ self: "ann", wait }).context);
  assert.deepEqual(seen(), ["waiting", "y"]);
  assert.deepEqual(seen("t2"), ["waiting", "x"]);
  const alone = roomData({});
  alone.snapshot.waits.pop();
  const context = createContext(alone).from({ self: "ann", wait: "t1" }).context;
  assert.deepEqual(compile("[agents.ann.status, agents.ann.waiting_on]").evaluate(context), ["busy", null]);
});

Deno.test("self is the looker's, but null in views", () => {
  const data = roomData({ who: "self == null" });
  const { context } = createContext(data).from({ self: "ann" });
  assert.deepEqual(compile("[self, state._view.who]").evaluate(context), ["ann", true]);
});

Deno.test("a look without one's own wait shows nothing else than if that wait were not there", () => {
  const data = roomData({ seen: 'agents.ann.status + " " + agents.ann.waiting_on' });
  const { snapshot } = data;
  snapshot.agents.push({ ...snapshot.agents[0]!, id: "bob", name: "Bob", status: "idle" });
  data.metas.set("bob", new Map());
  snapshot.waits.push({ agent_id: "bob", token: "t3", waiting_on: "z", over: false });
  snapshot.waits.push({
    agent_id: "bob",
    token: "t4",
    waiting_on: "what a wait of its has left",
    over: true,
  });
  const sources = [
    "agents",
    "agents.map(a, agents[a].status)",
    "agents.transformList(a, agent, agent.waiting_on)",
    'agents == agents && size(agents) == 2 && "bob" in agents && !has(agents.eve)',
    "state._view.seen",
    "state",
  ];
  const context = createContext(data);
  for (const { agent_id: self, token } of [...snapshot.waits, { agent_id: null, token: "of another room" }]) {
    const waits = snapshot.waits.filter((wait) =>
      wait.token !== token && !(wait.over && wait.agent_id === self)
    );
    const without = createContext({ ...data, snapshot: { ...snapshot, waits } });
    for (const source of sources) {
      assert.deepEqual(
        compile(source).evaluate(context.from({ self, wait: token }).context),
        compile(source).evaluate(without.from({ self }).context),
        `${source} without ${token}`,
      );
    }
  }
});
