import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** Milliseconds that the first message of a thread may take, whatever its size. */
const FIRST_MS = onThisMachine(30);

interface Shape {
  messages: number;
  /** What a message answers, as SQL. */
  parent: string;
}

/** The trees in which least and most is pending while they are walked; the second takes longer. */
const SHAPES: Record<string, Shape> = {
  star: { messages: 300_000, parent: "1" },
  bushy: { messages: 100_000, parent: "1 + (i * 2654435761 % 4294967296) % (i - 1)" },
};

async function fill(database: Client, room: string, { messages, parent }: Shape): Promise<void> {
  await database.batch([
    `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count, unclaimed_count)
     VALUES ('${room}', '', '{}', ${messages}, ${messages}, ${messages}, ${messages})`,
  ], "write");
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, reply_to, revision)
     SELECT '${room}', i, 'ann', CASE WHEN i = ${messages} THEN 'last' ELSE 'chat' END, '1', '',
            CASE WHEN i > 1 THEN ${parent} END, i FROM n`,
    messages,
  );
}

/** Each but the first walks the whole thread; tests/db/threads.test.ts has what each filter finds. */
const looksAt = ({ messages }: Shape): Record<string, [query: string, ids: number[]]> => ({
  "a full page": ["limit=1000", Array.from({ length: 1_000 }, (_, n) => n + 1)],
  "the newest": ["last=2", [messages - 1, messages]],
  "the only one of a kind, which comes late": [`kind=last&after=${messages - 2}`, [messages]],
  "none of a sender to a receiver, unclaimed": ["from=bob&to=bob&unclaimed=true", []],
});

async function fillAll(database: Client): Promise<void> {
  await database.batch([
    "INSERT INTO rooms (id, created_at, meta, key_count) VALUES ('other', '', '{}', 1)",
    "INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted) VALUES ('other', '_shared', 'k', '1', 1, 1, '', 0)",
  ], "write");
  for (const [room, shape] of Object.entries(SHAPES)) await fill(database, room, shape);
}

const tests = Object.entries(SHAPES).map(([room, shape]) => {
  const name = `a thread of ${shape.messages} messages, a ${room}, holds up nobody`;
  return [name, async ({ url }: Filled) => {
    const list = async (query: string) => {
      const response = await fetch(`${url}/rooms/${room}/messages?thread=1&${query}`);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return JSON.parse(text).map(({ id }: { id: number }) => id);
    };
    let first = Infinity;
    for (let n = 0; n < 5; n++) {
      const from = performance.now();
      assert.deepEqual(await list("limit=1"), [1]);
      first = Math.min(first, performance.now() - from);
    }
    assert.ok(first < FIRST_MS, `the first message took ${first} ms`);
    for (const [name, [query, ids]] of Object.entries(looksAt(shape))) {
      await assertOthersServed(name, { url, path: "/rooms/other/state?key=k" }, async () => {
        assert.deepEqual(await list(query), ids, name);
      });
    }
  }] as const;
});

onFilled(fillAll, Object.fromEntries(tests));
