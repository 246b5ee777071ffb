import assert from "node:assert/strict";
import { contract, Subject, waitingContract } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { startCluster } from "../support/cluster.ts";
import { openEvents } from "../support/events.ts";
import { heldContract } from "../support/held.ts";
import { assertError, assertInvalid, assertMembers, assertStatus } from "../support/shapes.ts";

const RESERVATION = [
  "id",
  "room_id",
  "agent",
  "paths",
  "mode",
  "note",
  "fence",
  "created_at",
  "expires_at",
];

const pathOf = (room: string, id = "") => `/rooms/${room}/reservations${id && `/${id}`}`;

const ask = (t: Subject, room: string, agent: string, paths: string[], members: Json = {}): Promise<Reply> =>
  t.post(pathOf(room), { agent, paths, ...members });

async function reserve(t: Subject, room: string, agent: string, paths: string[], members: Json = {}) {
  const reply = await ask(t, room, agent, paths, members);
  assertStatus(reply, 201);
  const { notice: _, ...made } = reply.body; // told to who is not registered
  return made;
}

const release = (t: Subject, room: string, { id, agent, fence }: Json) =>
  t.delete(pathOf(room, id), { agent, fence });

const listed = async (t: Subject, room: string, query: Record<string, string> = {}) => {
  const reply = await t.get(pathOf(room), query);
  assertStatus(reply, 200);
  return reply.body.map(({ id }: Json) => id);
};

function assertReserved(reply: Reply, ids: string[]) {
  assertError(reply, 409, "reserved", ["conflicts"]);
  assert.deepEqual(reply.body.conflicts.map(({ id }: Json) => id), ids);
  for (const conflict of reply.body.conflicts) {
    assertMembers(conflict, ["id", "agent", "paths", "mode", "note", "expires_at"]);
  }
}

contract("a reservation shows whose it is, of what, and until when", async (t) => {
  const room = await t.room();
  const made = await reserve(t, room, "ann", ["src/**", "docs/*.md"], { note: { why: ["x"] } });
  assertMembers(made, RESERVATION);
  assert.deepEqual([made.room_id, made.agent, made.paths, made.mode, made.note, made.fence], [
    room,
    "ann",
    ["src/**", "docs/*.md"],
    "exclusive",
    { why: ["x"] },
    1,
  ]);
  assert.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 900_000);
  const short = await reserve(t, room, "ann", ["a"], { mode: "shared", ttl: 60 });
  assert.deepEqual([short.mode, short.note, short.fence], ["shared", null, 2]);
  assert.equal(Date.parse(short.expires_at) - Date.parse(short.created_at), 60_000);
  const { body, revision } = await t.get(pathOf(room));
  assert.deepEqual([body, revision], [[made, short], 2]);
});

contract("others are kept off exactly the paths that are covered, all or none", async (t) => {
  const room = await t.room();
  const src = await reserve(t, room, "ann", ["src/**", "docs/[a-c]*.md"], { note: "mine" });
  assertReserved(await ask(t, room, "bob", ["src/a/b.ts"]), [src.id]);
  assertReserved(await ask(t, room, "bob", ["src"]), [src.id]);
  assertReserved(await ask(t, room, "bob", ["free/x", "**/*.ts"]), [src.id]);
  assertReserved(await ask(t, room, "bob", ["docs/{b,z}.md"], { mode: "shared" }), [src.id]);
  assert.deepEqual((await ask(t, room, "bob", ["src"])).body.conflicts[0].note, "mine");
  // Prefixes of texts are none of paths.
  const bob = await reserve(t, room, "bob", ["src2/**", "docs/z.md", "free/x"]);
  assertReserved(await ask(t, room, "cyd", ["**"]), [src.id, bob.id]);
  assert.deepEqual(await listed(t, room), [src.id, bob.id]);
});

contract("shared ones are in conflict with exclusive ones alone, and nobody with themselves", async (t) => {
  const room = await t.room();
  const shared = { mode: "shared" };
  const ann = await reserve(t, room, "ann", ["a/*"], shared);
  const bob = await reserve(t, room, "bob", ["a/b"], shared);
  assertReserved(await ask(t, room, "cyd", ["a/b"]), [ann.id, bob.id]);
  assertReserved(await ask(t, room, "ann", ["a/b"]), [bob.id]);
  await reserve(t, room, "ann", ["a/c"]);
  assertStatus(await ask(t, room, "ann", ["**/c"], shared), 201);
});

