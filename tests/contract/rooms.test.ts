import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import { Client, type Json } from "../support/client.ts";
import {
  assertError,
  assertInvalid,
  assertMembers,
  assertNoNext,
  assertRecent,
  assertStatus,
  assertUuid,
  members,
} from "../support/shapes.ts";

const name = () => `room-${crypto.randomUUID()}`;

function create(t: Subject, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => t.room()));
}

contract("a room is created with the id and meta it was given", async (t) => {
  const id = name();
  const meta = { purpose: "tests", nested: { list: [1, "2", null] } };
  const reply = await t.post("/rooms", { id, meta });
  assertStatus(reply, 201);
  assertMembers(reply.body, members.room);
  assert.deepEqual([reply.body.id, reply.body.meta], [id, meta]);
  assertRecent(reply.body.created_at);
});

contract("a room without an id gets a UUID and an empty meta", async (t) => {
  const reply = await t.post("/rooms", {});
  assertStatus(reply, 201);
  assertUuid(reply.body.id);
  assert.deepEqual(reply.body.meta, {});
});

contract("a room can be created without a body", async (t) => {
  const reply = await t.post("/rooms");
  assertStatus(reply, 201);
  assertUuid(reply.body.id);
});

contract("creating a room that exists joins it and leaves its meta", async (t) => {
  const id = name();
  const { body: created } = await t.post("/rooms", { id, meta: { first: true } });
  const joined = await t.post("/rooms", { id, meta: { second: true } });
  assertStatus(joined, 200);
  assert.deepEqual(joined.body, created);
  assert.deepEqual((await t.get(`/rooms/${id}`)).body, created);
});

contract("of many that create one room at once one creates it and the others join", async (t) => {
  const id = name();
  const replies = await Promise.all(
    Array.from({ length: 12 }, (_, n) => t.post("/rooms", { id, meta: { n } })),
  );
  assert.deepEqual(replies.map((reply) => reply.status).sort(), [...Array(11).fill(200), 201]);
  const winner = replies.find((reply) => reply.status === 201)!;
  for (const reply of replies) assert.deepEqual(reply.body, winner.body);
});

contract("a room reads as it was created", async (t) => {
  const { body: created } = await t.post("/rooms", { meta: { a: 1 } });
  const reply = await t.get(`/rooms/${created.id}`);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body, created);
});

contract("a room that nobody created is not found", async (t) => {
  assertError(await t.get(`/rooms/${name()}`), 404, "room_not_found");
});

contract("meta must be an object", async (t) => {
  for (const meta of [[], "text", 5, true]) assertInvalid(await t.post("/rooms", { meta }), ["meta"]);
});

contract("a room id must be text", async (t) => {
  for (const id of [5, {}, ["a"], true]) assertInvalid(await t.post("/rooms", { id }), ["id"]);
});

contract("rooms are listed newest first with all their members", async (t) => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const room = await t.post("/rooms", { meta: { n } });
    ids.unshift(room.body.id);
    await t.after(room.body.created_at);
  }
  const reply = await t.get("/rooms", { limit: 3 });
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.map((room: Json) => room.id), ids);
  for (const room of reply.body) assertMembers(room, members.room);
  assert.deepEqual(reply.body.map((room: Json) => room.meta), [{ n: 2 }, { n: 1 }, { n: 0 }]);
});

contract("a list of rooms that leaves some out names the next page", async (t) => {
  await create(t, 3);
  const reply = await t.get("/rooms", { limit: 2 });
  assert.equal(reply.body.length, 2);
  assert.ok(Client.next(reply));
});

contract("the pages of rooms repeat and skip none, even when many are equally old", async (t) => {
  const created = await create(t, 40);
  // Other tests of the same instance have made rooms too.
  const pages = await t.pages("/rooms?limit=7", 1_000);
  const rooms = pages.flatMap((page) => page.body);
  const ids = rooms.map((room: Json) => room.id);
  assert.equal(new Set(ids).size, ids.length, "a room is repeated");
  assert.deepEqual(created.filter((id) => !ids.includes(id)), [], "a room is skipped");
  const times = rooms.map((room: Json) => room.created_at);
  assert.deepEqual(times, [...times].sort().reverse());
  for (const page of pages.slice(0, -1)) assert.equal(page.body.length, 7);
  assertNoNext(pages.at(-1)!);
});

contract("100 rooms are listed when no limit is given", async (t) => {
  await create(t, 101);
  const reply = await t.get("/rooms");
  assert.equal(reply.body.length, 100);
  assert.ok(Client.next(reply));
});

contract("before lists the rooms that were created strictly earlier", async (t) => {
  const older = await t.post("/rooms", {});
  await t.after(older.body.created_at);
  const newer = await t.post("/rooms", {});
  const reply = await t.get("/rooms", { before: newer.body.created_at, limit: 1000 });
  const ids = reply.body.map((room: Json) => room.id);
  assert.ok(ids.includes(older.body.id));
  assert.ok(!ids.includes(newer.body.id));
  for (const room of reply.body) assert.ok(room.created_at < newer.body.created_at);
});

contract("rooms share nothing", async (t) => {
  const [one, other] = [await t.room(), await t.room()];
  await t.agent(one, "ann");
  await t.message(one);
  await t.write(one, "k", 1);
  for (const part of ["agents", "messages", "state"]) {
    assert.deepEqual((await t.get(`/rooms/${other}/${part}`)).body, []);
  }
});

contract("a list of rooms that say much of themselves is cut, and goes on without a gap", async (t) => {
  const meta = { text: "x".repeat(60_000) };
  const rooms: Json[] = [];
  for (let n = 0; n < 40; n++) rooms.push((await t.post("/rooms", { meta })).body);
  const place = ({ created_at, id }: Json) => `${created_at} ${id}`;
  const created = rooms.sort((a, b) => place(a) < place(b) ? 1 : -1).map(({ id }) => id);
  const listed: string[] = [];
  let page = await t.get("/rooms?limit=40");
  for (; listed.length + page.body.length < 40; page = await t.get(Client.next(page)!)) {
    assert.ok(page.text.length < 2_000_000, `${page.text.length} bytes`);
    listed.push(...page.body.map(({ id }: Json) => id));
  }
  listed.push(...page.body.map(({ id }: Json) => id));
  assert.deepEqual(listed.slice(0, 40), created);
});
