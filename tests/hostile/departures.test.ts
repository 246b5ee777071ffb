import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

const CLAIMS = 20_000;
/** Tasks that fail when their claims end, and the others that need each of them and fail with it. */
const FAILING = 30;
const NEEDING = 999;

/** The room of an attack. */
const roomOf = (n: number) => `room${n}`;

/** A room that has nothing to do with it, and that of the first attack. */
async function fill(database: Client): Promise<void> {
  await database.execute("INSERT INTO rooms (id, created_at, meta) VALUES ('other', '', '{}')");
  await fillRoom(database, roomOf(0));
}

async function fillRoom(database: Client, room: string): Promise<void> {
  await database.execute(
    `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count)
     VALUES ('${room}', '', '{}', ${CLAIMS}, ${CLAIMS}, ${CLAIMS})`,
  );
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, kind, body, created_at, revision, claimed_by, claimed_at, fence, attempts)
     SELECT '${room}', i, 'task', '1', '', i, 'ann', '', i, 1 FROM n`,
    CLAIMS,
  );
}

/** A room whose agent holds tasks with one attempt, each of which many others need. */
async function fillFailing(database: Client, room: string): Promise<void> {
  await database.execute(
    `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count)
     VALUES ('${room}', '', '{}', 100000, 100000, ${FAILING * (NEEDING + 1)})`,
  );
  await insertMany(
    database,
    `INSERT INTO messages (
       room_id, id, kind, body, created_at, revision, claimed_by, claimed_at, fence, attempts, max_attempts)
     SELECT '${room}', i, 'task', '1', '', i, 'ann', '', i, 1, 1 FROM n`,
    FAILING,
  );
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, kind, body, created_at, revision, claimed_by, status, attempts, needs)
     SELECT '${room}', 1000 + i, 'task', '1', '', 1000 + i, '', 'blocked', 0, json_array(1 + (i - 1) / ${NEEDING})
       FROM n`,
    FAILING * NEEDING,
  );
  await database.execute(
    `INSERT INTO needs (room_id, message_id, need_id)
     SELECT room_id, id, needs ->> 0 FROM messages WHERE room_id = '${room}' AND needs IS NOT NULL`,
  );
}

/** Registers the agent that holds a room's tasks, and lets it leave. */
async function comeAndLeave(room: string): Promise<void> {
  const registered = await fetch(`${room}/agents`, { method: "POST", body: '{"id":"ann","name":"Ann"}' });
  await registered.body?.cancel();
  const departed = await fetch(`${room}/agents/ann`, { method: "DELETE" });
  assert.deepEqual(await departed.json(), { left: true });
}

onFilled(fill, {
  [`an agent that leaves ${CLAIMS} claims holds up nobody`]: async ({ url, database }: Filled) => {
    const attack = (n: number) => comeAndLeave(`${url}/rooms/${roomOf(n)}`);
    await assertOthersServed("a departure", { url, path: "/rooms/other" }, attack, async (n) => {
      if (n > 0) await fillRoom(database, roomOf(n));
    });
  },
  [`an agent that leaves ${FAILING} tasks, with each of which ${NEEDING} others fail, holds up nobody`]:
    async (
      { url, database }: Filled,
    ) => {
      const roomOfFailing = (n: number) => `failing${n}`;
      const attack = (n: number) => comeAndLeave(`${url}/rooms/${roomOfFailing(n)}`);
      await assertOthersServed("failures", { url, path: "/rooms/other" }, attack, (n) => {
        return fillFailing(database, roomOfFailing(n));
      });
    },
});
