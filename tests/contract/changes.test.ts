import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { selectChanges } from "../../db/snapshots/changes_sql.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";
import { contract, oneBackend, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { createChangesLog } from "../support/events.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";

async function changes(t: Subject, room: string, query: Record<string, number> = {}): Promise<Json> {
  const reply = await t.get(`/rooms/${room}/changes`, query);
  assertStatus(reply, 200);
  assertMembers(reply.body, ["revision", "state", "agents", "messages", "reservations", "more"]);
  assert.equal(reply.revision, reply.body.revision);
  return reply.body;
}

/** What of a room changed, as names, so that sets can be compared. */
const names = ({ state, agents, messages }: Json) => [
  ...state.map(({ scope, key }: Json) => `${scope}/${key}`),
  ...agents.map(({ id }: Json) => `@${id}`),
  ...messages.map(({ id }: Json) => `#${id}`),
];

/** Follows a room page by page until there is no more. */
async function follow(t: Subject, room: string, limit: number, after = 0): Promise<Json[]> {
  const page = await changes(t, room, { after, limit });
  assert.ok(!page.more || page.revision > after, "it does not move on");
  return page.more ? [page, ...await follow(t, room, limit, page.revision)] : [page];
}

contract("a new room has not changed", async (t) => {
  const room = await t.room();
  assert.deepEqual(await changes(t, room), {
    revision: 0,
    state: [],
    agents: [],
    messages: [],
    reservations: [],
    more: false,
  });
});

contract("all that changed comes in its own shape, with the revision of its change", async (t) => {
  const room = await t.room();
  const agent = await t.agent(room, "ann", { meta: { a: 1 } });
  const { notice: _, ...message } = await t.message(room, { from: "bob" });
  await t.write(room, "k", { x: 1 }, { agent: "bob" });
  await t.view(room, "v", "1 + 1");
  const found = await changes(t, room);
  assert.deepEqual([found.revision, found.more], [4, false]);
  assert.deepEqual(found.agents, [{ ...agent, revision: 1 }]);
  assert.deepEqual(found.messages, [{ ...message, revision: 2 }]);
  const listed = (await t.get(`/rooms/${room}/state`)).body;
  assert.deepEqual(found.state, listed.map((entry: Json, n: number) => ({ ...entry, revision: 3 + n })));
  assertMembers(found.state[1], [...members.view, "revision"]);
});

contract("only what changed after the revision comes, as it is now, once", async (t) => {
  const room = await t.room();
  await t.write(room, "a", 1);
  await t.write(room, "b", 1);
  const seen = await t.revision(room);
  for (const value of [2, 3, 4]) await t.write(room, "a", value);
  const found = await changes(t, room, { after: seen });
  assert.deepEqual(names(found), ["_shared/a"]);
  assert.deepEqual([found.state[0].value, found.state[0].revision, found.revision], [4, seen + 3, seen + 3]);
  assert.deepEqual(names(await changes(t, room, { after: found.revision })), []);
});

contract("deletions come as what is left of the key", async (t) => {
  const room = await t.room();
  await t.write(room, "a", 1);
  await t.delete(`/rooms/${room}/state`, { key: "a" });
  const { state, revision } = await changes(t, room, { after: 1 });
  assertMembers(state[0], [...members.deleted, "revision"]);
  assert.deepEqual([state.length, state[0].deleted, state[0].version, revision], [1, true, 2, 2]);
});

contract("claims, statuses and waiting marks are changes; bare heartbeats are none", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  let seen = await t.revision(room);
  const next = async () => {
    const found = await changes(t, room, { after: seen });
    seen = found.revision;
    return found;
  };
  await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "bob" });
  const claimed = await next();
  assert.deepEqual([names(claimed), claimed.messages[0].claimed_by], [[`#${id}`], "bob"]);

  await t.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
  const busy = await next();
  assert.deepEqual([names(busy), busy.agents[0].status], [["@ann"], "busy"]);

  await t.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
  assert.deepEqual(names(await next()), []);

  const condition = "has(state._shared.go)";
  const waiting = t.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 10_000 });
  await t.agentUntil(room, "ann", ({ waiting_on }) => waiting_on === condition);
  const marked = (await next()).agents;
  assert.deepEqual([marked[0].status, marked[0].waiting_on, marked.length], ["waiting", condition, 1]);
  await t.write(room, "go", true);
  await waiting;
  const cleared = await next();
  assert.deepEqual(names(cleared), ["_shared/go", "@ann"]);
  assert.deepEqual([cleared.agents[0].status, cleared.agents[0].waiting_on], ["busy", null]);
});

