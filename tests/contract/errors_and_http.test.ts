import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertInvalidExpression, assertStatus } from "../support/shapes.ts";

/** Every endpoint within a room, with a body that is valid. */
const endpoints: [string, string, Json?][] = [
  ["GET", ""],
  ["GET", "/agents"],
  ["POST", "/agents", { id: "x", name: "x" }],
  ["GET", "/agents/ann"],
  ["POST", "/agents/ann/heartbeat", {}],
  ["GET", "/messages"],
  ["POST", "/messages", { body: 1 }],
  ["GET", "/messages/1"],
  ["POST", "/messages/1/claim", { agent: "ann" }],
  ["GET", "/state"],
  ["GET", "/state?key=k"],
  ["PUT", "/state", { key: "k", value: 1 }],
  ["PUT", "/state", { key: "k", value: 1, if: "true", if_version: 3 }],
  ["PUT", "/state", { scope: "_view", key: "k", expr: "1" }],
  ["DELETE", "/state", { key: "k" }],
  ["PUT", "/state/batch", { writes: [{ key: "k", value: 1 }] }],
  ["POST", "/eval", { expr: "1" }],
  ["GET", "/wait?condition=true"],
  ["POST", "/wait", { condition: "true" }],
];

contract("every endpoint of a room that does not exist is room_not_found, and none creates it", async (t) => {
  for (const [method, path, body] of endpoints) {
    const reply = await t.request(method, `/rooms/no-such-room${path}`, { body });
    assertError(reply, 404, "room_not_found");
  }
  assertError(await t.get("/rooms/no-such-room"), 404, "room_not_found");
});

contract("what the request alone shows to be wrong is told before the room is looked for", async (t) => {
  const room = "/rooms/no-such-room";
  assertInvalid(await t.post(`${room}/agents`, {}), ["name"]);
  assertInvalid(await t.post(`${room}/agents/ann/heartbeat`, { status: "dead" }), ["status"]);
  assertInvalid(await t.post(`${room}/messages`, {}), ["body"]);
  assertInvalid(await t.post(`${room}/messages/1/claim`, {}), ["agent"]);
  assertInvalid(await t.get(`${room}/messages?limit=x`), ["limit"]);
  assertInvalid(await t.put(`${room}/state`, { key: "k" }), ["value"]);
  assertInvalid(await t.delete(`${room}/state`, {}), ["key"]);
  assertInvalid(await t.get(`${room}/state?since=x`), ["since"]);
  const view = { scope: "_view", key: "v", expr: "1 +" };
  assertInvalidExpression(await t.put(`${room}/state`, view), "1 +", 3);
});

contract("a body is read as JSON whatever its content type", async (t) => {
  const room = await t.room();
  const types = ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "image/png"];
  for (const type of types) {
    const options = { raw: '{"key":"k","value":"ž"}', headers: { "content-type": type } };
    const reply = await t.request("PUT", `/rooms/${room}/state`, options);
    assertStatus(reply, 200);
    assert.equal(reply.body.value, "ž");
  }
  const bytes = new TextEncoder().encode('{"key":"k","value":1}');
  assertStatus(await t.request("PUT", `/rooms/${room}/state`, { raw: bytes }), 200);
});

contract("a body that is packed is refused as such, and says how to send it", async (t) => {
  const room = await t.room();
  const json = new Blob(['{"key":"k","value":1}']);
  const pack = (format: CompressionFormat) =>
    new Response(json.stream().pipeThrough(new CompressionStream(format))).bytes();
  const before = await t.revision(room);
  for (
    const [encoding, format] of [["gzip", "gzip"], ["deflate", "deflate"], ["GZIP, gzip", "gzip"]] as const
  ) {
    const headers = { "content-encoding": encoding };
    const paths: Array<[string, string]> = [["PUT", `/rooms/${room}/state`], [
      "POST",
      `/rooms/${room}/messages`,
    ], ["POST", "/mcp"]];
    for (const [method, path] of paths) {
      const reply = await t.request(method, path, { raw: await pack(format), headers });
      assertError(reply, 415, "unsupported_encoding");
      assert.match(reply.body.message, /^Content-Encoding: /);
      assert.equal(reply.headers.get("accept-encoding"), "identity");
    }
  }
  assert.equal(await t.revision(room), before);
  const headers = { "content-encoding": "identity" };
  const plain = { raw: '{"key":"k","value":1}', headers };
  assertStatus(await t.request("PUT", `/rooms/${room}/state`, plain), 200);
  assertInvalid(await t.request("PUT", `/rooms/${room}/state`, { raw: "{", headers }), []);
});

