import assert from "node:assert/strict";
import { LAST_READ_MS } from "../../cel/waits/conditions/give_up.ts";
import { Subject } from "../support/backends.ts";
import type { Reply } from "../support/client.ts";
import { type Behaviour, type FaultyProxy, startFaultyProxy } from "../support/faulty_proxy.ts";
import { type LibsqlServer, startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";
import { assertError } from "../support/shapes.ts";
import { until } from "../support/until.ts";

/** How long a fault lasts, and the usual state before it. */
const LASTS_MS = Number(Deno.env.get("FAULTS_LAST_MS") ?? 2_000);
const RECOVERED_WITHIN_MS = 2_000;
/** A promise of the service: every request ends. */
const ENDS_WITHIN_MS = 10_000;
/** Gated writes of a room go one after the other; one that has not had its turn by then is refused. */
const GATE_WAITS_MS = 7_000;
const EACH_MS = 25;
const WAIT_MS = 500;
/** Another promise: so long after a wait's timeout it ends at the latest. A busy machine may add a little. */
const LATE_MS = 2_000 + 250;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function withProxy(
  test: (t: Subject, proxy: FaultyProxy, server: LibsqlServer) => Promise<void>,
  at: Behaviour = "pass",
): Promise<void> {
  const server = await startLibsqlServer();
  const proxy = startFaultyProxy(server.url);
  proxy.behave(at);
  try {
    const service = await startService({ database: proxy.url });
    try {
      await test(new Subject(service.url), proxy, server);
    } finally {
      await service.stop();
    }
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

interface Sent {
  reply: Reply;
  wait: boolean;
  took: number;
}

/** One request of each kind in turn, at a steady pace whatever becomes of them: what a fault must not multiply. */
function startLoad(t: Subject, room: string) {
  const sent: Promise<Sent>[] = [];
  const pairs: string[] = [];
  let n = 0;
  const kinds = [
    () => t.get(`/rooms/${room}/state`, { key: "sum" }),
    () => t.put(`/rooms/${room}/state`, { key: "sum", increment: 1 }),
    () => {
      const name = `pair ${n}`;
      pairs.push(name);
      const writes = [{ key: name, value: n }, { key: `twin of ${name}`, value: n }];
      return t.put(`/rooms/${room}/state/batch`, { writes });
    },
    () => t.put(`/rooms/${room}/state`, { key: "gated", value: n, if: "true" }),
    () => t.post(`/rooms/${room}/messages`, { body: n }),
    () => t.post(`/rooms/${room}/wait`, { condition: "false", timeout: WAIT_MS, agent: "ann" }),
  ];
  const timer = setInterval(() => {
    const from = performance.now();
    const asked = kinds[n++ % kinds.length]!();
    const wait = n % kinds.length === 0;
    sent.push(asked.then((reply) => ({ reply, wait, took: performance.now() - from })));
  }, EACH_MS);
  return {
    get sent() {
      return sent.length;
    },
    stop: () => clearInterval(timer),
    replies: () => Promise.all(sent),
  };
}

/** Milliseconds until a read and a write succeed, each asked for anew when it was refused. */
async function recovery(t: Subject, room: string): Promise<number> {
  const from = performance.now();
  const succeed = async (ask: () => Promise<Reply>) => {
    while ((await ask()).status !== 200) {
      if (performance.now() - from > ENDS_WITHIN_MS) return;
      await pause(50);
    }
  };
  await Promise.all([
    succeed(() => t.get(`/rooms/${room}`)),
    succeed(() => t.put(`/rooms/${room}/state`, { key: "recovered", value: 1 })),
  ]);
  return performance.now() - from;
}

/** Asserts that nothing acknowledged is lost, that nothing was done twice and that no batch was halved. */
async function assertWhole(t: Subject, room: string, replies: Sent[]): Promise<void> {
  const entries = new Map<string, unknown>();
  for (const { key, value } of (await t.get(`/rooms/${room}/state`)).body) entries.set(key, value);
  const increments = replies.filter(({ reply }) => reply.body?.key === "sum" && reply.revision !== undefined);
  const written = increments.filter(({ reply }) => reply.status === 200).map(({ reply }) => reply.body.value);
  assert.ok((entries.get("sum") as number ?? 0) >= Math.max(0, ...written), "an increment is lost");
  for (const { reply } of replies) {
    for (const { key } of reply.status === 200 && reply.body.state || []) {
      assert.ok(entries.has(key), `${key} is lost`);
    }
  }
  for (const [key, value] of entries) {
    const twin = key.startsWith("twin of ") ? key.slice("twin of ".length) : `twin of ${key}`;
    if (key.includes("pair")) assert.equal(entries.get(twin), value, `half of a batch: ${key}`);
  }
  const bodies = (await t.pages(`/rooms/${room}/messages?limit=1000`)).flatMap(({ body }) => body);
  const posted = new Set(bodies.map(({ body }) => body));
  assert.equal(posted.size, bodies.length, "a message was posted twice");
  for (const { reply } of replies) {
    if (reply.status === 201) assert.ok(posted.has(reply.body.body), `message ${reply.body.body} is lost`);
  }
}

/**
 * What a slow database may do: gated writes come faster than they go one after the other, so that those which have
 * queued for as long as they may are refused, and did nothing. So is a wait whose last read takes longer than it may,
 * as on a busy machine. Whatever else is asked is only late.
 */
async function assertOnlySlow(t: Subject, room: string, replies: Sent[]): Promise<void> {
  for (const { reply, took, wait } of replies) {
    if (reply.status < 400) continue;
    if (wait) {
      assert.ok(took >= WAIT_MS + LAST_READ_MS, `a wait was refused after ${Math.round(took)} ms already`);
      continue;
    }
    assert.match(reply.body.message, /to come first/, reply.text);
    assert.ok(took >= GATE_WAITS_MS, `refused after ${Math.round(took)} ms already`);
  }
  const written = replies.filter(({ reply }) => reply.status === 200 && reply.body.key === "gated");
  assert.equal((await t.entry(room, "gated")).version, written.length);
}

function assertUnavailable(reply: Reply): void {
  assertError(reply, 503, "unavailable");
  assert.match(reply.headers.get("retry-after") ?? "", /^\d+$/);
}

for (const fault of ["delay", "cut", "cut in mid-reply", "swallow"] as const) {
  Deno.test(`a way to the database that ${fault === "delay" ? "delays" : `does "${fault}"`}`, () =>
    withProxy(async (t, proxy) => {
      const room = await t.room();
      await t.agent(room, "ann");
      await t.write(room, "sum", 0);
      const load = startLoad(t, room);
      const started = proxy.asked;
      await pause(LASTS_MS);
      const usual = proxy.asked - started;
      const before = load.sent;
      proxy.behave(fault);
      await pause(LASTS_MS);
      const during = proxy.asked - started - usual;
      // A slow database answers few queries, since requests share them: then each request may have one of its own.
      const most = 2 * Math.max(usual, load.sent - before);
      load.stop();
      proxy.behave("pass");
      const recovered = await recovery(t, room);
      const replies = await load.replies();

      const refused = replies.filter(({ reply }) => reply.status >= 400);
      console.log(
        `${refused.length} of ${replies.length} requests refused, working after ${
          Math.round(recovered)
        } ms, ` +
          `${during} queries to ${usual}`,
      );
      assert.ok(recovered < RECOVERED_WITHIN_MS, `working again after ${Math.round(recovered)} ms`);
      assert.ok(during <= most, `${during} queries during the fault, ${usual} before it, ${most} at most`);
      for (const { reply } of refused) assertUnavailable(reply);
      if (fault === "delay") await assertOnlySlow(t, room, replies);
      else assert.ok(refused.length > 0, "nobody noticed the fault");
      for (const { took, wait, reply } of replies) {
        const most = wait ? WAIT_MS + LATE_MS : ENDS_WITHIN_MS;
        assert.ok(took < most, `${reply.url} took ${Math.round(took)} ms`);
      }
      await assertWhole(t, room, replies);
    }));
}

Deno.test("waits outlive a short cut", () =>
  withProxy(async (t, proxy) => {
    const room = await t.room();
    await t.agent(room, "ann");
    const waiting = t.post(`/rooms/${room}/wait`, { condition: "has(state._shared.k)", agent: "ann" });
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    proxy.behave("cut");
    await pause(1_000);
    proxy.behave("pass");
    await recovery(t, room);
    await t.write(room, "k", 1);
    assert.equal((await waiting).body.triggered, true);
  }));

Deno.test("an instance that starts without its database says so, and works as soon as that is there", () =>
  withProxy(async (t, proxy) => {
    for (const reply of [await t.get("/healthz"), await t.post("/rooms", {}), await t.get("/rooms/r")]) {
      assertUnavailable(reply);
    }
    proxy.behave("pass");
    await until(() => t.get("/healthz"), ({ status }) => status === 200, RECOVERED_WITHIN_MS);
    await t.write(await t.room(), "k", 1);
  }, "cut"));

Deno.test("while its database hangs every request ends, and afterwards all is well", () =>
  withProxy(async (t, _, server) => {
    const room = await t.room();
    await server.freeze();
    try {
      const from = performance.now();
      const replies = await Promise.all([
        t.get("/healthz"),
        t.get(`/rooms/${room}`),
        t.put(`/rooms/${room}/state`, { key: "k", value: 1 }),
        t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: "true" }),
        t.post(`/rooms/${room}/messages`, { body: 1 }),
      ]);
      replies.forEach(assertUnavailable);
      assert.ok(performance.now() - from < ENDS_WITHIN_MS);
    } finally {
      server.thaw();
    }
    assert.ok(await recovery(t, room) < RECOVERED_WITHIN_MS);
  }));
