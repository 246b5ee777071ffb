import assert from "node:assert/strict";
import type { Json, Reply } from "../support/client.ts";
import { type Held, heldContract } from "../support/held.ts";
import { hashOf, makeToken } from "../../db/access/token_text.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, assertUuid } from "../support/shapes.ts";
import { inShell } from "../support/shell.ts";
import { bearer } from "../support/tokens.ts";

const INVITE = ["id", "code", "url", "role", "agent", "uses", "expires_at", "note"];
const LISTED = ["id", "role", "agent", "uses", "uses_left", "created_at", "expires_at", "note"];

/** Asks with a token. */
const as =
  (held: Held, token: string) =>
  (method: string, path: string, body?: unknown, headers: Json = {}): Promise<Reply> =>
    held.one.request(method, path, { body, headers: { ...bearer(token), ...headers } });

/** Databases to which a test may connect. */
const ALTERED = ["file", "libsql"];

/** An open room, which anybody may invite to. */
async function open(held: Held, members: Json = {}) {
  held.pass(60_000); // other tests' wrong codes are forgotten
  const path = `/rooms/${await held.one.room()}`;
  const made = await held.one.post(`${path}/invites`, { role: "member", ...members });
  assertStatus(made, 201);
  return { path, made: made.body, join: `/join/${made.body.code}` };
}

/** An open room with a member, and with an admin, which only the operator makes. */
async function governed(held: Held) {
  held.pass(60_000);
  const room = await held.one.room();
  const path = `/rooms/${room}`;
  const { token } = (await held.one.post(`${path}/agents`, { id: "bob", name: "bob", secure: true })).body;
  const admin = makeToken("admin", false, crypto.getRandomValues(new Uint8Array(32)));
  const database = await held.connection();
  const sql =
    `INSERT INTO tokens (room_id, id, hash, role, created_at) VALUES (:room, 'root', :hash, 'admin', '2026-01-01T00:00:00.000Z')`;
  await database.send([{ sql, args: { room, hash: hashOf(admin) } }], "write");
  await database.close();
  const [ann, bob] = [as(held, admin), as(held, token)];
  const invite = async (body: Json, ask = ann) => {
    const made = await ask("POST", `${path}/invites`, body);
    assertStatus(made, 201);
    return { ...made.body, join: `/join/${made.body.code}` };
  };
  return { room, path, ann, bob, invite };
}

heldContract(
  "who joins by a code is registered and secure, and acts under the token at once",
  async (held) => {
    const { one, other } = held;
    const { path, made, join } = await open(held, { agent: "zed", note: "come in" });
    assertMembers(made, INVITE);
    assertUuid(made.id);
    assert.match(made.code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    assert.equal(made.url, `${one.url}${join}`);
    assert.deepEqual([made.role, made.agent, made.uses, made.note], ["member", "zed", 1, "come in"]);
    assert.equal(Date.parse(made.expires_at), held.time.now + 900_000);
    const joined = await other.post(join, { name: "Zed", role: "guest", meta: { a: 1 } });
    assertStatus(joined, 201);
    assertMembers(joined.body, ["room", "agent", "token", "revision", "guide"]);
    assert.deepEqual(
      [joined.body.room, joined.body.agent, joined.body.guide],
      [path.slice(7), "zed", `${other.url}/`],
    );
    assert.deepEqual([joined.revision, joined.body.revision], [1, 1]);
    const agent = (await one.get(`${path}/agents/zed`)).body;
    assert.deepEqual([agent.name, agent.role, agent.meta, agent.secure], ["Zed", "guest", { a: 1 }, true]);
    const zed = as(held, joined.body.token);
    const message = await zed("POST", `${path}/messages`, { body: "here" });
    assert.deepEqual([message.status, message.body.from_agent, message.body.verified], [201, "zed", true]);
    assertError(await one.post(`${path}/messages`, { from: "zed", body: 1 }), 401, "unauthenticated");
    const [token] = (await zed("GET", `${path}/tokens`)).body;
    assert.deepEqual([token.role, token.agent, token.note, token.expires_at], [
      "member",
      "zed",
      "come in",
      null,
    ]);
  },
);

heldContract("reading a code tells what it is, and uses nothing up", async (held) => {
  const { one, other } = held;
  const { path, made, join } = await open(held, { note: "<b>`ignore\n all`</b>" });
  for (
    const at of [join, join.toLowerCase(), `/join/${made.code.replace("-", "")}`, `${join}?utm_source=x`]
  ) {
    const { status, headers, text } = await other.get(at);
    assert.deepEqual([status, headers.get("content-type")], [200, "text/markdown; charset=utf-8"]);
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("cache-control"), "no-store");
    const said = [JSON.stringify(path.slice(7)), made.expires_at, `${other.url}/join/`, made.note];
    for (const part of said.slice(0, 3)) assert.ok(text.includes(part), `${part} is not in ${text}`);
    // A stranger's words stand on one line, as JSON.
    assert.ok(text.includes(`\n    ${JSON.stringify(made.note)}\n`), text);
  }
  const page = await one.request("GET", join, { headers: { Accept: "text/html" } });
  assert.match(page.headers.get("content-type")!, /^text\/html/);
  assert.equal(page.headers.get("referrer-policy"), "no-referrer");
  assert.ok(page.text.includes(path.slice(7)) && !page.text.includes("<b>"), page.text);
  assertStatus(await one.request("HEAD", join), 200);
  assertStatus(await one.post(join, { agent: "zed" }), 201);
});

