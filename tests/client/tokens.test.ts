import assert from "node:assert/strict";
import { connect, type ConveneError, join } from "../../client/mod.ts";
import { acted, answer, refusal } from "../support/scripted.ts";
import { type Service, startService } from "../support/service.ts";

const TOKEN = "cvn_m_1gltdu5aEeKTiWoxm6Zt2slJYtFyVhUkBQWKnudUxfk2L85WX";

let running: Promise<Service> | undefined;
const service = () => running ??= startService();
Deno.test.afterAll(async () => await (await running)?.stop());

/** Uses the service that the tests of this file share. */
const shared = (name: string, test: (url: string) => Promise<void>) =>
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await test((await service()).url),
  });

shared(
  "by the address of an invitation an agent is in, and acts as itself without naming itself",
  async (url) => {
    const demo = await connect(url).open("demo");
    const made = await demo.invites.create({ note: "for bob", ttl: 60 });
    assert.equal(made.role, "member");
    const { room, agent, token, revision, guide } = await join(made.url, { agent: "bob", meta: { a: 1 } });
    assert.deepEqual([room.id, room.agent, agent, revision, guide], ["demo", "bob", "bob", 1, `${url}/`]);
    assert.equal((await room.messages.post("hello")).verified, true);
    await assert.rejects(() => demo.as("bob").messages.post("I am bob"), { code: "unauthenticated" });
    const again = connect(url, { token }).room("demo");
    assert.equal((await again.messages.post("me")).from_agent, "bob");
    assert.equal(await again.eval("self"), "bob");
    assert.equal((await again.until("self == 'bob'")).triggered, true);
    await assert.rejects(() => join(made.url), { code: "invite_not_found" });
    assert.throws(() => void connect(url, { token: "" }), TypeError);
    const { url: hidden } = await demo.invites.create();
    const cyd = await join(hidden, { agent: "cyd", private: true });
    await cyd.room.state.put("hand", 1, { scope: "cyd" });
    assert.equal((await cyd.room.state.get("hand", { scope: "cyd" }))!.value, 1);
    assert.equal(await demo.state.get("hand", { scope: "cyd" }), undefined);
    const by = await connect(url).join((await demo.invites.create()).code, { name: "Eve" });
    assert.equal((await by.room.agents()).at(-1)!.name, "Eve");
    const line = (await demo.invites.create()).url;
    const elsewhere = connect(url.replace("127.0.0.1", "localhost"));
    await assert.rejects(() => elsewhere.join(line), { name: "TypeError", message: /join\(url\)/ });
    await assert.rejects(() => elsewhere.join(`${url}/rooms`), TypeError);
    assert.equal((await connect(`${url}/`).join(line, { agent: "fay" })).agent, "fay");
  },
);

shared("tokens and invitations of a locked room are made, listed and revoked", async (url) => {
  const { body } = await connect(url).connection.write<{ id: string; token: string }>("POST", "/rooms", {
    locked: true,
  });
  const room = connect(url, { token: body.token }).room(body.id);
  const reader = await room.tokens.create({ role: "reader", ttl: 60, note: "screen" });
  const seen = connect(url, { token: reader.token }).room(body.id);
  assert.equal((await seen.info()).id, body.id);
  assert.deepEqual((await room.tokens.list()).map(({ role }) => role).sort(), ["admin", "reader"]);
  const invite = await room.invites.create({ role: "reader", uses: 2 });
  const { id, uses_left } = (await room.invites.list())[0]!;
  assert.deepEqual([id, uses_left], [invite.id, 2]);
  await room.invites.revoke(id);
  await room.tokens.revoke(reader.id);
  assert.deepEqual([(await room.tokens.list()).length, await room.invites.list()], [1, []]);
  await assert.rejects(() => seen.info(), { code: "room_not_found" });
});

