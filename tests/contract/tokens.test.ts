import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";
import { bearer, holding } from "../support/tokens.ts";

/** A room with the secure agent ann, who makes tokens. */
async function guarded(t: Subject) {
  const room = await t.room();
  const reply = await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann", secure: true });
  assertStatus(reply, 201);
  const ann = holding(t, reply.body.token);
  const make = async (body: Json) => {
    const made = await ann.post(`/rooms/${room}/tokens`, body);
    assertStatus(made, 201);
    return { ...holding(t, made.body.token), id: made.body.id as string };
  };
  return { path: `/rooms/${room}`, ann, make };
}

/** All that acts as an agent, with the least that it needs. */
const ACTS: Array<[what: string, method: string, path: string, body: (agent: string) => Json]> = [
  ["a message", "POST", "/messages", (from) => ({ from, body: 1 })],
  ["a reply", "POST", "/messages", (from) => ({ from, body: 1, reply_to: 4 })],
  ["a task that needs another", "POST", "/messages", (from_agent) => ({ from_agent, body: 1, needs: [4] })],
  ["a claim", "POST", "/messages/4/claim", (agent) => ({ agent })],
  ["a renewal", "POST", "/messages/4/renew", (agent) => ({ agent, fence: 1, ttl: 60 })],
  ["a release", "POST", "/messages/4/release", (agent) => ({ agent })],
  ["a completion", "POST", "/messages/4/complete", (agent) => ({ agent })],
  ["a failure", "POST", "/messages/4/fail", (agent) => ({ agent })],
  ["a take", "POST", "/messages/claim", (agent) => ({ agent, kind: "none" })],
  ["a take that waits", "POST", "/messages/claim", (agent) => ({ agent, kind: "none", timeout: 5_000 })],
  ["a take that looks", "POST", "/messages/claim", (agent) => ({ agent, kind: "none", where: "true" })],
  ["a reservation", "POST", "/reservations", (agent) => ({ agent, paths: ["a"] })],
  ["a put", "PUT", "/state", (agent) => ({ key: "k", value: 1, agent })],
  ["a gated put", "PUT", "/state", (agent) => ({ key: "k", value: 1, if: "self != null", agent })],
  ["an increment", "PUT", "/state", (agent) => ({ key: "n", increment: 0.5, agent })],
  ["a put into its scope", "PUT", "/state", (scope) => ({ scope, key: "k", value: 1 })],
  ["a put that does not fit", "PUT", "/state", (scope) => ({ scope, key: "k", value: 1, if_version: 99 })],
  ["a batch", "PUT", "/state/batch", (agent) => ({ writes: [{ key: "k", value: 1 }], agent })],
  ["a batch into its scope", "PUT", "/state/batch", (scope) => ({
    writes: [{ key: "k", value: 1 }, { scope, key: "k", value: 1 }],
  })],
  ["a delete", "DELETE", "/state", (agent) => ({ key: "k", agent })],
  ["a delete in its scope", "DELETE", "/state", (scope) => ({ scope, key: "none" })],
  ["a heartbeat", "POST", "/agents/ann/heartbeat", () => ({})],
  ["a heartbeat that changes it", "POST", "/agents/ann/heartbeat", () => ({ status: "busy" })],
  ["a departure", "DELETE", "/agents/ann", () => ({})],
  ["a registration", "POST", "/agents", (id) => ({ id, name: "Other" })],
  ["a secure registration", "POST", "/agents", (id) => ({ id, name: "Other", secure: true })],
  ["a wait", "POST", "/wait", (agent) => ({ agent, condition: "true" })],
  ["a wait that goes on", "POST", "/wait", (agent) => ({ agent, condition: "false", timeout: 5_000 })],
  ["an evaluation", "POST", "/eval", (agent) => ({ agent, expr: "self" })],
];

