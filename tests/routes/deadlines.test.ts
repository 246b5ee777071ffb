import assert from "node:assert/strict";
import type { Context } from "hono";
import type { Follower } from "../../cel/waits/follow/follower.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { makeToken } from "../../db/access/token_text.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { createOutbox } from "../../routes/http/outbox.ts";
import { event, streamOf } from "../../routes/http/stream.ts";
import { withApp } from "../support/app.ts";
import { atOnce } from "../support/at_once.ts";
import { holdTimers } from "../support/timers.ts";
import { OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A database whose next reads take as long as is said, one after the other; the others take none. */
function slowConnection(delays: Promise<unknown>[]) {
  return (connection: Connection): Connection => ({
    async send(statements, mode) {
      if (mode === "read") await delays.shift();
      return await connection.send(statements, mode);
    },
    close: () => connection.close(),
  });
}

const UNSEEN = makeToken("member", false, new Uint8Array(32));

/** What is looked up before a request begins, after which the first has a look that nothing answers. */
const LOOKED_UP: Array<[what: string, token: string, method: string, path: string, body?: unknown]> = [
  ["a slow look", OPERATOR, "GET", "/rooms/r"],
  ["a look without an answer", OPERATOR, "PUT", "/rooms/r/state", { key: "k", value: 1 }],
  ["one before a wait", OPERATOR, "POST", "/rooms/r/wait", { condition: "false" }],
  ["one of who waits", UNSEEN, "POST", "/rooms/r/wait", { condition: "false" }],
  ["one of who waits, by a query", UNSEEN, "GET", "/rooms/r/wait?condition=false"],
  ["one of who calls a tool", UNSEEN, "POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/list" }],
  ["one of who waits for a task", UNSEEN, "POST", "/rooms/r/messages/claim", { timeout: 1_000 }],
];

// Each takes as long as a request may.
atOnce({
  "a request is answered while its time lasts, and refused when it is over": () => {
    const never = Promise.withResolvers<void>();
    const delays: Promise<unknown>[] = [];
    return withApp(async ({ json, request, nextBatch }) => {
      await json("POST", "/rooms", { id: "r" });
      const late = pause(LIMITS.requestMs - 2_000);
      delays.push(late, never.promise, never.promise);
      const from = performance.now();
      const sent = nextBatch(() => true);
      const [inTime, over] = [request("GET", "/rooms/r"), sent.then(() => request("GET", "/rooms/r/agents"))];
      const look = sent.then(() => json("POST", "/rooms/r/wait", { condition: "true", timeout: 0 }));
      assert.equal((await inTime).status, 200);
      const refused = await over;
      const took = performance.now() - from;
      assert.ok(took >= LIMITS.requestMs && took < 10_000, `${Math.round(took)} ms`);
      assert.deepEqual([refused.status, (await refused.json()).error], [503, "unavailable"]);
      assert.equal(refused.headers.get("Retry-After"), String(LIMITS.retryAfterSeconds));
      assert.deepEqual([(await look).status, (await look).body.error], [503, "unavailable"]);
      never.resolve();
    }, { wrap: slowConnection(delays) });
  },

  "what is looked up before a request begins takes from its time, also where it may wait": async () => {
    await import("../../routes/mcp/server.ts"); // an instance loads it with its first call, which none of these is
    await Promise.all(LOOKED_UP.map(async ([what, token, method, path, body], n) => {
      const never = Promise.withResolvers<void>();
      const delays: Promise<unknown>[] = [];
      await withApp(async (t) => {
        await t.json("POST", "/rooms", { id: "r" });
        if (n === 0) delays.push(pause(LIMITS.requestMs - 2_000));
        delays.push(never.promise);
        const from = performance.now();
        const response = await t.request(method, path, body, { Authorization: `Bearer ${token}` });
        const took = performance.now() - from;
        never.resolve();
        assert.ok(took >= LIMITS.requestMs - 100 && took < 10_000, `${what}: ${Math.round(took)} ms`);
        const { error, message } = await response.json();
        assert.deepEqual([response.status, error], [503, "unavailable"], what);
        assert.doesNotMatch(message, /may or may not/, what);
      }, { wrap: slowConnection(delays), operatorToken: OPERATOR });
    }));
  },
});