shared("an agent that becomes secure goes on with its token", async (url) => {
  const room = await connect(url).open("secured", { agent: "ann" });
  const { token } = await room.join({ secure: true });
  await assert.rejects(() => room.messages.post("hi"), { code: "unauthenticated" });
  const own = room.as("ann", { token: token! });
  assert.equal((await own.messages.post("hi")).verified, true);
  const invite = await own.invites.create();
  const rotated = await own.tokens.rotate({ revokeMade: true });
  await assert.rejects(() => own.messages.post("hi"), { code: "unauthenticated" });
  await assert.rejects(() => join(invite.url), { code: "invite_not_found" });
  assert.equal((await room.as("ann", { token: rotated.token }).messages.post("hi")).verified, true);
});

Deno.test("a token whose answer was lost is revoked, and another made; so is a code", async () => {
  const answers = [{ id: "lost", token: null }, { revoked: true }, { id: "told", token: TOKEN }];
  const { fetch, sent } = acted(() => answer(answers.shift()!));
  const room = connect("http://service", { fetch, token: TOKEN }).room("r");
  assert.equal((await room.tokens.create({ role: "reader" })).id, "told");
  assert.deepEqual(sent.map(({ method, path }) => `${method} ${path}`), [
    "POST /rooms/r/tokens",
    "DELETE /rooms/r/tokens/lost",
    "POST /rooms/r/tokens",
  ]);
  answers.push({ id: "lost", code: null, url: null } as never, { id: "told", code: "c", url: "u" } as never);
  assert.equal((await room.invites.create()).id, "told");
  // Nobody acts as an agent whose token is lost: another takes its place, if its id is not chosen.
  answers.push({ id: "lost", token: null }, { id: "told", token: TOKEN });
  assert.equal((await room.join({ secure: true })).id, "told");
  answers.push({ id: "ann", token: null });
  await assert.rejects(() => room.join({ id: "ann", secure: true }), {
    code: "no_answer",
    hint: /another id/,
  });
});

Deno.test("a token is in no error, and in nothing that is printed", async () => {
  const said: string[] = [];
  const tell = (thing: unknown) => said.push(Deno.inspect(thing, { depth: 20 }), JSON.stringify(thing) ?? "");
  const send = acted(() => refusal(401, "unauthenticated")).fetch;
  const convene = connect("http://127.0.0.1:9", { token: TOKEN, patience: 0 });
  tell(convene);
  tell(convene.room("r"));
  tell(convene.connection.options);
  for (
    const act of [
      () => convene.room("r").info(),
      () => connect("http://service", { token: TOKEN, fetch: send }).room("r").messages.post("x"),
      () => convene.room("r").follow({}).next(),
      () => Promise.resolve().then(() => connect("http://service", { token: `${TOKEN}\n` })),
      () => Promise.resolve().then(() => connect("http://service", { token: `${TOKEN}é` })),
      () => Promise.resolve().then(() => connect("nowhere", { token: TOKEN })),
    ]
  ) {
    const error = await act().then(() => assert.fail("no error"), (error: ConveneError) => error);
    tell(error);
    said.push(String(error.stack), String(error.message), String(error.cause));
  }
  for (const text of said) assert.ok(!text.includes(TOKEN.slice(0, 20)), text);
});

Deno.test("what is no address of an invitation is told before anything is sent", async () => {
  for (
    const url of ["http://service", "http://service/join/", "7KQ2M-X9D4T", "ftp://service/join/7KQ2M-X9D4T"]
  ) {
    await assert.rejects(() => join(url), TypeError);
  }
});

shared("a locked room is deleted by its admin, once", async (url) => {
  const room = await connect(url).open(undefined, { locked: true });
  const other = connect(url, { token: room.token! }).room(room.id);
  await room.state.put("k", 1);
  assert.equal((await other.info()).locked, true);
  assert.equal(await connect(url).room(room.id).delete(), false);
  assert.equal((await other.info()).id, room.id);
  assert.equal(await room.delete(), true);
  assert.equal(await other.delete(), false);
  await assert.rejects(() => other.info(), { code: "room_not_found" });
  const open = await connect(url).open("open-one", { listed: false });
  await assert.rejects(() => open.delete(), { code: "unauthenticated" });
  assert.ok(!(await connect(url).rooms({ limit: 1_000 })).some(({ id }) => id === "open-one"));
  await assert.rejects(() => connect(url).rooms({ all: true }), { code: "unauthenticated" });
});
