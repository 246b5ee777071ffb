import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

const encoded = encodeURIComponent;
const surrogate = "\uD800";

/** What is neither an id nor a key. */
const never = [
  "",
  " ",
  "   ",
  "a\u0000",
  "a\nb",
  "\t",
  "a\u007F",
  "\u0085",
  "a\u009F",
  surrogate,
  `a${surrogate}b`,
];
/** What is a key and no id. */
const notIds = [".", ".."];
/** Ids of every kind, those that paths must have encoded among them. */
const ids = [
  "a b",
  " a ",
  "a.b",
  "...",
  "žluť",
  "会议室",
  "😀",
  "a/b",
  "a?b=c&d#e",
  "100%",
  "%41",
  "a+b",
  "a\\b",
  "it's",
  '"quoted"',
  "<b>",
  "constructor",
  "null",
  "0",
  "\u00A0x",
  "e\u0301",
];

const unique = (id: string) => `${id} ${crypto.randomUUID()}`;

async function refusedEverywhere(t: Subject, room: string, id: string): Promise<void> {
  const path = `/rooms/${room}`;
  const message = await t.message(room);
  assertInvalid(await t.post("/rooms", { id }), ["id"]);
  assertInvalid(await t.post(`${path}/agents`, { id, name: "a" }), ["id"]);
  assertInvalid(await t.post(`${path}/messages`, { body: 1, from: id }), ["from"]);
  assertInvalid(await t.post(`${path}/messages`, { body: 1, to: id }), ["to"]);
  assertInvalid(await t.post(`${path}/messages/${message.id}/claim`, { agent: id }), ["agent"]);
  assertInvalid(await t.put(`${path}/state`, { key: "k", value: 1, scope: id }), ["scope"]);
  assertInvalid(await t.put(`${path}/state`, { key: "k", value: 1, agent: id }), ["agent"]);
  assertInvalid(await t.put(`${path}/state/batch`, { writes: [{ key: "k", value: 1 }], agent: id }), [
    "agent",
  ]);
  assertInvalid(await t.put(`${path}/state/batch`, { writes: [{ scope: id, key: "k", value: 1 }] }), [
    "writes",
    0,
    "scope",
  ]);
  assertInvalid(await t.delete(`${path}/state`, { key: "k", scope: id }), ["scope"]);
  assertInvalid(await t.post(`${path}/eval`, { expr: "1", agent: id }), ["agent"]);
  assertInvalid(await t.post(`${path}/wait`, { condition: "true", agent: id }), ["agent"]);
}

contract("what is no id is refused in every body", async (t) => {
  const room = await t.room();
  for (const id of [...never, ...notIds, "x".repeat(129), "😀".repeat(65)]) {
    await refusedEverywhere(t, room, id);
  }
  assert.deepEqual((await t.get(`/rooms/${room}/agents`)).body, []);
  assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, []);
});

contract("what is no key is refused in every body", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  for (const key of [...never, "x".repeat(257), "😀".repeat(129)]) {
    assertInvalid(await t.put(path, { key, value: 1 }), ["key"]);
    assertInvalid(await t.put(path, { scope: "_view", key, expr: "1" }), ["key"]);
    assertInvalid(await t.put(`${path}/batch`, { writes: [{ key, value: 1 }] }), ["writes", 0, "key"]);
    assertInvalid(await t.delete(path, { key }), ["key"]);
  }
  assert.deepEqual((await t.get(path)).body, []);
});

contract("what stands in documents for a text of one's own choice is refused where it is sent", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  await refusedEverywhere(t, room, "<your id>");
  for (const member of ["name", "role"]) {
    const refused = await t.post(`${path}/agents`, { name: "a", [member]: `<your ${member}>` });
    assertInvalid(refused, [member]);
    assert.match(refused.body.message, /choice/);
  }
  assertInvalid(await t.put(`${path}/state`, { key: "<your key>", value: 1 }), ["key"]);
  assertInvalid(await t.post(`${path}/messages`, { kind: "<your kind>", body: 1 }), ["kind"]);
  assertInvalid(await t.post(`${path}/invites`, { role: "member", agent: "<your id>" }), ["agent"]);
  assert.deepEqual((await t.get(`${path}/agents`)).body, []);
  // Other texts in such brackets are as good as any, and so is what is no name.
  for (const id of ["<b>", "<your>", "<Your Id>", "your id", "<your id> "]) {
    assertStatus(await t.post(`${path}/agents`, { id, name: id }), 201);
  }
  assert.equal((await t.message(room, { body: "<your id>" })).body, "<your id>");
});

