import assert from "node:assert/strict";
import { compile, type Context } from "../../cel/rooms/expression.ts";
import { type Reads, readsFrom, unionReads } from "../../cel/language/dependencies.ts";
import { agent, contextOf, random, type Room } from "./room.ts";

const NOTHING: Reads = {
  state: { scopes: [], keys: [] },
  agents: [],
  messages: false,
  facts: { last: false, kind: [], to: [], from: [], id: [], ofSelf: [], bodies: false },
  self: false,
  now: false,
  heartbeats: false,
  alive: false,
  presence: false,
  eyes: [],
};

/** Cases: a source, and how its reads differ from none. */
function reads(name: string, cases: Array<[source: string, reads: Partial<Reads>]>) {
  Deno.test(name, () => {
    for (const [source, expected] of cases) {
      assert.deepEqual(compile(source).reads, { ...NOTHING, ...expected }, source);
    }
  });
}

const keys = (...list: Array<[scope: string, key: string]>) => ({
  state: { scopes: [], keys: list.map(([scope, key]) => ({ scope, key })) },
});
const scopes = (...list: string[]) => ({ state: { scopes: list, keys: [] } });

/** What a read of whole records of agents reads of each. */
const WHOLE = { heartbeats: true, alive: true, presence: true };

reads("literal steps are paths, however they are written", [
  ["1 + 1", {}],
  ["state._shared.a == 1", keys(["_shared", "a"])],
  ["state['agent-a'].score", keys(["agent-a", "score"])],
  ["state.?_shared.?a.orValue(0)", keys(["_shared", "a"])],
  ["state[?'_shared'][?'a'].hasValue()", keys(["_shared", "a"])],
  ["state._shared.a.b.c[0]", keys(["_shared", "a"])],
  ["state._view.total > state._shared.`a-b`", keys(["_view", "total"], ["_shared", "a-b"])],
  ["'x' in state._shared", keys(["_shared", "x"])],
  ["has(state['agent-a'].score)", keys(["agent-a", "score"])],
  ["state._shared.a + state._shared.a", keys(["_shared", "a"])],
]);

reads("what is taken whole, or by a computed key, is read whole", [
  ["state._shared == {}", scopes("_shared")],
  ["state._shared[self] == 1", { ...scopes("_shared"), self: true }],
  ["state._shared[state._shared.k] == 1", scopes("_shared")],
  ["state._shared.exists(k, k == 'a')", scopes("_shared")],
  ["size(state._shared) + size(state._view)", scopes("_shared", "_view")],
  ["self in state._shared", { ...scopes("_shared"), self: true }],
  ["state[self].x", { state: "all", self: true }],
  ["size(state) > 2", { state: "all" }],
  ["dyn(state).a.b", { state: "all" }],
  ["(true ? state._shared : state.b).x", scopes("_shared", "b")],
  ["[state._shared][0].x", scopes("_shared")],
  ["state._shared.a + state._shared.size()", scopes("_shared")],
]);

reads("names that macros declare hide roots", [
  ["[{'_shared': {'a': 1}}].map(state, state._shared.a)", {}],
  ["state._shared.list.map(state, state.x)", keys(["_shared", "list"])],
  ["state._shared.list.map(x, state._shared.b + x)", keys(["_shared", "list"], ["_shared", "b"])],
  ["cel.bind(agents, 1, agents + 1)", {}],
  ["cel.bind(state, state._shared, state.x)", scopes("_shared")],
  ["cel.bind(s, state._shared, s.x)", scopes("_shared")],
  ["state._shared.m.all(messages, now, messages == 'a' && now == 1)", keys(["_shared", "m"])],
  ["optional.of(1).optMap(self, self + 1)", {}],
  ["[1].map(state, 1).map(x, state._shared.a)", keys(["_shared", "a"])],
]);

reads("agents by id, or all", [
  ["agents.bob.status == 'idle'", { agents: ["bob"], presence: true }],
  ["agents['agent-a'].meta.x", { agents: ["agent-a"] }],
  ["'bob' in agents", { agents: ["bob"] }],
  ["has(agents.bob)", { agents: ["bob"] }],
  ["size(agents) > 2", { agents: "all" }],
  ["agents.all(id, agents[id].status == 'idle')", { agents: "all", presence: true }],
  ["agents[self].status", { agents: "all", self: true, presence: true }],
  ["agents.exists(id, a, a.status == 'idle')", {
    agents: "all",
    ...WHOLE,
  }],
]);

reads("messages, self, now", [
  ["messages.count > 3", { messages: true }],
  ["messages.unclaimed == 0 && self == 'a'", { messages: true, self: true }],
  ["now > timestamp('2026-01-01T00:00:00Z')", { now: true }],
]);