contract("nobody acts as a secure agent without its token, and nothing is left of the try", async (t) => {
  const { path, ann } = await guarded(t);
  await t.post(`${path}/agents`, { id: "bob", name: "Bob" });
  await ann.put(`${path}/state`, { key: "k", value: 0 });
  assertStatus(await t.post(`${path}/messages`, { body: 1 }), 201);
  const bob = await t.post(`${path}/agents`, { id: "eve", name: "Eve", secure: true });
  const eve = holding(t, bob.body.token);
  const before = await t.get(`${path}/changes`, { after: 0 });
  for (const [what, method, at, body] of ACTS) {
    const sent = body("ann");
    const stranger = await t.request(method, path + at, { body: sent });
    assertError(stranger, 401, "unauthenticated");
    assert.equal(stranger.headers.get("www-authenticate"), "Bearer", what);
    const keyed = { "Idempotency-Key": `key of ${what}` };
    if (!/wait|eval/.test(at)) {
      assertError(await t.request(method, path + at, { body: sent, headers: keyed }), 401, "unauthenticated");
    }
    assertError(await eve.ask(method, path + at, sent), 403, "forbidden");
  }
  const after = await t.get(`${path}/changes`, { after: 0 });
  assert.deepEqual(after.body, before.body);
});

contract(
  "a secure agent does with its token whatever it could do before, without naming itself",
  async (t) => {
    const { path, ann } = await guarded(t);
    const posted = await ann.post(`${path}/messages`, { kind: "task", body: 1 });
    assertStatus(posted, 201);
    assert.deepEqual([posted.body.from_agent, posted.body.verified], ["ann", true]);
    const { id } = posted.body;
    assert.deepEqual((await t.get(`${path}/messages/${id}`)).body, posted.body);
    assertStatus(await ann.post(`${path}/messages/${id}/claim`), 200);
    const done = await ann.post(`${path}/messages/${id}/complete`, { result: "done" });
    assert.deepEqual([done.body.result.from_agent, done.body.result.verified], ["ann", true]);
    for (const more of [{}, { ttl: 60 }, { if: 'self == "ann"' }, { if_version: 3 }]) {
      const put = await ann.put(`${path}/state`, { key: "k", value: 1, ...more });
      assert.deepEqual([put.status, put.body.updated_by, put.body.verified_by], [200, "ann", true], put.text);
      assert.deepEqual((await t.get(`${path}/state`, { key: "k" })).body, put.body);
    }
    assertStatus(await ann.post(`${path}/reservations`, { paths: ["a"] }), 201);
    assert.equal((await ann.post(`${path}/eval`, { expr: "self" })).body.value, "ann");
    assert.equal((await ann.post(`${path}/wait`, { condition: "self == 'ann'" })).body.triggered, true);
    assertStatus(await ann.post(`${path}/agents/ann/heartbeat`), 200);
    const again = await ann.post(`${path}/agents`, { name: "Ann again", secure: true });
    assertMembers(again.body, [...members.agent, "private", "created"]);
    assert.deepEqual([again.body.id, again.body.secure, again.body.created], ["ann", true, false]);
  },
);

contract("what others write is not verified, nor what stood under its name before", async (t) => {
  const { path, ann } = await guarded(t);
  assert.equal((await t.post(`${path}/messages`, { from: "bob", body: 1 })).body.verified, false);
  await ann.put(`${path}/state`, { key: "k", value: 1 });
  const over = await t.put(`${path}/state`, { key: "k", value: 2, agent: "bob" });
  assert.deepEqual([over.body.updated_by, over.body.verified_by], ["bob", false]);
  assert.equal((await t.get(`${path}/state`, { key: "k" })).body.verified_by, false);
  const expr = "[messages.id[2].verified, agents.ann.secure]";
  assert.deepEqual((await t.post(`${path}/eval`, { expr })).body.value, [false, true]);
});

contract("an id under which somebody has acted is not taken over", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  await t.post(`${path}/agents`, { id: "registered", name: "R" });
  const { id } = await t.message(room, { from: "sender" });
  await t.post(`${path}/messages/${id}/claim`, { agent: "claimer" });
  await t.post(`${path}/reservations`, { agent: "holder", paths: ["a"] });
  await t.write(room, "k", 1, { scope: "writer" });
  for (const taken of ["registered", "sender", "claimer", "holder", "writer"]) {
    const body = { id: taken, name: "E", secure: true };
    assertError(await t.post(`${path}/agents`, body), 409, "agent_exists");
  }
  assertStatus(await t.post(`${path}/agents`, { id: "new", name: "N", secure: true }), 201);
});

