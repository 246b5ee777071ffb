import assert from "node:assert/strict";
import { type TestApp, withApp } from "../support/app.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Runs a test in a room at whose time it may turn; `put` writes under a key. */
function withTime(
  test: (put: (key: string, body: unknown) => Promise<Answered>, pass: (ms: number) => void) => Promise<void>,
): Promise<void> {
  const clock = { now: Date.parse("2026-01-01T00:00:00.000Z") };
  return withApp(async (app) => {
    await app.json("POST", "/rooms", { id: "r" });
    await test((key, body) => putKeyed(app, key, body), (ms) => clock.now += ms);
  }, { now: () => new Date(clock.now) });
}

type Answered = [status: number, value: unknown, replayed: boolean];

async function putKeyed({ request }: TestApp, key: string, body: unknown): Promise<Answered> {
  const response = await request("PUT", "/rooms/r/state", body, { "Idempotency-Key": key });
  const { value, error } = await response.json();
  return [response.status, error ?? value, response.headers.has("Idempotency-Replayed")];
}

Deno.test("a key counts for 24 hours; then the same request makes its write anew, and so does another one", () =>
  withTime(async (put, pass) => {
    const increment = { key: "n", increment: 1 };
    assert.deepEqual(await put("k", increment), [200, 1, false]);
    pass(DAY_MS - 1);
    assert.deepEqual(await put("k", increment), [200, 1, true]);
    assert.deepEqual(await put("k", { key: "n", increment: 5 }), [422, "idempotency_mismatch", false]);
    pass(1);
    assert.deepEqual(await put("k", increment), [200, 2, false]);
    assert.deepEqual(await put("k", increment), [200, 2, true]);
    pass(DAY_MS);
    assert.deepEqual(await put("k", { key: "n", increment: 5 }), [200, 7, false]);
  }));

Deno.test("what is refused under a key that is over is refused, not answered as a day ago", () =>
  withTime(async (put, pass) => {
    const once = { key: "n", value: "first", if: "!has(state._shared.n)" };
    assert.deepEqual(await put("k", once), [200, "first", false]);
    pass(DAY_MS - 1);
    assert.deepEqual(await put("k", once), [200, "first", true]);
    pass(1);
    assert.deepEqual(await put("k", once), [409, "precondition_failed", false]);
    assert.deepEqual(await put("k", { key: "n", increment: 1, if: "false" }), [
      409,
      "precondition_failed",
      false,
    ]);
  }));
