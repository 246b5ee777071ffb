import assert from "node:assert/strict";
import { CHUNKED, readReply, slowRequest } from "../support/raw.ts";
import { startService } from "../support/service.ts";

async function limited(env: Record<string, string>, test: (url: string) => Promise<void>) {
  const service = await startService({ env });
  try {
    await test(service.url);
  } finally {
    await service.stop();
  }
}

async function post(
  url: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<{ status: number; body: Body }> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal });
  return { status: response.status, body: await response.json() };
}
type Body = Record<string, unknown>;

const MAX_TRIES = 2_000;

/** Asks until the answer is as it is to become. */
async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const answer = await ask();
    if (fits(answer)) return answer;
  }
  throw new Error("It did not come about.");
}

Deno.test("a flood is refused with 429 and told when to come back", () =>
  limited({ RATE_LIMIT: "1" }, async (url) => {
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let n = 0; n < 20; n++) {
      last = await fetch(`${url}/rooms`);
      statuses.push(last.status);
      if (last.status === 200) await last.body?.cancel();
      else break;
    }
    assert.equal(statuses.at(-1), 429);
    assert.ok(statuses.length > 10);
    assert.match(last!.headers.get("Retry-After") ?? "", /^[1-9]\d*$/);
    assert.equal(last!.headers.get("Access-Control-Allow-Origin"), "*");
    const { error, message, hint } = await last!.json();
    assert.equal(error, "rate_limited");
    assert.ok(message && hint);
    const health = await fetch(`${url}/healthz`);
    await health.body?.cancel();
    assert.equal(health.status, 200);
  }));

Deno.test("what is stored under a key counts as further requests, once", () =>
  limited({ RATE_LIMIT: "1" }, async (url) => {
    const send = async (method: string, path: string, body?: object, headers?: Record<string, string>) => {
      const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
      await response.body?.cancel();
      return response;
    };
    await post(`${url}/rooms`, { id: "r" });
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const batch = (writes: unknown[], headers?: Record<string, string>) =>
      send("PUT", "/rooms/r/state/batch", { writes }, headers);
    for (let n = 0; n < 20; n += 4) {
      const values = keys.slice(n, n + 4).map((key) => ({ key, value: { text: "x".repeat(60_000) } }));
      assert.equal((await batch(values)).status, 200);
    }
    const edits = keys.map((key) => ({ key, set: { "/n": 1 } }));
    assert.equal((await batch(edits)).status, 200);
    assert.equal((await send("GET", "/rooms/r")).status, 200);
    assert.equal((await batch(edits, { "Idempotency-Key": "k" })).status, 200);
    const refused = await send("GET", "/rooms/r");
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers.get("Retry-After"));
    assert.ok(seconds > 4 && seconds <= 18, `${seconds} s`);
  }));

Deno.test("a caller's waits and streams at once are counted, and given back", () =>
  limited({ RATE_LIMIT: "1000", WAITS_PER_CALLER: "2", STREAMS_PER_CALLER: "1" }, async (url) => {
    await post(`${url}/rooms`, { id: "r" });
    const condition = { condition: "state._shared.?go.orValue(false)" };
    const leaving = new AbortController();
    const first = post(`${url}/rooms/r/wait`, condition);
    const second = assert.rejects(post(`${url}/rooms/r/wait`, condition, leaving.signal));
    const over = () => post(`${url}/rooms/r/wait`, { ...condition, timeout: 0 });
    const refused = await until(over, ({ status }) => status !== 200);
    assert.deepEqual([refused.status, refused.body.error], [429, "rate_limited"]);

    leaving.abort();
    await second;
    const admitted = await until(over, ({ status }) => status !== 429);
    assert.equal(admitted.body.timeout, true);
    await fetch(`${url}/rooms/r/state`, { method: "PUT", body: '{"key":"go","value":true}' }).then((r) =>
      r.text()
    );
    assert.equal((await first).body.triggered, true);

    const stream = await fetch(`${url}/rooms/r/events`);
    const another = await fetch(`${url}/rooms/r/events`);
    assert.deepEqual([stream.status, another.status], [200, 429]);
    await another.body?.cancel();
    await stream.body?.cancel();
    const again = await until(async () => {
      const response = await fetch(`${url}/rooms/r/events`);
      await response.body?.cancel();
      return response;
    }, ({ status }) => status !== 429);
    assert.equal(again.status, 200);
  }));

Deno.test("a body has 5 s to arrive, wherever it is to go", () =>
  limited({}, async (url) => {
    await post(`${url}/rooms`, { id: "r" });
    const from = performance.now();
    const paths = ["/rooms/r/messages", "/rooms/r/wait", "/mcp", "/nowhere"];
    const requests = [
      ...paths.slice(0, 3).map((path) => slowRequest(url, "POST", path)),
      ...paths.map((path) => slowRequest(url, "POST", path, CHUNKED)),
    ];
    const late = requests.map(async (request) => {
      const reply = await readReply(await request);
      return { ...reply, took: performance.now() - from };
    });
    const slow = await slowRequest(url, "POST", "/rooms/r/messages");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await slow.write(new TextEncoder().encode('"body":1}'.padEnd(99, " ")));
    assert.equal((await readReply(slow)).status, 201);
    for (const { status, text, took } of await Promise.all(late)) {
      assert.equal(status, 408);
      assert.equal(JSON.parse(text).error, "request_timeout");
      assert.ok(took >= 5_000 && took < 7_000, `${Math.round(took)} ms`);
    }
  }));
