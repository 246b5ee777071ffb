import assert from "node:assert/strict";
import { reachingFetch, toldWaiting } from "../../cli/reach.ts";
import { connect } from "../../client/mod.ts";
import { until } from "../support/until.ts";

const URL = "http://service";

/** Runs a test with what is written to stderr meanwhile. */
async function withTold(test: (told: string[]) => Promise<void>): Promise<void> {
  const { error } = console;
  const told: string[] = [];
  console.error = (line: string) => void told.push(line);
  try {
    await test(told);
  } finally {
    console.error = error;
  }
}

const never: typeof fetch = (_, init) =>
  new Promise((_, reject) => init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason)));

Deno.test("a service that is not there is told at once, and given up after its patience", () =>
  withTold(async (told) => {
    const send = () => Promise.reject(new TypeError("Connection refused"));
    const service = connect(URL, { fetch: reachingFetch(URL, { send }), patience: 300 });
    await assert.rejects(service.rooms(), { code: "no_answer", message: /Connection refused/ });
    assert.deepEqual(told, [`convene: No answer from ${URL}. It is tried for 5 seconds.`]);
  }));

Deno.test("a wait ends where its service answers no health check, and goes on where it does", () =>
  withTold(async (told) => {
    let healthy = false;
    const asked: string[] = [];
    const send: typeof fetch = async (input, init) => {
      asked.push(String(input));
      if (!String(input).endsWith("/healthz")) return await never(input, init);
      return healthy ? new Response("{}") : await never(input, init);
    };
    const room = (patience: number) =>
      connect(URL, { fetch: reachingFetch(URL, { send, quiet: 10, there: 20 }), patience }).room("r");
    await assert.rejects(room(0).until("true"), {
      code: "no_answer",
      message: /nothing came from http:\/\/service within 0.03 seconds/,
    });
    healthy = true;
    const stop = new AbortController();
    const waiting = room(0).until("true", { signal: stop.signal });
    await until(() => asked.filter((url) => url.endsWith("/healthz")).length, (count) => count >= 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort(new Error("left"));
    await assert.rejects(waiting, /left/);
    assert.deepEqual(told, [], "a caller that leaves is no outage");
  }));

Deno.test("a command that waits for longer than a moment says for what", () =>
  withTold(async (told) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const waiting = toldWaiting("a task in \x1b[2J", promise, 1);
    await until(() => told.length, (count) => count > 0);
    resolve(7);
    assert.equal(await waiting, 7);
    assert.equal(await toldWaiting("nothing", Promise.resolve(8), 1), 8);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(told, ["convene: Waiting for a task in \\u001b[2J. Ctrl-C ends it."]);
  }));