contract("of more than twenty in conflict twenty are shown", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 20; n++) await reserve(t, room, "ann", [`a/${n}`]);
  assertReserved(await ask(t, room, "bob", ["a/*"]), await listed(t, room));
  await reserve(t, room, "ann", ["a/20"]);
  const reply = await ask(t, room, "bob", ["a/*"]);
  assertError(reply, 409, "reserved", ["conflicts", "more"]);
  assert.deepEqual([reply.body.conflicts.length, reply.body.more], [20, true]);
});

contract("lists can be of an agent, and of what covers a path or glob", async (t) => {
  const room = await t.room();
  const ann = await reserve(t, room, "ann", ["src/**"]);
  const bob = await reserve(t, room, "bob", ["docs/*.md", "README"]);
  assert.deepEqual(await listed(t, room, { agent: "bob" }), [bob.id]);
  assert.deepEqual(await listed(t, room, { agent: "cyd" }), []);
  assert.deepEqual(await listed(t, room, { path: "src/deep/er.ts" }), [ann.id]);
  assert.deepEqual(await listed(t, room, { path: "*/*.md" }), [ann.id, bob.id]);
  assert.deepEqual(await listed(t, room, { path: "readme" }), []);
  assert.deepEqual(await listed(t, room, { path: "" }), [ann.id, bob.id]);
  assertInvalid(await t.get(pathOf(room), { path: "a**b" }), ["path"]);
  assertInvalid(await t.get(pathOf(room), { paths: "a" }));
});