reads("heartbeats are read where a record's last_heartbeat may be", [
  ["agents.bob.last_heartbeat != ''", { agents: ["bob"], heartbeats: true }],
  ["agents.bob == agents.ann", { agents: ["bob", "ann"], ...WHOLE }],
  ["agents.bob[self] == 'x'", { agents: ["bob"], self: true, ...WHOLE }],
  ["agents.exists(id, agents[id].last_heartbeat > 'x')", { agents: "all", heartbeats: true }],
  ["agents.?bob.optMap(b, b.last_heartbeat).orValue('') == ''", {
    agents: ["bob"],
    ...WHOLE,
  }],
  ["cel.bind(a, agents, a.bob.status)", { agents: "all", ...WHOLE }],
  ["agents == {}", { agents: "all", ...WHOLE }],
]);

/** Reads of messages that differ from none in what is read by name. */
const facts = (facts: Partial<Reads["facts"]>, more: Partial<Reads> = {}) => ({
  messages: true,
  facts: { ...NOTHING.facts, ...facts },
  ...more,
});

reads("what is read of messages by name, and of whom", [
  ["messages.count + messages.unclaimed", { messages: true }],
  ["messages.last > 41", facts({ last: true })],
  ["messages['last'] > 41", facts({ last: true })],
  ["messages.kind.task.open > 0", facts({ kind: ["task"] })],
  ["messages['kind']['task'].open > messages.?kind.?ask.?done.orValue(0)", facts({ kind: ["task", "ask"] })],
  ["has(messages.kind.task)", facts({ kind: ["task"] })],
  ["'open' in messages.kind.task", facts({ kind: ["task"] })],
  ["cel.bind(t, messages.kind.task, t.open + t.claimed)", facts({ kind: ["task"] })],
  ["messages.to.ann.last + messages.from['bob'].last", facts({ to: ["ann"], from: ["bob"] })],
  ["messages.to[null].last", facts({})],
  ["messages.to[self].last > 41", facts({ ofSelf: ["to"] }, { self: true })],
  ["['ann'].all(self, messages.to[self].last > 41)", facts({})],
  ["messages.kind[state._shared.k].open", { ...facts({}), ...keys(["_shared", "k"]) }],
  ["messages.id[7].status == 'done'", facts({ id: [7] })],
  ["messages.id[7u].replies.count + messages.id[7.0].replies.last", facts({ id: [7] })],
  ["has(messages.id[7])", facts({ id: [7] })],
  ["messages.id[7].body.x", facts({ id: [7], bodies: true })],
  ["messages.id[7].result", facts({ id: [7], bodies: true })],
  ["messages.id[7] == {}", facts({ id: [7], bodies: true })],
  ["messages.id[7][self]", facts({ id: [7], bodies: true }, { self: true })],
  ["messages.id[state._shared.t].status", { ...facts({}), ...keys(["_shared", "t"]) }],
  ["messages.id[messages.id[7].reply_to].body", facts({ id: [7], bodies: true })],
  ["messages == {}", facts({ last: true, bodies: true })],
  ["messages[self] == 1", facts({ last: true, bodies: true }, { self: true })],
]);

reads("an agent's alive", [
  ["agents.bob.alive", { agents: ["bob"], alive: true }],
  ["agents.exists(id, agents[id].alive)", { agents: "all", alive: true }],
]);

reads("presence is read where a record's status or waiting_on may be", [
  ["agents.bob.waiting_on == null", { agents: ["bob"], presence: true }],
  ["has(agents.bob.status)", { agents: ["bob"], presence: true }],
  ["agents.bob.name == 'x' && agents.bob.meta.status == 'x'", { agents: ["bob"] }],
  ["agents.all(id, agents[id].role == 'x')", { agents: "all" }],
]);

Deno.test("a union reads what any of its parts reads, and repeats nothing", () => {
  const sources = [
    "state._shared.a",
    "state._shared.b",
    "state._shared.a + agents.x.status",
    "messages.count",
    "now",
  ];
  const union = unionReads(sources.map((source) => compile(source).reads));
  assert.deepEqual(union, {
    ...NOTHING,
    ...keys(["_shared", "a"], ["_shared", "b"]),
    agents: ["x"],
    messages: true,
    now: true,
    presence: true,
  });
  const whole = unionReads([
    union,
    compile("state._shared == {} || agents == {}").reads,
    compile("state[self].x").reads,
  ]);
  assert.equal(whole.state, "all");
  assert.equal(whole.agents, "all");
  assert.deepEqual(unionReads([union, compile("size(state._shared)").reads]).state, scopes("_shared").state);
  assert.deepEqual(unionReads([]), NOTHING);
});

Deno.test("from an agent's viewpoint, what is read under self has its name; nobody has none", () => {
  const { reads } = compile("messages.to[self].last > messages.from[self].last + messages.to.bob.last");
  const names = ({ facts: { to, from, ofSelf } }: Reads) => ({ to, from, ofSelf });
  assert.deepEqual(names(readsFrom(reads, "ann")), { to: ["bob", "ann"], from: ["ann"], ofSelf: [] });
  assert.deepEqual(names(readsFrom(reads, null)), { to: ["bob"], from: [], ofSelf: [] });
  const plain = compile("messages.count > 1").reads;
  assert.equal(readsFrom(plain, "ann"), plain);
});

