import assert from "node:assert/strict";
import { RIGHTS } from "../../routes/http/callers/rights.ts";
import { contract, oneBackend, type Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { document } from "../support/documented.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

/** Every operation of the document within a room, as the room's own path. */
function operations(room: string) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replace("{room}", room).replace("{agent}", "ann").replace("{message}", "1"),
      page: ["/", "/healthz"].includes(path),
      asksToken: RIGHTS[operation.operationId] === "own",
      parameters: (operation.parameters ?? []) as Json[],
      body: (operation.requestBody as Json)?.content["application/json"].example as Json,
    }))
  );
}

/** A page, which opens with any parameter. */
const isInvitation = (method: string, path: string) => method === "GET" && path.startsWith("/join/");

/** Asserts that a name was refused at its path, by a message that has it and a hint of what to write. */
function assertUnknown(reply: Reply, path: (string | number)[], hint?: string): void {
  assertInvalid(reply, path);
  assert.ok(reply.body.message.includes(`\`${path.at(-1)}\``), reply.text);
  assert.ok(reply.body.issues[0].message.includes(`\`${path.at(-1)}\``), reply.text);
  assert.equal(typeof reply.body.hint, "string", reply.text);
  if (hint !== undefined) assert.ok(reply.body.hint.includes(hint), `${hint} is not in ${reply.body.hint}`);
}

contract("an unknown member of a body is refused by every operation, and nothing is done", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const warden = { id: "warden", name: "Warden", secure: true };
  const { token } = (await t.post(`/rooms/${room}/agents`, warden)).body;
  const before = await t.revision(room);
  let bodies = 0;
  for (const { method, path, asksToken, body } of operations(room)) {
    if (body === undefined) continue;
    bodies++;
    const hint = "meta" in body || path.endsWith("/agents") ? "`meta`" : undefined;
    for (const name of ["frobnicate", "__proto__", "constructor"]) {
      const raw = JSON.stringify({ "": { a: 1 }, ...body }).replace('""', JSON.stringify(name));
      const headers: Record<string, string> = asksToken ? bearer(token) : {};
      assertUnknown(await t.request(method, path, { raw, headers }), [name], hint);
    }
  }
  assert.ok(bodies > 8, `${bodies} bodies`);
  const writes = [{ key: "a", value: 1 }, { key: "b", value: 1, frobnicate: 1 }];
  assertUnknown(
    await t.put(`/rooms/${room}/state/batch`, { writes }),
    ["writes", 1, "frobnicate"],
    "`value`",
  );
  assert.equal(await t.revision(room), before);
});

contract("what is deleted or revoked without members takes none", async (t) => {
  const { id, token } = (await t.post("/rooms", { locked: true })).body;
  const headers = bearer(token);
  const made = (at: string) => t.request("POST", at, { headers, body: { role: "member" } });
  const things = ["tokens", "invites"].map(async (kind) => {
    const at = `/rooms/${id}/${kind}`;
    return `${at}/${(await made(at)).body.id}`;
  });
  for (const path of [...await Promise.all(things), `/rooms/${id}`]) {
    const body = { if_revision: 1 };
    assertUnknown(await t.request("DELETE", path, { headers, body }), ["if_revision"]);
    assertInvalid(await t.request("DELETE", path, { headers, raw: "[]" }));
    assertStatus(await t.request("DELETE", path, { headers, raw: "{}" }), 200);
  }
});

contract("a wrong name of a guard never writes unguarded: it is refused with the right one", async (t) => {
  const room = await t.room();
  await t.write(room, "lock", "ann");
  const put = (members: Json) => t.put(`/rooms/${room}/state`, { key: "lock", value: "bob", ...members });
  for (const name of ["ifVersion", "if_verson", "IF_VERSION", "if-version", "expected_version", "version"]) {
    assertUnknown(await put({ [name]: 0 }), [name], "`if_version`");
    const body = { key: "lock", [name]: 7 };
    assertUnknown(await t.delete(`/rooms/${room}/state`, body), [name], "`if_version`");
  }
  for (const name of ["gate", "condition", "If", "precondition"]) {
    assertUnknown(await put({ [name]: "false" }), [name], "`if`");
    const body = { writes: [{ key: "lock", value: "bob" }], [name]: "false" };
    assertUnknown(await t.put(`/rooms/${room}/state/batch`, body), [name], "`if`");
  }
  const writes = [{ key: "lock", value: "bob" }];
  const batch = (members: Json, write: Json = {}) =>
    t.put(`/rooms/${room}/state/batch`, { writes: [{ ...writes[0], ...write }], ...members });
  assertUnknown(await batch({ if_version: 0 }), ["if_version"], "into each of the `writes`");
  assertUnknown(await batch({ ifVersion: 0 }), ["ifVersion"], "Put `if_version` into each");
  assertUnknown(await batch({}, { if: "false" }), ["writes", 0, "if"], "Put `if` beside `writes`");
  assertUnknown(await batch({}, { gate: "false" }), ["writes", 0, "gate"], "Put `if` beside `writes`");
  assertUnknown(await batch({}, { agent: "bob" }), ["writes", 0, "agent"], "Put `agent` beside `writes`");
  assert.deepEqual(await t.entry(room, "lock").then(({ value, version }) => [value, version]), ["ann", 1]);
});