contract("who holds it renews and releases it, under its fence", async (t) => {
  const room = await t.room();
  const made = await reserve(t, room, "ann", ["a"], { ttl: 60 });
  const renew = (id: string, agent: string, fence: number) =>
    t.post(`${pathOf(room, id)}/renew`, { agent, fence, ttl: 3_600 });
  const renewed = await renew(made.id, "ann", made.fence);
  assertStatus(renewed, 200);
  const { expires_at, ...rest } = renewed.body;
  assert.deepEqual(rest, (({ expires_at: _, ...rest }) => rest)(made));
  assert.ok(Date.parse(expires_at) >= Date.parse(made.created_at) + 3_600_000);
  assert.equal(renewed.revision, 2);

  for (const [agent, fence] of [["bob", 1], ["ann", 2]] as const) {
    for (
      const reply of [await renew(made.id, agent, fence), await release(t, room, { ...made, agent, fence })]
    ) {
      assertError(reply, 409, "lease_lost", ["agent", "fence", "expires_at"]);
      assert.deepEqual([reply.body.agent, reply.body.fence, reply.body.expires_at], ["ann", 1, expires_at]);
      assert.match(reply.body.hint, agent === "ann" ? /^Reserve the paths again/ : /^It is another agent's/);
    }
  }
  assertError(await renew("none", "ann", 1), 404, "reservation_not_found");
  assertError(await release(t, room, { id: "none", agent: "ann" }), 404, "reservation_not_found");
  assert.equal(await t.revision(room), 2);

  const released = await release(t, room, made);
  assert.deepEqual([released.status, released.body, released.revision], [200, { released: true }, 3]);
  const again = await release(t, room, made);
  assert.deepEqual([again.status, again.body, again.revision], [200, { released: false }, 3]);
  const late = await renew(made.id, "ann", made.fence);
  assertError(late, 409, "lease_lost", ["agent", "fence", "expires_at"]);
  assert.deepEqual([late.body.agent, late.body.fence], [null, null]);
  assert.deepEqual(await listed(t, room), []);
});

contract("a release may name agent and fence in the query", async (t) => {
  const room = await t.room();
  const { id, fence } = await reserve(t, room, "ann", ["a"]);
  assertInvalid(await t.delete(pathOf(room, id)), ["agent"]);
  assertInvalid(await t.delete(`${pathOf(room, id)}?agent=ann&fence=x`), ["fence"]);
  const reply = await t.delete(`${pathOf(room, id)}?agent=ann&fence=${fence}`);
  assert.deepEqual([reply.status, reply.body], [200, { released: true }]);
});

waitingContract("it ends by itself at its time, as a change, and others get the paths", async (t) => {
  const room = await t.room();
  const made = await reserve(t, room, "ann", ["a"], { ttl: 1 });
  assertReserved(await ask(t, room, "bob", ["a"]), [made.id]);
  const waited = await reserve(t, room, "bob", ["*"], { timeout: 10_000 });
  assert.ok(waited.created_at >= made.expires_at, "it was free early");
  assert.ok(Date.parse(waited.created_at) <= Date.parse(made.expires_at) + 1_250, "it was free late");
  const { body: { reservations } } = await t.get(`/rooms/${room}/changes`, { after: 1 });
  const [ended, bobs] = reservations;
  assert.deepEqual(ended, { id: made.id, ended: true, revision: ended.revision });
  assert.deepEqual(bobs, { ...waited, revision: waited.fence });
  assert.ok(ended.revision < bobs.revision);
  assert.deepEqual((await release(t, room, made)).body, { released: false });
});

heldContract(
  "a renewed one lasts, and one that was shortened ends sooner",
  async ({ one: t, other, pass }) => {
    const room = await t.room();
    const long = await reserve(t, room, "ann", ["a"], { ttl: 1 });
    const short = await reserve(t, room, "ann", ["b"], { ttl: 60 });
    for (const [{ id, fence }, ttl] of [[long, 60], [short, 1]] as const) {
      assertStatus(await t.post(`${pathOf(room, id)}/renew`, { agent: "ann", fence, ttl }), 200);
    }
    pass(999);
    assertReserved(await ask(other, room, "bob", ["b"]), [short.id]);
    const waiting = ask(other, room, "bob", ["b"], { timeout: 10_000 });
    pass(1);
    assertStatus(await waiting, 201);
    assertReserved(await ask(t, room, "bob", ["a"]), [long.id]);
  },
);

contract("who waits shows it, gets the paths with their release, and else the refusal", async (t) => {
  const room = await t.room();
  await t.agent(room, "bob");
  const made = await reserve(t, room, "ann", ["a/**"]);
  const waiting = ask(t, room, "bob", ["a/b", "c"], { timeout: 20_000 });
  const bob = await t.agentUntil(room, "bob", ({ status }) => status === "waiting");
  assert.equal(bob.waiting_on, "reserve a/b c");
  const from = Date.now();
  await release(t, room, made);
  const got = await waiting;
  assertStatus(got, 201);
  assert.ok(Date.now() - from < 2_000, "it did not wake");
  assert.equal((await t.get(`/rooms/${room}/agents/bob`)).body.status, "active");

  const refused = await ask(t, room, "ann", ["c"], { timeout: 300 });
  assertReserved(refused, [got.body.id]);
  assert.match(refused.body.hint, /not free in time/);
  assert.match((await ask(t, room, "ann", ["c"])).body.hint, /wait until these are free: `timeout`/);
});

contract(
  "who waits for paths of several others gets them when the last is free, whichever ends first",
  async (t) => {
    const room = await t.room();
    await t.agent(room, "bob");
    const [first, second, renewed] = [
      await reserve(t, room, "ann", ["a"]),
      await reserve(t, room, "eve", ["b"]),
      await reserve(t, room, "dan", ["c"]),
    ];
    const waiting = ask(t, room, "bob", ["a", "b", "c"], { timeout: 20_000 });
    let isOver = false;
    waiting.then(() => isOver = true);
    await t.agentUntil(room, "bob", ({ status }) => status === "waiting");
    const { agent, fence, id } = renewed;
    assertStatus(await t.post(`${pathOf(room, id)}/renew`, { agent, fence, ttl: 60 }), 200);
    for (const made of [first, renewed]) {
      await release(t, room, made);
      assertReserved(await ask(t, room, "bob", ["b"]), [second.id]);
      assert.equal(isOver, false);
    }
    const from = Date.now();
    await release(t, room, second);
    assertStatus(await waiting, 201);
    assert.ok(Date.now() - from < 10_000, "it did not wake before its last attempt");
  },
);

contract("a client that goes away waits no longer, and gets nothing", async (t) => {
  const room = await t.room();
  await t.agent(room, "bob");
  const made = await reserve(t, room, "ann", ["a"]);
  const leaving = new AbortController();
  const body = JSON.stringify({ agent: "bob", paths: ["a"], timeout: 20_000 });
  const gone = fetch(new URL(pathOf(room), t.url), { method: "POST", body, signal: leaving.signal });
  await t.agentUntil(room, "bob", ({ status }) => status === "waiting");
  leaving.abort();
  await assert.rejects(gone);
  await t.agentUntil(room, "bob", ({ status }) => status === "active");
  await release(t, room, made);
  assertStatus(await ask(t, room, "cyd", ["a"]), 201);
});

contract(
  "of many who wait for the same paths the oldest is first, and those beside it get theirs",
  async (t) => {
    const room = await t.room();
    const made = await reserve(t, room, "ann", ["**"]);
    const order: string[] = [];
    const waits: Promise<unknown>[] = [];
    for (
      const [agent, paths] of [["b0", ["a/*"]], ["b1", ["a/x"]], ["b2", ["b"]], ["b3", ["*/x"]]] as const
    ) {
      await t.agent(room, agent);
      const waiting = ask(t, room, agent, [...paths], { timeout: 20_000 }).then(async (reply) => {
        assertStatus(reply, 201);
        order.push(agent);
        if (agent !== "b2") await release(t, room, reply.body);
      });
      waits.push(waiting);
      await t.agentUntil(room, agent, ({ status }) => status === "waiting");
    }
    await release(t, room, made);
    await Promise.all(waits);
    assert.deepEqual(order.filter((agent) => agent !== "b2"), ["b0", "b1", "b3"]);
  },
);

contract("many at once get paths that are theirs alone", async (t) => {
  const room = await t.room();
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => {
    return ask(t, room, `a${n}`, [`dir${n % 5}/**`, `only/${n}`]);
  }));
  const made = all.filter(({ status }) => status === 201);
  assert.equal(made.length, 5);
  assert.equal(new Set(made.map(({ body }) => body.paths[0])).size, 5);
  for (const reply of all) if (reply.status !== 201) assertError(reply, 409, "reserved", ["conflicts"]);
  assert.equal((await listed(t, room)).length, 5);
});

