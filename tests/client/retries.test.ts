import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { answer, away, scripted } from "../support/scripted.ts";

/** What the service and those before it answer while it is away, and what no repetition changes. */
const LATER = [408, 425, 429, 500, 502, 503, 504, 506, 520, 521, 522, 523, 524, 525, 526, 527, 530, 599];
const FINAL = [400, 401, 403, 404, 405, 409, 410, 413, 418, 421, 422, 431, 451, 501, 505];
const BODIES = [JSON.stringify({ error: "unavailable", message: "Later." }), "<h1>Away</h1>", ""];

Deno.test("every status that says later is tried again, and no other", async () => {
  const tried = async (status: number, body: string) => {
    const { fetch, sent } = scripted(new Response(body, { status }), answer({ id: "r" }));
    await connect("http://service", { fetch }).room("r").info()
      .catch((error) => assert.equal(error.status, status));
    return [status, sent.length];
  };
  for (const body of BODIES) {
    assert.deepEqual(
      await Promise.all([...LATER, ...FINAL].map((status) => tried(status, body))),
      [...LATER.map((status) => [status, 2]), ...FINAL.map((status) => [status, 1])],
    );
  }
});

Deno.test("a write keeps its key through what a CDN answers", async () => {
  const keys = new Set<string | null>();
  const { fetch, sent } = scripted(away(522), away(530), answer({ id: 1 }));
  const counted: typeof globalThis.fetch = (input, init) => {
    keys.add(new Headers(init?.headers).get("Idempotency-Key"));
    return fetch(input, init);
  };
  await connect("http://service", { fetch: counted }).room("r").messages.post("once");
  assert.deepEqual([sent.length, keys.size], [3, 1]);
});

Deno.test("a wait that was answered once outlasts what a CDN answers, whatever the patience", async () => {
  const { fetch, sent } = scripted(
    answer({ triggered: false, timeout: true, elapsed_ms: 25_000 }),
    away(530),
    away(521),
    answer({ triggered: true, value: "now", condition: "x" }),
  );
  const room = connect("http://service", { fetch, patience: 0 }).room("r");
  assert.equal((await room.until("x")).value, "now");
  assert.equal(sent.length, 4);
});