contract("names that callers mistake are told: members of every body", async (t) => {
  const room = await t.room();
  const cases: [method: string, path: string, body: Json, wrong: string, right: string][] = [
    ["POST", "/rooms", { metadata: {} }, "metadata", "`meta`"],
    ["POST", "/rooms", { room: "x" }, "room", "`id`"],
    ["POST", "/rooms", { room_id: "x" }, "room_id", "`id`"],
    ["POST", "/rooms", { name: "x" }, "name", "`id`"],
    ["POST", `/rooms/${room}/agents`, { name: "Ann", agent: "ann" }, "agent", "mean `id`"],
    ["POST", `/rooms/${room}/agents`, { name: "Ann", agent_id: "ann" }, "agent_id", "mean `id`"],
    ["POST", `/rooms/${room}/agents`, { name: "Ann", room }, "room", "leave it out"],
    ["POST", `/rooms/${room}/agents`, { name: "Ann", ifNew: true }, "ifNew", "`if_new`"],
    ["POST", `/rooms/${room}/agents`, { name: "Ann", status: "busy" }, "status", "leave it out"],
    ["POST", `/rooms/${room}/agents/ann/heartbeat`, { state: "busy" }, "state", "`status`"],
    ["POST", `/rooms/${room}/messages`, { body: 1, sender: "ann" }, "sender", "`from`"],
    ["POST", `/rooms/${room}/messages`, { body: 1, replyTo: 1 }, "replyTo", "`reply_to`"],
    ["POST", `/rooms/${room}/messages`, { body: 1, type: "task" }, "type", "`kind`"],
    ["POST", `/rooms/${room}/messages`, { text: "x" }, "text", "`body`"],
    ["POST", `/rooms/${room}/messages`, { body: 1, id: 1 }, "id", "leave it out"],
    ["POST", `/rooms/${room}/messages`, { body: 1, room_id: room }, "room_id", "leave it out"],
    ["POST", `/rooms/${room}/messages/1/claim`, { agent: "ann", from: "ann" }, "from", "`agent`"],
    ["PUT", `/rooms/${room}/state`, { key: "k", val: 1 }, "val", "`value`"],
    ["PUT", `/rooms/${room}/state`, { key: "k", value: 1, updated_at: "x" }, "updated_at", "leave it out"],
    ["PUT", `/rooms/${room}/state`, { writes: [] }, "writes", "/state/batch"],
    ["PUT", `/rooms/${room}/state`, { key: "k", delete: true }, "delete", "DELETE /rooms/{room}/state"],
    ["PUT", `/rooms/${room}/state`, { operations: [] }, "operations", "/state/batch"],
    ["POST", `/rooms/${room}/eval`, { expression: "1" }, "expression", "`expr`"],
    ["POST", `/rooms/${room}/eval`, { condition: "true" }, "condition", "mean `expr`"],
    ["POST", `/rooms/${room}/wait`, { expr: "true" }, "expr", "`condition`"],
    ["POST", `/rooms/${room}/wait`, { condition: "true", timeout_ms: 0 }, "timeout_ms", "`timeout`"],
  ];
  for (const [method, path, body, wrong, right] of cases) {
    assertUnknown(await t.request(method, path, { body }), [wrong], right);
  }
});

contract("a refusal names at most 20 issues", async (t) => {
  const room = await t.room();
  for (const [names, issues] of [[19, 19], [20, 20], [21, 20], [15_000, 20]] as const) {
    const unknown = Object.fromEntries(Array.from({ length: names }, (_, n) => [`name${n}`, 1]));
    const reply = await t.post(`/rooms/${room}/messages`, { body: 1, ...unknown });
    assertInvalid(reply, ["name0"]);
    assert.equal(reply.body.issues.length, issues);
  }
});