contract("in a path or a query there is no such thing as what is no id", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.message(room, { from: "ann" });
  await t.write(room, "k", 1);
  const path = `/rooms/${room}`;
  for (const id of [" ", "a\u0000", "a\nb", "\u0085", "x".repeat(129)]) {
    const name = encoded(id);
    assertError(await t.get(`/rooms/${name}`), 404, "room_not_found");
    assertError(await t.put(`/rooms/${name}/state`, { key: "k", value: 1 }), 404, "room_not_found");
    assertError(await t.get(`${path}/agents/${name}`), 404, "agent_not_found");
    assertError(await t.post(`${path}/agents/${name}/heartbeat`, {}), 404, "agent_not_found");
    assertError(await t.get(`${path}/wait?condition=true&agent=${name}`), 404, "agent_not_found");
    assertError(await t.get(`${path}/state?scope=${name}&key=k`), 404, "key_not_found");
    assert.deepEqual((await t.get(`${path}/state?scope=${name}`)).body, []);
    assert.deepEqual((await t.get(`${path}/messages?from=${name}`)).body, []);
    assert.deepEqual((await t.get(`${path}/messages?to=${name}`)).body, []);
  }
  for (const key of ["a\u0000", "\u0085", "x".repeat(257)]) {
    assertError(await t.get(`${path}/state?key=${encoded(key)}`), 404, "key_not_found");
  }
});

contract("a message id in a path that is no positive integer is no message", async (t) => {
  const room = await t.room();
  await t.message(room);
  for (
    const id of ["0", "-1", "1.5", "x", "1x", "NaN", "%20", "99999999999999999999999999", "9007199254740993"]
  ) {
    assertError(await t.get(`/rooms/${room}/messages/${id}`), 404, "message_not_found");
    const claim = await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann" });
    assertError(claim, 404, "message_not_found");
  }
});

contract("path segments are percent-decoded", async (t) => {
  for (const id of ids) {
    const room = unique(id);
    assert.equal((await t.post("/rooms", { id: room })).status, 201, id);
    const path = `/rooms/${encoded(room)}`;
    assert.equal((await t.get(path)).body.id, room);
    const agent = await t.post(`${path}/agents`, { id, name: id });
    assert.deepEqual([agent.status, agent.body.id, agent.body.room_id], [201, id, room]);
    assert.equal((await t.get(`${path}/agents/${encoded(id)}`)).body.name, id);
    assert.equal((await t.post(`${path}/agents/${encoded(id)}/heartbeat`, {})).body.agent, id);
  }
});

contract("ids and keys come back letter for letter", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  for (const id of [...ids, "\u00E9"]) {
    const message = await t.message(room, { from: id, to: id });
    assert.deepEqual([message.from_agent, message.to_agent], [id, id]);
    const listed = await t.get(`${path}/messages`, { from: id });
    assert.deepEqual(listed.body.map((one: Json) => one.id), [message.id], id);
    const written = await t.write(room, id, id, { scope: id });
    assert.deepEqual([written.scope, written.key], [id, id]);
    assert.equal((await t.entry(room, id, id)).value, id);
  }
});

contract("an id has up to 128 characters and a key up to 256, in UTF-16 code units", async (t) => {
  const room = await t.room();
  for (const id of ["x".repeat(128), "😀".repeat(64), "会".repeat(128)]) {
    assertStatus(await t.post(`/rooms/${room}/agents`, { id, name: "a" }), 201);
    assertInvalid(await t.post(`/rooms/${room}/agents`, { id: `${id}x`, name: "a" }), ["id"]);
    assertInvalid(await t.put(`/rooms/${room}/state`, { key: `${id + id}x`, value: 1 }), ["key"]);
    assertStatus(await t.get(`/rooms/${room}/agents/${encoded(id)}`), 200);
    await t.write(room, id + id, 1, { scope: id });
    assert.equal((await t.entry(room, id + id, id)).value, 1);
  }
  const id = crypto.randomUUID().padEnd(128, "x");
  assertStatus(await t.post("/rooms", { id }), 201);
  assertStatus(await t.get(`/rooms/${id}`), 200);
});

contract("whoever acts may have an id of 128 characters", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const id = "x".repeat(128);
  await t.agent(room, id);
  const message = await t.message(room, { from: id, to: id });
  assert.deepEqual((await t.get(`${path}/messages`, { from: id, to: id })).body.length, 1);
  assertStatus(await t.post(`${path}/messages/${message.id}/claim`, { agent: id }), 200);
  assert.equal((await t.write(room, "k", 1, { agent: id })).updated_by, id);
  const writes = [{ scope: id, key: "k", value: 1 }];
  assertStatus(await t.put(`${path}/state/batch`, { writes, agent: id }), 200);
  assert.equal(await t.value(room, "self", id), id);
  assertStatus(await t.post(`${path}/wait`, { condition: "true", agent: id }), 200);
  assertStatus(await t.get(`${path}/wait`, { condition: "true", agent: id }), 200);
  assertStatus(await t.post(`${path}/agents/${id}/heartbeat`, {}), 200);
  assert.equal((await t.delete(`${path}/state`, { scope: id, key: "k", agent: id })).body.deleted, true);
});

