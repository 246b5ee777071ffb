import assert from "node:assert/strict";
import { UnsupportedPathError } from "hono/router";
import { createRouter } from "../../routes/http/router.ts";

/** The handlers of a path, in their order. */
function routed(paths: Array<[method: string, path: string]>) {
  const router = createRouter<string>();
  router.add("ALL", "*", "first");
  for (const [method, path] of paths) router.add(method, path, `${method} ${path}`);
  return (method: string, path: string) => router.match(method, path)[0].map(([handler]) => handler);
}

const MESSAGE = "/rooms/:room/messages/:message";
const CLAIM = "/rooms/:room/messages/claim";

for (const paths of [[MESSAGE, CLAIM], [CLAIM, MESSAGE]]) {
  Deno.test(`a word and a parameter beside it are told apart: ${paths.join(", ")}`, () => {
    const at = routed(paths.map((path) => ["ALL", path]));
    assert.deepEqual(at("GET", "/rooms/r/messages/7"), ["first", `ALL ${MESSAGE}`]);
    assert.deepEqual(at("POST", "/rooms/r/messages/claim"), ["first", ...paths.map((path) => `ALL ${path}`)]);
    assert.deepEqual(at("POST", "/rooms/r/messages/7/claim"), ["first"]);
  });
}

Deno.test("a path that would have all others routed slowly is refused where it is mounted", () => {
  const paths: Array<[string, string]> = [["ALL", MESSAGE], ["ALL", "/rooms/:room/messages/other"]];
  assert.throws(() => routed(paths), UnsupportedPathError);
});
