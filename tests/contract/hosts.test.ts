import assert from "node:assert/strict";
import { connect } from "node:http2";
import { LIMITS } from "../../routes/http/limits.ts";
import { backends, contract, Subject } from "../support/backends.ts";
import { send } from "../support/raw.ts";

const NO_HOSTS = [
  "x/rooms?",
  "x/rooms#",
  "x?",
  "x#",
  "x/",
  "//x",
  "http://x",
  "x\\@y",
  "x\\y",
  "user@x",
  "user:word@x",
  "x y",
  "x\ty",
  "x,y",
  "x;y",
  "x'y",
  'x"y',
  "$'",
  "$(x)",
  "<x>",
  "*",
  "%",
  "x%20y",
  "x%2frooms%3f",
  "\u00e9",
  "\u00ff",
  "x:99999",
  "x:y",
  "x:1:2",
  "x:-1",
  ":80",
  "[",
  "[::1",
  "[::1%25eth0]",
  "[::1%eth0]",
  "[v1.a]",
  "[1.2.3.4]",
  "[]",
  "::1",
  "1.2.3.256",
  "x".repeat(LIMITS.hostLength + 1),
];
const HOSTS = [
  "x",
  "X",
  "x_y",
  "127.0.0.1",
  "127.1",
  "0x7f.1",
  "[::1]",
  "[::FFFF:127.0.0.1]",
  "[::1]:80",
  "x:80",
  "x:",
  "localhost",
  "localhost.",
  "a.b.localhost:8000",
  "x".repeat(LIMITS.hostLength),
  "",
];
const TARGETS = [
  "GET /healthz",
  "GET /rooms",
  "GET /",
  "GET /?room=x",
  "GET /guide",
  "GET /assets/x/page.css",
  "GET /nothing",
  "POST /mcp",
  "OPTIONS /rooms",
  "OPTIONS *",
  "HEAD /rooms",
];

contract("no Host or target chooses a path that its request does not name", async ({ url }) => {
  const secret = crypto.randomUUID();
  await new Subject(url).post("/rooms", { id: secret });
  const odd = [
    ...NO_HOSTS.map((host) => ["GET /healthz HTTP/1.1", `Host: ${host}`]),
    ...["http://y?/rooms", "http://y#/rooms", "http://u@y/rooms", "http://y\\/rooms", "http://[::1/rooms"]
      .map(
        (target) => [`GET ${target} HTTP/1.1`, "Host: x"],
      ),
    ["GET ftp://y/rooms HTTP/1.1", "Host: x"],
    ["GET http://y/rooms HTTP/1.1", "Host: x/rooms?"],
    ["GET /healthz HTTP/1.1", "Host: x", "Host: y/rooms?"],
    ["CONNECT y:80 HTTP/1.1", "Host: x"],
  ];
  for (const lines of odd) {
    const { status, text } = await send(url, ...lines);
    assert.equal(status, 400, `${lines}: ${text}`);
    assert.ok(!text.includes(secret), `${lines}: ${text}`);
  }
}, backends.slice(0, 2));

Deno.test("a Host is a host and a port, and nothing else, on every path", async () => {
  const service = await backends[0]!.open({ RATE_LIMIT: "0" });
  try {
    for (const target of TARGETS) {
      for (const host of NO_HOSTS) {
        const { status, text } = await send(service.url, `${target} HTTP/1.1`, `Host: ${host}`);
        assert.equal(status, 400, `${target}, ${host}`);
        if (target.startsWith("HEAD")) continue;
        const { error, issues, hint } = JSON.parse(text);
        assert.deepEqual(
          [error, issues[0].path, typeof hint],
          ["invalid_request", [], "string"],
          `${target}, ${host}`,
        );
      }
    }
    for (const host of HOSTS) {
      const { status, text } = await send(service.url, "GET /rooms HTTP/1.1", `Host: ${host}`);
      assert.deepEqual([status, text], [200, "[]"], host);
    }
    for (const lines of [["GET /rooms HTTP/1.0"], ["GET http://localhost/rooms HTTP/1.1", "Host: x"]]) {
      assert.equal((await send(service.url, ...lines)).status, 200, `${lines}`);
    }
  } finally {
    await service.stop();
  }
});

Deno.test("HTTP/2 names the host in a way of its own, and is held to the same", async () => {
  const service = await backends[0]!.open({ RATE_LIMIT: "0" });
  const session = connect(service.url);
  const statusOf = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const request = session.request({ ":method": "GET", ":path": "/rooms", ...headers });
      request.on("response", ({ ":status": status }) => resolve(status!)).on("error", reject).resume().end();
    });
  try {
    assert.equal(await statusOf({ ":authority": "localhost" }), 200);
    assert.equal(await statusOf({ ":authority": "evil.example" }), 403);
    assert.equal(await statusOf({ ":authority": "u@localhost" }), 400);
    assert.equal(await statusOf({ ":authority": "localhost", host: "x/rooms?" }), 400);
    assert.equal(await statusOf({ ":authority": "localhost", host: "evil.example" }), 403);
    assert.equal(await statusOf({ ":authority": "localhost", ":path": "*" }), 400);
  } finally {
    await new Promise<void>((resolve) => session.close(resolve));
    await service.stop();
  }
});