contract(
  "an unknown parameter is refused by every operation, and those of the document are taken",
  async (t) => {
    const room = await t.room();
    await t.agent(room, "ann");
    const without = new Set(["/healthz", "/"]);
    for (const { method, path, page, parameters, body } of operations(room)) {
      if (without.has(path) || path.endsWith("/events") || isInvitation(method, path)) continue;
      const condition = path.endsWith("/wait") && method === "GET" ? "condition=true&" : "";
      const asked = path === "/rooms" ? {} : path.endsWith("/wait") ? { condition: "true" } : body;
      const options = { body: body && asked };
      const ask = (query: string) => t.request(method, `${path}?${condition}${query}`, options);
      assertUnknown(await ask("frobnicate=1"), ["frobnicate"]);
      assertUnknown(await ask("frobnicate"), ["frobnicate"]);
      assert.doesNotMatch((await ask("_frobnicate=1")).text, /There is no parameter/);
      for (const { name, in: place } of parameters) {
        if (place !== "query" || page) continue;
        assert.doesNotMatch(
          (await ask(`${name}=1`)).text,
          /There is no parameter/,
          `${method} ${path} ${name}`,
        );
      }
    }
    assertUnknown(await t.get(`/rooms/${room}/events?frobnicate=1`), ["frobnicate"], "`after`");
    for (const part of ["", "/messages", "/entries", "/evaluation"]) {
      assertUnknown(await t.get(`/rooms/${room}/live${part}?frobnicate=1`), ["frobnicate"]);
    }
  },
);

contract("names that callers mistake are told: parameters", async (t) => {
  const room = await t.room();
  await t.message(room, { kind: "task" });
  await t.message(room, { kind: "other" });
  const wrong: [path: string, name: string, hint: string][] = [
    [`/rooms/${room}/messages?Kind=task`, "Kind", "`kind`"],
    [`/rooms/${room}/messages?claimed=ann`, "claimed", "`claimed_by`"],
    [`/rooms/${room}/messages?replyTo=1`, "replyTo", "`reply_to`"],
    [`/rooms/${room}/messages?limit[]=1`, "limit[]", "`limit`"],
    [`/rooms/${room}/messages?limit[]=`, "limit[]", "`limit`"],
    [`/rooms/${room}/messages?from_agent=ann`, "from_agent", "`from`"],
    [`/rooms/${room}/messages?since=1`, "since", "`after`"],
    [`/rooms/${room}/messages?unread=true`, "unread", "`after`"],
    [`/rooms/${room}/state?after=1`, "after", "`since`"],
    [`/rooms?offset=1`, "offset", "`before`"],
    [`/?rooms=${room}`, "rooms", "`room`"],
    [`/?Room=${room}`, "Room", "`room`"],
  ];
  for (const [path, name, hint] of wrong) assertUnknown(await t.get(path), [name], hint);
});

contract("a condition that a query cuts at && is refused, and told how to be sent", async (t) => {
  const room = await t.room();
  await t.write(room, "a", 1);
  for (
    const rest of ["state._shared.b == 2", "b", "state._shared.a==1", "!has(state._shared.a)", "(1 == 2)"]
  ) {
    for (const and of ["&&", "%20&&%20", " && "]) {
      const reply = await t.request(
        "GET",
        `/rooms/${room}/wait?timeout=0&condition=state._shared.a${and}${rest}`,
      );
      assertInvalid(reply);
      assert.match(reply.body.hint, /%26%26/);
    }
  }
  const cut = await t.request("DELETE", `/rooms/${room}/state?key=a&if=true && state._shared.a == 2`);
  assertInvalid(cut);
  assert.match(cut.body.hint, /%26%26/);
  assert.equal((await t.entry(room, "a")).value, 1);
});

/** What arrives of an expression that stands in a URL as it is, by what the hint tells to write. */
const SLIPS_OF_URLS: Array<[sent: string, hint: RegExp | undefined]> = [
  ["state._shared.n+1", /`%2B`/],
  ["state._shared.n+1%20==%202", /`%2B`/],
  ["messages.count+state._shared.n>3", /`%2B`/],
  ['"a"+"b"=="ab"', /`%2B`/],
  ["state._shared.n+(1)==2", /`%2B`/],
  ["(1)+(2)==3", /`%2B`/],
  ["[1]+{}", /`%2B`/],
  ["1+%2B+1+1", /`%2B`/],
  ["state._shared.n%10==0", /`%25`/],
  ["state._shared.n%00==0", /`%25`/],
  ["state._shared.n%25==0", /`%25`/],
  ["state._shared.n%25", /`%25`/],
  ['state._shared.n=="', /`%23` and `%26`/],
  ['state._shared.n=="a', /`%23` and `%26`/],
  ["size(state._shared.n", /`%23` and `%26`/],
  // What has no slip of a URL keeps what else is to be said of it.
  ["state._shared.n%201", undefined],
  ["state._shared.n+==+1+and+true", /^Write `&&`/],
  ["stat._shared.n+%2B+1", /`state`/],
  ["messages.cuont+%2B+1", /`count`/],
  ["1+%2B+%2B+2", undefined],
];

