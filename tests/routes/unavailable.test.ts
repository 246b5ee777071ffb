import assert from "node:assert/strict";
import { type AppOptions, withApp } from "../support/app.ts";

/** A database that hangs up on whatever is sent to it, once it is told to. */
function leaving() {
  let gone = false;
  const wrap: AppOptions["wrap"] = (connection) => ({
    send: (statements, mode) =>
      gone ? Promise.reject(new Error("hung up")) : connection.send(statements, mode),
    close: () => connection.close(),
  });
  return { wrap, leave: () => gone = true };
}

const READS: Array<[method: string, path: string, body?: unknown]> = [
  ["GET", "/rooms"],
  ["GET", "/rooms/r"],
  ["GET", "/rooms/r/state"],
  ["GET", "/rooms/r/wait?condition=true"],
  ["POST", "/rooms/r/wait", { condition: "true" }],
  ["POST", "/rooms/r/wait", { condition: "true", agent: "ann" }],
  ["POST", "/rooms/r/eval", { expr: "state" }],
];

Deno.test("a 503 on what changes nothing does not speak of changes", () => {
  const { wrap, leave } = leaving();
  return withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    leave();
    for (const [method, path, body] of READS) {
      const reply = await json(method, path, body);
      assert.deepEqual([reply.status, reply.body.error], [503, "unavailable"], path);
      assert.doesNotMatch(reply.body.message + reply.body.hint, /chang/i, `${method} ${path}`);
    }
    const write = await json("POST", "/rooms/r/messages", { body: 1 });
    assert.equal(write.status, 503);
    assert.match(write.body.message, /change may or may not have been made/);
  }, { wrap });
});

Deno.test("a browser that opens a room's page meanwhile gets a page that asks again, and others the error", () => {
  const { wrap, leave } = leaving();
  return withApp(async ({ request, json }) => {
    await json("POST", "/rooms", { id: "r" });
    leave();
    const page = await request("GET", "/?room=r%3C", undefined, { accept: "text/html,*/*" });
    assert.equal(page.status, 503);
    const names = ["content-type", "cache-control", "refresh", "retry-after"];
    const headers = names.map((name) => page.headers.get(name));
    assert.deepEqual(headers, ["text/html; charset=UTF-8", "no-store", "5; url=/?room=r%3C", "1"]);
    assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self'/);
    const text = await page.text();
    assert.match(text, /<code>r&lt;<\/code> cannot be read at the moment/);
    assert.match(text, /<script type="module" src="[^"]*\/entering\.js"/); // takes a token out of the address
    const error = await json("GET", "/?room=r");
    assert.deepEqual([error.status, error.body.error], [503, "unavailable"]);
  }, { wrap });
});
