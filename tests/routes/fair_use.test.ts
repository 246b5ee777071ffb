import assert from "node:assert/strict";
import { Hono } from "hono";
import { createBuckets } from "../../routes/http/callers/buckets.ts";
import { errorResponse } from "../../routes/http/errors.ts";
import { createFairUse, FAIR_USE, type FairUseOptions } from "../../routes/http/callers/fair_use.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { reply } from "../../routes/http/requests.ts";

/** A handler behind the limits alone, with a clock that the test moves. */
function limited(options: Partial<FairUseOptions>) {
  const clock = { now: 0 };
  const fairUse = createFairUse({ ...FAIR_USE, ...options }, () => clock.now);
  const app = new Hono();
  app.onError(errorResponse);
  app.use(fairUse.admit);
  // As the API answers: a finished response, which headers that were set before it do not reach.
  app.all("*", () => reply(1, {}));
  const from = (hostname: string | undefined, headers: Record<string, string> = {}) => async (path = "/") =>
    await app.request(path, { headers }, hostname === undefined ? {} : { remoteAddr: { hostname } });
  /** How many of so many requests at once are let through. */
  const count = async (requests: number, send: () => Promise<Response>) => {
    let passed = 0;
    for (let n = 0; n < requests; n++) if ((await send()).status === 200) passed++;
    return passed;
  };
  return { clock, from, count };
}

const STRANGER = "203.0.113.7";

Deno.test("a caller has its burst, then its requests a second", async () => {
  const { clock, from, count } = limited({ callerPerSecond: 2 });
  const burst = 2 * LIMITS.burstSeconds;
  assert.equal(await count(burst + 5, from(STRANGER)), burst);
  const refused = await from(STRANGER)();
  assert.deepEqual([refused.status, (await refused.json()).error], [429, "rate_limited"]);
  assert.equal(refused.headers.get("Retry-After"), "1");
  assert.equal(refused.headers.get("RateLimit"), '"caller";r=0;t=1');
  assert.equal(refused.headers.get("RateLimit-Policy"), `"caller";q=${burst};w=${LIMITS.burstSeconds}`);
  clock.now += 1_500;
  assert.equal(await count(5, from(STRANGER)), 3);
  clock.now += 3_600_000;
  assert.equal(await count(burst + 5, from(STRANGER)), burst);
});

Deno.test("callers do not share what they have; the network of an IPv6 address does", async () => {
  const { from, count } = limited({ callerPerSecond: 1 });
  const burst = LIMITS.burstSeconds;
  assert.equal(await count(burst + 1, from(STRANGER)), burst);
  assert.equal(await count(burst + 1, from("203.0.113.8")), burst);
  assert.equal(await count(burst, from("2001:db8:1:2::1")), burst);
  assert.equal((await from("2001:0db8:1:2:ffff::9")()).status, 429);
  assert.equal((await from("2001:db8:1:3::1")()).status, 200);
  assert.equal((await from(`::ffff:${STRANGER}`)()).status, 429);
});

Deno.test("half of what a caller has is used in silence, the rest is announced", async () => {
  const { from } = limited({ callerPerSecond: 1 });
  const told = [];
  for (let n = 0; n < LIMITS.burstSeconds; n++) told.push((await from(STRANGER)()).headers.get("RateLimit"));
  assert.deepEqual(told.slice(0, 4), [null, null, null, null]);
  assert.equal(told.at(-1), '"caller";r=0;t=0');
});

Deno.test("where a caller and a room are both half used, both are told", async () => {
  const { from, count } = limited({ callerPerSecond: 1, roomPerSecond: 1 });
  await count(LIMITS.burstSeconds - 1, () => from(STRANGER)("/rooms/r"));
  const last = await from(STRANGER)("/rooms/r");
  assert.equal(last.headers.get("RateLimit"), '"caller";r=0;t=0, "room";r=0;t=0');
  const refused = await from("203.0.113.8")("/rooms/r");
  assert.deepEqual([refused.status, refused.headers.get("RateLimit")], [429, '"room";r=0;t=1']);
});

Deno.test("names that nobody uses again push out nobody who comes back", () => {
  const { take } = createBuckets({ perSecond: 1, burst: 10, max: 100 }, () => 0);
  for (let n = 0; n < 10; n++) take("busy");
  for (let n = 0; n < 1_000; n++) {
    take(`unknown ${n}`);
    if (n % 50 === 0) assert.notEqual(take("busy").waitMs, undefined, `forgotten after ${n} others`);
  }
});

