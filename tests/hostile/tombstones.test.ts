import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { onThisMachine } from "../support/bounds.ts";
import { insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

const DELETED = 300_000;
/** The list of what was deleted last is long enough: it is read and sent in pages, each like all others. */
const LISTED = 100_000;
/** As many as a room may have. */
const ENDING = 10_000;
/** How often each look is made, one after the other. */
const TIMES = 5;
/** Milliseconds by which a look at the one key that is left may exceed that at a room which deleted none. */
const MORE_MS = onThisMachine(10);

const TOMBSTONES = `
  INSERT INTO state (room_id, scope, key, value, expr, version, revision, updated_at, updated_by, deleted)
  SELECT 'gone', CASE WHEN i % 2 THEN '_shared' ELSE '_view' END, 'key ' || i, 'null', NULL, 2, i, '', NULL, 1
    FROM n`;

const ROOM = (room: string) => [
  `INSERT INTO rooms (id, created_at, meta, key_count) VALUES ('${room}', '', '{}', 1)`,
  `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted) SELECT '${room}', '_shared', 'left', '1', 1, 1, '', 0`,
];

/** A room of which one key is left, one that never had another, and one that has nothing to do with them. */
async function fill(database: Client): Promise<void> {
  await database.batch([
    ...ROOM("plain"),
    ...ROOM("gone"),
    ...ROOM("other"),
    `UPDATE rooms SET tombstone_count = 1000, revision = ${DELETED}, state_revision = ${DELETED} WHERE id = 'gone'`,
    `INSERT INTO living VALUES ('gone', '_shared', 'left')`,
  ], "write");
  await insertMany(database, TOMBSTONES, DELETED);
}

const LOOKS: Record<string, [path: string, body?: unknown, method?: string]> = {
  "the list": ["/rooms/ROOM/state"],
  "a scope": ["/rooms/ROOM/state?scope=_shared"],
  "a prefix": ["/rooms/ROOM/state?prefix=l"],
  "the list with its views": ["/rooms/ROOM/state?resolve=true"],
  "the views": ["/rooms/ROOM/state?scope=_view&resolve=true"],
  "an expression": ["/rooms/ROOM/eval", { expr: "size(state._shared)" }],
  "many keys": [
    "/rooms/ROOM/eval",
    { expr: `${Array.from({ length: 60 }, (_, n) => `has(state._shared.k${n})`).join(" || ")}` },
  ],
  "a wait that includes the state": ["/rooms/ROOM/wait", { condition: "true", include: "state" }],
  "the page": ["/?room=ROOM"],
  "the page's keys": ["/rooms/ROOM/live/entries?scope=_shared"],
  "changes": ["/rooms/ROOM/changes?after=0&limit=10"],
  "a view that is put": ["/rooms/ROOM/state", { scope: "_view", key: "v", expr: "1" }, "PUT"],
};

async function look(url: string, room: string, [path, body, method = "POST"]: (typeof LOOKS)[string]) {
  const from = performance.now();
  const response = await fetch(url + path.replace("ROOM", room), {
    ...(body !== undefined && { method, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text.slice(0, 300)}`);
  return { text, took: performance.now() - from };
}

onFilled(fill, {
  async "looks at a room pass what lives, not what was deleted"({ url }) {
    const { text: list } = await look(url, "gone", LOOKS["the list"]!);
    assert.deepEqual(JSON.parse(list).map(({ key }: { key: string }) => key), ["left"]);
    for (const [name, asked] of Object.entries(LOOKS)) {
      const least = { plain: Infinity, gone: Infinity };
      await assertOthersServed(name, { url, path: "/rooms/other/state?key=left" }, async () => {
        for (let n = 0; n < TIMES; n++) {
          for (const room of ["plain", "gone"] as const) {
            least[room] = Math.min(least[room], (await look(url, room, asked)).took);
          }
        }
      });
      assert.ok(least.gone < 2 * least.plain + MORE_MS, `${name}: ${least.gone} ms, plainly ${least.plain}`);
    }
  },

  async "a list of much that was deleted holds up nobody"({ url }) {
    await assertOthersServed("since", { url, path: "/rooms/other/state?key=left" }, async () => {
      const response = await fetch(`${url}/rooms/gone/state?since=${DELETED - LISTED}`);
      let length = 0;
      for await (const piece of response.body!) length += piece.length;
      assert.ok(length > 70 * LISTED, `${length} bytes`);
    });
  },

  async [`${ENDING} keys that end at once among ${DELETED} deleted ones hold up nobody`]({ url, database }) {
    const ends = async () => {
      const { text } = await look(url, "gone", LOOKS["the list"]!);
      assert.ok(!text.includes("ending"), text.slice(0, 300));
    };
    await assertOthersServed("the ends", { url, path: "/rooms/other/state?key=left" }, ends, async () => {
      await database.batch([
        `INSERT OR REPLACE INTO state (room_id, scope, key, value, version, revision, updated_at, deleted, expires_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ENDING})
         SELECT 'gone', '_shared', 'ending ' || i, '1', 1, 1, '', 0, 1 FROM n`,
        "INSERT OR IGNORE INTO living SELECT room_id, scope, key FROM state WHERE room_id = 'gone' AND expires_at = 1",
        `UPDATE rooms SET due = 1, ends = 2, key_count = key_count + ${ENDING}, requires = 2 WHERE id = 'gone'`,
      ], "write");
    });
  },
});
