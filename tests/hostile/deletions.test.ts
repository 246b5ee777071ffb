import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { hashOf, makeToken } from "../../db/access/token_text.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { bearer } from "../support/tokens.ts";

/** The room of an attack. */
const roomOf = (n: number) => `large${n}`;
const [MESSAGES, KEYS] = [20_000, 500];

const token = makeToken("admin", true, new Uint8Array(32));

/** A room that has nothing to do with it, and that of the first attack. */
async function fill(database: Client): Promise<void> {
  await database.batch([
    "INSERT INTO rooms (id, created_at, meta, key_count) VALUES ('other', '', '{}', 1)",
    "INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted) VALUES ('other', '_shared', 'k', '1', 1, 1, '', 0)",
  ], "write");
  await fillRoom(database, roomOf(0));
}

async function fillRoom(database: Client, room: string): Promise<void> {
  await database.batch([
    `INSERT INTO rooms (id, created_at, meta, revision, guarded, listed, requires)
     VALUES (char(9) || '${room}', '', '{}', ${MESSAGES}, 1, 0, 3)`,
    `INSERT INTO tokens (room_id, id, hash, role, created_at)
     VALUES (char(9) || '${room}', 't', '${hashOf(token)}${room}', 'admin', '')`,
  ], "write");
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, revision)
     SELECT char(9) || '${room}', i, 'ann', 'chat', json_quote(printf('%.*c', 1000, 'x')), '', i FROM n`,
    MESSAGES,
  );
  await insertMany(
    database,
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     SELECT char(9) || '${room}', '_shared', 'k' || i, json_quote(printf('%.*c', 60000, 'x')), 1, i, '', 0 FROM n`,
    KEYS,
  );
}

onFilled(fill, {
  [`the deletion of a room of ${MESSAGES} messages and ${KEYS} large keys holds up nobody`]: async (
    { url, database }: Filled,
  ) => {
    const attack = async (n: number) => {
      const room = roomOf(n);
      await database.execute(
        `UPDATE tokens SET hash = '${hashOf(token)}' WHERE room_id = char(9) || '${room}'`,
      );
      const deleted = await fetch(`${url}/rooms/${room}`, {
        method: "DELETE",
        headers: bearer(token),
      });
      assert.deepEqual(await deleted.json(), { deleted: true });
      const began = performance.now();
      let slowest = 0;
      for (let free = false, n = 0; !free; n++) {
        const from = performance.now();
        const put = await fetch(`${url}/rooms/other/state`, { method: "PUT", body: '{"key":"n","value":1}' });
        await put.body?.cancel();
        assert.equal(put.status, 200);
        slowest = Math.max(slowest, performance.now() - from);
        if (n % 20 > 0) continue;
        const made = await fetch(`${url}/rooms`, { method: "POST", body: JSON.stringify({ id: room }) });
        await made.body?.cancel();
        free = made.status === 201;
      }
      const took = performance.now() - began;
      console.log(`removed in ${(took / 1_000).toFixed(1)} s, the slowest put took ${slowest.toFixed(0)} ms`);
      return slowest;
    };
    const other = { url, path: "/rooms/other/state?key=k" };
    const held = await assertOthersServed("a deletion", other, attack, async (n) => {
      if (n > 0) await fillRoom(database, roomOf(n));
    });
    console.log(`the slowest request of others took ${held.slowest.toFixed(0)} ms`);
  },
});
