import assert from "node:assert/strict";
import { contract, oneBackend } from "../support/backends.ts";
import { send } from "../support/raw.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";

contract("doubled and trailing slashes of a path do not count", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const posted = await t.post(`${t.url}//rooms///${room}/messages//`, { body: "one" });
  assertStatus(posted, 201);
  assertStatus(await t.post(`/rooms/${room}/messages/${posted.body.id}/claim/`, { agent: "ann" }), 200);
  assertStatus(await t.put(`/rooms/${room}//state/`, { key: "k", value: "ž" }), 200);
  const read = await t.get(`/rooms/${room}/state/?key=k`);
  assert.deepEqual([read.body.value, read.revision], ["ž", await t.revision(room)]);
  assert.equal(read.headers.get("etag"), '"1"');
  const triggered = await t.post(`/rooms/${room}/wait/`, { condition: "true", include: "messages" });
  assert.deepEqual(triggered.body.messages, { count: 1, unclaimed: 0 });
  assertStatus(await t.delete(`/rooms/${room}/state/?key=k`), 200);
  for (
    const path of [
      "/rooms/",
      `${t.url}//rooms`,
      `/rooms/${room}/agents/ann//`,
      "/healthz/",
      "/docs/",
      `${t.url}//`,
    ]
  ) {
    assertStatus(await t.get(path), 200);
    assert.equal((await t.request("HEAD", path)).status, 200, path);
  }
});

contract("a path with slashes that do not count is answered as the plain one", async (t) => {
  const room = await t.room();
  assertError(await t.get("/rooms/no-such-room/"), 404, "room_not_found");
  assertError(await t.post(`/rooms/${room}/`, {}), 405, "method_not_allowed");
  assertError(await t.get(`/rooms/${room}//nothing/`), 404, "not_found");
  const odd = `a%5C%25 "b%2Fc`;
  assertStatus(
    await t.put(`/rooms/${room}/state`, { scope: decodeURIComponent(odd), key: "k", value: 1 }),
    200,
  );
  assertStatus(await t.post("/rooms", { id: `${room}${decodeURIComponent(odd)}` }), 201);
  assert.equal((await t.get(`/rooms/${room}${odd}/`)).body.id, room + decodeURIComponent(odd));
  for (let n = 0; n < 3; n++) await t.message(room);
  const link = (await t.get(`/rooms/${room}/messages/?limit=1`)).headers.get("link");
  assert.match(link!, new RegExp(`^</rooms/${room}/messages\\?limit=1&after=\\d+>`));
  const key = { "idempotency-key": "one" };
  const post = (path: string) => t.request("POST", path, { headers: key, body: { body: 1 } });
  const [first, again] = [await post(`/rooms/${room}/messages/`), await post(`/rooms/${room}/messages`)];
  assert.deepEqual(again.body, first.body);
});

contract("a wait whose path has odd slashes ends when its client goes away", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const controller = new AbortController();
  const waiting = fetch(new URL(`/rooms/${room}//wait/?agent=ann&condition=false`, t.url), {
    signal: controller.signal,
  });
  await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
  controller.abort();
  await assert.rejects(waiting);
  await t.agentUntil(room, "ann", ({ status }) => status === "active");
});

/** Paths at which there is nothing, and what their hints name. */
const NEAR: Array<[path: string, meant: string]> = [
  ["/room", "/rooms?"],
  ["/room/x", "/rooms/x?"],
  ["/Rooms/x%20y", "/rooms/x%20y?"],
  ["/rooms/x/message", "/rooms/x/messages?"],
  ["/rooms/x/msgs", "/rooms/x/messages?"],
  ["/rooms/x/join", "/rooms/x/agents?"],
  ["/rooms/x/Wait/", "/rooms/x/wait?"],
  ["/rooms/x/states/batch", "/rooms/x/state/batch?"],
  ["/rooms/x/agent/ann/heartbeats", "/rooms/x/agents/ann/heartbeat?"],
  ["/rooms/x/messages/4/claims", "/rooms/x/messages/4/claim?"],
  ["/api/rooms/x", "/rooms/x?"],
  ["/api/v1/room/x/state", "/rooms/x/state?"],
  ["/messages", "/rooms/{room}/messages?"],
  ["/agents/ann/heartbeat", "/rooms/{room}/agents/ann/heartbeat?"],
  ["/openapi.yaml", "/openapi.json?"],
  ["/doc/error", "/docs/errors?"],
  ["/health", "/healthz?"],
  ["/rooms/r/claim", "/rooms/r/messages/claim?"],
  ["/rooms/r/heartbeat", "/rooms/r/agents/{agent}/heartbeat?"],
  ["/rooms/r/batch", "/rooms/r/state/batch?"],
  ["/join", "/join/{code}?"],
  ["/rooms/r/messages/4/done", "/rooms/r/messages/4/complete?"],
  ["/rooms/r/reservations/1/release", "DELETE /rooms/r/reservations/1?"],
  ["/rooms/r/agents/ann/leave", "DELETE /rooms/r/agents/ann?"],
  ["/rooms/r/messages/4/unclaim", "/rooms/r/messages/4/release?"],
  ["/rooms/r/messages/4/ack", "/rooms/r/messages/4/complete?"],
  ["/rooms/r/task", "/rooms/r/messages?"],
  ["/rooms/r/lock", "keys, with PUT /rooms/r/state: /docs/patterns shows how."],
  ["/rooms/r/barriers", "keys, with PUT /rooms/r/state: /docs/patterns shows how."],
  ["/sse", "/mcp?"],
  ["/rooms/r/tokens/1/revoke", "DELETE /rooms/r/tokens/1?"],
];