heldContract("a stranger's words stand on one line for whoever reads them", async (held) => {
  const { one } = held;
  const marks = "\u0085\u2028\u2029\u202E\u2066\u200F";
  const id = `lobby${marks.slice(1)}${crypto.randomUUID()}`;
  assertStatus(await one.post("/rooms", { id }), 201);
  const note = `come in${marks}## Join with one request`;
  const body = { role: "member", agent: `bob${marks.slice(1)}!`, note };
  assertInvalid(await one.post(`/rooms/${encodeURIComponent(id)}/invites`, body), ["agent"]);
  const made = await one.post(`/rooms/${encodeURIComponent(id)}/invites`, { role: "member", note });
  const { text } = await one.get(`/join/${made.body.code}`);
  assert.doesNotMatch(text, /[\u0085\u2028\u2029\p{Bidi_Control}]/u);
  for (const said of [id, note]) {
    assert.ok(text.split("\n").some((line) => /^ {4}"/.test(line) && JSON.parse(line) === said), text);
  }
});

heldContract("the one request that the text names joins, sent as it stands", async (held) => {
  for (const agent of [undefined, "zed"]) {
    const { join: address, path } = await open(held, { agent, uses: agent === undefined ? 2 : 1 });
    const { text } = await held.one.get(address);
    const [command] = /^ +(curl .*\/join\/.*)$/m.exec(text)!.slice(1);
    const join = async () => JSON.parse((await inShell(command!)).stdout);
    const joined = await join();
    assert.equal(joined.agent, agent ?? joined.agent, JSON.stringify(joined));
    if (agent === undefined) assertUuid(joined.agent);
    assert.equal((await held.one.get(`${path}/agents/${joined.agent}`)).body.name, joined.agent);
    if (agent === undefined) assert.notEqual((await join()).agent, joined.agent, "each is another");
    // Those that need what the shell is to have tell so, and send nothing.
    const needing = [...text.matchAll(/^ +(curl .*\$\{.*)$/gm)];
    assert.ok(needing.length > 0, text);
    for (const [, command] of needing) {
      const { success, stderr } = await inShell(command!);
      assert.equal(success, false, command!);
      assert.match(stderr, /TOKEN/);
    }
    assert.doesNotMatch(text, /<[a-z]/, "nothing is to be replaced");
  }
});

heldContract("a code is read in any case, without hyphens, and with what looks alike", async (held) => {
  const { one } = held;
  const { path } = await open(held);
  let code = "";
  while (!/[01]/.test(code)) {
    code = (await one.post(`${path}/invites`, { role: "member", uses: 9 })).body.code;
  }
  const alike = code.replaceAll("1", "l").replaceAll("0", "o");
  for (const text of [code, code.toLowerCase(), alike, alike.toUpperCase(), code.replaceAll(/\B/g, "-")]) {
    assertStatus(await one.get(`/join/${text}`), 200);
    assertStatus(await one.post(`/join/${text}`), 201);
  }
});

heldContract("a code that is used up, expired or unknown is not found, by whatever method", async (held) => {
  const { one, other } = held;
  const { path, join, made } = await open(held);
  assertStatus(await one.post(join), 201);
  const { code } = (await one.post(`${path}/invites`, { role: "member", ttl: 60 })).body;
  held.pass(59_999);
  assertStatus(await other.get(`/join/${code}`), 200);
  held.pass(1);
  for (const gone of [made.code, code, "00000-00000", "7KQ2U-X9D4T", "short", "%20"]) {
    for (const method of ["GET", "POST"]) {
      assertError(await other.request(method, `/join/${gone}`), 404, "invite_not_found");
    }
    held.pass(60_000);
  }
  const page = await one.request("GET", join, { headers: { Accept: "text/html" } });
  assert.deepEqual([page.status, page.headers.get("referrer-policy")], [404, "no-referrer"]);
});

heldContract("what is refused uses nothing up, and leaves nothing", async (held) => {
  const { one, other } = held;
  const { path, join } = await open(held, { agent: "zed" });
  await one.agent(path.slice(7), "bob");
  const free = (await one.post(`${path}/invites`, { role: "member" })).body;
  const before = await one.get(`${path}/changes`, { after: 0 });
  assertError(await other.post(join, { agent: "bob" }), 403, "forbidden");
  assertError(await other.post(`/join/${free.code}`, { agent: "bob" }), 409, "agent_exists");
  assertInvalid(await other.post(join, { agent: "_x" }), ["agent"]);
  assertInvalid(await other.post(join, { id: "zed" }), ["id"]);
  const short = { "Idempotency-Key": "x".repeat(19) };
  assertInvalid(await one.request("POST", join, { headers: short }), ["Idempotency-Key"]);
  const [after, agents] = [await one.get(`${path}/changes`, { after: 0 }), await one.get(`${path}/agents`)];
  assert.deepEqual(after.body, before.body);
  assert.deepEqual(agents.body.map(({ id }: Json) => id), ["bob"]);
  assertStatus(await one.post(join, { agent: "zed" }), 201);
  assertStatus(await one.post(`/join/${free.code}`, { agent: "new" }), 201);
});

heldContract("an open room lets anybody invite members under new ids, and nobody else", async (held) => {
  const { one } = held;
  const { room, path, bob, ann, invite } = await governed(held);
  await one.agent(room, "eve");
  const reader = as(held, (await bob("POST", `${path}/tokens`, { role: "reader" })).body.token);
  for (const role of ["admin", "reader"]) {
    assertError(await one.post(`${path}/invites`, { role }), 401, "unauthenticated");
    assertError(await bob("POST", `${path}/invites`, { role }), 403, "forbidden");
  }
  assertError(await reader("POST", `${path}/invites`, { role: "member" }), 403, "forbidden");
  for (const agent of ["eve", "bob"]) {
    assertError(await one.post(`${path}/invites`, { role: "member", agent }), 409, "agent_exists");
    assertError(await bob("POST", `${path}/invites`, { role: "member", agent }), 409, "agent_exists");
  }
  assertStatus(await bob("POST", `${path}/invites`, { role: "member", agent: "zed" }), 201);
  assertError(await one.post("/rooms/none/invites", { role: "member" }), 404, "room_not_found");
  // An admin invites whomever it likes, also one that is there: so a lost token is replaced.
  const roles = [];
  for (const role of ["admin", "member", "reader"]) {
    const { join } = await invite({ role });
    const { token } = (await one.post(join)).body;
    assert.equal(token.slice(0, 6), `cvn_${role[0]}_`);
    roles.push((await as(held, token)("GET", `${path}/tokens`)).body.length);
  }
  assert.deepEqual(roles, [4, 1, 1]);
  const again = await invite({ role: "member", agent: "bob" });
  const { token } = (await one.post(again.join)).body;
  assert.equal((await as(held, token)("POST", `${path}/messages`, { body: 1 })).body.from_agent, "bob");
  assert.equal((await one.get(`${path}/agents/bob`)).body.name, "bob");
  // A code without an agent takes nobody over, whoever made it.
  const { join } = await invite({ role: "member" });
  for (const agent of ["bob", "eve"]) {
    assertError(await one.post(join, { agent }), 409, "agent_exists");
  }
  assertStatus(await ann("GET", path), 200);
}, ALTERED);

heldContract(
  "an admin alone invites to a locked room, and a code tells of it to its holder",
  async (held) => {
    const { one, other } = held;
    const { body: { id, token } } = await one.post("/rooms", { locked: true });
    const [path, root] = [`/rooms/${id}`, as(held, token)];
    const made = await root("POST", `${path}/invites`, { role: "member", agent: "zed", uses: 2 });
    assertStatus(made, 201);
    const told = await other.get(`/join/${made.body.code}`);
    assert.ok(told.text.includes(`\n    ${JSON.stringify(id)}\n`), told.text);
    const joined = await other.post(`/join/${made.body.code}`);
    assertStatus(joined, 201);
    assert.deepEqual([joined.body.room, joined.body.agent], [id, "zed"]);
    const zed = as(held, joined.body.token);
    const posted = await zed("POST", `${path}/messages`, { body: 1 });
    assert.deepEqual([posted.status, posted.body.verified, posted.body.room_id], [201, true, id]);
    const { body: reader } = await root("POST", `${path}/tokens`, { role: "reader" });
    for (const ask of [zed, as(held, reader.token)]) {
      assertError(await ask("POST", `${path}/invites`, { role: "member" }), 403, "forbidden");
    }
    for (const at of ["", "/invites"]) assertError(await one.get(path + at), 404, "room_not_found");
    assertError(await one.post(`${path}/invites`, { role: "member" }), 404, "room_not_found");
    // Its admin invites an agent that is there by its name: so a lost token is replaced.
    const again = await one.post(`/join/${made.body.code}`);
    assert.equal((await as(held, again.body.token)("POST", `${path}/messages`, {})).status, 400);
    assert.equal((await zed("GET", `${path}/tokens`)).body.length, 1);
    assert.equal((await root("GET", `${path}/tokens`)).body.length, 4);
    assertStatus(await root("DELETE", `${path}/invites/${made.body.id}`), 404);
  },
);

heldContract("a token that does not count makes no invitation", async (held) => {
  const { path, ann, bob } = await governed(held);
  const other = await held.one.room();
  const { id, token } = (await bob("POST", `${path}/tokens`, { role: "member" })).body;
  assertStatus(await ann("DELETE", `${path}/tokens/${id}`), 200);
  for (const at of [path, `/rooms/${other}`]) {
    assertError(await as(held, token)("POST", `${at}/invites`, { role: "member" }), 401, "unauthenticated");
  }
  assert.deepEqual((await ann("GET", `${path}/invites`)).body, []);
}, ALTERED);

heldContract("an agent that was used since it was invited is not taken over", async (held) => {
  const { one } = held;
  const { path, join } = await open(held, { agent: "zed" });
  await one.message(path.slice(7), { from: "zed" });
  const refused = await one.post(join);
  assertError(refused, 409, "agent_exists");
  assert.match(refused.body.hint, /whoever invites you/); // by this code nobody takes another id
});

/** A locked room, with an admin and a member that is bound to no agent. */
async function locked(held: Held) {
  held.pass(60_000);
  const { id, token } = (await held.one.post("/rooms", { locked: true })).body;
  const path = `/rooms/${id}`;
  const admin = as(held, token);
  const member = as(held, (await admin("POST", `${path}/tokens`, { role: "member" })).body.token);
  const invite = async (body: Json) => {
    const made = await admin("POST", `${path}/invites`, { role: "member", ...body });
    assertStatus(made, 201);
    return `/join/${made.body.code}`;
  };
  return { path, admin, member, invite };
}

heldContract(
  "an agent to whom a token is bound is taken over by no code but an admin's for it",
  async (held) => {
    const { one, other } = held;
    const { path, admin, invite } = await locked(held);
    for (const role of ["member", "reader"]) {
      const agent = `new-${role}`;
      assertStatus(await admin("POST", `${path}/tokens`, { role, agent }), 201);
      const any = await invite({});
      assertError(await other.post(any, { agent }), 409, "agent_exists");
      assertStatus(await one.post(any, {}), 201);
      assertStatus(await one.post(await invite({ agent }), { private: true }), 201);
    }
    // In an open room, where anybody invites those who are new to it.
    const open = await governed(held);
    assertStatus(await open.ann("POST", `${open.path}/tokens`, { role: "member", agent: "zed" }), 201);
    assertError(
      await one.post(`${open.path}/invites`, { role: "member", agent: "zed" }),
      409,
      "agent_exists",
    );
  },
  ALTERED,
);

heldContract("who becomes an agent that is invited, before it joins, does not share it", async (held) => {
  const { one, other } = held;
  const { path, admin, member, invite } = await locked(held);
  const join = await invite({ agent: "carl", uses: 2 });
  held.pass(1_000);
  const { id, body } = await member("POST", `${path}/agents`, { id: "carl", name: "C", secure: true })
    .then(async ({ body }) => {
      const [{ id }] = (await as(held, body.token)("GET", `${path}/tokens`)).body;
      return { id, body };
    });
  assertError(await other.post(join, { private: true }), 409, "agent_exists");
  assertStatus(await as(held, body.token)("POST", `${path}/tokens`, { role: "reader" }), 201);
  assertError(await one.post(join), 409, "agent_exists");
  // An admin who knows of it decides: by revoking the token, or by inviting the agent anew.
  assertStatus(await admin("DELETE", `${path}/tokens/${id}`), 200);
  const first = await one.post(join, { private: true });
  assertStatus(first, 201);
  // What the agent itself makes is no other's, and neither is what an admin makes.
  const reader = { role: "reader", agent: "carl" };
  assertStatus(await as(held, first.body.token)("POST", `${path}/tokens`, reader), 201);
  assertStatus(await admin("POST", `${path}/tokens`, reader), 201);
  assertStatus(await other.post(join), 201);

  assertStatus(await member("POST", `${path}/agents`, { id: "dora", name: "D", secure: true }), 201);
  held.pass(1_000);
  assertStatus(await one.post(await invite({ agent: "dora" })), 201);
});

heldContract("the same again under its key makes a new token in the place of the first", async (held) => {
  const { one, other } = held;
  const { path, join } = await open(held);
  const headers = { "Idempotency-Key": "0f2b1c9e-77a1-4f6e" + "-a3" };
  assert.equal(headers["Idempotency-Key"].length, 21);
  const ask = (t: typeof one, body: Json, key: Json = headers) =>
    t.request("POST", join, { body, headers: key });
  const first = await ask(one, { name: "Who" });
  assertStatus(first, 201);
  const made = (await as(held, first.body.token)("POST", `${path}/tokens`, { role: "reader" })).body;
  await one.message(path.slice(7));
  const again = await ask(other, { name: "Who" });
  assertStatus(again, 201);
  assert.deepEqual([again.body.room, again.body.agent], [first.body.room, first.body.agent]);
  assert.deepEqual([again.revision, again.body.revision], [2, 2]);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.notEqual(again.body.token, first.body.token);
  assertError(await as(held, first.body.token)("GET", path), 401, "unauthenticated");
  assertStatus(await as(held, again.body.token)("GET", path), 200);
  assertStatus(await as(held, made.token)("GET", path), 200);
  assert.equal((await as(held, again.body.token)("GET", `${path}/tokens`)).body.length, 2);
  assertError(await ask(one, { name: "Other" }), 422, "idempotency_mismatch");
  const others = { "Idempotency-Key": "another key of 20 or more" };
  assertError(await ask(one, { name: "Who" }, others), 404, "invite_not_found");
  assertError(await ask(one, { name: "Who" }, {}), 404, "invite_not_found");
  // The code has ended; who joined may still have lost the answer. The key is kept for a day.
  held.pass(23 * 3_600_000);
  assertStatus(await ask(one, { name: "Who" }), 201);
  held.pass(3_600_000);
  assertError(await ask(one, { name: "Who" }), 404, "invite_not_found");
});

heldContract("a token that was revoked is not made again under the key that joined", async (held) => {
  const { one } = held;
  const { path, join } = await open(held, { uses: 2 });
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const { token, agent } = (await one.request("POST", join, { headers })).body;
  const [{ id }] = (await as(held, token)("GET", `${path}/tokens`)).body;
  assertStatus(await as(held, token)("DELETE", `${path}/tokens/${id}`), 200);
  const again = await one.request("POST", join, { headers });
  assertStatus(again, 201);
  assert.notEqual(again.body.agent, agent);
});

heldContract("invitations are listed without their codes, and an admin revokes them", async (held) => {
  const { one } = held;
  const { path, ann, bob, invite } = await governed(held);
  const kept = await invite({ role: "reader", uses: 3, note: "n" });
  held.pass(1);
  const own = await invite({ role: "member" }, bob);
  assertStatus(await one.post(kept.join), 201);
  const list = await ann("GET", `${path}/invites`);
  assert.doesNotMatch(list.text, new RegExp(kept.code));
  for (const item of list.body) assertMembers(item, LISTED);
  assert.deepEqual(
    list.body.map(({ id, uses, uses_left }: Json) => [id, uses, uses_left]),
    [[kept.id, 3, 2], [own.id, 1, 1]],
  );
  assert.deepEqual((await bob("GET", `${path}/invites`)).body.map(({ id }: Json) => id), [own.id]);
  assertError(await one.get(`${path}/invites`), 401, "unauthenticated");
  assertError(await one.delete(`${path}/invites/${own.id}`), 401, "unauthenticated");
  assertError(await bob("DELETE", `${path}/invites/${own.id}`), 403, "forbidden");
  assertStatus(await one.get(own.join), 200);
  const revoked = await ann("DELETE", `${path}/invites/${own.id}`);
  assert.deepEqual([revoked.status, revoked.body], [200, { revoked: true }]);
  assertError(await one.post(own.join), 404, "invite_not_found");
  assertError(await ann("DELETE", `${path}/invites/${own.id}`), 404, "invite_not_found");
  assert.equal((await ann("GET", `${path}/invites`)).body.length, 1);
  assert.equal(await one.revision(path.slice(7)), 2, "a secure agent and one that joined");
}, ALTERED);

heldContract(
  "an invitation ends with the token that made it, and so do the tokens that came of it",
  async (held) => {
    const { one } = held;
    const { path, ann, bob, invite } = await governed(held);
    const short = as(held, (await bob("POST", `${path}/tokens`, { role: "member", ttl: 120 })).body.token);
    const made = await invite({ role: "member", uses: 3 }, short);
    assert.equal(Date.parse(made.expires_at), held.time.now + 120_000);
    const joined = as(held, (await one.post(made.join)).body.token);
    assertStatus(await joined("GET", path), 200);
    const further = await invite({ role: "member" }, joined);
    held.pass(120_000);
    assertError(await one.post(made.join), 404, "invite_not_found");
    assertError(await one.post(further.join), 404, "invite_not_found");
    assertError(await joined("GET", path), 401, "unauthenticated");

    const second = (await bob("POST", `${path}/tokens`, { role: "member" })).body;
    const [of, other] = [
      await invite({ role: "member", uses: 2 }, as(held, second.token)),
      await invite({
        role: "member",
      }),
    ];
    const zed = as(held, (await one.post(of.join)).body.token);
    assertStatus(await ann("DELETE", `${path}/tokens/${second.id}`), 200);
    assertError(await one.get(of.join), 404, "invite_not_found");
    assertError(await zed("GET", path), 401, "unauthenticated");
    assertStatus(await one.get(other.join), 200);
  },
  ALTERED,
);

heldContract(
  "a token that is rotated keeps what it made unless it says so, and its join is not made again",
  async (held) => {
    const { one } = held;
    const { path, join } = await open(held);
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const first = (await one.request("POST", join, { headers })).body.token;
    const invite = async (token: string) =>
      `/join/${(await as(held, token)("POST", `${path}/invites`, { role: "member", uses: 9 })).body.code}`;
    const [kept, rotate] = [await invite(first), `${path}/tokens/rotate`];
    const second = (await as(held, first)("POST", rotate, {})).body.token;
    const { token: came } = (await one.post(kept)).body;
    const dropped = await invite(second);
    const third = (await as(held, second)("POST", rotate, { revoke_made: true })).body.token;
    for (const gone of [kept, dropped]) assertError(await one.get(gone), 404, "invite_not_found");
    assertError(await as(held, came)("GET", path), 401, "unauthenticated");
    assertError(await one.request("POST", join, { headers }), 404, "invite_not_found");
    assertStatus(await as(held, third)("GET", path), 200);
  },
);

heldContract("a code is shown once: a repetition has null and says what to do", async (held) => {
  const { one } = held;
  const { path } = await open(held);
  const ask = () =>
    one.request("POST", `${path}/invites`, {
      body: { role: "member" },
      headers: { "Idempotency-Key": "once" },
    });
  const [first, again] = [await ask(), await ask()];
  assert.deepEqual([again.status, again.body.id, again.body.code, again.body.url], [
    201,
    first.body.id,
    null,
    null,
  ]);
  assert.equal(typeof again.body.hint, "string");
});

heldContract("an invitation has a role, and bounds of its uses, life and note", async (held) => {
  const { one } = held;
  const { path } = await open(held);
  const refused: Array<[Json, string[]]> = [
    [{}, ["role"]],
    [{ role: "owner" }, ["role"]],
    [{ role: "member", uses: 0 }, ["uses"]],
    [{ role: "member", uses: 101 }, ["uses"]],
    [{ role: "member", ttl: 0 }, ["ttl"]],
    [{ role: "member", ttl: 604_801 }, ["ttl"]],
    [{ role: "member", note: "x".repeat(257) }, ["note"]],
    [{ role: "member", note: "a\0b" }, ["note"]],
    [{ role: "member", note: "\ud800" }, ["note"]],
    [{ role: "member", agent: "_x" }, ["agent"]],
  ];
  for (const [body, at] of refused) assertInvalid(await one.post(`${path}/invites`, body), at);
  for (const [uses, ttl] of [[1, 1], [100, 604_800], [undefined, undefined]]) {
    const { body } = await one.post(`${path}/invites`, { role: "member", uses, ttl, note: "x".repeat(256) });
    assert.equal(body.uses, uses ?? 1);
    assert.equal(Date.parse(body.expires_at), held.time.now + 1_000 * (ttl ?? 900));
  }
});

heldContract("of many that join at once by a code of few uses, so many are in", async (held) => {
  const { one, other } = held;
  const seed = Number(Deno.env.get("INVITES_SEED") ?? Date.now() % 2 ** 31);
  console.log(`joiners: seed ${seed}`);
  for (let round = 0; round < 3; round++) {
    const uses = 1 + (seed + round) % 3;
    const { path, join } = await open(held, { uses });
    const joiners = Array.from({ length: 16 }, (_, n) => {
      const named = (seed >> (n % 8)) % 2 === 0;
      return [one, other][n % 2]!.post(join, named ? { agent: `a${n >> 1}` } : {});
    });
    const replies = await Promise.all(joiners);
    const joined = replies.filter(({ status }) => status === 201);
    const lost = replies.filter(({ status }) => status !== 201);
    assert.equal(joined.length, uses, replies.map(({ text }) => text).join("\n"));
    for (const reply of lost) {
      const known = reply.status === 409 ? "agent_exists" : "invite_not_found";
      assertError(reply, reply.status === 409 ? 409 : 404, known);
    }
    const agents = (await one.get(`${path}/agents`)).body;
    assert.deepEqual(
      agents.map(({ id }: Json) => id).sort(),
      joined.map(({ body }) => body.agent).sort(),
    );
    assert.deepEqual(
      joined.map(({ body }) => body.revision).sort(),
      Array.from({ length: uses }, (_, n) => n + 1),
    );
    for (const { body } of joined) assertStatus(await as(held, body.token)("GET", `${path}/tokens`), 200);
  }
});

heldContract("the same join that is sent many times at once under its key is one", async (held) => {
  const { one, other } = held;
  const { path, join } = await open(held, { uses: 5 });
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, n) => [one, other][n % 2]!.request("POST", join, { headers })),
  );
  for (const reply of replies) assertStatus(reply, 201);
  assert.equal((await one.get(`${path}/agents`)).body.length, 1);
  assert.equal(new Set(replies.map(({ body }) => body.agent)).size, 1);
  const valid = [];
  for (const { body } of replies) {
    valid.push((await as(held, body.token)("GET", path)).status);
  }
  assert.equal(valid.filter((status) => status === 200).length, 1, String(valid));
});
