import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";

const put = (t: Subject, room: string, body: Json) => t.put(`/rooms/${room}/state`, { key: "n", ...body });

async function adding(t: Subject, room: string, body: Json): Promise<Json> {
  const reply = await put(t, room, body);
  assertStatus(reply, 200);
  assert.deepEqual((await t.entry(room, "n")).value, reply.body.value);
  return reply.body.value;
}

contract("an increment adds to what is there, 1 unless it says otherwise", async (t) => {
  const room = await t.room();
  assert.equal(await adding(t, room, { increment: true }), 1);
  assert.equal(await adding(t, room, { increment: true, value: 5 }), 6);
  assert.equal(await adding(t, room, { increment: true, value: -10 }), -4);
  assert.equal(await adding(t, room, { increment: 7 }), 3);
  assert.equal(await adding(t, room, { increment: -3 }), 0);
  assert.equal(await adding(t, room, { increment: 0.5 }), 0.5);
});

contract("an increment answers the entry with its next version", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 41);
  const reply = await put(t, room, { increment: true });
  assertMembers(reply.body, members.written, ["updated_by", "verified_by", "expires_at"]);
  assert.deepEqual([reply.body.value, reply.body.version], [42, 2]);
});

contract("a missing key counts as 0, and so does a deleted one", async (t) => {
  const room = await t.room();
  assert.equal(await adding(t, room, { increment: 2 }), 2);
  await t.delete(`/rooms/${room}/state`, { key: "n" });
  const reply = await put(t, room, { increment: 2 });
  assert.deepEqual([reply.body.value, reply.body.version], [2, 3]);
});

contract("increment false is as absent", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 5);
  assert.equal(await adding(t, room, { increment: false, value: "text" }), "text");
  assertInvalid(await put(t, room, { increment: false }), ["value"]);
});

contract("an increment by what is no number is refused", async (t) => {
  const room = await t.room();
  for (const value of ["1", null, true, [1], {}]) {
    assertInvalid(await put(t, room, { increment: true, value }), ["value"]);
  }
  for (const increment of ["1", [1], {}]) assertInvalid(await put(t, room, { increment }), ["increment"]);
  assertInvalid(await put(t, room, { increment: 1, value: 1 }));
  assert.equal(await t.entry(room, "n"), undefined);
});

contract("what is no number is not incremented and stays as it is", async (t) => {
  const room = await t.room();
  for (const value of ["text", "5", null, true, [1], { n: 1 }]) {
    await t.write(room, "n", value);
    const before = await t.entry(room, "n");
    for (const increment of [true, 0.5]) {
      const reply = await put(t, room, { increment });
      assertError(reply, 409, "not_a_number", ["current"]);
      assert.deepEqual(reply.body.current, before);
    }
    assert.deepEqual(await t.entry(room, "n"), before);
  }
});

contract("integers are exact up to 2^53 - 1 and refused beyond", async (t) => {
  const room = await t.room();
  const most = Number.MAX_SAFE_INTEGER;
  await t.write(room, "n", most - 2);
  assert.equal(await adding(t, room, { increment: true }), most - 1);
  assert.equal(await adding(t, room, { increment: true }), most);
  const above = await put(t, room, { increment: true });
  assertError(above, 409, "not_a_number", ["current"]);
  assert.deepEqual(above.body.current, await t.entry(room, "n"));
  assert.equal(await adding(t, room, { increment: -most }), 0);
  assert.equal(await adding(t, room, { increment: -most }), -most);
  assertError(await put(t, room, { increment: -1 }), 409, "not_a_number", ["current"]);
  assert.equal((await t.entry(room, "n")).value, -most);
});

contract("an increment out of range of a missing key shows null and creates nothing", async (t) => {
  const room = await t.room();
  // Written as a fraction: as an integer the number itself is refused.
  for (const increment of ["9007199254740992.0", "-9007199254740992.0"]) {
    const raw = `{"key":"n","increment":${increment}}`;
    const reply = await t.request("PUT", `/rooms/${room}/state`, { raw });
    assertError(reply, 409, "not_a_number", ["current"]);
    assert.equal(reply.body.current, null);
  }
  assert.equal(await t.entry(room, "n"), undefined);
});

contract("fractions add as doubles, to the last bit", async (t) => {
  const room = await t.room();
  const values = [0.1, 0.2, 1e-7, 123456.789, -0.3, 1 / 3, 5e-324, 2 ** 52 + 0.5];
  let sum = 0;
  for (const value of values) {
    sum += value;
    assert.equal(await adding(t, room, { increment: true, value }), sum);
  }
});

contract("a crowd that adds fractions to one number is served, and each counts once", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(Array.from({ length: 200 }, () => put(t, room, { increment: 0.5 })));
  for (const reply of replies) assertStatus(reply, 200);
  assert.deepEqual((await t.entry(room, "n")).value, 100);
});

contract("sums of fractions of every size are those of doubles", async (t) => {
  const room = await t.room();
  // A sequence that looks random and is the same each time.
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const fraction = () => (random() - 0.5) * 10 ** Math.floor(random() * 40 - 28);
  const pairs = Array.from({ length: 300 }, () => [fraction(), fraction()] as const);
  const sumOf = async (value: number, increment: number, key: string) => {
    await t.write(room, key, value);
    const reply = await t.put(`/rooms/${room}/state`, { key, increment });
    assertStatus(reply, 200);
    assert.equal(reply.body.value, value + increment, `${value} + ${increment}`);
  };
  // Some at a time: sums of one room go one after the other, and none is to wait for its turn in vain.
  for (let from = 0; from < pairs.length; from += 30) {
    await Promise.all(
      pairs.slice(from, from + 30).map(([value, increment], n) => sumOf(value, increment, `k${from + n}`)),
    );
  }
});

contract("a batch adds whole numbers to the fraction that it has put itself", async (t) => {
  const room = await t.room();
  const writes = [{ key: "n", value: 0.5 }, { key: "n", increment: -2 }, { key: "n", increment: 0.25 }];
  const reply = await t.put(`/rooms/${room}/state/batch`, { writes });
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.state.map(({ value }: Json) => value), [0.5, -1.5, -1.25]);
  const whole = await t.put(`/rooms/${room}/state/batch`, { writes: writes.slice(0, 2) });
  assert.deepEqual(whole.body.state.map(({ value, version }: Json) => [value, version]), [[0.5, 4], [
    -1.5,
    5,
  ]]);
  assert.equal((await t.entry(room, "n")).value, -1.5);
});

contract("an increment keeps to if_version and to its gate", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 1);
  assertError(await put(t, room, { increment: true, if_version: 2 }), 409, "version_conflict", ["current"]);
  assert.equal(await adding(t, room, { increment: true, if_version: 1 }), 2);
  assert.equal(await adding(t, room, { increment: true, if: "state._shared.n < 3" }), 3);
  const refused = await put(t, room, { increment: true, if: "state._shared.n < 3" });
  assertError(refused, 409, "precondition_failed", ["expression", "evaluated"]);
  assert.equal((await t.entry(room, "n")).value, 3);
});

contract("many increments at once all count", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(Array.from({ length: 60 }, () => put(t, room, { increment: true })));
  assert.deepEqual(
    replies.map((reply) => reply.body.value).sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, n) => n + 1),
  );
  const entry = await t.entry(room, "n");
  assert.deepEqual([entry.value, entry.version], [60, 60]);
});