contract("a bound token names no other agent, secure or not", async (t) => {
  const { path, ann } = await guarded(t);
  const acts: Array<[string, string, Json]> = [
    ["POST", "/messages", { from: "bob", body: 1 }],
    ["PUT", "/state", { key: "k", value: 1, agent: "bob" }],
    ["POST", "/agents", { id: "bob", name: "Bob" }],
    ["POST", "/messages/claim", { agent: "bob" }],
  ];
  for (const [method, at, body] of acts) {
    assertError(await ann.ask(method, path + at, body), 403, "forbidden");
  }
  assertStatus(await ann.put(`${path}/state`, { scope: "board", key: "k", value: 1 }), 200);
});

contract(
  "a token is refused where it does not count: 401 in a room that is there, 404 in none",
  async (t) => {
    const { path, ann } = await guarded(t);
    const other = `/rooms/${await t.room()}`;
    for (
      const at of [
        "",
        "/state",
        "/state?key=k",
        "/messages",
        "/messages/1",
        "/agents",
        "/changes",
        "/events",
        "/tokens",
      ]
    ) {
      assertError(await ann.get(other + at), 401, "unauthenticated");
      assertError(await ann.get("/rooms/none" + at), 404, "room_not_found");
    }
    assertError(await ann.put(`${other}/state`, { key: "k", value: 1 }), 401, "unauthenticated");
    assert.equal((await t.get(`${other}/state`)).body.length, 0);
    const slip = ann.token.slice(0, -1) + (ann.token.endsWith("0") ? "1" : "0");
    for (const at of [path, "/rooms", "/healthz", "/none", "/mcp"]) {
      assertError(await holding(t, slip).get(at), 401, "unauthenticated");
    }
    const two = { Authorization: `Bearer ${ann.token}, Bearer ${ann.token}` };
    assertInvalid(await t.request("GET", path, { headers: two }), ["Authorization"]);
    const others = ["Basic YTpi", "Basic !", "Bearer eyJhbGciOi.cvn_m_x", "Token abc", "Digest a=b", ""];
    const ofSchemes = [`Token ${ann.token}`, `Basic ${btoa(`ann:${ann.token}`)}`, `Basic ${ann.token}`];
    for (const ignored of [...others, ...ofSchemes]) {
      assertStatus(await t.request("GET", path, { headers: { Authorization: ignored } }), 200);
    }
    assertStatus(await t.request("GET", path, { headers: { Authorization: `bEARER  ${ann.token}` } }), 200);
  },
);

contract("a token in another form than a Bearer's is refused, so that nobody writes as nobody", async (t) => {
  const { path, ann } = await guarded(t);
  const forms = [
    ann.token,
    `Bearer "${ann.token}"`,
    `Bearer <${ann.token}>`,
    `bearer:${ann.token}`,
    `Bearer: ${ann.token}`,
    `Bearer token=${ann.token}`,
    `Bearer Bearer ${ann.token}`,
    `Bearer${ann.token}`,
    `Bearer%20${ann.token}`,
    `Bearer+${ann.token}`,
    `Bearer _${ann.token}`,
    "Bearer <token>",
    "bearer <your token>",
    "Bearer $TOKEN",
    "Bearer ${TOKEN:?}",
  ];
  for (const Authorization of forms) {
    for (const at of [`${path}/messages`, "/rooms", "/mcp"]) {
      const reply = await t.request("POST", at, { body: { body: 1 }, headers: { Authorization } });
      assertError(reply, 401, "unauthenticated");
      assert.match(reply.body.hint, /Authorization: Bearer cvn_/, Authorization);
      assert.equal(reply.headers.get("www-authenticate"), "Bearer");
      assert.doesNotMatch(reply.text, new RegExp(ann.token));
    }
  }
  assert.equal((await t.get(`${path}/messages`)).body.length, 0);
});

