import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import { Client, type Json } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertMembers,
  assertNoNext,
  assertRecent,
  assertStatus,
  members,
} from "../support/shapes.ts";

const ids = (messages: Json[]) => messages.map((message) => message.id);

contract("a message is posted with all its members", async (t) => {
  const room = await t.room();
  const parent = await t.message(room);
  const sent = { from: "ann", to: "bob", kind: "question", body: { text: "why?" }, reply_to: parent.id };
  const reply = await t.post(`/rooms/${room}/messages`, sent);
  assertStatus(reply, 201);
  const { recipient: _, notice, ...message } = reply.body;
  assert.equal(notice, "agent_not_registered");
  assertMembers(message, members.message);
  const { id, created_at, ...rest } = message;
  assert.ok(Number.isSafeInteger(id) && id > parent.id);
  assertRecent(created_at);
  assert.deepEqual(rest, {
    room_id: room,
    from_agent: "ann",
    to_agent: "bob",
    verified: false,
    kind: "question",
    body: { text: "why?" },
    reply_to: parent.id,
    claimed_by: null,
    claimed_at: null,
    status: "open",
    claimed_until: null,
    fence: null,
    attempts: 0,
    max_attempts: null,
    needs: [],
    done_at: null,
    result_id: null,
    failure: null,
  });
  assert.deepEqual((await t.get(`/rooms/${room}/messages/${id}`)).body, message);
});

contract("a message needs only a body", async (t) => {
  const room = await t.room();
  const { kind, from_agent, to_agent, reply_to } = await t.message(room);
  assert.deepEqual([kind, from_agent, to_agent, reply_to], ["message", null, null, null]);
  assertInvalid(await t.post(`/rooms/${room}/messages`, { from: "ann" }), ["body"]);
  assertInvalid(await t.post(`/rooms/${room}/messages`), ["body"]);
});

contract("a message's body may be any JSON and comes back as it was", async (t) => {
  const room = await t.room();
  const bodies = [
    null,
    false,
    0,
    -1.5,
    "",
    "5",
    "null",
    [],
    [1, [2]],
    {},
    { "": { a: null } },
    "line\n\u0000end",
  ];
  for (const body of bodies) {
    const message = await t.message(room, { body });
    assert.deepEqual(message.body, body);
    assert.deepEqual((await t.get(`/rooms/${room}/messages/${message.id}`)).body.body, body);
  }
  const listed = (await t.get(`/rooms/${room}/messages`)).body;
  assert.deepEqual(listed.map((message: Json) => message.body), bodies);
});

contract("the members of a message have their types", async (t) => {
  const path = `/rooms/${await t.room()}/messages`;
  for (const member of ["from", "to", "kind"]) {
    assertInvalid(await t.post(path, { body: 1, [member]: 5 }), [member]);
  }
  assertInvalid(await t.post(path, { body: 1, reply_to: "first" }), ["reply_to"]);
  assert.deepEqual((await t.get(path)).body, []);
});

contract("a message's id is the revision that admitted it", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 3; n++) {
    await t.write(room, "k", n);
    const reply = await t.post(`/rooms/${room}/messages`, { body: n });
    assert.equal(reply.revision, reply.body.id);
    assert.equal(await t.revision(room), reply.body.id);
  }
});

contract("a reply must answer a message of the same room", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  const elsewhere = await t.message(other);
  for (const reply_to of [elsewhere.id + 1000, elsewhere.id]) {
    const reply = await t.post(`/rooms/${room}/messages`, { body: 1, reply_to });
    assertError(reply, 404, "message_not_found");
  }
  assert.deepEqual((await t.get(`/rooms/${room}/messages`)).body, []);
});

contract("messages are listed by ascending id, 100 at a time", async (t) => {
  const room = await t.room();
  await Promise.all(Array.from({ length: 103 }, (_, n) => t.message(room, { body: n })));
  const reply = await t.get(`/rooms/${room}/messages`);
  assertStatus(reply, 200);
  assert.equal(reply.body.length, 100);
  for (const message of reply.body) assertMembers(message, members.message);
  assert.deepEqual(ids(reply.body), ids(reply.body).sort((a, b) => a - b));
  const rest = await t.get(Client.next(reply)!);
  assert.equal(rest.body.length, 3);
  assertNoNext(rest);
  const bodies = [...reply.body, ...rest.body].map((message) => message.body);
  assert.deepEqual(bodies.sort((a, b) => a - b), Array.from({ length: 103 }, (_, n) => n));
});

