import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { privateRoom } from "../../db/access/private.ts";
import { hashOf, makeToken } from "../../db/access/token_text.ts";
import { DELETED as NEVER_SERVED } from "../../db/release.ts";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { bearer } from "../support/tokens.ts";

/** Deleted keys of the private scope of an agent that has one key left. */
const DELETED = 300_000;
/** Private scopes of a room, and the keys of each. */
const [SCOPES, KEYS] = [100, 1_000];
/** Milliseconds that each request of the agent may take at most, at its best. */
const OWN_MS = onThisMachine(100);
const TIMES = 5;
const DAY_MS = 86_400_000;

const tokenOf = (n: number) => makeToken("member", false, new Uint8Array(32).fill(n));
const [worn, ends, far] = [tokenOf(1), tokenOf(2), tokenOf(3)];
const admin = makeToken("admin", false, new Uint8Array(32).fill(4));

/** A room whose agent `ann` has a private scope of its own. */
async function fillRoom(database: Client, room: string, token: string): Promise<void> {
  await database.batch([
    `INSERT INTO rooms (id, created_at, meta, revision, private_revision, guarded, requires, agent_count)
     VALUES ('${room}', '', '{}', ${DELETED}, ${DELETED}, 1, 3, 1)`,
    `INSERT INTO agents (room_id, id, name, role, meta, status, joined, joined_at, last_heartbeat, revision, secure)
     VALUES ('${room}', 'ann', 'Ann', 'agent', '{}', 'active', 1, '', '', 1, 1)`,
    `INSERT INTO tokens (room_id, id, hash, role, agent_id, created_at)
     VALUES ('${room}', 't', '${hashOf(token)}', 'member', 'ann', '')`,
    ...privateScope(room, "'ann'"),
  ], "write");
}

/** Makes the scope of an agent private, whose id is given in SQL. */
const privateScope = (room: string, agent: string, from = "") => [
  `INSERT INTO secured (room_id, agent_id, private_since) SELECT '${room}', ${agent}, 1 ${from}`,
  `INSERT INTO rooms (id, created_at, meta, listed, requires)
   SELECT ${privateRoom(agent, `'${room}'`)}, '', '{}', 0, ${NEVER_SERVED} ${from}`,
];

async function fill(database: Client): Promise<void> {
  await database.execute("INSERT INTO rooms (id, created_at, meta) VALUES ('other', '', '{}')");
  await fillRoom(database, "worn", worn);
  const stored = privateRoom("'ann'", "'worn'");
  await insertMany(
    database,
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     SELECT ${stored}, 'ann', 'key ' || i, 'null', 2, i, '', 1 FROM n`,
    DELETED,
  );
  await database.batch([
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     SELECT ${stored}, 'ann', 'left', '1', 1, 1, '', 0`,
    `INSERT INTO living SELECT ${stored}, 'ann', 'left'`,
    `UPDATE rooms SET tombstone_count = 1000 WHERE id = ${stored}`,
  ], "write");
  // Before the service writes: a libSQL server takes the lock from who holds it for seconds.
  await fillRoom(database, "far", far);
  await fillEnding(database, "far", Date.now() + 20 * DAY_MS);
  await database.execute(`INSERT INTO tokens (room_id, id, hash, role, created_at)
    VALUES ('far', 'a', '${hashOf(admin)}', 'admin', '')`);
}