/** What acts as an agent, and would be refused for what it finds too. */
const IN_VAIN: Array<[what: string, method: string, path: string, body: (agent: string) => Json]> = [
  ["a false gate", "PUT", "/state", (agent) => ({ key: "k", value: 1, if: "false", agent })],
  ["a gate that fails", "PUT", "/state", (agent) => ({ key: "k", value: 1, if: "state.no.such", agent })],
  ["a gate of its scope", "PUT", "/state", (scope) => ({ scope, key: "k", value: 1, if: "false" })],
  ["a version", "PUT", "/state", (agent) => ({ key: "k", value: 1, if_version: 99, agent })],
  ["no number", "PUT", "/state", (agent) => ({ key: "text", increment: 1, agent })],
  ["no number to add a fraction to", "PUT", "/state", (agent) => ({ key: "text", increment: 0.5, agent })],
  ["no list", "PUT", "/state", (agent) => ({ key: "text", append: 1, agent })],
  ["no list behind a gate", "PUT", "/state", (agent) => ({ key: "text", append: 1, if: "true", agent })],
  ["a delete's version", "DELETE", "/state", (agent) => ({ key: "k", if_version: 99, agent })],
  ["a delete's gate", "DELETE", "/state", (agent) => ({ key: "k", if: "false", agent })],
  ["a batch's gate", "PUT", "/state/batch", (agent) => ({
    writes: [{ key: "k", value: 1 }],
    if: "false",
    agent,
  })],
  ["a batch's version", "PUT", "/state/batch", (agent) => ({
    writes: [{ key: "k", value: 1, if_version: 99 }],
    agent,
  })],
  ["a batch of edits", "PUT", "/state/batch", (scope) => ({
    writes: [{ key: "text", append: 1 }, { scope, key: "text", increment: 0.5 }],
  })],
  ["a reply to nothing", "POST", "/messages", (from) => ({ from, body: 1, reply_to: 99 })],
  ["a need of nothing", "POST", "/messages", (from) => ({ from, kind: "task", body: 1, needs: [99] })],
  ["a claim of nothing", "POST", "/messages/99/claim", (agent) => ({ agent })],
  ["a claim of what is claimed", "POST", "/messages/4/claim", (agent) => ({ agent })],
  ["a renewal", "POST", "/messages/4/renew", (agent) => ({ agent, fence: 99, ttl: 60 })],
  ["a release", "POST", "/messages/4/release", (agent) => ({ agent, fence: 99 })],
  ["a completion", "POST", "/messages/4/complete", (agent) => ({ agent, fence: 99 })],
  ["a failure", "POST", "/messages/4/fail", (agent) => ({ agent, fence: 99 })],
  ["a reservation of what is reserved", "POST", "/reservations", (agent) => ({ agent, paths: ["a"] })],
  ["a release of nothing", "DELETE", "/reservations/none", (agent) => ({ agent, fence: 1 })],
  ["a renewal of nothing", "POST", "/reservations/none/renew", (agent) => ({ agent, fence: 1, ttl: 60 })],
];

contract("who may not write is told that first, whatever else is in the way", async (t) => {
  const { path, make } = await guarded(t);
  const eve = await t.post(`${path}/agents`, { id: "eve", name: "Eve", secure: true });
  assertStatus(eve, 201);
  assertStatus(await t.put(`${path}/state`, { key: "text", value: "a" }), 200);
  assert.equal((await t.post(`${path}/messages`, { kind: "task", body: 1 })).body.id, 4);
  assertStatus(await t.post(`${path}/messages/4/claim`, { agent: "bob" }), 200);
  assertStatus(await t.post(`${path}/reservations`, { agent: "bob", paths: ["a"] }), 201);
  const reader = await make({ role: "reader" });
  const askedBy = { eve: holding(t, eve.body.token), reader };
  for (const [what, method, at, body] of IN_VAIN) {
    const ask = () => t.request(method, path + at, { body: body("ann") });
    for (const reply of [await ask(), ...await Promise.all([ask(), ask(), ask()])]) {
      assert.deepEqual([reply.status, reply.body.error], [401, "unauthenticated"], what);
    }
    for (const [who, { ask }] of Object.entries(askedBy)) {
      const reply = await ask(method, path + at, body("ann"));
      assert.deepEqual([reply.status, reply.body.error], [403, "forbidden"], `${what} by ${who}`);
    }
    const able = await t.request(method, path + at, { body: body("bert") });
    assert.notEqual(able.status, 401, what);
    assert.ok(able.status >= 400, `${what} is in vain: ${able.text}`);
  }
});

/** What reads as an agent or for a token, many times at once. */
const BURST = 250;