contract("the pages of messages repeat and skip none and keep the filters", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 24; n++) await t.message(room, { body: n, kind: n % 2 ? "odd" : "even", from: "ann" });
  const pages = await t.pages(`/rooms/${room}/messages?kind=odd&from=ann&limit=5`);
  assert.deepEqual(pages.map((page) => page.body.length), [5, 5, 2]);
  assert.deepEqual(
    pages.flatMap((page) => page.body).map((message) => message.body),
    Array.from({ length: 12 }, (_, n) => 2 * n + 1),
  );
});

contract("the address of the next page keeps what must be encoded", async (t) => {
  const id = `a b>"é&?#%, ${crypto.randomUUID()}`;
  assertStatus(await t.post("/rooms", { id }), 201);
  const room = encodeURIComponent(id);
  const kind = 'x&y=z >"é,;+%';
  const root = await t.message(room, { kind });
  for (let n = 0; n < 4; n++) await t.message(room, { kind, reply_to: root.id });
  await t.message(room, { kind: "x" });
  const query = new URLSearchParams({ kind, thread: root.id, unclaimed: "true", limit: "2" });
  const pages = await t.pages(`/rooms/${room}/messages?${query}`);
  assert.deepEqual(pages.map((page) => page.body.length), [2, 2, 1]);
  for (const message of pages.flatMap((page) => page.body)) assert.equal(message.kind, kind);
});

contract("a list of messages that is complete names no next page", async (t) => {
  const room = await t.room();
  for (let n = 0; n < 4; n++) await t.message(room);
  assertNoNext(await t.get(`/rooms/${room}/messages`, { limit: 4 }));
  assert.ok(Client.next(await t.get(`/rooms/${room}/messages`, { limit: 3 })));
});

contract("after lists the messages with greater ids", async (t) => {
  const room = await t.room();
  const [first, second, third] = [await t.message(room), await t.message(room), await t.message(room)];
  const after = async (id: number) => ids((await t.get(`/rooms/${room}/messages`, { after: id })).body);
  assert.deepEqual(await after(0), [first.id, second.id, third.id]);
  assert.deepEqual(await after(first.id), [second.id, third.id]);
  assert.deepEqual(await after(third.id), []);
});

contract("messages are filtered by kind, sender and receiver, together too", async (t) => {
  const room = await t.room();
  const one = await t.message(room, { kind: "task", from: "ann", to: "bob" });
  const two = await t.message(room, { kind: "task", from: "bob" });
  const three = await t.message(room, { kind: "note", from: "ann", to: "bob" });
  const list = async (query: Record<string, string>) =>
    ids((await t.get(`/rooms/${room}/messages`, query)).body);
  assert.deepEqual(await list({ kind: "task" }), [one.id, two.id]);
  assert.deepEqual(await list({ from: "ann" }), [one.id, three.id]);
  assert.deepEqual(await list({ to: "bob" }), [one.id, three.id]);
  assert.deepEqual(await list({ kind: "task", from: "ann", to: "bob" }), [one.id]);
  assert.deepEqual(await list({ kind: "tas" }), []);
});

contract("messages of a sender are listed however far they lie apart", async (t) => {
  const room = await t.room();
  const senders = (n: number) => n % 300 === 7 ? "rare" : n === 500 ? "once" : n % 5 ? "often" : undefined;
  const posted = await Promise.all(
    Array.from(
      { length: 800 },
      (_, n) => t.message(room, { from: senders(n), kind: n % 2 ? "odd" : "even", to: n % 3 ? "bob" : "cy" }),
    ),
  );
  posted.sort((a, b) => a.id - b.id);
  await t.post(
    `/rooms/${room}/messages/${posted.find(({ from_agent }) => from_agent === "rare")!.id}/claim`,
    {
      agent: "dan",
    },
  );
  const list = async (query: Record<string, string | number>) =>
    ids((await t.get(`/rooms/${room}/messages`, query)).body);
  for (const from of ["often", "rare", "once", "nobody"]) {
    const sent = posted.filter(({ from_agent }) => from_agent === from);
    const [middle, after] = [posted[400]!.id, posted.filter((message) => message.id > posted[400]!.id)];
    const ofMiddle = after.filter(({ from_agent }) => from_agent === from);
    assert.deepEqual(await list({ from, limit: 1_000 }), ids(sent));
    assert.deepEqual(await list({ from, limit: 2 }), ids(sent.slice(0, 2)));
    assert.deepEqual(await list({ from, last: 270 }), ids(sent.slice(-270)));
    assert.deepEqual(await list({ from, after: middle, limit: 1_000 }), ids(ofMiddle));
    assert.deepEqual(await list({ from, after: middle, last: 2 }), ids(ofMiddle.slice(-2)));
    const both = sent.filter(({ kind, to_agent }) => kind === "odd" && to_agent === "bob");
    assert.deepEqual(await list({ from, kind: "odd", to: "bob", limit: 1_000 }), ids(both));
    const open = from === "rare" ? sent.slice(1) : sent;
    assert.deepEqual(await list({ from, unclaimed: "true", limit: 1_000 }), ids(open));
    const pages = await t.pages(`/rooms/${room}/messages?from=${from}&limit=300`);
    assert.deepEqual(pages.flatMap((page) => ids(page.body)), ids(sent));
  }
});