contract(
  "an expression that a URL has changed is refused with the hint how it is written there",
  async (t) => {
    const room = await t.room();
    await t.write(room, "n", 1);
    for (const [sent, hint] of SLIPS_OF_URLS) {
      const replies = [
        await t.request("GET", `/rooms/${room}/wait?timeout=0&condition=${sent}`),
        await t.request("DELETE", `/rooms/${room}/state?key=n&if=${sent}&agent=ann`),
      ];
      for (const reply of replies) {
        assert.deepEqual([reply.status, reply.body.error], [400, "invalid_expression"], sent);
        if (hint) assert.match(reply.body.hint ?? "", hint, sent);
        else assert.doesNotMatch(reply.body.hint ?? "", /URL/, sent);
      }
      const page = await t.request("GET", `/?room=${room}&expr=${sent}`, {
        headers: { Accept: "text/html" },
      });
      if (hint && /%2/.test(hint.source)) assert.match(page.text, hint, sent);
      const { expression } = replies[0]!.body;
      const inBody = await t.post(`/rooms/${room}/wait`, { condition: expression, timeout: 0 });
      assert.doesNotMatch(inBody.body.hint ?? "", /URL/, sent);
    }
    for (const sent of ["state._shared.n+==+1", "state._shared.n%2B1==2", "state._shared.n+%2B+1+==+2"]) {
      const reply = await t.request("GET", `/rooms/${room}/wait?timeout=0&condition=${sent}`);
      assert.equal(reply.body.triggered, true, sent);
    }
  },
);

contract("a parameter that stands twice is refused where the two differ", async (t) => {
  const room = await t.room();
  for (const query of ["kind=a&kind=b", "after=1&after=x", "kind=a&kind=b&kind=a"]) {
    assertInvalid(await t.get(`/rooms/${room}/messages?${query}`), [query.split("=")[0]!]);
  }
  assertInvalid(await t.get(`/rooms/${room}/wait?condition=true&condition=false`), ["condition"]);
  assertStatus(await t.get(`/rooms/${room}/messages?kind=a&kind=a&kind=`), 200);
});

contract("an empty parameter is as if absent, but for a guard, which is refused", async (t) => {
  const room = await t.room();
  await t.message(room, { kind: "task", from: "ann" });
  await t.write(room, "k", 1);
  const all = "after=&from=&to=&kind=&thread=&unclaimed=&limit=&last=";
  assert.equal((await t.get(`/rooms/${room}/messages?${all}`)).body.length, 1);
  assert.equal((await t.get(`/rooms/${room}/messages?kind&from`)).body.length, 1);
  assert.equal((await t.get(`/rooms/${room}/state?scope=&key=&prefix=&since=&resolve=`)).body.length, 1);
  assert.ok((await t.get("/rooms?limit=&before=&before_id=")).body.length > 0);
  assertStatus(await t.get(`/rooms/${room}/changes?after=&limit=`), 200);
  assertStatus(await t.get(`/rooms/${room}/wait?condition=true&agent=&timeout=&include=`), 200);
  assertInvalid(await t.get(`/rooms/${room}/wait?condition=`), ["condition"]);
  for (const guard of ["if", "if_version"]) {
    assertInvalid(await t.delete(`/rooms/${room}/state?key=k&${guard}=`), [guard]);
  }
  assert.equal((await t.entry(room, "k")).value, 1);
});

contract("links to pages and documents open with whatever marks they were shared with", async (t) => {
  const room = await t.room();
  const headers = { accept: "text/html" };
  for (
    const path of ["/", `/?room=${room}`, "/guide", "/help", "/docs/errors", "/healthz", "/openapi.json"]
  ) {
    const marked = `${path}${
      path.includes("?") ? "&" : "?"
    }utm_source=chat&fbclid=1&ref=x&v=2&from=mail&id=3`;
    const reply = await t.request("GET", marked, { headers });
    assertStatus(reply, 200);
    if (path.includes("room")) assert.ok(reply.text.includes(room));
  }
});