contract("many reads at once under one token are all answered, and none after it is revoked", async (t) => {
  const { path, ann, make } = await guarded(t);
  assertStatus(await ann.post(`${path}/agents`, { name: "Ann", secure: true, private: true }), 200);
  assertStatus(await ann.put(`${path}/state`, { scope: "ann", key: "k", value: 7 }), 200);
  const reads: Array<(who: Pick<typeof ann, "ask">, n: number) => Promise<Reply>> = [
    ({ ask }, n) => ask("POST", `${path}/eval`, { expr: `${n} - ${n} + state.ann.k` }),
    ({ ask }) => ask("GET", `${path}/state?scope=ann&key=k`),
    ({ ask }, n) => ask("POST", `${path}/wait`, { condition: `state.ann.k + ${n} > 0`, timeout: 0 }),
  ];
  for (const read of reads) {
    const token = await make({ role: "member" });
    const burst = () => Promise.all(Array.from({ length: BURST }, (_, n) => read(token, n)));
    const counts = (replies: Reply[]) =>
      Object.fromEntries(
        Map.groupBy(replies, ({ status }) => status).entries().map(([s, all]) => [s, all.length]),
      );
    assert.deepEqual(counts(await burst()), { 200: BURST });
    assertStatus(await ann.ask("DELETE", `${path}/tokens/${token.id}`), 200);
    assert.deepEqual(counts(await burst()), { 401: BURST });
  }
});

contract("a reader reads, waits and evaluates, and changes nothing", async (t) => {
  const { path, ann, make } = await guarded(t);
  const reader = await make({ role: "reader" });
  const before = await t.revision(path.slice("/rooms/".length));
  for (const at of ["", "/state", "/messages", "/agents", "/changes"]) {
    assertStatus(await reader.get(path + at), 200);
  }
  assertStatus(await reader.post(`${path}/wait`, { condition: "true" }), 200);
  assertStatus(await reader.post(`${path}/eval`, { expr: "1" }), 200);
  const writes: Array<[string, string, Json]> = [
    ["POST", "/messages", { body: 1 }],
    ["PUT", "/state", { key: "k", value: 1 }],
    ["PUT", "/state/batch", { writes: [{ key: "k", value: 1 }] }],
    ["DELETE", "/state", { key: "k" }],
    ["POST", "/agents", { name: "R" }],
    ["PATCH", "", { meta: { a: 1 } }],
    ["POST", "/messages/claim", { agent: "bob" }],
    ["POST", "/reservations", { agent: "bob", paths: ["a"] }],
    ["POST", "/tokens", { role: "reader" }],
  ];
  for (const [method, at, body] of writes) {
    assertError(await reader.ask(method, path + at, body), 403, "forbidden");
  }
  assert.equal(await t.revision(path.slice("/rooms/".length)), before);
  // One that is bound has its agent's eyes, and never shows as waiting.
  const bound = await make({ role: "reader", agent: "ann" });
  assert.equal((await bound.post(`${path}/eval`, { expr: "self" })).body.value, "ann");
  const wait = bound.post(`${path}/wait`, { condition: "has(state._shared.go)" });
  assertStatus(await ann.put(`${path}/state`, { key: "go", value: 1 }), 200);
  assert.equal((await wait).body.triggered, true);
});

contract("a member makes narrower tokens of its own agent, which end with it", async (t) => {
  const { path, ann, make } = await guarded(t);
  for (
    const body of [{ role: "admin" }, { role: "member", agent: "bob" }, { role: "reader", agent: "bob" }]
  ) {
    assertError(await ann.post(`${path}/tokens`, body), 403, "forbidden");
  }
  const member = await make({ role: "member", note: "second" });
  assert.equal((await member.post(`${path}/messages`, { body: 1 })).body.from_agent, "ann");
  const made = await member.post(`${path}/tokens`, { role: "reader", ttl: 60 });
  const reader = holding(t, made.body.token);
  assertStatus(await reader.get(path), 200);
  const list = await ann.get(`${path}/tokens`);
  assert.deepEqual(list.body.map(({ role, note }: Json) => [role, note]).sort(), [
    ["member", null],
    ["member", "second"],
    ["reader", null],
  ]);
  assert.doesNotMatch(list.text, /cvn_/);
  assert.equal((await reader.get(`${path}/tokens`)).body.length, 1);
  assertError(await reader.ask("DELETE", `${path}/tokens/${member.id}`), 404, "token_not_found");
  assertError(await t.request("DELETE", `${path}/tokens/${member.id}`), 401, "unauthenticated");
  assertError(await t.get(`${path}/tokens`), 401, "unauthenticated");
  const revoked = await ann.ask("DELETE", `${path}/tokens/${member.id}`);
  assert.deepEqual([revoked.status, revoked.body], [200, { revoked: true }]);
  for (const gone of [member, reader]) assertError(await gone.get(path), 401, "unauthenticated");
  assertError(await ann.ask("DELETE", `${path}/tokens/${member.id}`), 404, "token_not_found");
  assertStatus(await ann.get(path), 200);
});