contract("a key may be a dot, an id may not", async (t) => {
  const room = await t.room();
  for (const key of notIds) {
    await t.write(room, key, 1);
    assert.equal((await t.entry(room, key)).value, 1);
  }
});

contract("a registered agent's id does not begin with an underscore", async (t) => {
  const room = await t.room();
  for (const id of ["_ann", "_shared", "_view", "_"]) {
    assertInvalid(await t.post(`/rooms/${room}/agents`, { id, name: "a" }), ["id"]);
  }
  assertStatus(await t.post(`/rooms/${room}/agents`, { id: "a_", name: "a" }), 201);
});

/** What looks like an id, or like another kind of it, with the id that it looks like. */
const alike: Array<[odd: string, plain: string]> = [
  ["zoe\u0308", "zo\u00EB"],
  ["\uFF41nn", "ann"],
  ["\u{1D41A}nn", "ann"],
  ["o\uFB03ce", "office"],
  [" ann", "ann"],
  ["ann ", "ann"],
  ["a  b", "a b"],
  ["a\u00A0b", "a b"],
  ["a\u2003b", "a b"],
  ["a\u2028b", "a b"],
  ["an\u200Bn", "ann"],
  ["an\u00ADn", "ann"],
  ["\u202Eann", "ann"],
  ["ann\uFE0F", "ann"],
  ["ann\u{E0041}", "ann"],
  ["a\u2800b", "a b"],
  ["ann\u2800", "ann"],
  ["an\uFFF9n", "ann"],
  ["ann\u{1D159}", "ann"],
];

contract("an agent becomes secure under an id that is written as it looks, by whatever way", async (t) => {
  const { id, token } = (await t.post("/rooms", { locked: true })).body;
  const [path, headers] = [`/rooms/${id}`, bearer(token)];
  const ask = (at: string, body: Json) => t.request("POST", path + at, { headers, body });
  const { code } = (await ask("/invites", { role: "member", uses: 9 })).body;
  for (const [odd, plain] of alike) {
    const refused = [
      await ask("/agents", { id: odd, name: "A", secure: true }),
      await ask("/tokens", { role: "member", agent: odd }),
      await ask("/invites", { role: "member", agent: odd }),
      await t.post(`/join/${code}`, { agent: odd }),
    ];
    for (const reply of refused) {
      assertInvalid(reply, [reply === refused[0] ? "id" : "agent"]);
      assert.ok(reply.body.issues[0].message.endsWith(`is secure: send ${JSON.stringify(plain)}`));
    }
    // Nobody is hindered who proves nothing.
    assertStatus(await ask("/agents", { id: odd, name: "A" }), 201);
    const spoken = await ask("/messages", { from: odd, body: 1 });
    assert.deepEqual([spoken.body.from_agent, spoken.body.verified], [odd, false]);
  }
  for (
    const plain of ["zo\u00EB", "a b", "\u4F1A\u8BAE\u5BA4", "\u{1F600}", "\u017Elu\u0165", "a.b", "it's"]
  ) {
    assertStatus(await ask("/agents", { id: plain, name: "A", secure: true }), 201);
    const { status, body } = await ask("/invites", { role: "member", agent: plain });
    assert.deepEqual([status, body.agent], [201, plain]);
  }
  assertStatus(await t.post(`/join/${code}`, { agent: "\u017E" }), 201);
});

contract("who looks like a secure agent is not taken for it", async (t) => {
  const room = await t.room();
  await t.agent(room, "zo\u00EB", { secure: true });
  const alike = "zoe\u0308";
  const { secure } = await t.agent(room, alike);
  const message = await t.message(room, { from: alike });
  const entry = await t.write(room, "k", 1, { scope: alike, agent: alike });
  assert.deepEqual([secure, message.verified, entry.verified_by], [false, false, false]);
  assert.equal(await t.value(room, `agents[${JSON.stringify(alike)}].secure`), false);
  assertError(await t.post(`/rooms/${room}/messages`, { from: "zo\u00EB", body: 1 }), 401, "unauthenticated");
});

contract("text in values may hold what ids may not", async (t) => {
  const room = await t.room();
  const value = ["\u0000", "\u0085", " ", ".", surrogate, { [surrogate]: "\u0000" }];
  await t.write(room, "k", value);
  assert.deepEqual((await t.entry(room, "k")).value, value);
  const message = await t.message(room, { body: value });
  assert.deepEqual((await t.get(`/rooms/${room}/messages/${message.id}`)).body.body, value);
});