/** Milliseconds after its timeout in which the last read of a wait must come. */
const LAST_READ_MS = 1_500;

Deno.test("a wait that only looks has as much time for that as any request", async () => {
  using timers = holdTimers(LAST_READ_MS);
  const delays: Promise<unknown>[] = [];
  await withApp(async ({ json, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const askSlowly = async (timeout: number) => {
      const slow = Promise.withResolvers<void>();
      delays.push(slow.promise);
      const reading = nextBatch(({ mode }) => mode === "read");
      const wait = json("POST", "/rooms/r/wait", { condition: "true", timeout });
      await reading;
      if (timeout > 0) await until(() => timers.count, (count) => count === 1);
      else await pause(5); // nothing can be awaited that must not come
      timers.fire();
      await pause(0);
      slow.resolve();
      return (await wait).status;
    };
    assert.equal(await askSlowly(0), 200);
    assert.equal(await askSlowly(1), 503);
  }, { wrap: slowConnection(delays) });
});

Deno.test("a body that breaks off is its sender's doing, and is not logged", () =>
  withApp(async ({ app, json }) => {
    await json("POST", "/rooms", { id: "r" });
    const logged: unknown[] = [];
    const { error: log } = console;
    console.error = (...what: unknown[]) => void logged.push(what);
    try {
      for (
        const [method, path] of [["PUT", "/rooms/r/state"], ["POST", "/rooms/r/wait"], [
          "POST",
          "/mcp",
        ]] as const
      ) {
        const body = new ReadableStream({
          start: (stream) => stream.enqueue(new TextEncoder().encode('{"key":')),
          pull: (stream) => stream.error(new TypeError("The connection was closed.")),
        });
        const headers = {
          "Content-Type": "application/json",
          "Accept": "application/json, text/event-stream",
        };
        const { status } = await app.request(path, { method, body, headers });
        assert.equal(status, 400, path);
      }
    } finally {
      console.error = log;
    }
    assert.deepEqual(logged, []);
  }));

Deno.test("a reader that stalls over one event for 30 s is let go; one that takes it begins anew", async () => {
  using timers = holdTimers(30_000);
  for (const completed of [undefined, Promise.withResolvers<void>()]) {
    let ends = 0;
    let left = 0;
    let stalls = 0;
    const nothing = { revision: 1, state: [], agents: [], messages: [], reservations: [], more: false };
    const follower: Follower = {
      revision: 1,
      behind: true,
      get ended() {
        return ends > 0;
      },
      next: () => Promise.resolve(nothing),
      end: () => void ends++,
    };
    const context = {
      env: { completed: completed?.promise },
      header() {},
      body: (body: ReadableStream) => new Response(body),
    } as unknown as Context;
    const outbox = { ...createOutbox(), reportStalled: () => void stalls++ };
    const script = { left: () => void left++, changed: () => event(1, "{}"), beat: () => event(1, "{}") };
    const reader = streamOf(context, follower, script, { outbox, seen: "r" }).body!.getReader();
    await reader.read();
    for (let n = 0; n < 3; n++) {
      assert.ok(!(await reader.read()).done);
      assert.deepEqual([timers.count, ends, left], [1, 0, 0], "one event waits to be taken");
    }
    timers.fire();
    assert.deepEqual([stalls, left], [1, 0], "its place is held for as long as its connection");
    assert.equal((await reader.read()).done, true);
    completed?.resolve();
    await completed?.promise;
    assert.deepEqual([ends, left, timers.count], [1, 1, 0]);
  }
});
