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
    ["DELETE", `/rooms/${room}`, ["GET"]],
    ["PUT", `/rooms/${room}/agents`, ["GET", "POST"]],
    ["DELETE", `/rooms/${room}/agents/ann`, ["GET"]],
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

contract("HEAD works where GET does, and says what GET says but for the body", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room);
  await t.write(room, "k", 1);
  const within = ["", "/agents", "/agents/ann", "/messages", `/messages/${id}`, "/state", "/state?key=k"];
  for (const path of ["/", "/healthz", "/rooms", ...within.map((path) => `/rooms/${room}${path}`)]) {
    const [head, get] = [await t.request("HEAD", path), await t.get(path)];
    assert.deepEqual([head.status, head.text], [200, ""], path);
    for (const name of ["content-type", "convene-revision", "cache-control"]) {
      assert.equal(head.headers.get(name), get.headers.get(name), `${name} of ${path}`);
    }
  }
  const missing = await t.request("HEAD", "/rooms/no-such-room");
  assert.deepEqual([missing.status, missing.text], [404, ""]);
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