contract("streams tell of reservations, and of their end", async (t) => {
  const room = await t.room();
  const stream = await openEvents(`${t.url}/rooms/${room}/events`);
  const made = await reserve(t, room, "ann", ["a"]);
  const told = await stream.next(({ reservations }) => reservations.length > 0);
  assert.deepEqual(told!.data.reservations, [{ ...made, revision: made.fence }]);
  await release(t, room, made);
  const ended = await stream.next(({ reservations }) => reservations[0]?.ended);
  assert.deepEqual(ended!.data.reservations, [{ id: made.id, ended: true, revision: 2 }]);
  stream.leave();
  await stream.ended;
});

contract("a keyed request reserves once, even where the paths are another's by now", async (t) => {
  const room = await t.room();
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const send = () => t.request("POST", pathOf(room), { headers, body: { agent: "ann", paths: ["a"] } });
  const first = await send();
  assertStatus(first, 201);
  assertStatus(await release(t, room, first.body), 200);
  await reserve(t, room, "bob", ["a"]);
  const again = await send();
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal((await listed(t, room)).length, 1);
});

/** A glob of so many alternatives, in two braces. */
const braces = (count: number) => `{a${",".repeat(count - 3)}}/{b,c}`;

contract("what is wrong with a request is named, with the glob and its place", async (t) => {
  const room = await t.room();
  const bad: Array<[body: Json, path: Array<string | number>, said?: RegExp]> = [
    [{ paths: ["a"] }, ["agent"]],
    [{ agent: "ann" }, ["paths"]],
    [{ agent: "ann", paths: "a" }, ["paths"]],
    [{ agent: "ann", paths: [] }, ["paths"]],
    [{ agent: "ann", paths: ["a", "a**b"] }, ["paths", 1], /position 1\b/],
    [{ agent: "ann", paths: ["src/[^a]"] }, ["paths", 0], /position 5\b/],
    [{ agent: "ann", paths: ["/src"] }, ["paths", 0], /position 0\b/],
    [{ agent: "ann", paths: ["a\\*"] }, ["paths", 0], /position 1\b/],
    [{ agent: "ann", paths: ["x".repeat(513)] }, ["paths", 0], /512/],
    [{ agent: "ann", paths: Array(21).fill("a") }, ["paths"], /20/],
    [{ agent: "ann", paths: ["a", braces(65)] }, ["paths", 1], /64/],
    [{ agent: "ann", paths: Array(5).fill("x".repeat(410)) }, ["paths"], /2048/],
    [{ agent: "ann", paths: ["a"], mode: "own" }, ["mode"], /shared/],
    [{ agent: "ann", paths: ["a"], ttl: 0 }, ["ttl"]],
    [{ agent: "ann", paths: ["a"], ttl: 86_401 }, ["ttl"]],
    [{ agent: "ann", paths: ["a"], ttl: 1.5 }, ["ttl"]],
    [{ agent: "ann", paths: ["a"], timeout: -1 }, ["timeout"]],
    [{ agent: "ann", paths: ["a"], path: "b" }, ["path"], /paths/],
  ];
  for (const [body, path, said = /./] of bad) {
    const reply = await t.post(pathOf(room), body);
    assertInvalid(reply, path);
    assert.match(reply.text, said);
  }
  assertInvalid(await t.post(`${pathOf(room, "x")}/renew`, { agent: "ann", ttl: 5 }), ["fence"]);
  assertInvalid(await t.post(`${pathOf(room, "x")}/renew`, { agent: "ann", fence: 5 }), ["ttl"]);
  assertError(
    await t.post("/rooms/none/reservations", { agent: "ann", paths: ["a"] }),
    404,
    "room_not_found",
  );
  assertError(await t.get("/rooms/none/reservations"), 404, "room_not_found");
  assertStatus(await ask(t, room, "ann", Array(4).fill("x".repeat(512)), { ttl: 86_400 }), 201);
  assertStatus(await ask(t, room, "ann", [braces(64)]), 201);
  assertStatus(await ask(t, room, "bob", Array(20).fill("y"), { ttl: 1, timeout: 99_999 }), 201);
});

