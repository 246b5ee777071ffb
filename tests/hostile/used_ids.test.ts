import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** What a room remembers: claims that are over, and deleted keys of the scope of `bob`. */
const [ATTEMPTS, DELETED] = [300_000, 300_000];
/** Milliseconds that a request which asks whether an id was used may take at most, at its best. */
const OWN_MS = onThisMachine(50);
const TIMES = 5;

async function fill(database: Client): Promise<void> {
  await database.batch([
    "INSERT INTO rooms (id, created_at, meta) VALUES ('other', '', '{}')",
    `INSERT INTO rooms (id, created_at, meta, revision, tombstone_count)
     VALUES ('used', '', '{}', ${DELETED}, 1000)`,
  ], "write");
  await insertMany(
    database,
    `INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at, ended_at, ended)
     SELECT 'used', i, i, 'worker ' || (i % 100), '', '', 'released' FROM n`,
    ATTEMPTS,
  );
  await insertMany(
    database,
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     SELECT 'used', 'bob', 'key ' || i, 'null', 2, i, '', 1 FROM n`,
    DELETED,
  );
}

/** A request that asks whether an id was used, by a number, and its status. */
const ASKS: Record<string, [path: string, body: (n: number) => unknown, status: number]> = {
  "a secure agent": ["/agents", (n) => ({ id: `new ${n}`, name: "New", secure: true }), 201],
  "an invitation": ["/invites", (n) => ({ role: "member", agent: `guest ${n}` }), 201],
  "an invitation of the worn id": ["/invites", () => ({ role: "member", agent: "bob" }), 201],
  "a secure agent that claimed": ["/agents", () => ({ id: "worker 7", name: "New", secure: true }), 409],
  "a private scope of many deleted keys": [
    "/agents",
    () => ({ id: "bob", name: "Bob", secure: true, private: true }),
    409,
  ],
};

onFilled(fill, {
  [`whether an id was used, among ${ATTEMPTS} claims and ${DELETED} deleted keys, holds up nobody`]: async (
    { url }: Filled,
  ) => {
    const best = new Map<string, number>();
    let asked = 0;
    await assertOthersServed("the questions", { url, path: "/rooms/other" }, async () => {
      for (const [name, [path, body, status]] of Object.entries(ASKS)) {
        for (let n = 0; n < TIMES; n++) {
          const from = performance.now();
          const reply = await fetch(`${url}/rooms/used${path}`, {
            method: "POST",
            body: JSON.stringify(body(asked++)),
          });
          const text = await reply.text();
          assert.equal(reply.status, status, `${name}: ${text.slice(0, 300)}`);
          best.set(name, Math.min(best.get(name) ?? Infinity, performance.now() - from));
        }
      }
    });
    for (const [name, took] of best) assert.ok(took < OWN_MS, `${name} took ${took.toFixed(0)} ms`);
  },
}, { ROOM_RATE_LIMIT: "0" });