contract("a revoked token's waits and streams end within a polling interval", async (t) => {
  const { path, ann, make } = await guarded(t);
  const reader = await make({ role: "reader" });
  const never = { condition: "has(state._shared.never)", timeout: 20_000 };
  const wait = reader.post(`${path}/wait`, never);
  const stream = await fetch(new URL(`${path}/events`, t.url), { headers: bearer(reader.token) });
  const first = stream.body!.getReader();
  await first.read();
  const others = ann.post(`${path}/wait`, { ...never, condition: "has(state._shared.later)" });
  const revoked = performance.now();
  assertStatus(await ann.ask("DELETE", `${path}/tokens/${reader.id}`), 200);
  const ended = await wait;
  assertError(ended, 401, "unauthenticated");
  assert.match(ended.body.hint, /^Send another, which an admin or an invitation gives/);
  while (!(await first.read()).done);
  assert.ok(performance.now() - revoked < 2_000, `${performance.now() - revoked} ms`);
  await t.put(`${path}/state`, { key: "later", value: 1 });
  assert.equal((await others).body.triggered, true);
});

contract("a token is shown once: a repetition has null and says what to do", async (t) => {
  const { path, ann } = await guarded(t);
  const key = { "Idempotency-Key": "made once" };
  const [first, again] = [
    await ann.ask("POST", `${path}/tokens`, { role: "reader" }, key),
    await ann.ask("POST", `${path}/tokens`, { role: "reader" }, key),
  ];
  assert.match(first.body.token, /^cvn_r_[0-9A-Za-z]{49}$/);
  assert.deepEqual([again.body.id, again.body.token, again.status], [first.body.id, null, 201]);
  assert.equal(typeof again.body.hint, "string");
  const body = { id: "zed", name: "Z", secure: true };
  const zed = await t.request("POST", `${path}/agents`, { body, headers: key });
  const lost = await t.request("POST", `${path}/agents`, { body, headers: key });
  assert.match(zed.body.token, /^cvn_m_/);
  assert.deepEqual([lost.body.token, lost.body.id], [null, "zed"]);
  // Keys count by token: another's is another key.
  const other = await holding(t, zed.body.token).ask("POST", `${path}/tokens`, { role: "reader" }, key);
  assert.notEqual(other.body.id, first.body.id);
});

contract("a token has a role, and bounds of its life and note", async (t) => {
  const { path, ann } = await guarded(t);
  const refused: Array<[Json, string[]]> = [
    [{}, ["role"]],
    [{ role: "owner" }, ["role"]],
    [{ role: "reader", ttl: 59 }, ["ttl"]],
    [{ role: "reader", ttl: 31_536_001 }, ["ttl"]],
    [{ role: "reader", note: "x".repeat(257) }, ["note"]],
    [{ role: "reader", note: "a\0b" }, ["note"]],
    [{ role: "reader", agent: "_x" }, ["agent"]],
  ];
  for (const [body, at] of refused) assertInvalid(await ann.post(`${path}/tokens`, body), at);
  for (
    const body of [{ role: "reader", ttl: 60, note: "x".repeat(256) }, { role: "reader", ttl: 31_536_000 }]
  ) {
    const { body: made } = await ann.post(`${path}/tokens`, body);
    const life = Date.parse(made.expires_at) - Date.parse(made.created_at);
    assert.equal(life, 1_000 * body.ttl);
  }
});

