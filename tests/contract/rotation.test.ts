import assert from "node:assert/strict";
import type { Json, Reply } from "../support/client.ts";
import { type Held, heldContract } from "../support/held.ts";
import { assertError, assertInvalid, assertMembers, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

const HOUR = 60 * 60 * 1_000;
const KEY = { "Idempotency-Key": "a key that nobody can guess" };
const MADE = ["id", "role", "agent", "note", "created_at", "expires_at", "last_used_at", "token"];

/** Asks an instance with a token. */
const asking = ({ one, other }: Held) =>
(
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Json = {},
  there = false,
) => {
  const shown = token === undefined ? {} : bearer(token);
  return (there ? other : one).request(method, path, { body, headers: { ...shown, ...headers } });
};

/** A room with the secure agent ann and what asks there. */
async function guarded(held: Held) {
  const room = await held.one.room();
  const { body } = await held.one.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann", secure: true });
  const path = `/rooms/${room}`;
  const ask = asking(held);
  const rotate = (token: string, headers: Json = {}, body?: unknown, there = false): Promise<Reply> =>
    ask(token, "POST", `${path}/tokens/rotate`, body, headers, there);
  const assertCounts = async (token: string, counts: boolean) => {
    for (const there of [false, true]) {
      const reply = await ask(token, "GET", path, undefined, {}, there);
      if (counts) assertStatus(reply, 200);
      else assertError(reply, 401, "unauthenticated");
    }
  };
  return { path, token: body.token as string, ask, rotate, assertCounts };
}

heldContract(
  "a rotated token is the same one with a new text, and the old text counts no longer",
  async (held) => {
    const { path, token, ask, rotate, assertCounts } = await guarded(held);
    const made = (await ask(token, "POST", `${path}/tokens`, { role: "reader" })).body;
    const { body: listed } = await ask(token, "GET", `${path}/tokens`);
    const before = listed.find(({ role }: Json) => role === "member");
    const never = { condition: "has(state._shared.never)", timeout: 20_000 };
    const wait = ask(token, "POST", `${path}/wait`, never);
    const revision = await held.one.revision(path.slice("/rooms/".length));
    const reply = await rotate(token);
    assertStatus(reply, 200);
    assertMembers(reply.body, MADE);
    assert.match(reply.body.token, /^cvn_m_[0-9A-Za-z]{49}$/);
    const { token: text, last_used_at: _, ...shown } = reply.body;
    const { last_used_at: __, ...was } = before;
    assert.deepEqual(shown, was);
    await assertCounts(token, false);
    await assertCounts(text, true);
    await assertCounts(made.token, true);
    assertError(await wait, 401, "unauthenticated");
    const posted = await ask(text, "POST", `${path}/messages`, { body: 1 }, {}, true);
    assert.deepEqual([posted.body.from_agent, posted.body.verified], ["ann", true]);
    assertError(await rotate(token), 401, "unauthenticated");
    assert.ok(posted.body.id > revision);
    // What it made is still its own.
    assertStatus(await ask(text, "DELETE", `${path}/tokens/${made.id}`), 200);
  },
);

heldContract("a rotation revokes all that the token made, where it says so", async (held) => {
  const { path, token, ask, rotate, assertCounts } = await guarded(held);
  const member = (await ask(token, "POST", `${path}/tokens`, { role: "member" })).body;
  const reader = (await ask(member.token, "POST", `${path}/tokens`, { role: "reader" })).body;
  const invite = (await ask(token, "POST", `${path}/invites`, { role: "member", agent: "new" })).body;
  const { body } = await rotate(token, {}, { revoke_made: true });
  for (const gone of [member, reader]) await assertCounts(gone.token, false);
  await assertCounts(body.token, true);
  assert.equal((await ask(body.token, "GET", `${path}/tokens`)).body.length, 1);
  assertError(await ask(undefined, "POST", `/join/${invite.code}`), 404, "invite_not_found");
});

heldContract(
  "a rotation whose answer is lost is made again under its key alone, while it is unused",
  async (held) => {
    const { token, rotate, assertCounts } = await guarded(held);
    assertInvalid(await rotate(token, { "Idempotency-Key": "x".repeat(19) }), ["Idempotency-Key"]);
    const first = await rotate(token, KEY, {});
    assert.equal(first.headers.get("idempotency-replayed"), null);
    for (const there of [false, true]) {
      for (
        const [headers, body] of [[{}, {}], [{ "Idempotency-Key": "another key of a request" }, {}], [KEY, {
          revoke_made: true,
        }]]
      ) {
        assertError(await rotate(token, headers, body, there), 401, "unauthenticated");
      }
    }
    const [second, third] = [await rotate(token, KEY, {}, true), await rotate(token, KEY, {})];
    assert.deepEqual([second.status, second.headers.get("idempotency-replayed")], [200, "true"]);
    assert.equal(new Set([first, second, third].map(({ body }) => body.token)).size, 3);
    assert.equal(new Set([first, second, third].map(({ body }) => body.id)).size, 1);
    for (const lost of [first, second]) await assertCounts(lost.body.token, false);
    await assertCounts(third.body.token, true);
    for (const there of [false, true]) {
      assertError(await rotate(token, KEY, {}, there), 401, "unauthenticated");
    }
    await assertCounts(third.body.token, true);
  },
);

heldContract(
  "a write is a use too, and whoever uses a new text first ends the old one for good",
  async (held) => {
    for (const there of [false, true]) {
      const { path, token, ask, rotate } = await guarded(held);
      const { body } = await rotate(token, KEY);
      const put = { key: "k", value: 1, agent: "ann" };
      assertStatus(await ask(body.token, "PUT", `${path}/state`, put, {}, there), 200);
      assertError(await rotate(token, KEY), 401, "unauthenticated");
      assertStatus(await ask(body.token, "GET", path), 200);
    }
  },
);

heldContract("what a token has done under its keys stays done when it is rotated", async (held) => {
  for (const there of [false, true]) {
    const { path, token, ask, rotate } = await guarded(held);
    const post = (token: string, there = false) =>
      ask(token, "POST", `${path}/messages`, { body: 1 }, { "Idempotency-Key": "one" }, there);
    const first = await post(token);
    assertStatus(first, 201);
    const { body: { token: text } } = await rotate(token);
    const again = await post(text, there);
    assert.deepEqual([again.status, again.body], [201, first.body]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    const other = await ask(text, "POST", `${path}/tokens`, { role: "member" });
    assert.notEqual((await post(other.body.token, there)).body.id, first.body.id, "a key is its token's");
  }
});

heldContract("a rotation is made again within an hour, and no later", async (held) => {
  const { token, rotate, assertCounts } = await guarded(held);
  await rotate(token, KEY);
  held.pass(HOUR - 1);
  const last = await rotate(token, KEY);
  assertStatus(last, 200);
  held.pass(1);
  assertError(await rotate(token, KEY), 401, "unauthenticated");
  await assertCounts(last.body.token, true);
});

heldContract(
  "who has no token of the room rotates none, and a repetition keeps the token's end",
  async (held) => {
    const { path, token, ask, rotate } = await guarded(held);
    assertError(await ask(undefined, "POST", `${path}/tokens/rotate`), 401, "unauthenticated");
    assertError(await ask(token, "POST", `/rooms/none/tokens/rotate`), 404, "room_not_found");
    const other = `/rooms/${await held.one.room()}`;
    assertError(await ask(token, "POST", `${other}/tokens/rotate`), 401, "unauthenticated");
    const made = (await ask(token, "POST", `${path}/tokens`, { role: "reader", ttl: 60 })).body;
    const rotated = await rotate(made.token, KEY);
    assert.match(rotated.body.token, /^cvn_r_/);
    assert.equal(rotated.body.expires_at, made.expires_at);
    held.pass(60_000);
    assertError(await rotate(made.token, KEY), 401, "unauthenticated");
    assertError(await ask(rotated.body.token, "GET", path), 401, "unauthenticated");
  },
);

heldContract("a token shows the beginning of the last hour in which it was used", async (held) => {
  const { path, token, ask } = await guarded(held);
  held.pass(HOUR / 2);
  const made = (await ask(token, "POST", `${path}/tokens`, { role: "reader" })).body;
  assert.equal(made.last_used_at, null);
  const used = async (): Promise<string | null> =>
    (await ask(token, "GET", `${path}/tokens`)).body.find(({ id }: Json) => id === made.id).last_used_at;
  assert.equal(await used(), null);
  const use = async () => {
    assertStatus(await ask(made.token, "GET", path), 200);
    assertStatus(await ask(token, "PUT", `${path}/state`, { key: "k", value: 1 }), 200); // after what is noted behind
  };
  const thisHour = () => new Date(Math.floor(held.time.now / HOUR) * HOUR).toISOString();
  await use();
  const first = thisHour();
  assert.equal(await used(), first);
  held.pass(HOUR);
  assert.equal(await used(), first);
  await use();
  assert.equal(await used(), thisHour());
});

heldContract(
  "what a token makes ends when it does at the latest, and an end is one for whatever it is asked",
  async (held) => {
    const { path, token, ask } = await guarded(held);
    const make = async (by: string, body: Json) => {
      const reply = await ask(by, "POST", `${path}/tokens`, body);
      assertStatus(reply, 201);
      return reply.body;
    };
    const member = await make(token, { role: "member", ttl: 60 });
    const made = [
      await make(member.token, { role: "reader" }),
      await make(member.token, { role: "reader", ttl: 3_600 }),
      await make(member.token, { role: "member" }),
    ];
    assert.deepEqual(made.map(({ expires_at }) => expires_at), made.map(() => member.expires_at));
    assert.equal((await make(member.token, { role: "reader", ttl: 60 })).expires_at, member.expires_at);
    for (const { token } of [member, ...made]) assertStatus(await ask(token, "GET", path), 200);
    held.pass(60_000);
    // The instance has seen it count, and hears at the first one that it does no longer.
    const acts: Array<[string, string, Json]> = [
      ["POST", "/messages", { from: "ann", body: 1 }],
      ["PUT", "/state", { key: "k", value: 1, agent: "ann" }],
      ["PUT", "/state", { key: "k", value: 1, if_version: 0 }],
      ["POST", "/tokens", { role: "reader" }],
      ["POST", "/tokens/rotate", {}],
      ["DELETE", `/tokens/${made[0]!.id}`, {}],
    ];
    for (const [method, at, body] of acts) {
      assertError(await ask(member.token, method, path + at, body), 401, "unauthenticated");
    }
    for (const { token } of made) assertError(await ask(token, "GET", path), 401, "unauthenticated");
    assert.equal((await ask(token, "GET", `${path}/tokens`)).body.length, 1);
    assert.equal((await held.one.get(`${path}/messages`)).body.length, 0);
  },
);
