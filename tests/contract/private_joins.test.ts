import assert from "node:assert/strict";
import type { Json, Reply } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { type Held, heldContract } from "../support/held.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

/** Asks of a room under a token. */
const asker =
  (held: Held, path: string, token?: string) =>
  (method: string, at: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    held.other.request(method, path + at, {
      body,
      headers: { ...token && bearer(token), ...headers },
    });

/** A locked room with its admin, and with bob, who is to see nothing of others' scopes. */
async function game(held: Held) {
  held.pass(60_000); // other tests' wrong codes are forgotten
  const { body: { id, token } } = await held.one.post("/rooms", { locked: true });
  const path = `/rooms/${id}`;
  const root = asker(held, path, token);
  const { body: bob } = await root("POST", "/agents", { id: "bob", name: "Bob", secure: true });
  const invite = async (members: Json = {}) => {
    const made = await root("POST", "/invites", { role: "member", ...members });
    assertStatus(made, 201);
    return `/join/${made.body.code}`;
  };
  return { path, root, bob: asker(held, path, bob.token), bobs: bob.token as string, invite };
}

const keysOf = ({ body }: Reply) => body.map(({ scope, key }: Json) => `${scope}/${key}`);

heldContract(
  "who joins with private has the scope of its name to itself from that write on",
  async (held) => {
    const { path, root, bob, bobs, invite } = await game(held);
    const stream = await openEvents(`${held.one.url}${path}/events?after=0`, {
      Authorization: `Bearer ${bobs}`,
    });
    for (const role of ["member", "reader", "admin"]) {
      const id = `as ${role}`;
      const joined = await held.one.post(await invite({ role, agent: id }), { private: true });
      assertStatus(joined, 201);
      const own = asker(held, path, joined.body.token);
      const at = `/state?scope=${encodeURIComponent(id)}`;
      assertStatus(await root("PUT", "/state", { scope: id, key: "hand", value: [role] }), 200);
      assert.deepEqual(keysOf(await own("GET", at)), [`${id}/hand`]);
      assert.equal((await own("GET", `/agents/${encodeURIComponent(id)}`)).body.private, true);
      assert.equal("private" in (await bob("GET", `/agents/${encodeURIComponent(id)}`)).body, false);
      assert.deepEqual((await bob("GET", at)).body, []);
      assertError(await bob("GET", `${at}&key=hand`), 404, "key_not_found");
      assert.deepEqual((await bob("POST", "/eval", { expr: `state["${id}"]` })).body.value, {});
    }
    assert.deepEqual((await bob("GET", "/changes?after=0")).body.state, []);
    await bob("PUT", "/state", { key: "end", value: true });
    const seen: string[] = [];
    while (!seen.includes("_shared/end")) {
      const { data } = (await stream.next())!;
      seen.push(...data!.state.map(({ scope, key }: Json) => `${scope}/${key}`));
    }
    assert.deepEqual(seen, ["_shared/end"]);
    stream.leave();
    await stream.ended;
  },
);

heldContract(
  "what an invited agent's scope held is gone for others in the revision in which it joins",
  async (held) => {
    const { path, root, bob, invite } = await game(held);
    const { body: { token } } = await root("POST", "/agents", { id: "zed", name: "Zed", secure: true });
    await asker(held, path, token)("PUT", "/state", { scope: "zed", key: "hand", value: 1 });
    assert.deepEqual(keysOf(await bob("GET", "/state?scope=zed")), ["zed/hand"]);
    const code = await invite({ agent: "zed" });
    const looks: Promise<Reply>[] = [];
    const look = () => looks.push(bob("GET", "/state?scope=zed"), bob("GET", "/state?scope=zed&key=hand"));
    for (let n = 0; n < 4; n++) look();
    const joining = held.one.post(code, { private: true });
    for (let n = 0; n < 8; n++) look();
    const joined = await joining;
    assertStatus(joined, 201);
    look();
    for (const { status, body, revision } of await Promise.all(looks)) {
      const isThere = Array.isArray(body) ? body.length > 0 : status === 200;
      assert.equal(isThere, revision! < joined.revision!, `${revision} of ${joined.revision}`);
    }
    const { body: { state, agents } } = await bob("GET", `/changes?after=${joined.revision! - 1}`);
    assert.deepEqual(
      [...state, ...agents].map(({ revision, deleted }: Json) => [revision, deleted ?? false]),
      [[joined.revision, true], [joined.revision, false]],
    );
    const own = asker(held, path, joined.body.token);
    assert.equal((await own("GET", "/state?scope=zed&key=hand")).body.value, 1);
    // Who is private joins again as it is.
    const again = await held.one.post(await invite({ agent: "zed" }), {});
    assert.equal((await asker(held, path, again.body.token)("GET", "/agents/zed")).body.private, true);
  },
);

heldContract("a repeated join is as private as the first, and says the same", async (held) => {
  const { path, bob, invite } = await game(held);
  const code = await invite({ uses: 3 });
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const ask = (body: Json, at = held.one) => at.request("POST", code, { body, headers });
  const first = await ask({ agent: "ann", private: true });
  const again = await ask({ agent: "ann", private: true }, held.other);
  assert.deepEqual([first.status, again.status, again.revision], [201, 201, first.revision]);
  assertError(await ask({ agent: "ann" }), 422, "idempotency_mismatch");
  const own = asker(held, path, again.body.token);
  assertStatus(await own("PUT", "/state", { scope: "ann", key: "k", value: 1 }), 200);
  assert.deepEqual((await bob("GET", "/state")).body, []);
  for (const no of [false, null]) {
    const { body } = await held.one.post(code, { private: no });
    assert.equal((await asker(held, path, body.token)("GET", `/agents/${body.agent}`)).body.private, false);
  }
});

heldContract("what cannot be private is refused, and uses nothing up", async (held) => {
  const { root, bob, invite } = await game(held);
  const code = await invite({ agent: "bob" });
  assertInvalid(await held.one.post(code, { private: "yes" }), ["private"]);
  for (let n = 0; n < 1_001; n += 20) {
    const writes = Array.from(
      { length: Math.min(20, 1_001 - n) },
      (_, i) => ({ scope: "bob", key: `k${n + i}`, value: 1 }),
    );
    assertStatus(await bob("PUT", "/state/batch", { writes }), 200);
  }
  const refused = await held.one.post(code, { private: true });
  assertError(refused, 409, "limit_reached");
  assert.match(refused.body.message, /1,?000 keys/);
  assertStatus(await root("DELETE", "/state", { scope: "bob", key: "k0" }), 200);
  assertStatus(await held.one.post(code, { private: true }), 201);
}, ["memory"]);