contract("a note has at most 4 KiB of JSON", async (t) => {
  const room = await t.room();
  assertStatus(await ask(t, room, "ann", ["a"], { note: "x".repeat(4_094) }), 201);
  assertError(await ask(t, room, "ann", ["a"], { note: "x".repeat(4_095) }), 413, "too_large");
});

contract("globs of at most 64 KiB are in force in a room", async (t) => {
  const room = await t.room();
  const globs = (n: number) => Array.from({ length: 4 }, (_, k) => `${n}/${k}/`.padEnd(512, "é"));
  const bytes = new TextEncoder().encode(globs(10).join("")).length;
  let left = 64 * 1024;
  for (let n = 10; left >= bytes; n++, left -= bytes) await reserve(t, room, "ann", globs(n));
  const full = await ask(t, room, "bob", globs(99));
  assertError(full, 409, "limit_reached");
  const rest = Array.from({ length: Math.ceil(left / 512) }, (_, n) => {
    return `${n}`.padEnd(Math.min(512, left - n * 512), "x");
  });
  const last = await reserve(t, room, "bob", rest);
  assertError(await ask(t, room, "cyd", ["z"]), 409, "limit_reached");
  await release(t, room, last);
  assertStatus(await ask(t, room, "cyd", ["z"]), 201);
});

Deno.test("two instances keep agents off each other's paths, and those who wait are woken", async () => {
  const { services, stop } = await startCluster();
  try {
    const [one, two] = services.map(({ url }) => new Subject(url)) as [Subject, Subject];
    const room = await one.room();
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => {
      return ask(n % 2 ? one : two, room, `a${n}`, ["src/**"], { ttl: 60 });
    }));
    const made = all.filter(({ status }) => status === 201);
    assert.equal(made.length, 1);
    await two.agent(room, "bob");
    const waiting = ask(two, room, "bob", ["src/a"], { timeout: 20_000 });
    await one.agentUntil(room, "bob", ({ waiting_on }) => waiting_on === "reserve src/a");
    const from = Date.now();
    assertStatus(await release(one, room, made[0]!.body), 200);
    assertStatus(await waiting, 201);
    assert.ok(Date.now() - from < 2_000, "it was woken late");
  } finally {
    await stop();
  }
});