contract("of many writes at once each is judged by its own token, whatever travels with it", async (t) => {
  const { path, ann, make } = await guarded(t);
  const secure = async (path: string, id: string) => {
    const { body } = await t.post(`${path}/agents`, { id, name: id, secure: true });
    return holding(t, body.token);
  };
  const [bob, other] = [await secure(path, "bob"), await secure(`/rooms/${await t.room()}`, "ann")];
  const [reader, gone] = [await make({ role: "reader", agent: "ann" }), await make({ role: "member" })];
  const nobody = { ask: (method: string, path: string, body?: unknown) => t.request(method, path, { body }) };
  for (const each of [ann, bob, reader, gone]) assertStatus(await each.get(path), 200); // so that all are known
  assertStatus(await ann.ask("DELETE", `${path}/tokens/${gone.id}`), 200);
  type Try = [by: Pick<typeof ann, "ask">, as: string | undefined, refused?: number, scope?: string];
  const owners: Try[] = [[ann, "ann"], [ann, undefined], [bob, "bob"], [bob, undefined]];
  const good: Try[] = [...owners, [nobody, "eve"], [nobody, undefined], [bob, "bob", undefined, "eve"]];
  const refused: Try[] = [
    [nobody, "ann", 401],
    [bob, "ann", 403],
    [bob, "eve", 403],
    [bob, "bob", 403, "ann"],
    [nobody, "eve", 401, "ann"],
    [reader, "ann", 403],
    [gone, "ann", 401],
    [other, "ann", 401],
  ];
  let sent = 0;
  for (const all of [owners, good, ...refused.flatMap((one) => [[...owners, one], [...good, one]])]) {
    await Promise.all(all.map(async ([by, as, refused, scope]) => {
      const who = as ?? (by === ann ? "ann" : by === bob ? "bob" : null);
      const verified = by === ann || by === bob;
      const key = `k${sent++}`;
      const put = await by.ask("PUT", `${path}/state`, { key, value: 1, agent: as, scope });
      assert.equal(put.status, refused ?? 200, put.text);
      const read = await t.get(`${path}/state`, { key, scope: scope ?? "_shared" });
      if (refused) return assertError(read, 404, "key_not_found");
      assert.deepEqual([put.body.updated_by, put.body.verified_by], [who, verified]);
      assert.deepEqual(read.body, put.body);
    }));
    await Promise.all(all.map(async ([by, from, refused, scope]) => {
      if (scope) return;
      const who = from ?? (by === ann ? "ann" : by === bob ? "bob" : null);
      const post = await by.ask("POST", `${path}/messages`, { from, body: 1 });
      assert.equal(post.status, refused ?? 201, post.text);
      if (refused) return;
      assert.deepEqual([post.body.from_agent, post.body.verified], [who, by === ann || by === bob]);
      const { notice, ...posted } = post.body;
      assert.equal(notice, who === "eve" ? "agent_not_registered" : undefined);
      assert.deepEqual((await t.get(`${path}/messages/${post.body.id}`)).body, posted);
    }));
  }
  // One that was seen in force and is revoked, alone and beside others of the room.
  for (
    const [method, at, body] of [["PUT", "/state", { key: "k", value: 1 }], ["POST", "/messages", {
      body: 1,
    }]] as const
  ) {
    for (const beside of [0, 2]) {
      const revoked = await make({ role: "member" });
      assertStatus(await revoked.ask(method, path + at, body), method === "PUT" ? 200 : 201);
      assertStatus(await ann.ask("DELETE", `${path}/tokens/${revoked.id}`), 200);
      const others = Array.from({ length: beside }, () => bob.ask(method, path + at, body));
      assertError(await revoked.ask(method, path + at, body), 401, "unauthenticated");
      for (const reply of await Promise.all(others)) assert.ok(reply.status < 300, reply.text);
    }
  }
  const { body: seen } = await t.get(`${path}/agents/ann`);
  assert.ok(seen.last_heartbeat > seen.joined_at, "a write is a sign of life");
});

contract("under a key, too, a token or an invitation that is not there is not revoked", async (t) => {
  const { path, ann, make } = await guarded(t);
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  for (const [at, code] of [["/tokens/none", "token_not_found"], ["/invites/none", "forbidden"]] as const) {
    for (let n = 0; n < 2; n++) {
      const refused = await ann.ask("DELETE", path + at, undefined, headers);
      assertError(refused, code === "forbidden" ? 403 : 404, code);
    }
  }
  const { id } = await make({ role: "reader" });
  for (const replayed of [null, "true"]) {
    const revoked = await ann.ask("DELETE", `${path}/tokens/${id}`, undefined, headers);
    assert.deepEqual([revoked.status, revoked.headers.get("idempotency-replayed")], [200, replayed]);
  }
});