/** Private scopes whose keys all end at a time. */
async function fillEnding(database: Client, room: string, at: number): Promise<void> {
  const numbers = `FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${SCOPES})
    SELECT i FROM n)`;
  await database.batch(privateScope(room, "'a' || i", numbers), "write");
  await insertMany(
    database,
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted, expires_at)
     SELECT ${
      privateRoom(`'a' || (1 + i % ${SCOPES})`, `'${room}'`)
    }, 'a' || (1 + i % ${SCOPES}), 'key ' || i, '1', 1, 5, '', 0, ${at}
       FROM n`,
    SCOPES * KEYS,
  );
  await database.execute(`UPDATE rooms SET due = ${at}, ends = ends | 18 WHERE id = '${room}'`);
}

const LOOKS: Record<string, [method: string, path: string, body?: unknown]> = {
  "a put": ["PUT", "/rooms/worn/state", { scope: "ann", key: "left", value: 1 }],
  "a put of a new key": ["PUT", "/rooms/worn/state", { scope: "ann", key: "new", value: 1 }],
  "the list": ["GET", "/rooms/worn/state"],
  "the scope": ["GET", "/rooms/worn/state?scope=ann"],
  "an expression": ["POST", "/rooms/worn/eval", { expr: "state.ann.left" }],
  "an expression over the scope": ["POST", "/rooms/worn/eval", { expr: "size(state.ann) < 9" }],
  "a wait that includes the state": ["POST", "/rooms/worn/wait", { condition: "true", include: "state" }],
  "the page": ["GET", "/?room=worn"],
  "the page's keys": ["GET", "/rooms/worn/live/entries?scope=ann"],
};

/** Looks of an admin, who sees all private scopes, and what is in the answer. What a prefix leaves out is passed. */
const LOOKS_AT_ALL: Record<string, [method: string, path: string, answer: RegExp, body?: unknown]> = {
  "the list": ["GET", "/rooms/far/state?prefix=key%209999", /"key 99999"/],
  "a key": ["GET", "/rooms/far/state?scope=a99&key=key%2098", /"key 98"/],
  "the last scope": ["GET", "/rooms/far/state?scope=a99", /"key 98"/],
  "what changed": ["GET", "/rooms/far/state?since=4&prefix=key%209999", /"key 99999"/],
  "an expression over all": ["POST", "/rooms/far/eval", /"value":103/, { expr: "size(state)" }],
  "an expression over a scope": ["POST", "/rooms/far/eval", /"value":1000/, { expr: "size(state.a99)" }],
  "the page": ["GET", "/?room=far", /key 10/],
};

onFilled(fill, {
  [`the looks of an admin at ${SCOPES * KEYS} keys of private scopes hold up nobody`]: async (
    { url }: Filled,
  ) => {
    await assertOthersServed("the looks of an admin", { url, path: "/rooms/other" }, async () => {
      for (const [name, [method, path, answer, body]] of Object.entries(LOOKS_AT_ALL)) {
        const reply = await fetch(url + path, {
          method,
          headers: { ...bearer(admin), ...name === "the page" && { accept: "text/html" } },
          ...body !== undefined && { body: JSON.stringify(body) },
        });
        const text = await reply.text();
        assert.equal(reply.status, 200, `${name}: ${text.slice(0, 300)}`);
        assert.match(text, answer, `${name}: ${text.slice(0, 300)}`);
      }
    });
  },

  [`a private scope of which ${DELETED} keys were deleted holds up nobody, nor its agent`]: async (
    { url }: Filled,
  ) => {
    const best = new Map<string, number>();
    await assertOthersServed("the looks of its agent", { url, path: "/rooms/other" }, async () => {
      for (const [name, [method, path, body]] of Object.entries(LOOKS)) {
        for (let n = 0; n < TIMES; n++) {
          const from = performance.now();
          const reply = await fetch(url + path, {
            method,
            headers: bearer(worn),
            ...body !== undefined && { body: JSON.stringify(body) },
          });
          const text = await reply.text();
          assert.equal(reply.status, 200, `${name}: ${text.slice(0, 300)}`);
          best.set(name, Math.min(best.get(name) ?? Infinity, performance.now() - from));
        }
      }
    });
    for (const [name, took] of best) assert.ok(took < OWN_MS, `${name} took ${took.toFixed(0)} ms`);
  },

  [`${SCOPES * KEYS} keys of private scopes that end at once hold up nobody`]: async (
    { url, database }: Filled,
  ) => {
    const roomOf = (n: number) => `ending ${n}`;
    const attack = async (n: number) => {
      const from = performance.now();
      for (let left = 3_000; left > 0; left = 3_000 - (performance.now() - from)) {
        const reply = await fetch(`${url}/rooms/${roomOf(n)}`, { headers: bearer(ends) });
        const { status } = reply;
        await reply.body?.cancel();
        assert.ok(status === 200 || status === 503, String(status));
      }
    };
    await assertOthersServed("the ends", { url, path: "/rooms/other" }, attack, async (n) => {
      await database.execute("DELETE FROM tokens WHERE id = 't' AND room_id LIKE 'ending %'");
      await fillRoom(database, roomOf(n), ends);
      await fillEnding(database, roomOf(n), 1);
    });
  },

  [`marks of waits beside ${SCOPES * KEYS} keys of private scopes with an end hold up nobody`]: async (
    { url }: Filled,
  ) => {
    await assertOthersServed("the marks", { url, path: "/rooms/other" }, async () => {
      for (let n = 0; n < 20; n++) {
        const reply = await fetch(`${url}/rooms/far/wait`, {
          method: "POST",
          headers: bearer(far),
          body: JSON.stringify({ agent: "ann", condition: "false", timeout: 100 }),
        });
        assert.equal((await reply.json()).timeout, true);
      }
    });
  },
}, { ROOM_RATE_LIMIT: "0" });
