import assert from "node:assert/strict";
import { LIMITS } from "../../routes/http/limits.ts";
import { type TestApp, withApp } from "../support/app.ts";

const STRANGER = "203.0.113.7";
const WRONG = "00000-00000";

/** A service with a code that counts, whose time the test holds. */
function withCode(
  test: (
    t: {
      ask(code: string, from?: string, method?: string): Promise<Response>;
      pass(ms: number): void;
      code: string;
      batches: TestApp["batches"];
    },
  ) => Promise<void>,
) {
  const time = { now: Date.parse("2026-01-01T00:00:00.000Z") };
  return withApp(async ({ app, json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member", uses: 100 })).body;
    await test({
      ask: async (code, hostname = STRANGER, method = "GET") =>
        await app.request(`/join/${code}`, { method }, { remoteAddr: { hostname } }),
      pass: (ms) => void (time.now += ms),
      code,
      batches,
    });
  }, { time });
}

Deno.test("a caller sends ten wrong codes a minute, then it is refused whatever it sends", () =>
  withCode(async ({ ask, pass, code, batches }) => {
    for (const caller of [STRANGER, "127.0.0.1", "2001:db8:1:2::1"]) {
      for (let n = 0; n < LIMITS.wrongCodesOfCaller; n++) {
        assert.equal((await ask(code, caller)).status, 200);
        const wrong = [WRONG, "nonsense", "7KQ2U-X9D4T"][n % 3]!;
        assert.equal((await ask(wrong, caller, n % 2 ? "POST" : "GET")).status, 404);
        if (n === 0) pass(1_000);
      }
      batches.length = 0;
      for (const method of ["GET", "POST"]) {
        for (const any of [code, WRONG]) {
          const refused = await ask(any, caller, method);
          assert.deepEqual([refused.status, (await refused.json()).error], [429, "rate_limited"]);
          assert.equal(refused.headers.get("retry-after"), "59");
        }
      }
      assert.equal(batches.length, 0, "nothing is looked up");
      assert.equal((await ask(code, "203.0.113.8")).status, 200);
    }
    assert.equal((await ask(code, "2001:db8:1:2:ffff::9")).status, 429);
    pass(LIMITS.wrongCodesMs - 3_000);
    assert.equal((await ask(code)).status, 200, "the first one is forgotten");
    assert.equal((await ask(WRONG)).status, 404);
    assert.equal((await ask(code)).status, 429);
  }));

Deno.test("of many codes that come at once no more than ten are told to be wrong, nor one right after them", () =>
  withCode(async ({ ask, code }) => {
    const wrong = Array.from({ length: 30 }, () => ask(WRONG));
    const replies = await Promise.all([...wrong, ask(code)]);
    const told = replies.map(({ status }) => status);
    assert.equal(told.filter((status) => status === 404).length, LIMITS.wrongCodesOfCaller);
    assert.equal(told.at(-1), 429);
  }));

Deno.test("after 1,000 wrong codes in all within a minute whoever sent one is refused", () =>
  withCode(async ({ ask, code, pass }) => {
    for (let n = 0; n < LIMITS.wrongCodes; n++) {
      const caller = `198.51.${n >> 8}.${n & 255}`;
      assert.equal((await ask(WRONG, caller)).status, 404);
    }
    assert.equal((await ask(code, "198.51.0.7")).status, 429);
    assert.equal((await ask(WRONG, "203.0.113.9")).status, 429, "too many in all");
    assert.equal((await ask(code, "203.0.113.9")).status, 429, "it has sent one");
    assert.equal((await ask(code, "203.0.113.10")).status, 200);
    pass(LIMITS.wrongCodesMs);
    assert.equal((await ask(code, "198.51.0.7")).status, 200);
  }));

Deno.test("codes that were used up are not wrong: many that race for one are told that they lost", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member" })).body;
    const replies = await Promise.all(Array.from({ length: 30 }, () => json("POST", `/join/${code}`)));
    const statuses = replies.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, ...Array(29).fill(404)]);
  }));