contract("from_agent and to_agent are other names of from and to: what was read can be sent", async (t) => {
  const room = await t.room();
  const post = (members: Json) => t.post(`/rooms/${room}/messages`, { body: 1, ...members });
  const ways = async (members: Json) => {
    const reply = await post(members);
    assertStatus(reply, 201);
    return [reply.body.from_agent, reply.body.to_agent];
  };
  assert.deepEqual(await ways({ from_agent: "ann", to_agent: "bob" }), ["ann", "bob"]);
  assert.deepEqual(await ways({ from: "ann", from_agent: "ann", to_agent: null }), ["ann", null]);
  assert.deepEqual(await ways({ from: null, from_agent: "ann", to: "bob", to_agent: null }), ["ann", "bob"]);
  assertInvalid(await post({ from: "ann", from_agent: "bob" }), ["from_agent"]);
  assertInvalid(await post({ to: "ann", to_agent: "Ann" }), ["to_agent"]);
  assertInvalid(await post({ to_agent: "" }), ["to_agent"]);
});

contract(
  "null for an optional member is as if it were absent; a guard that is null is refused",
  async (t) => {
    const room = await t.room();
    const path = `/rooms/${room}`;
    assertStatus(await t.post("/rooms", { id: null, meta: null }), 201);
    const profile = { id: "ann", name: "Ann", role: "judge", meta: { m: 1 }, if_new: null };
    assertStatus(await t.post(`${path}/agents`, profile), 201);
    const again = await t.post(`${path}/agents`, { id: "ann", name: "Ann", role: null, meta: null });
    assert.deepEqual([again.body.role, again.body.meta], ["judge", { m: 1 }]);
    assert.equal((await t.post(`${path}/agents/ann/heartbeat`, { status: null })).body.status, "active");
    const message = { from: null, to: null, kind: null, reply_to: null, body: null };
    assert.deepEqual(
      await t.post(`${path}/messages`, message).then(({ body }) => [body.kind, body.body]),
      ["message", null],
    );
    const nothing = { scope: null, increment: null, expr: null };
    const put = await t.put(`${path}/state`, { ...nothing, key: "k", value: null, agent: null });
    assert.deepEqual([put.status, put.body.scope, put.body.value], [200, "_shared", null]);
    const batch = { writes: [{ ...nothing, key: "k", value: 1 }], agent: null };
    assertStatus(await t.put(`${path}/state/batch`, batch), 200);
    assertStatus(await t.post(`${path}/eval`, { expr: "1", agent: null }), 200);
    const wait = { condition: "true", agent: null, timeout: null, include: null };
    assertStatus(await t.post(`${path}/wait`, wait), 200);

    for (const guard of ["if", "if_version"]) {
      const refused = await t.put(`${path}/state`, { key: "k", value: 2, [guard]: null });
      assertInvalid(refused, [guard]);
      assert.match(refused.body.message, /must not be null: leave it out/);
      assertInvalid(await t.delete(`${path}/state`, { key: "k", [guard]: null }), [guard]);
    }
    assertInvalid(await t.put(`${path}/state/batch`, { writes: [{ key: "k", value: 2 }], if: null }), ["if"]);
    const guarded = { writes: [{ key: "k", value: 2, if_version: null }] };
    assertInvalid(await t.put(`${path}/state/batch`, guarded), ["writes", 0, "if_version"]);
    assert.equal((await t.entry(room, "k")).value, 1);
    assertStatus(await t.delete(`${path}/state`, { key: "k", scope: null, agent: null }), 200);
  },
);