Deno.test("X-Forwarded-For counts from the right, as far as proxies are trusted", async () => {
  const { from, count } = limited({ callerPerSecond: 1, trustedProxies: 2 });
  const proxied = (list: string) => from("10.0.0.1", { "X-Forwarded-For": list });
  assert.equal(await count(99, proxied("198.51.100.1, 203.0.113.1, 10.0.0.2")), LIMITS.burstSeconds);
  assert.equal((await proxied("feigned, 203.0.113.1, 10.0.0.2")()).status, 429);
  assert.equal((await proxied("203.0.113.1, 203.0.113.2, 10.0.0.2")()).status, 200);

  const direct = limited({ callerPerSecond: 1 });
  let feigned = 0;
  const passed = await direct.count(
    99,
    () => direct.from(STRANGER, { "X-Forwarded-For": `1.1.1.${feigned++}` })(),
  );
  assert.equal(passed, LIMITS.burstSeconds);
});

Deno.test("a proxy that appends the port makes no new caller of each connection", async () => {
  const { from, count } = limited({ callerPerSecond: 1, trustedProxies: 1 });
  let port = 1_024;
  const seenAs = (address: string) => () => from("10.0.0.1", { "X-Forwarded-For": `${address}:${port++}` })();
  assert.equal(await count(99, seenAs(STRANGER)), LIMITS.burstSeconds);
  assert.equal(await count(99, seenAs("[2001:db8:1:2::1]")), LIMITS.burstSeconds);
  assert.equal((await from("10.0.0.1", { "X-Forwarded-For": "2001:db8:1:2::9" })()).status, 429);
});

Deno.test("a room has its share, however its id is written and whoever calls", async () => {
  const { from, count } = limited({ callerPerSecond: 0, roomPerSecond: 1 });
  let n = 0;
  const paths = ["/rooms/lobby", "/rooms/%6Cobby/state", "/rooms/lobby/messages?x=1"];
  const passed = await count(99, () => from(`203.0.113.${n % 200}`)(paths[n++ % paths.length]));
  assert.equal(passed, LIMITS.burstSeconds);
  assert.equal((await from(STRANGER)("/rooms/other")).status, 200);
  assert.equal((await from(STRANGER)("/rooms/%zz")).status, 200);
  assert.equal((await from(undefined)("/rooms/lobby")).status, 429);
});

Deno.test("a caller on the machine itself is limited only where the operator says how", async () => {
  const open = limited({});
  assert.equal(await open.count(5_000, open.from("127.0.0.1")), 5_000);
  const strict = limited({ callerPerSecond: 1 });
  assert.equal(await strict.count(99, strict.from("::1")), LIMITS.burstSeconds);
  const unset = limited({ callerPerSecond: 0, roomPerSecond: 1 });
  assert.equal(await unset.count(99, () => unset.from("127.0.0.1")("/rooms/lobby")), 99);
  const off = limited({ callerPerSecond: 0, roomPerSecond: 0 });
  assert.equal(await off.count(5_000, off.from(STRANGER)), 5_000);
});

Deno.test("what watches the service, and what pages load, is never refused", async () => {
  const { from, count } = limited({ callerPerSecond: 1 });
  assert.equal(await count(99, () => from(STRANGER)("/healthz")), 99);
});

Deno.test("the defaults leave a team of 50 agents alone and stop a flood", async () => {
  const { clock, from, count } = limited({});
  let passed = 0;
  for (let second = 0; second < 60; second++, clock.now += 1_000) {
    let n = 0;
    passed += await count(50 * 4, () => from(STRANGER)(`/rooms/r${n++ % 5}/state`));
  }
  assert.equal(passed, 60 * 50 * 4);
  const flood = limited({});
  assert.equal(await flood.count(10_000, flood.from(STRANGER)), LIMITS.callerPerSecond * LIMITS.burstSeconds);
});

Deno.test("a room's share is 500 requests a second, and ten seconds' worth at once", async () => {
  const { clock, from, count } = limited({ callerPerSecond: 0 });
  const toRoom = () => from(STRANGER)("/rooms/lobby");
  assert.equal(await count(5_001, toRoom), 5_000);
  clock.now += 1_000;
  assert.equal(await count(501, toRoom), 500);
});

Deno.test("10,000 callers are remembered, and no more", async () => {
  const { from, count } = limited({ callerPerSecond: 1, roomPerSecond: 0 });
  const others = (n: number) => from(`198.51.${n >> 8}.${n & 255}`)();
  assert.equal(await count(99, from(STRANGER)), LIMITS.burstSeconds);
  for (let n = 0; n < LIMITS.callersRemembered - 1; n++) await others(n);
  assert.equal((await from(STRANGER)()).status, 429);
  for (let n = 0; n < LIMITS.callersRemembered; n++) await others(n);
  assert.equal((await from(STRANGER)()).status, 200);
});

Deno.test("a rate of less than a request in ten seconds still gives one at a time", async () => {
  const { clock, from, count } = limited({ callerPerSecond: 0.05 });
  assert.equal(await count(3, from(STRANGER)), 1);
  const refused = await from(STRANGER)();
  assert.equal(refused.headers.get("Retry-After"), "20");
  assert.equal(refused.headers.get("RateLimit-Policy"), `"caller";q=1;w=${LIMITS.burstSeconds}`);
  clock.now += 20_000;
  assert.equal(await count(3, from(STRANGER)), 1);
});