contract(
  "what is cut goes on at its revision: nothing is missed, nothing repeated, no change set split",
  async (t) => {
    const room = await t.room();
    const writes = (prefix: string, count: number) => ({
      writes: Array.from({ length: count }, (_, n) => ({ key: `${prefix}${n}`, value: n })),
    });
    await t.agent(room, "ann");
    await t.put(`/rooms/${room}/state/batch`, writes("a", 7));
    await t.message(room);
    await t.put(`/rooms/${room}/state/batch`, writes("b", 20));
    for (let n = 0; n < 5; n++) await t.message(room);
    await t.agent(room, "bob");
    const whole = await changes(t, room, { limit: 1_000 });
    assert.deepEqual([names(whole).length, whole.more], [35, false]);
    for (const limit of [1, 2, 3, 7, 8, 9, 20, 28, 29, 34, 35, 36]) {
      const pages = await follow(t, room, limit);
      assert.deepEqual(pages.flatMap(names).sort(), names(whole).sort(), `limit ${limit}`);
      assert.equal(pages.at(-1).revision, whole.revision);
      for (const page of pages.slice(0, -1)) assert.ok(names(page).length >= limit);
      const revisions = pages.map((page) =>
        new Set([...page.state, ...page.agents, ...page.messages].map(({ revision }) => revision))
      );
      const split = revisions.flatMap((set) => [...set]);
      assert.equal(split.length, new Set(split).size, `limit ${limit} splits a change set`);
    }
  },
);

contract("those who follow while others write end up with the room as it is", async (t) => {
  const room = await t.room();
  let writing = true;
  const write = async (name: string) => {
    for (let n = 0; n < 25; n++) {
      if (n % 5 === 4) await t.delete(`/rooms/${room}/state`, { key: `${name}${n % 3}` });
      else await t.write(room, `${name}${n % 3}`, n);
      if (n % 4 === 0) await t.message(room, { from: name });
    }
  };
  const log = createChangesLog();
  const read = async () => {
    let after = 0;
    for (let last = false; !last;) {
      last = !writing;
      const pages = await follow(t, room, 3, after);
      pages.forEach(log.add);
      after = pages.at(-1).revision;
    }
  };
  const reading = read();
  await Promise.all(["x", "y", "z"].map(write));
  writing = false;
  await reading;
  log.assertIs((await t.get(`/rooms/${room}/state`)).body, (await t.get(`/rooms/${room}/messages`)).body);
});

contract("a wait includes what changed, without its own mark", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.write(room, "a", 1);
  const at = await t.get(`/rooms/${room}/wait`, { condition: "true", include: "changes:after:1,messages" });
  assert.deepEqual(at.body.changes, await changes(t, room, { after: 1 }));
  assert.deepEqual(at.body.messages, { count: 0, unclaimed: 0 });
  const waiting = t.post(`/rooms/${room}/wait`, {
    condition: "messages.count == 1",
    agent: "ann",
    include: ["changes:after:2", "messages:after:0"],
    timeout: 10_000,
  });
  await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
  const message = await t.message(room);
  const { body } = await waiting;
  assert.deepEqual(names(body.changes), ["@ann", `#${message.id}`]);
  assert.deepEqual([body.changes.agents[0].status, body.changes.agents[0].waiting_on], ["active", null]);
  assert.deepEqual(body.messages_since, [message]);
  for (const include of ["changes", "changes:after:", "changes:after:-1", "changes:after:x"]) {
    assertInvalid(await t.post(`/rooms/${room}/wait`, { condition: "true", include }));
  }
});

