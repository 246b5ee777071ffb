import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import { assertError, assertInvalid, assertRecent, assertStatus } from "../support/shapes.ts";

const REFUSED = ["claimed", "claimed_by", "claimed_at", "claimed_until"];

const claim = (t: Subject, room: string, id: number, agent: string) =>
  t.post(`/rooms/${room}/messages/${id}/claim`, { agent });

contract("a claim answers who has the message, and the message shows it", async (t) => {
  const room = await t.room();
  const message = await t.message(room);
  const reply = await claim(t, room, message.id, "ann");
  assertStatus(reply, 200);
  const { claimed, claimed_by, message_id } = reply.body;
  assert.deepEqual([claimed, claimed_by, message_id], [true, "ann", message.id]);
  const shown = (await t.get(`/rooms/${room}/messages/${message.id}`)).body;
  assertRecent(shown.claimed_at);
  assert.deepEqual(shown, {
    ...message,
    claimed_by: "ann",
    claimed_at: shown.claimed_at,
    status: "claimed",
    fence: reply.revision,
    attempts: 1,
  });
});

contract("a message that another has is refused with who has it and since when", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room);
  await claim(t, room, id, "ann");
  const reply = await claim(t, room, id, "bob");
  assertError(reply, 409, "already_claimed", REFUSED);
  const shown = (await t.get(`/rooms/${room}/messages/${id}`)).body;
  assert.deepEqual(
    REFUSED.map((name) => reply.body[name]),
    [false, "ann", shown.claimed_at, null],
  );
  assert.equal(shown.claimed_by, "ann");
});

contract("claiming what one has already answers the same and keeps the time", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room);
  const first = await claim(t, room, id, "ann");
  const before = (await t.get(`/rooms/${room}/messages/${id}`)).body;
  await t.after(before.claimed_at);
  const again = await claim(t, room, id, "ann");
  assertStatus(again, 200);
  assert.deepEqual(again.body, first.body);
  assert.deepEqual((await t.get(`/rooms/${room}/messages/${id}`)).body, before);
});

contract("a claim names an agent", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room);
  assertInvalid(await t.post(`/rooms/${room}/messages/${id}/claim`, {}), ["agent"]);
  assertInvalid(await t.post(`/rooms/${room}/messages/${id}/claim`), ["agent"]);
  assertInvalid(await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: 5 }), ["agent"]);
  assert.equal((await t.get(`/rooms/${room}/messages/${id}`)).body.claimed_by, null);
});

contract("only a message of the room can be claimed", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  const { id } = await t.message(other);
  assertError(await claim(t, room, id, "ann"), 404, "message_not_found");
  assertError(await claim(t, room, id + 1000, "ann"), 404, "message_not_found");
  assert.equal((await t.get(`/rooms/${other}/messages/${id}`)).body.claimed_by, null);
});

contract("of many claims at once one wins and the others learn who", async (t) => {
  const room = await t.room();
  const { id } = await t.message(room);
  const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => claim(t, room, id, `agent-${n}`)));
  const winners = replies.filter((reply) => reply.status === 200);
  assert.equal(winners.length, 1);
  for (const reply of replies) {
    assert.equal(reply.body.claimed_by, winners[0]!.body.claimed_by);
    if (reply !== winners[0]) {
      assertError(reply, 409, "already_claimed", REFUSED);
    }
  }
});

contract("workers that race for tasks never share one", async (t) => {
  const room = await t.room();
  const tasks: number[] = [];
  for (let n = 0; n < 10; n++) tasks.push((await t.message(room, { kind: "task" })).id);
  const won = await Promise.all(["ann", "bob", "cid"].map(async (agent) => {
    const mine: number[] = [];
    for (const id of tasks) if ((await claim(t, room, id, agent)).status === 200) mine.push(id);
    return mine;
  }));
  assert.deepEqual(won.flat().sort((a, b) => a - b), tasks);
  assert.deepEqual(await t.value(room, "messages"), { count: 10, unclaimed: 0 });
});

contract("a claim reaches its own room only", async (t) => {
  const [here, there] = [await t.room(), await t.room()];
  const [{ id }, other] = [await t.message(here), await t.message(there)];
  assert.equal(other.id, id);
  assertStatus(await claim(t, here, id, "ann"), 200);
  assert.equal((await t.get(`/rooms/${there}/messages/${id}`)).body.claimed_by, null);
  assertStatus(await claim(t, there, id, "bob"), 200);
});