contract("a key in the path is told where it goes, to a write another place than to a read", async (t) => {
  for (
    const [path, query] of [
      ["/rooms/x/state/phase", "?key=phase"],
      ["/rooms/x/state/ann/score", "?scope=ann&key=score"],
    ] as const
  ) {
    for (const method of ["GET", "DELETE"]) {
      const reply = await t.request(method, path);
      assertError(reply, 404, "not_found");
      assert.ok(reply.body.hint.endsWith(` /rooms/x/state${query}`), reply.text);
    }
    for (const method of ["PUT", "POST"]) {
      const reply = await t.request(method, path, { body: { value: 1 } });
      assertError(reply, 404, "not_found");
      assert.ok(reply.body.hint.endsWith("member of the body: PUT /rooms/x/state"), reply.text);
    }
  }
  const reply = await t.put("/rooms/x/state?key=phase", { value: 1 });
  assertInvalid(reply, ["key"]);
  assert.match(reply.body.hint, /members in the body/);
}, oneBackend);

contract("a method that an id does not take is told the path in which its word stands", async (t) => {
  const room = await t.room();
  const told: [path: string, meant: RegExp][] = [
    [`/rooms/${room}/messages/complete`, /It takes GET, .*\/messages\/\{message\}\/complete\?$/],
    [`/rooms/${room}/agents/heartbeat`, /It takes GET, .*\/agents\/\{agent\}\/heartbeat\?$/],
    [
      `/rooms/${room}/agents/ann`,
      /^It takes GET, HEAD, DELETE, OPTIONS\. POST .*\/agents updates its name, role and meta, POST .*\/agents\/ann\/heartbeat its status\.$/,
    ],
    [
      `/rooms/${room}`,
      /^It takes GET, HEAD, PATCH, DELETE, OPTIONS\. POST \/rooms makes a room, by the `id` in its body\.$/,
    ],
    [`/rooms/${room}/messages/next`, /It takes GET, .*\/messages\/claim\?$/],
    [`/rooms/${room}/messages/take/`, /It takes GET, .*\/messages\/claim\?$/],
    [
      `/rooms/${room}/messages/1`,
      /^It takes GET, HEAD, OPTIONS\. A message stays as it was posted\. POST .*\/messages\/1\/fail withdraws a task\.$/,
    ],
    [`/rooms/${room}/state`, /^It takes .*\. PUT writes a key, PUT \/rooms\/.*\/state\/batch several\.$/],
    [`/rooms/${room}/changes`, /^It takes GET, HEAD, OPTIONS\.$/],
  ];
  const taken = await t.get(`/rooms/${room}/messages/claim`);
  assert.equal(taken.body.hint, "It takes POST, OPTIONS.", "a GET there is no slip of the path");
  for (const [path, meant] of told) {
    const reply = await t.post(path, {});
    assertError(reply, 405, "method_not_allowed");
    assert.match(reply.body.hint, meant, path);
  }
}, oneBackend);

contract("a path at which there is nothing is told the one that was meant", async (t) => {
  for (const [path, meant] of NEAR) {
    for (const reply of [await t.get(path), await t.post(path, {})]) {
      assertError(reply, 404, "not_found");
      assert.ok(reply.body.hint.endsWith(` ${meant}`), `${path}: ${reply.body.hint}`);
    }
  }
  const long = "x".repeat(5_000);
  for (const path of ["/qqqq", "/rooms/a/b/c/d", "/v1".repeat(2_000), `/rooms/x/${long}`, `/room/${long}`]) {
    const { body: { hint } } = await t.get(path);
    assert.ok(hint.length < 200, hint);
  }
}, oneBackend);

contract("documents are found under the names that agents try", async (t) => {
  for (const name of ["SKILL.md", "README.md"]) {
    const [upper, lower] = [await t.get(`/${name}`), await t.get(`/${name.toLowerCase()}`)];
    assert.deepEqual([lower.status, lower.text], [200, upper.text]);
  }
}, oneBackend);

contract("a path is not made another one by dots in it", async (t) => {
  for (const path of ["/x/%2e%2e//healthz", "/%2E/healthz/", "//..//healthz", "/healthz/."]) {
    const reply = await send(t.url, `GET ${path} HTTP/1.1`, "Host: 127.0.0.1");
    assert.equal(reply.status, 404, path);
  }
}, oneBackend);

contract(
  "where clients look for OAuth there is a plain 404 with JSON, whatever they accept and show",
  async (t) => {
    const paths = [
      "oauth-authorization-server",
      "oauth-protected-resource",
      "oauth-protected-resource/mcp",
      "openid-configuration",
      "openid-configuration/mcp",
    ];
    for (const path of paths) {
      for (const accept of ["application/json", "text/html", "*/*"]) {
        const shown: Record<string, string>[] = [{ accept }, {
          accept,
          Authorization: "Bearer of-another-service",
        }];
        for (const headers of shown) {
          const reply = await t.request("GET", `/.well-known/${path}`, { headers });
          assertError(reply, 404, "not_found");
          assert.match(reply.headers.get("content-type")!, /^application\/json/);
          assert.match(reply.body.hint, /no OAuth/);
          assert.equal(reply.headers.get("www-authenticate"), null);
        }
      }
      assert.equal((await t.request("HEAD", `/.well-known/${path}`)).status, 404);
      assertError(await t.post(`/.well-known/${path}`, {}), 404, "not_found");
    }
  },
  oneBackend,
);