contract("100 changes come where nothing is said, and at most 1,000 whatever is asked for", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 50; n++) {
    const writes = Array.from({ length: 20 }, (_, k) => ({ key: `k${n}-${k}`, value: k }));
    assertStatus(await t.put(`/rooms/${room}/state/batch`, { writes }), 200);
  }
  const count = async (query: Record<string, number>) => {
    const page = await changes(t, room, query);
    return [names(page).length, page.more];
  };
  assert.deepEqual(await count({}), [100, true]);
  assert.deepEqual(await count({ after: 45 }), [100, false]);
  assert.deepEqual(await count({ limit: 5_000 }), [1_000, false]);
  await t.message(room);
  assert.deepEqual(await count({ after: 45 }), [100, true]);
  assert.deepEqual(await count({ limit: 5_000 }), [1_000, true]);
}, oneBackend);

contract("numbers are judged, and so is the room", async (t) => {
  const room = await t.room();
  await t.message(room);
  for (const query of ["after=x", "after=-1", "limit=0", "limit=1.5", "limit=-1"]) {
    assertInvalid(await t.get(`/rooms/${room}/changes?${query}`));
  }
  assert.equal(names(await changes(t, room, { limit: 1_000_000 })).length, 1);
  assertError(await t.get("/rooms/no-such-room/changes"), 404, "room_not_found");
  assertError(await t.post(`/rooms/${room}/changes`), 405, "method_not_allowed");
});

contract("changes larger than an answer of the database come in several", async (t) => {
  const room = await t.room();
  const body = "x".repeat(63 * 1024);
  for (let n = 0; n < 200; n += 20) {
    await Promise.all(Array.from({ length: 20 }, () => t.message(room, { body })));
  }
  const pages = await follow(t, room, 1_000);
  assert.equal(pages.flatMap(names).length, 200);
});

contract("the notes of reservations count as values where changes are cut", async (t) => {
  const room = await t.room();
  const note = "x".repeat(4_000);
  for (let n = 0; n < 100; n += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => {
      return t.post(`/rooms/${room}/reservations`, { agent: "ann", paths: [`p${n + i}`], note });
    }));
  }
  const pages = await follow(t, room, 1_000);
  assert.deepEqual(pages.map(({ reservations }) => reservations.length), [66, 34]);
}, oneBackend);

// The revision of a message that nobody has claimed is its id.
const BY_REVISION =
  /INDEX (\w+_changed|messages_claimed|messages_reopened) \(room_id=\? AND revision[>=]\?|INDEX messages_unclaimed \(room_id=\? AND id[>=]\?/;

Deno.test("changes cost one round trip, and only indexes by revision are searched", () =>
  withApp(async ({ json, batches, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "k", value: 1 });
    const before = batches.length;
    await json("GET", "/rooms/r/changes?after=0");
    assert.equal(batches.length - before, 1);

    const client = createClient({ url: file });
    for (const { sql, args } of selectChanges(EVERYBODY, "r", { after: 3, limit: 9 })) {
      const named = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value as number]));
      const { rows } = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args: named });
      const steps = rows.map(({ detail }) => String(detail));
      // Sorts the marks of the agents that changed.
      const ofMarks = /PARTITION BY agent_id/.test(sql);
      assert.deepEqual(
        steps.filter((step) =>
          /^SCAN (?!\(subquery|CONSTANT ROW|last\b|edge\b)/.test(step) || !ofMarks && /TEMP B-TREE/.test(step)
        ),
        [],
        sql,
      );
      for (const step of steps.filter((step) => /^SEARCH (state|agents|messages)/.test(step))) {
        assert.match(step, BY_REVISION, sql);
      }
    }
    client.close();
  }));
