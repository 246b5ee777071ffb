import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { Subject } from "../support/backends.ts";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { assertError, assertStatus } from "../support/shapes.ts";

/** More than one request reads, and the list of another room, which is some megabytes long. */
const ROOMS = { long: [1_700, 60_000], some: [3_000, 1_000], other: [1, 10] } as const;
const READERS = 4;
const LISTS = 3;
const NOW = "2026-01-01T00:00:00.000Z";
/** Milliseconds that such a list may take meanwhile, at its best: a longer one before it would take some seconds. */
const LIST_MS = onThisMachine(600);

async function fill(database: Client): Promise<void> {
  for (const [room, [keys, bytes]] of Object.entries(ROOMS)) {
    await database.execute(
      `INSERT INTO rooms (id, created_at, meta, revision, state_revision, key_count)
       VALUES ('${room}', '${NOW}', '{}', ${keys}, ${keys}, ${keys})`,
    );
    await insertMany(
      database,
      `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
       SELECT '${room}', '_shared', 'k' || i, json_quote(printf('%.*c', ${bytes}, 'x')), 1, i, '${NOW}', 0 FROM n`,
      keys,
    );
  }
}

onFilled(fill, {
  async "a room of 100 MB that is read again and again holds up no other, nor the lists of others"(
    { url }: Filled,
  ) {
    const t = new Subject(url);
    await assertOthersServed("long reads", { url, path: "/rooms/other" }, async () => {
      let ended = false;
      const reading = Array.from({ length: READERS }, async () => {
        while (!ended) {
          const reply = await t.get("/rooms/long/state");
          if (reply.status === 413) assertError(reply, 413, "too_large");
          else assertError(reply, 503, "unavailable"); // others were first
        }
      });
      const took: number[] = [];
      try {
        for (let n = 0; n < LISTS; n++) {
          await new Promise((resolve) => setTimeout(resolve, 500)); // they are at different places
          const from = performance.now();
          const list = await t.get("/rooms/some/state");
          took.push(performance.now() - from);
          assertStatus(list, 200);
          assert.equal(list.body.length, ROOMS.some[0]);
        }
      } finally {
        ended = true;
        await Promise.all(reading);
      }
      assert.ok(Math.min(...took) < LIST_MS, `the list of another room took ${took.map(Math.round)} ms`);
    });
  },

  async "a view that reads more than a request may is written, shows why it fails, and breaks no page"(
    { url }: Filled,
  ) {
    const t = new Subject(url);
    const expr = "size(state._shared)";
    assertError(await t.post("/rooms/long/eval", { expr }), 413, "too_large");
    assertError(await t.post("/rooms/long/wait", { condition: `${expr} > 0` }), 413, "too_large");
    assertError(
      await t.put("/rooms/long/state", { key: "gated", value: 1, if: `${expr} > 0` }),
      413,
      "too_large",
    );
    const written = await t.put("/rooms/long/state", { scope: "_view", key: "all", expr });
    assertStatus(written, 200);
    assert.deepEqual([written.body.resolved_value, written.body.error.code], [null, "too_large"]);
    const { body: [view] } = await t.get("/rooms/long/state", { scope: "_view", resolve: "true" });
    assert.deepEqual([view.value, view.error.code], [null, "too_large"]);
    const page = await fetch(`${url}/?room=long`, { headers: { accept: "text/html" } });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /views read too much/);
    assert.equal(await t.value("long", "state._shared.k1.size()"), ROOMS.long[1]);
  },
}, { ROOM_RATE_LIMIT: "0" });