const ROOM: Room = {
  state: {
    _shared: { a: 1, b: "x", k: "a", list: [1, 2, 3], m: { x: 1, y: { z: 2 } }, who: "bob" },
    _view: { total: 4 },
    bob: { a: 5, score: 7 },
    ann: {},
  },
  agents: { bob: agent("bob", { meta: { x: 1 } }), ann: agent("ann", { status: "idle" }) },
  messages: { count: 3, unclaimed: 1 },
  self: "bob",
};

/** A context that holds only what is reported: other scopes, keys, agents and values are not there. */
function restricted(full: Context, reads: Reads): Context {
  type Nested = Map<string, Map<string, unknown>>;
  const state: Nested = new Map();
  for (const [scope, entries] of full.get("state") as Nested) {
    if (reads.state === "all" || reads.state.scopes.includes(scope)) state.set(scope, entries);
    else {
      const named = reads.state.keys.filter((read) => read.scope === scope).map(({ key }) => key);
      if (named.length === 0) continue;
      state.set(scope, new Map([...entries].filter(([key]) => named.includes(key))));
    }
  }
  const agents: Nested = new Map();
  for (const [id, record] of full.get("agents") as Nested) {
    if (reads.agents !== "all" && !reads.agents.includes(id)) continue;
    const seen = new Map(record);
    if (!reads.heartbeats) seen.set("last_heartbeat", "1970-01-01T00:00:00.000Z");
    if (!reads.presence) seen.set("status", "hidden").set("waiting_on", "hidden");
    agents.set(id, seen);
  }
  return new Map<string, unknown>([
    ["state", state],
    ["agents", agents],
    ["messages", reads.messages ? full.get("messages") : new Map()],
    ["self", reads.self ? full.get("self") : "nobody"],
    ["now", reads.now ? full.get("now") : new Date(0)],
  ]);
}

function outcome(source: string, context: Context): string {
  try {
    return JSON.stringify(compile(source).evaluate(context));
  } catch (error) {
    return `${(error as { code: string }).code}`;
  }
}

/** Sources grown at random from the ways to reach a value; many fail, and must fail alike. */
function grow(next: () => number, depth: number, variables: string[]): string {
  const pick = <T>(list: T[]): T => list[Math.floor(next() * list.length)]!;
  const inner = (more: string[] = []) => grow(next, depth - 1, [...variables, ...more]);
  const name = () => pick(["x", "y", "state", "agents", "v"]);
  const leaves = [
    () =>
      pick([
        "state",
        "agents",
        "messages",
        "self",
        "now",
        "state._shared",
        "state.bob",
        "agents.bob",
        "agents.ann",
      ]),
    () =>
      pick(["state._shared.a", "state._shared.m", "state._shared.list", "state._shared.k", "messages.count"]),
    () => pick(["'a'", "'bob'", "'_shared'", "'last_heartbeat'", "1", "0"]),
    () => pick(variables.length > 0 ? variables : ["self"]),
  ];
  if (depth <= 0) return pick(leaves)();
  const [v, w] = [name(), pick(["p", "q"])];
  return pick([
    ...leaves,
    () =>
      `${inner()}.${pick(["a", "m", "x", "status", "last_heartbeat", "_shared", "bob", "score", "count"])}`,
    () => `${inner()}[${inner()}]`,
    () => `${inner()}.?${pick(["a", "bob", "_shared", "zzz"])}`,
    () => `${inner()}[?${inner()}].orValue(${inner()})`,
    () => `has(${inner()}.${pick(["a", "status", "bob", "zzz"])})`,
    () => `(${inner()} in ${inner()})`,
    () => `(${inner()} == ${inner()})`,
    () => `(true ? ${inner()} : ${inner()})`,
    () => `[${inner()}, ${inner()}]`,
    () => `{'k': ${inner()}}`,
    () => `size(${inner()})`,
    () => `dyn(${inner()})`,
    () => `${inner()}.map(${v}, ${inner([v])})`,
    () => `${inner()}.filter(${v}, ${inner([v])} == ${inner([v])})`,
    () => `${inner()}.exists(${v}, ${w}, ${inner([v, w])} == ${inner([v, w])})`,
    () => `${inner()}.transformMap(${v}, ${w}, ${inner([v, w])})`,
    () => `cel.bind(${v}, ${inner()}, ${inner([v])})`,
    () => `optional.of(${inner()}).optMap(${v}, ${inner([v])})`,
    () => `string(${inner()})`,
  ])();
}

Deno.test("over just what it reads, an expression gives what it gives over everything", () => {
  const next = random(20261122);
  const full = contextOf(ROOM);
  let evaluated = 0;
  let succeeded = 0;
  for (let i = 0; i < 30_000; i++) {
    const source = grow(next, 1 + Math.floor(next() * 4), []);
    let reads: Reads;
    try {
      ({ reads } = compile(source));
    } catch {
      continue;
    }
    const expected = outcome(source, full);
    assert.equal(outcome(source, restricted(full, reads)), expected, `${source}\n${JSON.stringify(reads)}`);
    evaluated++;
    if (!/^[a-z_]+$/.test(expected)) succeeded++;
  }
  assert.ok(evaluated > 3_000 && succeeded > 1_000, `${evaluated} evaluated, ${succeeded} with a value`);
});
