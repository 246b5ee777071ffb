import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";

/** Waits of agents of these names, each under way; `end` makes them true by one write. */
async function waiting(t: Subject, room: string, conditions: Record<string, string>) {
  const waits = Object.entries(conditions).map(([agent, condition]) =>
    t.post(`/rooms/${room}/wait`, {
      agent,
      condition: `has(state._shared.over) || (${condition})`,
      timeout: 20_000,
    })
  );
  for (const agent of Object.keys(conditions)) {
    await t.agentUntil(room, agent, ({ status }) => status === "waiting");
  }
  return {
    async end() {
      await t.write(room, "over", true);
      await Promise.all(waits);
    },
  };
}

/** What the page says below each part of an agent's condition, by the part's source. */
async function partsOf(t: Subject, room: string, agent: string): Promise<Record<string, string>> {
  const look = () => t.request("GET", `/?room=${room}`, { headers: { accept: "text/html" } });
  let { text } = await look();
  // A look has some milliseconds for conditions that it sees for the first time.
  for (let n = 0; n < 9 && text.includes("not evaluated here"); n++) ({ text } = await look());
  const [, item] = new RegExp(`<li id="agent/${agent}"(.*?)(?=<li id="agent/|</ul><p id="agents-hidden)`, "s")
    .exec(text)!;
  const parts = [...item!.matchAll(/<li class="part (.*?)(?=<li|<\/ul>)/gs)];
  return Object.fromEntries(parts.map(([, part]) => {
    const [source, ...below] = part!.split("</p>").map((line) => words(line.replace(/^[^<]*?>(?=<p>)/, "")));
    return [source!.replace(/^[✓✗?]/, "").trim(), below.filter(Boolean).join("; ")];
  }));
}

function words(html: string): string {
  const entities: Record<string, string> = { quot: '"', amp: "&", lt: "<", gt: ">", "#39": "'" };
  return html.replaceAll(/<[^>]*>/g, "").replaceAll(/&([#\w]+);/g, (_, name) => entities[name] ?? "")
    .replaceAll(/\s+/g, " ").trim();
}

async function furnished(t: Subject): Promise<string> {
  const room = await t.room();
  for (const id of ["ann", "bob", "cat", "dan", "eve"]) await t.agent(room, id);
  await t.write(room, "phase", "planning", { agent: "bob" });
  await t.write(room, "owner", "bob");
  await t.write(room, "plan", { steps: 2 });
  await t.write(room, "old", 1);
  await t.delete(`/rooms/${room}/state`, { key: "old" });
  await t.write(room, "score", 3, { scope: "bob" });
  await t.view(room, "ready", "state._shared.phase == 'ready'");
  await t.view(room, "broken", "state._shared.nothing + 1");
  return room;
}

const NAMED = [
  "state._shared.phase == 'ready'",
  "state.bob.score > 5",
  "state._view.ready",
  "state._view.broken == 1",
  "state._shared.missing == 1",
  "state._shared.old == 1",
];

/** What stands below the named keys, whatever the others wait for. */
async function assertNamed(t: Subject, room: string): Promise<void> {
  const parts = await partsOf(t, room, "ann");
  const [phase, score, ready, broken, missing, old] = NAMED.map((source) => parts[source]);
  assert.match(phase!, /^phase is "planning", set by bob/);
  assert.match(score!, /^bob\.score is 3, set/);
  assert.match(ready!, /^_view\.ready is false/);
  assert.match(broken!, /^_view\.broken fails: No such key/);
  for (const part of [missing, old]) assert.match(part!, /is not set$/);
}

for (
  const [what, others] of [
    ["alone", {}],
    ["beside a wait on the whole state", { cat: "size(state) > 99" }],
    ["beside a wait on a key of each scope", { cat: "state.exists(s, 'nothing' in state[s])" }],
    ["beside a wait on whole scopes", { cat: "size(state._shared) > 99", dan: "size(state.bob) > 99" }],
    ["beside a wait on all views", { cat: "size(state._view) > 99" }],
    ["beside a wait on a key that a key names", { cat: "state._shared[state._shared.owner] == 1" }],
    ["beside a wait on a scope that a key names", { cat: "state[state._shared.owner].score > 5" }],
    ["beside a wait on its own scope", { cat: "has(state[self].score)" }],
    ["beside a wait on all agents", { cat: "agents.all(a, agents[a].status == 'idle')" }],
    ["beside a wait on the views' scope by another name", { cat: "state['_vi' + 'ew'].ready" }],
  ] as Array<[string, Record<string, string>]>
) {
  contract(`a page says what a condition's keys are, ${what}`, async (t) => {
    const room = await furnished(t);
    const waits = await waiting(t, room, { ann: NAMED.join(" && "), ...others });
    await assertNamed(t, room);
    await waits.end();
  });
}

contract("a page says what a condition reads whole, and how much that is", async (t) => {
  const room = await furnished(t);
  await t.message(room, { from: "bob" });
  const sources: Record<string, string> = {
    "size(state) > 99": "reads the whole state (6 keys)",
    "size(state._shared) > 99": "reads all of _shared (3 keys)",
    "size(state.bob) > 99": "reads all of bob (1 key); → waiting for bob",
    "size(state._view) > 99": "reads all of _view (2 keys)",
    "size(state.zoe) > 99": "reads all of zoe (0 keys); No such key: `state.zoe`",
    "has(state[self].done)": "reads the whole state (6 keys)",
    "agents.all(a, agents[a].status == 'idle')": "reads all agents (5)",
    "messages.unclaimed > 5": "messages.unclaimed is 1",
    "messages['count'] > 5": "messages.count is 1",
    "messages.exists(m, messages[m] > 5)": "messages.count is 1; messages.unclaimed is 1",
    "state._shared.plan.owner == 'bob'": "",
    "agents.zoe.status == 'idle'": 'no agent "zoe" has joined',
  };
  const waits = await waiting(t, room, { ann: Object.keys(sources).join(" && ") });
  const parts = await partsOf(t, room, "ann");
  assert.match(parts["state._shared.plan.owner == 'bob'"]!, /^plan is \{ steps: 2 \}.*; No such key/);
  parts["state._shared.plan.owner == 'bob'"] = "";
  assert.deepEqual(parts, { ...sources, "has(state._shared.over)": "over is not set" });
  await waits.end();
});

contract("a page says what a condition reads of messages, by name and by what names it", async (t) => {
  const room = await furnished(t);
  const { id } = await t.message(room, { from: "bob", to: "ann", kind: "task", body: { title: "x" } });
  await t.message(room, { reply_to: id });
  await t.write(room, "task", id);
  const sources: Record<string, string> = {
    "messages.kind.task.open > 5": "messages.kind.task.open is 1",
    "messages.kind['task'].done > messages.kind.ask.count + 5":
      "messages.kind.task.done is 0; messages.kind.task.count is 1; messages.kind.ask.count is 0; messages.kind.ask.done is 0",
    [`messages.last > ${id + 9}`]: `messages.last is ${id + 1}`,
    "messages.to[self].last > 99": `messages.to.ann.last is ${id}`,
    "messages.from.bob.last > 99": `messages.from.bob.last is ${id}`,
    [`messages.id[${id}].status == 'done'`]: `messages.id[${id}].status is "open"`,
    [`messages.id[${id}].replies.size() > 5`]: `messages.id[${id}].replies is { count: 1, last: ${id + 1} }`,
    "has(messages.id[99])": "messages.id[99] is not set",
    "messages.unclaimed > 5": "messages.unclaimed is 2",
  };
  const named = "messages.id[state._shared.task].status == 'done'";
  const waits = await waiting(t, room, { ann: Object.keys(sources).join(" && "), bob: named });
  const parts = await partsOf(t, room, "ann");
  const sorted = (text = "") => text.split("; ").sort().join("; ");
  for (const [source, shown] of Object.entries(sources)) {
    assert.equal(sorted(parts[source]), sorted(shown), source);
  }
  assert.match(
    (await partsOf(t, room, "bob"))[named]!,
    new RegExp(`task is ${id}.*messages.id.${id}..status is "open"`),
  );
  await waits.end();
});