contract(
  "a delete takes its members from the query as from the body, or some here and some there",
  async (t) => {
    const room = await t.room();
    const path = `/rooms/${room}/state`;
    const present = async (key: string, scope?: string) => await t.entry(room, key, scope) !== undefined;
    for (const key of ["a", "b", "c", "d"]) await t.write(room, key, 1);
    await t.write(room, "e", 1, { scope: "ann" });
    assert.deepEqual((await t.delete(`${path}?key=a`)).body, { deleted: true });
    assertError(await t.delete(`${path}?key=b&if_version=7`), 409, "version_conflict", ["current"]);
    assert.deepEqual((await t.delete(`${path}?key=b&if_version=1`)).body, { deleted: true });
    const gated = `${path}?key=c&agent=ann&if=${encodeURIComponent('self == "ann"')}`;
    assert.deepEqual((await t.delete(gated)).body, { deleted: true });
    assert.deepEqual((await t.delete(`${path}?scope=ann`, { key: "e", scope: null })).body, {
      deleted: true,
    });
    assert.equal(await present("e", "ann"), false);
    assert.deepEqual((await t.delete(`${path}?key=d`, { key: "d" })).body, { deleted: true });

    await t.write(room, "d", 1);
    assertInvalid(await t.delete(`${path}?key=d`, { key: "x" }), ["key"]);
    assertInvalid(await t.delete(`${path}?key=d&if_version=3`, { if_version: 4 }), ["if_version"]);
    assertInvalid(await t.delete(`${path}?key=d&if_version=x`), ["if_version"]);
    assertInvalid(await t.delete(`${path}?key=d&if_version=-1`), ["if_version"]);
    assertInvalid(await t.delete(`${path}?key=d&if_version=3&if_version=4`), ["if_version"]);
    assertInvalid(await t.delete(path), ["key"]);
    assertInvalid(await t.delete(`${path}?key=d`, []), []);
    assert.ok(await present("d"));
  },
);

