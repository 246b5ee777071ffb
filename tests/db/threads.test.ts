import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import fc from "fast-check";
import type { MessageFilter } from "../../db/messages/listing.ts";
import { listMessages } from "../../db/messages/read.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";

/** More messages than two steps pass. */
const MANY = 10_000;
/** What a message answers, as SQL: a tree of each kind. */
const SHAPES = {
  star: "1",
  chain: "i - 1",
  bushy: "1 + (i * 2654435761 % 4294967296) % (i - 1)",
  late: `CASE WHEN i <= ${MANY / 2} THEN 1 ELSE i - ${MANY / 2 - 1} END`,
  many: "CASE WHEN i % 20 THEN 1 + (i * 2654435761 % 4294967296) % (i - 1) END",
};

const FILL = (parent: string) => `
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
  INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, reply_to, claimed_by, revision)
  SELECT :room, i, 'f' || (i % 3), CASE WHEN i % 5 THEN 't' || (i % 2) END, CASE WHEN i % 997 THEN 'chat' ELSE 'task' END,
         '1', '', CASE WHEN i > 1 THEN ${parent} END, CASE WHEN i % 7 = 0 THEN 'c' END, i FROM n`;

interface Posted {
  id: number;
  from_agent: string;
  to_agent: string | null;
  kind: string;
  reply_to: number | null;
  claimed_by: string | null;
}

/** The ids that a filter is to find, by going through all messages in order. */
function expected(messages: Posted[], filter: MessageFilter): number[] {
  const { after = -1, kind, from, to, thread, unclaimed, newest, limit } = filter;
  const within = new Set([thread]);
  for (const { id, reply_to } of messages) if (reply_to !== null && within.has(reply_to)) within.add(id);
  const ids = messages.filter((message) =>
    within.has(message.id) && message.id > after && (kind ?? message.kind) === message.kind &&
    (from ?? message.from_agent) === message.from_agent && (to ?? message.to_agent) === message.to_agent &&
    (!unclaimed || message.claimed_by === null)
  ).map(({ id }) => id);
  return newest ? ids.slice(-limit) : ids.slice(0, limit);
}

const id = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: MANY + 2 }));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const FILTER = fc.record({
  thread: id,
  after: maybe(id),
  kind: maybe(fc.constantFrom("chat", "task", "none")),
  from: maybe(fc.constantFrom("f0", "f1")),
  to: maybe(fc.constantFrom("t0", "t1")),
  unclaimed: maybe(fc.boolean()),
  newest: maybe(fc.boolean()),
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1_000 })),
});

for (const [shape, parent] of Object.entries(SHAPES)) {
  Deno.test(`a thread in a ${shape} tree is what a look at each message says, whatever the filters`, () =>
    withApp(async ({ json, file, services }) => {
      await json("POST", "/rooms", { id: "r" });
      const client = createClient({ url: file });
      await client.batch([
        { sql: FILL(parent), args: { room: "r" } },
        `UPDATE rooms SET revision = ${MANY}, messages_revision = ${MANY}, message_count = ${MANY}`,
      ], "write");
      const { rows } = await client.execute("SELECT * FROM messages WHERE room_id = 'r' ORDER BY id");
      client.close();
      const messages = rows as unknown as Posted[];
      await fc.assert(
        fc.asyncProperty(FILTER, async (filter) => {
          const { messages: found } = await listMessages(
            services.database,
            EVERYBODY,
            "r",
            filter as MessageFilter,
          );
          assert.deepEqual(found.map(({ id }) => id), expected(messages, filter as MessageFilter));
        }),
        { numRuns: 60 },
      );
    }));
}