contract("answers are JSON, and not to be cached", async (t) => {
  const room = await t.room();
  for (const [method, path, body] of endpoints) {
    const reply = await t.request(method, `/rooms/${room}${path}`, { body });
    assert.match(reply.headers.get("content-type") ?? "", /^application\/json/, `${method} ${path}`);
    assert.match(reply.headers.get("cache-control") ?? "", /\bno-store\b/, `${method} ${path}`);
  }
  for (const path of ["/rooms", "/rooms/no-such-room", "/rooms?limit=x"]) {
    assert.match((await t.get(path)).headers.get("cache-control") ?? "", /\bno-store\b/, path);
  }
});

contract("a body that is no JSON is refused as a whole", async (t) => {
  const room = await t.room();
  for (
    const raw of ["{", '{"key":', "key=k&value=1", "{'key': 1}", '{"key":"k","value":1}}', "undefined", "NaN"]
  ) {
    assertInvalid(await t.request("PUT", `/rooms/${room}/state`, { raw }), []);
    assertInvalid(await t.request("POST", "/rooms", { raw }), []);
  }
  assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, []);
});

contract("a body that is no object is refused as a whole", async (t) => {
  const room = await t.room();
  for (const body of [[], [{ name: "a" }], "text", 5, true, null]) {
    assertInvalid(await t.post("/rooms", body), []);
    assertInvalid(await t.post(`/rooms/${room}/agents`, body), []);
    assertInvalid(await t.put(`/rooms/${room}/state`, body), []);
  }
});

contract("a path that there is not is not_found", async (t) => {
  const room = await t.room();
  const paths = ["/nothing", "/rooms/a/b/c/d", `/rooms/${room}/nothing`, `/rooms/${room}/state/other/deep`];
  for (const path of paths) assertError(await t.get(path), 404, "not_found");
  assertError(await t.post(`/rooms/${room}/agents/ann/nothing`, {}), 404, "not_found");
});

contract("a method that a path does not know is refused with those that it knows", async (t) => {
  const room = await t.room();
  const table: [string, string, string[]][] = [
    ["PATCH", "/rooms", ["GET", "POST"]],
    ["PUT", `/rooms/${room}`, ["GET", "PATCH", "DELETE"]],
    ["PUT", `/rooms/${room}/agents`, ["GET", "POST"]],
    ["PUT", `/rooms/${room}/agents/ann`, ["GET", "DELETE"]],
    ["GET", `/rooms/${room}/agents/ann/heartbeat`, ["POST"]],
    ["DELETE", `/rooms/${room}/messages`, ["GET", "POST"]],
    ["PUT", `/rooms/${room}/messages/1`, ["GET"]],
    ["GET", `/rooms/${room}/messages/1/claim`, ["POST"]],
    ["POST", `/rooms/${room}/state`, ["GET", "PUT", "DELETE"]],
    ["GET", `/rooms/${room}/state/batch`, ["PUT"]],
    ["GET", `/rooms/${room}/eval`, ["POST"]],
    ["PUT", `/rooms/${room}/wait`, ["GET", "POST"]],
    ["POST", "/", ["GET"]],
    ["DELETE", "/healthz", ["GET"]],
    ["DELETE", `/rooms/no-such-room/wait`, ["GET", "POST"]],
  ];
  for (const [method, path, known] of table) {
    const reply = await t.request(method, path);
    assertError(reply, 405, "method_not_allowed");
    const allowed = (reply.headers.get("allow") ?? "").split(/\s*,\s*/);
    const others = allowed.filter((name) => !["HEAD", "OPTIONS"].includes(name));
    assert.deepEqual(others.sort(), known.sort(), `${method} ${path}`);
  }
});

/** What preflights name at each path, beside OPTIONS, Accept, Authorization and traceparent. */
const PREFLIGHTS: Array<[path: string, methods: string, headers: string]> = [
  ["/", "GET HEAD", "If-None-Match"],
  ["/openapi.json", "GET HEAD", "If-None-Match"],
  ["/mcp", "POST", "Content-Type"],
  ["/rooms", "GET HEAD POST", "Content-Type Idempotency-Key"],
  ["/rooms/x", "GET HEAD PATCH DELETE", "Content-Type Idempotency-Key If-None-Match"],
  ["/rooms/x/", "GET HEAD PATCH DELETE", "Content-Type Idempotency-Key If-None-Match"],
  ["/rooms/x/agents/ann/heartbeat", "POST", "Content-Type Idempotency-Key"],
  ["/rooms/x%2Fy/messages/1", "GET HEAD", ""],
  ["/rooms/x/state", "GET HEAD PUT DELETE", "Content-Type Idempotency-Key If-Match If-None-Match"],
  ["/rooms/x//state//batch", "PUT", "Content-Type Idempotency-Key"],
  ["/rooms/x/wait", "GET POST", "Content-Type"],
  ["/rooms/x/events", "GET", "Last-Event-ID"],
];