contract("an Idempotency-Key knows two deletes apart by their queries", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/state`;
  for (const key of ["a", "b"]) await t.write(room, key, 1);
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const first = await t.request("DELETE", `${path}?key=a&_attempt=1`, { headers });
  assert.deepEqual(first.body, { deleted: true });
  const replay = await t.request("DELETE", `${path}?_attempt=2&key=a`, { headers });
  assert.deepEqual([replay.body, replay.headers.get("idempotency-replayed")], [{ deleted: true }, "true"]);
  assertError(await t.request("DELETE", `${path}?key=b`, { headers }), 422, "idempotency_mismatch");
  assert.ok(await t.entry(room, "b"));
});

/** Numbers that a double does not hold, as they are written. */
const LOST = [
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "123456789012345678901234567890",
  "9007199254740993.0",
  "1e400",
  "-1.0e400",
  `1${"0".repeat(250)}e99`,
  `1${"0".repeat(400)}`,
];
const HELD = [
  "9007199254740991",
  "-9007199254740991",
  "9007199254740992.0",
  "1e20",
  "1.7976931348623157e308",
  "1e-400",
  "0.1234567890123456789",
  "-0",
  "12345678.12345678901",
];

contract("a number that a double does not hold is refused wherever it stands, and named", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const refused = async (method: string, at: string, raw: string, place: (string | number)[]) => {
    const reply = await t.request(method, `${path}${at}`, { raw });
    assertInvalid(reply, place);
    const takesText = ["value", "body", "meta"].some((name) => place.includes(name));
    assert.match(reply.body.hint, takesText ? /as text/ : /must be a number within/, raw);
  };
  const before = await t.revision(room);
  for (const number of LOST) {
    await refused("PUT", "/state", `{"key":"k","value":${number}}`, ["value"]);
    await refused("PUT", "/state", `{"key":"k","value":{"a":["1",${number}]}}`, ["value", "a", 1]);
    await refused("PUT", "/state", `{"key":"k","increment":${number}}`, ["increment"]);
    await refused("PUT", "/state", `{"key":"k","value":1,"if_version":${number}}`, ["if_version"]);
    const batch = `{"writes":[{"key":"k","value":1},{"key":"l","value":${number}}]}`;
    await refused("PUT", "/state/batch", batch, ["writes", 1, "value"]);
    await refused("POST", "/messages", `{"body":{"id":${number}}}`, ["body", "id"]);
    await refused("POST", "/messages", `{"body":1,"reply_to":${number}}`, ["reply_to"]);
    await refused("POST", "/agents", `{"name":"x","meta":{"id":${number}}}`, ["meta", "id"]);
    await refused("POST", "/wait", `{"condition":"true","timeout":${number}}`, ["timeout"]);
    await refused("DELETE", "/state", `{"key":"k","if_version":${number}}`, ["if_version"]);
  }
  assert.equal(await t.revision(room), before);
  for (const number of HELD) {
    const raw = `{"key":"k","value":[${number},"9007199254740993","1e400"]}`;
    const reply = await t.request("PUT", `${path}/state`, { raw });
    assertStatus(reply, 200);
    assert.deepEqual(reply.body.value, [JSON.parse(number) || 0, "9007199254740993", "1e400"]);
  }
});

contract("a member that stands twice in its object is refused wherever it is, and named", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const TWICE: Array<[method: string, at: string, raw: string, place: (string | number)[]]> = [
    ["PUT", "/state", '{"key":"k","value":1,"if":"false","if":"true"}', ["if"]],
    ["PUT", "/state", '{"key":"k","value":1,"if_version":0,"value":1}', ["value"]],
    ["PUT", "/state", '{"key":"k","value":1,"k\\u0065y":"l"}', ["key"]],
    ["PUT", "/state", '{"key":"k","value":{"a":[0,{"b":1,"c":{},"b":2}]}}', ["value", "a", 1, "b"]],
    ["PUT", "/state/batch", '{"writes":[{"key":"k","value":1},{"key":"l","key":"m"}]}', ["writes", 1, "key"]],
    ["POST", "/messages", '{"body":{"__proto__":1,"__proto__":2}}', ["body", "__proto__"]],
    ["POST", "/wait", '{"condition":"true","condition":"false"}', ["condition"]],
    ["DELETE", "/state", '{"key":"k","key":"l"}', ["key"]],
  ];
  const before = await t.revision(room);
  for (const [method, at, raw, place] of TWICE) {
    const reply = await t.request(method, `${path}${at}`, { raw });
    assertInvalid(reply, place);
    assert.match(reply.body.hint, /each member once/);
  }
  assert.equal(await t.revision(room), before);
  const value = { a: { a: [{ a: 1 }, { a: ':"a":{,' }, "a"] }, b: { a: null }, "": 1, 7: { __proto__: 2 } };
  assert.deepEqual((await t.write(room, "k", value)).value, value);
});

/** What is no JSON, by the slip in it, and what the hint says. */
const SLIPS: Array<[raw: string, hint: RegExp]> = [
  ["{'key':'k','value':1}", /double quotes only/],
  [`{"key":'k'}`, /double quotes only/],
  ['{"key":"k","value":1,}', /comma before the closing bracket/],
  ['{"key":"k","value":[1,2, ]}', /comma before the closing bracket/],
  ["{key:k,value:1}", /names in double quotes.*In a shell/],
  [`'{"key":"k"}'`, /Windows/],
  ["key=k&value=1", /instead of a form/],
  [
    '--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x--\r\n',
    /instead of a form/,
  ],
  ["{\u201ckey\u201d:1}", /plain double quotes/],
  ['{"key":"k","value":1,"if":"state._shared.phase == "go""}', /within a text as \\"/],
  ['{"key":"k","value":True}', /true, false and null/],
  ['{"key":"k","value":undefined}', /true, false and null/],
  ['{"key":"k"} // mine', /no comments/],
  ['{"key":"k","value":.5}', /0\.5/],
  ['{"key":"k","value":007}', /0\.5, 7/],
  ['{"key":"k" "value":1}', /comma is missing/],
  ['{"key":"k","value":"a\nb"}', /new line within a text as \\n/],
  ['{"key":"k","value":"Hi\\!"}', /backslash/],
  ['{"key":"k","value":"', /too early/],
  ['{"key":"k","value":[1', /too early/],
  ['{"key":"k","value":1}}', /nothing after it/],
  ["\u0000", /In a shell/],
];

contract("the usual slips in JSON are told as what to write instead", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  for (const [raw, hint] of SLIPS) {
    const reply = await t.request("PUT", path, { raw });
    assertInvalid(reply, []);
    assert.match(reply.body.hint, hint, raw);
  }
  for (const piece of ["'", '"', "{a", ",", " ", "\\", '"a', "/", "0", "=", "a"]) {
    const raw = `{"key":${piece.repeat(100_000)}`;
    const from = performance.now();
    assertInvalid(await t.request("PUT", path, { raw }), []);
    assert.ok(performance.now() - from < 1_000, piece);
  }
}, oneBackend);

contract("the message of an error names the member that it is about", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  const of = async (body: unknown) => (await t.put(path, body)).body.message;
  assert.equal(await of({ key: "k" }), "`value` is missing.");
  assert.match(await of({ key: "k", value: "x", increment: true }), /^value must be a number/);
  assert.match(await of({ key: "k", value: 1, scope: "_mine" }), /^scope: /);
  const batch = await t.put(`${path}/batch`, { writes: [{ key: "k", value: 1 }, { key: "l", expr: "1" }] });
  assertInvalid(batch, ["writes", 1, "expr"]);
  assert.match(batch.body.message, /^writes\.1\.expr: /);
  const headers = { "if-none-match": "*" };
  const header = await t.request("DELETE", path, { headers, body: { key: "k" } });
  assert.match(header.body.message, /If-None-Match/);
}, oneBackend);

contract("a version in a query or a header that no entry can have deletes nothing", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1);
  const path = `/rooms/${room}/state?key=k`;
  const conflict = await t.delete(`${path}&if_version=9007199254740993`);
  assertError(conflict, 409, "version_conflict", ["current"]);
  const headers = { "If-Match": '"9007199254740993"' };
  assertInvalid(await t.request("DELETE", path, { headers }), ["If-Match"]);
  assert.ok(await t.entry(room, "k"));
});

contract("an include given as an array is taken to the letter, a text is parted at commas", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 1, { scope: "a b " });
  await t.write(room, "k", 2, { scope: "x,y" });
  const wait = (include: Json) => t.post(`/rooms/${room}/wait`, { condition: "true", include });
  assert.deepEqual((await wait(["state.a b ", "state.x,y"])).body.state, {
    "a b ": { k: 1 },
    "x,y": { k: 2 },
  });
  assert.deepEqual((await wait(" state.a b , messages ,")).body.state, { "a b": {} });
  for (const odd of [[" state"], [""], ["messages,agents"]]) assertInvalid(await wait(odd), ["include"]);
  const query = await t.get(`/rooms/${room}/wait`, { condition: "true", include: "state.x, messages" });
  assert.deepEqual(query.body.state, { x: {} });
});

contract("a registration says whether the agent is new, and if_new refuses one that is not", async (t) => {
  const room = await t.room();
  const register = (members: Json) => t.post(`/rooms/${room}/agents`, { name: "Ann", ...members });
  const first = await register({ id: "ann", if_new: true });
  assert.deepEqual([first.status, first.body.created], [201, true]);
  const before = await t.revision(room);
  const refused = await register({ id: "ann", name: "Other", if_new: true });
  assertError(refused, 409, "agent_exists");
  assert.deepEqual([refused.revision, await t.revision(room)], [before, before]);
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.name, "Ann");
  const again = await register({ id: "ann", name: "Anna", if_new: false });
  assert.deepEqual([again.status, again.body.created, again.body.name], [200, false, "Anna"]);
  assert.equal((await register({ if_new: true })).body.created, true);
  assert.ok(!("created" in (await t.get(`/rooms/${room}/agents`)).body[0]));
  assertInvalid(await register({ id: "bob", if_new: 1 }), ["if_new"]);
});

contract("of many that register one id with if_new at once exactly one is told that it is new", async (t) => {
  const room = await t.room();
  const replies = await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) => t.post(`/rooms/${room}/agents`, { id: "ann", name: `${n}`, if_new: true }),
    ),
  );
  const won = replies.filter(({ status }) => status === 201);
  assert.equal(won.length, 1);
  assert.ok(replies.every((reply) => reply.status === 201 || reply.body.error === "agent_exists"));
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.name, won[0]!.body.name);
});

contract("a registration under a key replays what the first one said of its being new", async (t) => {
  const room = await t.room();
  const register = (key: string, members: Json) =>
    t.request("POST", `/rooms/${room}/agents`, {
      body: { name: "Ann", ...members },
      headers: { "Idempotency-Key": key },
    });
  const outcome = ({ status, body }: Reply) => [status, body.created];
  for (const [key, id] of [["a", "ann"], ["b", "bob"]] as const) {
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(outcome(await register(key, { id, if_new: true })), [201, true]);
    }
  }
  for (let n = 0; n < 2; n++) assert.deepEqual(outcome(await register("c", { id: "ann" })), [200, false]);
  for (let n = 0; n < 2; n++) {
    assertError(await register("d", { id: "ann", if_new: true }), 409, "agent_exists");
  }
});

contract("messages_since that was cut says that there is more", async (t) => {
  const room = await t.room();
  await fill(t, room, 1_001);
  const since = async (after: number) => {
    const include = [`messages:after:${after}`];
    const { body } = await t.post(`/rooms/${room}/wait`, { condition: "true", include });
    return [body.messages_since.length, body.messages_more];
  };
  const { body: [first] } = await t.get(`/rooms/${room}/messages?limit=1`);
  assert.deepEqual(await since(0), [1_000, true]);
  assert.deepEqual(await since(first.id), [1_000, undefined]);
});

async function fill(t: Subject, room: string, messages: number): Promise<void> {
  for (let left = messages; left > 0; left -= 50) {
    await Promise.all(Array.from({ length: Math.min(50, left) }, () => t.message(room)));
  }
}
