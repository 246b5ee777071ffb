import type { Client } from "@libsql/client";
import assert from "node:assert/strict";
import { onFilled } from "../support/filled.ts";

const NOW = "2026-01-01T00:00:00.000Z";
const FAILED = 400;
/** Nearly 64 KiB of JSON: together they exceed an answer of a server. */
const BODY = JSON.stringify("x".repeat(65_000));

/** Fills a room with a short change, many tasks that failed in one write, and a short change again. */
async function fill(database: Client) {
  await database.execute(`
    INSERT INTO rooms (id, created_at, meta, revision, state_revision, messages_revision, key_count, message_count)
    VALUES ('r', '${NOW}', '{}', 1002, 1002, 1001, 2, ${FAILED})`);
  for (const [key, revision] of [["before", 1000], ["after", 1002]]) {
    await database.execute(`
      INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
      VALUES ('r', '_shared', '${key}', '1', 1, ${revision}, '${NOW}', 0)`);
  }
  for (let first = 1; first <= FAILED; first += 50) {
    const sql = `
      WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${first + 49})
      INSERT INTO messages (room_id, id, kind, body, created_at, revision, claimed_by, status, attempts, failure)
      SELECT 'r', i, 'k', :body, '${NOW}', 1001, '', 'failed', 0, '{"reason":"needs","message":1}' FROM n`;
    await database.execute({ sql, args: { body: BODY } });
  }
}

interface Page {
  revision: number;
  state: Array<{ key: string }>;
  messages: Array<{ id: number; body: string; revision: number; status: string }>;
  more: boolean;
}
type Read = (after: number) => Promise<Page>;

/** Follows a room from the start; checks that the long revision comes whole and by itself. */
async function follow(read: Read) {
  const told = [];
  for (let [after, more] = [0, true]; more;) {
    const page = await read(after);
    assert.ok(page.revision > after);
    told.push([page.revision, page.state.map(({ key }) => key), page.messages.length]);
    for (const [n, { id, body, revision, status }] of page.messages.entries()) {
      assert.deepEqual([id, body.length, revision, status], [n + 1, 65_000, 1001, "failed"]);
    }
    ({ revision: after, more } = page);
  }
  assert.deepEqual(told, [[1000, ["before"], 0], [1001, [], FAILED], [1002, ["after"], 0]]);
}

onFilled(fill, {
  "changes of one revision come whole, however long they are": ({ url }) =>
    follow(async (after) => {
      const response = await fetch(`${url}/rooms/r/changes?after=${after}`);
      assert.equal(response.status, 200);
      return await response.json();
    }),
  "a wait includes changes of one revision, however long they are": ({ url }) =>
    follow(async (after) => {
      const body = JSON.stringify({
        condition: "true",
        include: `messages:after:9999,changes:after:${after}`,
      });
      const response = await fetch(`${url}/rooms/r/wait`, { method: "POST", body });
      assert.equal(response.status, 200);
      return (await response.json()).changes;
    }),
});
