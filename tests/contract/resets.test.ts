import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { assertMembers, assertStatus } from "../support/shapes.ts";

/** A room of which a reader knows more than there is, as after its database was restored from a copy. */
async function restored(t: Subject): Promise<{ room: string; revision: number; beyond: number }> {
  const room = await t.room();
  await t.write(room, "a", 1);
  await t.agent(room, "ann");
  await t.message(room, { from: "ann" });
  await t.write(room, "b", 1);
  await t.delete(`/rooms/${room}/state`, { key: "b" });
  const revision = await t.revision(room);
  return { room, revision, beyond: revision + 1 };
}

contract(
  "changes after a revision that the room does not have come from the start, as a reset",
  async (t) => {
    const { room, revision, beyond } = await restored(t);
    const whole = (await t.get(`/rooms/${room}/changes`, { after: 0 })).body;
    assertMembers(whole, ["revision", "state", "agents", "messages", "reservations", "more"]);
    for (const after of [beyond, beyond + 1_000, Number.MAX_SAFE_INTEGER]) {
      const reply = await t.get(`/rooms/${room}/changes`, { after });
      assertStatus(reply, 200);
      assert.deepEqual(reply.body, { ...whole, reset: true });
      assert.equal(reply.revision, revision);
    }
    const cut = await t.get(`/rooms/${room}/changes`, { after: beyond, limit: 1 });
    assert.deepEqual([cut.body.reset, cut.body.more, cut.body.revision], [true, true, 1]);
    const { body: rest } = await t.get(`/rooms/${room}/changes`, { after: cut.body.revision });
    assert.deepEqual([rest.reset, rest.revision, rest.more], [undefined, revision, false]);
    assert.equal((await t.get(`/rooms/${room}/changes`, { after: revision })).body.reset, undefined);
  },
);

contract("an empty room resets those who know more of it", async (t) => {
  const room = await t.room();
  const empty = { revision: 0, state: [], agents: [], messages: [], reservations: [], more: false };
  assert.deepEqual((await t.get(`/rooms/${room}/changes`, { after: 1 })).body, { ...empty, reset: true });
  assert.deepEqual((await t.get(`/rooms/${room}/changes`, { after: 0 })).body, empty);
  const stream = await openEvents(`${t.url}/rooms/${room}/events?after=1`);
  try {
    const { type, id, data } = (await stream.next())!;
    assert.deepEqual([type, id, JSON.parse(data)], ["reset", 0, { ...empty, reset: true }]);
    await t.write(room, "a", 1);
    assert.equal((await stream.next())!.id, 1);
  } finally {
    stream.leave();
  }
});

contract("a wait includes changes after a revision that the room does not have as a reset", async (t) => {
  const { room, revision, beyond } = await restored(t);
  const include = (after: number) => ({ condition: "true", include: [`changes:after:${after}`, "messages"] });
  const { body } = await t.post(`/rooms/${room}/wait`, include(beyond));
  const whole = (await t.get(`/rooms/${room}/changes`, { after: 0 })).body;
  assert.deepEqual(body.changes, { ...whole, reset: true });
  assert.equal((await t.post(`/rooms/${room}/wait`, include(revision))).body.changes.reset, undefined);
});

contract("state since a revision that the room does not have comes from the start, as a reset", async (t) => {
  const { room, revision, beyond } = await restored(t);
  await t.view(room, "v", "1 + 1");
  for (const resolve of ["false", "true"]) {
    const list = (since: number) => t.get(`/rooms/${room}/state`, { since, resolve });
    const whole = await list(0);
    assert.equal(whole.headers.get("Convene-Reset"), null);
    assert.deepEqual(whole.body.map(({ key }: Json) => key), ["a", "b", "v"]);
    const reset = await list(beyond + 1);
    assert.deepEqual([reset.headers.get("Convene-Reset"), reset.body], ["true", whole.body]);
    const known = await list(revision + 1);
    assert.deepEqual([known.headers.get("Convene-Reset"), known.body], [null, []]);
  }
  assert.deepEqual((await t.get(`/rooms/${room}/messages`, { after: beyond + 9 })).body, []);
});

contract("a stream of a reader that knows more than there is begins with a reset", async (t) => {
  const { room, revision, beyond } = await restored(t);
  const whole = (await t.get(`/rooms/${room}/changes`, { after: 0 })).body;
  for (
    const [query, headers] of [[`?after=${beyond}`, {}], ["", { "Last-Event-ID": String(beyond) }]] as Array<
      [string, Record<string, string>]
    >
  ) {
    const stream = await openEvents(`${t.url}/rooms/${room}/events${query}`, headers);
    try {
      const reset = (await stream.next())!;
      const nothing = {
        revision: 0,
        state: [],
        agents: [],
        messages: [],
        reservations: [],
        more: true,
        reset: true,
      };
      assert.deepEqual([reset.type, reset.id, JSON.parse(reset.data)], ["reset", 0, nothing]);
      const first = (await stream.next())!;
      assert.deepEqual([first.type, first.id, first.data], [undefined, revision, whole]);
      assert.equal(stream.headers.get("Convene-Revision"), "0");
    } finally {
      stream.leave();
    }
    const page = await openEvents(`${t.url}/rooms/${room}/live${query}`, headers);
    assert.equal((await page.next())!.type, "reset");
    page.leave();
  }
});