contract("a thread is a message and every reply below it", async (t) => {
  const room = await t.room();
  const root = await t.message(room);
  const reply = await t.message(room, { reply_to: root.id });
  const other = await t.message(room);
  const deep = await t.message(room, { reply_to: reply.id });
  const deeper = await t.message(room, { reply_to: deep.id });
  const sibling = await t.message(room, { reply_to: root.id });
  const thread = async (id: number) => ids((await t.get(`/rooms/${room}/messages`, { thread: id })).body);
  assert.deepEqual(await thread(root.id), [root.id, reply.id, deep.id, deeper.id, sibling.id]);
  assert.deepEqual(await thread(reply.id), [reply.id, deep.id, deeper.id]);
  assert.deepEqual(await thread(other.id), [other.id]);
  assert.deepEqual(await thread(sibling.id + 100), []);
});

contract("a thread reaches any depth and crosses no rooms", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  const chain = [await t.message(room)];
  for (let depth = 1; depth < 70; depth++) {
    chain.push(await t.message(room, { reply_to: chain.at(-1)!.id }));
    if (depth < 3) await t.message(other, depth === 1 ? {} : { reply_to: chain[0]!.id });
  }
  const listed = await t.get(`/rooms/${room}/messages`, { thread: chain[0]!.id });
  assert.deepEqual(ids(listed.body), ids(chain));
});

contract("unclaimed=true lists what nobody claimed, any other value everything", async (t) => {
  const room = await t.room();
  const [free, taken] = [await t.message(room), await t.message(room)];
  await t.post(`/rooms/${room}/messages/${taken.id}/claim`, { agent: "ann" });
  const list = async (unclaimed: string) => ids((await t.get(`/rooms/${room}/messages`, { unclaimed })).body);
  assert.deepEqual(await list("true"), [free.id]);
  for (const value of ["false", "1", "yes"]) assert.deepEqual(await list(value), [free.id, taken.id]);
});

contract("last lists the newest that match, still ascending, whatever the limit", async (t) => {
  const room = await t.room();
  const posted: number[] = [];
  for (let n = 0; n < 8; n++) {
    posted.push((await t.message(room, { kind: n % 2 ? "odd" : "even" })).id);
  }
  const last = async (query: Record<string, string | number>) => {
    const reply = await t.get(`/rooms/${room}/messages`, query);
    assertNoNext(reply);
    return ids(reply.body);
  };
  assert.deepEqual(await last({ last: 3 }), posted.slice(-3));
  assert.deepEqual(await last({ last: 3, limit: 1 }), posted.slice(-3));
  assert.deepEqual(await last({ last: 2, kind: "even" }), [posted[4], posted[6]]);
  assert.deepEqual(await last({ last: 5, after: posted[5]! }), posted.slice(6));
  assert.deepEqual(await last({ last: 100 }), posted);
});

contract("a message that is not of the room is not found", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  const { id } = await t.message(other);
  assertError(await t.get(`/rooms/${room}/messages/${id}`), 404, "message_not_found");
  assertStatus(await t.get(`/rooms/${other}/messages/${id}`), 200);
});

contract("many posters at once each get their own message and an id of its own", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(
    Array.from(
      { length: 50 },
      (_, n) => t.post(`/rooms/${room}/messages`, { from: `agent-${n}`, body: { n } }),
    ),
  );
  for (const [n, reply] of replies.entries()) {
    assertStatus(reply, 201);
    assert.deepEqual([reply.body.from_agent, reply.body.body], [`agent-${n}`, { n }]);
    assert.equal(reply.revision, reply.body.id);
  }
  assert.equal(new Set(ids(replies.map((reply) => reply.body))).size, 50);
});
