import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** As many tasks as may hang together, and as many needs as each may have. */
const TASKS = 1_000;
const NEEDS = 32;
const AT_ONCE = 64;
const ROOMS = 10;

async function fill(database: Client): Promise<void> {
  await database.execute("INSERT INTO rooms (id, created_at, meta) VALUES ('other', '', '{}')");
  await fillRoom(database, "posts");
}

/** A room whose tasks need the 32 before each, all but the first. */
async function fillRoom(database: Client, room: string): Promise<void> {
  await database.execute(
    `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count)
     VALUES ('${room}', '', '{}', ${TASKS}, ${TASKS}, ${TASKS})`,
  );
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, kind, body, created_at, revision, claimed_by, status, attempts, needs)
     SELECT '${room}', i, 'task', '1', '', i, IIF(i = 1, NULL, ''), IIF(i = 1, NULL, 'blocked'), 0,
            IIF(i = 1, NULL, '[1]') FROM n`,
    TASKS,
  );
  await database.execute(
    `WITH RECURSIVE need (back) AS (SELECT 1 UNION ALL SELECT back + 1 FROM need WHERE back < ${NEEDS})
     INSERT INTO needs (room_id, message_id, need_id)
     SELECT '${room}', id, id - back FROM messages CROSS JOIN need WHERE room_id = '${room}' AND id > back`,
  );
}

async function post(url: string, body: unknown): Promise<number> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  await response.body?.cancel();
  return response.status;
}

onFilled(fill, {
  [`${AT_ONCE} posts at once, each to ${TASKS} tasks that need ${NEEDS} others, hold up nobody`]: async (
    { url }: Filled,
  ) => {
    const needs = Array.from({ length: NEEDS }, (_, n) => TASKS - n);
    await assertOthersServed("posts", { url, path: "/rooms/other" }, async () => {
      const statuses = await Promise.all(
        Array.from({ length: AT_ONCE }, () => {
          return post(`${url}/rooms/posts/messages`, { kind: "task", body: 1, needs });
        }),
      );
      assert.ok(statuses.every((status) => status === 409));
    });
  },
  [`the failures of ${TASKS} such tasks in each of ${ROOMS} rooms at once hold up nobody`]: async (
    { url, database }: Filled,
  ) => {
    const roomsOf = (n: number) => Array.from({ length: ROOMS }, (_, m) => `failures${n}-${m}`);
    const attack = async (n: number) => {
      const fails = roomsOf(n).map((room) => post(`${url}/rooms/${room}/messages/1/fail`, { agent: "ann" }));
      assert.ok((await Promise.all(fails)).every((status) => status === 200));
    };
    await assertOthersServed("failures", { url, path: "/rooms/other" }, attack, async (n) => {
      for (const room of roomsOf(n)) await fillRoom(database, room);
    });
  },
});
