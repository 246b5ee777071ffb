import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** One for each attack. */
const ROOMS = ["one", "two", "three"];
const CLAIMS = 20_000;

async function fill(database: Client): Promise<void> {
  await database.batch(
    ["other", ...ROOMS].map((room) =>
      `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count)
       VALUES ('${room}', '', '{}', ${CLAIMS}, ${CLAIMS}, ${CLAIMS})`
    ),
    "write",
  );
  for (const room of ROOMS) {
    await insertMany(
      database,
      `INSERT INTO messages (room_id, id, kind, body, created_at, revision, claimed_by, claimed_at, fence, attempts)
       SELECT '${room}', i, 'task', '1', '', i, 'ann', '', i, 1 FROM n`,
      CLAIMS,
    );
  }
}

onFilled(fill, {
  [`an agent that leaves ${CLAIMS} claims holds up nobody`]: async ({ url }: Filled) => {
    const left = [...ROOMS];
    await assertOthersServed("a departure", { url, path: "/rooms/other" }, async () => {
      const agents = `${url}/rooms/${left.pop()!}/agents`;
      const registered = await fetch(agents, { method: "POST", body: '{"id":"ann","name":"Ann"}' });
      await registered.body?.cancel();
      const departed = await fetch(`${agents}/ann`, { method: "DELETE" });
      assert.deepEqual(await departed.json(), { left: true });
    });
  },
});
