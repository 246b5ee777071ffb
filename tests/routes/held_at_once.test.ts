import assert from "node:assert/strict";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { type TestApp, withApp } from "../support/app.ts";

/** Callers from elsewhere: those on this machine are not counted. */
const caller = (n: number) => ({ remoteAddr: { hostname: `203.0.113.${n}` } });

/** Asserts that there is no room for one more, and that the answer says so as it should. */
async function assertRefused(response: Response, code: string, message: RegExp): Promise<void> {
  assert.equal(response.status, code === "rate_limited" ? 429 : 503);
  const body = await response.json();
  assert.equal(body.error, code);
  assert.match(body.message, message);
  assert.ok(body.hint);
  assert.equal(response.headers.get("Retry-After"), String(LIMITS.retryAfterSeconds));
}

Deno.test("streams: 200 of a caller, 500 of a room, 2,000 of an instance, and one more when one has ended", () =>
  withApp(async ({ app, json }) => {
    const held: Response[] = [];
    const open = async (room: string, n: number) =>
      // The page's stream is counted with the other one.
      await app.request(`/rooms/${room}/${held.length % 2 ? "live" : "events"}`, {}, caller(n));
    const hold = async (room: string, n: number, count: number) => {
      for (let more = count; more > 0; more--) {
        const response = await open(room, n);
        assert.equal(response.status, 200, `stream ${held.length + 1}`);
        held.push(response);
      }
    };
    const end = () => held.pop()!.body!.cancel();
    for (const id of ["a", "b", "c", "d", "e"]) await json("POST", "/rooms", { id });

    await hold("a", 1, 200);
    await assertRefused(await open("a", 1), "rate_limited", /You have 200 streams/);
    await end();
    await hold("a", 1, 1);
    await assertRefused(await open("b", 1), "rate_limited", /You have 200 streams/);

    await hold("a", 2, 200);
    await hold("a", 3, 100);
    await assertRefused(await open("a", 3), "unavailable", /This room already has 500 followers/);
    await hold("b", 3, 1);
    await end();
    await held[0]!.body!.cancel();
    await hold("a", 3, 1);
    await assertRefused(await open("a", 4), "unavailable", /This room already has 500 followers/);

    for (const [at, room] of ["b", "c", "d"].entries()) {
      for (const n of [10, 20]) await hold(room, n + at, 200);
      await hold(room, 30 + at, 100);
    }
    await assertRefused(await open("e", 40), "unavailable", /This instance already has 2000 followers/);
    await end();
    await hold("e", 40, 1);
    await assertRefused(await open("e", 40), "unavailable", /This instance already has 2000 followers/);
    for (const { body } of held) await body!.cancel();
    held.length = 0;
    await hold("e", 40, 1);
    await end();
  }));

/** Begins waits so that each is counted when this comes back: one that begins later is answered, or refused. */
function waitsOf({ app }: TestApp) {
  const condition = "has(state._shared.go)";
  const wait = async (room: string, n: number, more: { timeout?: number; signal?: AbortSignal } = {}) => {
    const body = JSON.stringify({ condition, timeout: more.timeout });
    return await app.request(`/rooms/${room}/wait`, { method: "POST", body, signal: more.signal }, caller(n));
  };
  const held: Promise<Response>[] = [];
  return {
    held,
    wait,
    async hold(room: string, n: number, count: number) {
      for (let begun = 0; begun < count; begun += 500) {
        for (let more = begun; more < Math.min(count, begun + 500); more++) held.push(wait(room, n));
        await wait(room, n, { timeout: 0 });
      }
    },
    /** Holds one more, and gives how to leave. */
    async holdOne(room: string, n: number) {
      const leaving = new AbortController();
      const left = wait(room, n, { signal: leaving.signal });
      await wait(room, n, { timeout: 0 });
      return async () => {
        leaving.abort();
        assert.equal((await left).status, 204);
      };
    },
    /** True where one more is admitted. */
    admitted: async (room: string, n: number) => (await wait(room, n, { timeout: 0 })).status === 200,
  };
}

Deno.test("waits: 1,000 of a caller, 5,000 of a room, 10,000 of an instance, and one more when one has ended", () =>
  withApp(async (test) => {
    const { json } = test;
    const { held, wait, hold, holdOne, admitted } = waitsOf(test);
    for (const id of ["a", "b", "c"]) await json("POST", "/rooms", { id });

    await hold("a", 1, 999);
    assert.ok(await admitted("a", 1));
    const leaveCaller = await holdOne("a", 1);
    await assertRefused(await wait("a", 1), "rate_limited", /You have 1000 waits/);
    await assertRefused(await wait("b", 1), "rate_limited", /You have 1000 waits/);
    await leaveCaller();
    assert.ok(await admitted("a", 1));
    await hold("a", 1, 1);

    for (const n of [2, 3, 4]) await hold("a", n, 1_000);
    await hold("a", 5, 999);
    assert.ok(await admitted("a", 6));
    const leaveRoom = await holdOne("a", 6);
    await assertRefused(await wait("a", 5), "rate_limited", /This room has 5000 waits/);
    assert.ok(await admitted("b", 5));
    await leaveRoom();
    assert.ok(await admitted("a", 5));
    await hold("a", 5, 1);

    for (const n of [11, 12, 13, 14]) await hold("b", n, 1_000);
    await hold("b", 15, 999);
    assert.ok(await admitted("c", 16));
    const leaveInstance = await holdOne("c", 16);
    await assertRefused(await wait("c", 16), "unavailable", /This instance already holds 10000 waits/);
    await leaveInstance();
    assert.ok(await admitted("c", 16));

    for (const room of ["a", "b"]) await json("PUT", `/rooms/${room}/state`, { key: "go", value: true });
    const answers = await Promise.all(held);
    assert.deepEqual([answers.length, new Set(answers.map(({ status }) => status))], [9_999, new Set([200])]);
    assert.ok(await admitted("a", 1));
  }));

Deno.test("a caller's waits and streams have no limit of their own where the operator sets 0", () =>
  withApp(async (test) => {
    const { app, json } = test;
    await json("POST", "/rooms", { id: "a" });
    const streams = [];
    for (let n = 0; n <= LIMITS.streamsOfCaller; n++) {
      streams.push(await app.request("/rooms/a/events", {}, caller(1)));
    }
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    for (const { body } of streams) await body!.cancel();
    const { held, hold, admitted } = waitsOf(test);
    await hold("a", 1, LIMITS.waitsOfCaller);
    assert.ok(await admitted("a", 1));
    await json("PUT", "/rooms/a/state", { key: "go", value: true });
    await Promise.all(held);
  }, { fairUse: { ...FAIR_USE, waitsOfCaller: 0, waitsOfRoom: 0, streamsOfCaller: 0 } }));
