import { AS_NONE } from "../../db/access/acts.ts";
import assert from "node:assert/strict";
import type { Database } from "../../db/database.ts";
import { runOnce } from "../../db/write/idempotency.ts";
import type { Json } from "../../db/json.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { createRoom } from "../../db/rooms/create.ts";
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
  }, { time: clock });
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

/** Creates a room under a key as the release before did: it counted by the address, and what proxies said of it. */
async function createBefore(database: Database, address: string, key: string, body: { meta: Json }) {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
  const before = {
    viewer: EVERYBODY,
    scope: "",
    key: await digest(` ${address} ${key}`),
    fingerprint: await digest(`POST\n/rooms\n\n\n${JSON.stringify(body)}`),
    lifetime: DAY_MS,
    acts: AS_NONE,
  };
  const { run, answer } = createRoom(database, body);
  return answer(await runOnce(database, before, run)).room;
}

Deno.test("a room that was created under a key is answered again, whatever the release before made of it since", () =>
  withApp(async ({ request, services: { database } }) => {
    const [key, body, address] = [crypto.randomUUID(), { meta: { a: 1 } }, "192.0.2.1"];
    const headers = { "Idempotency-Key": key, "X-Forwarded-For": address };
    const { id } = await (await request("POST", "/rooms", body, headers)).json();
    assert.notEqual((await createBefore(database, address, key, body)).id, id);
    assert.equal((await (await request("POST", "/rooms", body, headers)).json()).id, id);
  }));

Deno.test("a room without an id that the release before created under a key is not created again", () =>
  withApp(async ({ request, services: { database } }) => {
    const [key, body, address] = [crypto.randomUUID(), { meta: { a: 1 } }, "192.0.2.1"];
    const room = await createBefore(database, address, key, body);
    const headers = { "Idempotency-Key": key, "X-Forwarded-For": address };
    const again = await request("POST", "/rooms", body, headers);
    assert.deepEqual([again.status, (await again.json()).id], [201, room.id]);
    assert.equal(again.headers.get("Idempotency-Replayed"), "true");
    const elsewhere = await request("POST", "/rooms", body, { ...headers, "X-Forwarded-For": "192.0.2.9" });
    assert.notEqual((await elsewhere.json()).id, room.id);
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