contract("a preflight names the methods of its path, and the headers that are read there", async (t) => {
  const names = (text: string | null) => (text ?? "").split(", ").filter((name) => name !== "").sort();
  for (const [path, methods, headers] of PREFLIGHTS) {
    const reply = await t.request("OPTIONS", path);
    assert.equal(reply.status, 204, path);
    const taken = [...methods.split(" "), "OPTIONS"].sort();
    assert.deepEqual(names(reply.headers.get("access-control-allow-methods")), taken, path);
    assert.deepEqual(names(reply.headers.get("allow")), taken, path);
    const read = [...names(headers.replaceAll(" ", ", ")), "Accept", "Authorization", "traceparent"].sort();
    assert.deepEqual(names(reply.headers.get("access-control-allow-headers")), read, path);
    assert.equal(reply.headers.get("access-control-allow-origin"), "*");
    assert.equal(reply.headers.get("access-control-max-age"), "86400");
    const refused = await t.request("PATCH", path);
    if (refused.status === 405) assert.deepEqual(names(refused.headers.get("allow")), taken, path);
  }
  const asked = { "access-control-request-headers": "x-mine,content-type, x-other" };
  const reply = await t.request("OPTIONS", "/rooms/x/state", { headers: asked });
  assert.match(reply.headers.get("access-control-allow-headers")!, /, x-mine, x-other$/);
  assert.doesNotMatch(reply.headers.get("access-control-allow-headers")!, /content-type/);
  assert.match(reply.headers.get("vary")!, /Access-Control-Request-Headers/i);
});

contract("HEAD works where GET does, and says what GET says but for the body", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  await t.write(room, "k", 1);
  const within = ["", "/agents", "/agents/ann", "/messages", `/messages/${id}`, "/state", "/state?key=k"];
  const large = "ž".repeat(20_000);
  for (let n = 0; n < 9; n++) await t.write(room, `large${n}`, large, { scope: "large" });
  const found = [
    "/",
    "/guide",
    "/docs/api",
    "/openapi.json",
    "/healthz",
    "/rooms?limit=1",
    ...[...within, "/state?scope=large", "/changes"].map((path) => `/rooms/${room}${path}`),
  ];
  const missing = ["/rooms/no-such-room", "/nothing", `/rooms/${room}/state?key=none`, "/?room=no-such-room"];
  for (const path of [...found, ...missing]) {
    const headers = { "accept-encoding": "identity" };
    const [head, get] = [
      await t.request("HEAD", path, { headers }),
      await t.request("GET", path, { headers }),
    ];
    assert.deepEqual([head.status, head.text], [found.includes(path) ? 200 : 404, ""], path);
    for (const name of ["content-type", "convene-revision", "cache-control", "etag", "link", "vary"]) {
      assert.equal(head.headers.get(name), get.headers.get(name), `${name} of ${path}`);
    }
    const length = new TextEncoder().encode(get.text).byteLength;
    assert.equal(head.headers.get("content-length"), String(length), `the length of ${path}`);
  }
});

contract("HEAD does not wait", async (t) => {
  const reply = await t.request("HEAD", `/rooms/${await t.room()}/wait?condition=true`);
  assert.deepEqual([reply.status, reply.text], [405, ""]);
  const allowed = (reply.headers.get("allow") ?? "").split(/\s*,\s*/);
  assert.ok(allowed.includes("GET") && allowed.includes("POST") && !allowed.includes("HEAD"), `${allowed}`);
});

/** Every query parameter that is a number, with whether 0 is one of its values. */
const numbers: [string, string, boolean][] = [
  ["/rooms", "limit", false],
  ["/messages", "limit", false],
  ["/messages", "last", false],
  ["/messages", "after", true],
  ["/messages", "thread", true],
  ["/state", "since", true],
  ["/wait?condition=true", "timeout", true],
];

async function asking(t: Subject, room: string, path: string, name: string, value: string) {
  const url = `${path === "/rooms" ? path : `/rooms/${room}${path}`}`;
  return await t.get(`${url}${url.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(value)}`);
}

contract("a number in a query that is none, or negative, is refused", async (t) => {
  const room = await t.room();
  for (const [path, name, zero] of numbers) {
    for (const value of ["x", "1.5", "-1", "1x", "NaN", "Infinity", ...(zero ? [] : ["0"])]) {
      assertInvalid(await asking(t, room, path, name, value), [name]);
    }
    if (zero) assertStatus(await asking(t, room, path, name, "0"), 200);
  }
});

contract("a number in a query may be as large as it likes", async (t) => {
  const room = await t.room();
  await t.message(room);
  await t.write(room, "k", 1);
  for (const value of ["1001", "9007199254740993", "9223372036854775808", "99999999999999999999999999"]) {
    for (const [path, name] of numbers) {
      const reply = await asking(t, room, path, name, value);
      assertStatus(reply, 200);
      if (["after", "thread"].includes(name)) assert.deepEqual(reply.body, [], name);
      // Since a revision that the room has not come to, all of it is listed.
      if (["limit", "last", "since"].includes(name)) assert.ok(reply.body.length > 0, name);
    }
  }
});
