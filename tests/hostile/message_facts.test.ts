import assert from "node:assert/strict";
import type { Client } from "@libsql/client";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, insertMany, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

const MESSAGES = 100_000;
/** Milliseconds that a fact may take, whatever the room holds. */
const FACT_MS = onThisMachine(30);

/** A room of one long thread, whose first message is of another kind and sender than all others. */
async function fill(database: Client): Promise<void> {
  await database.batch([
    "INSERT INTO rooms (id, created_at, meta, key_count) VALUES ('other', '', '{}', 1)",
    "INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted) VALUES ('other', '_shared', 'k', '1', 1, 1, '', 0)",
    `INSERT INTO rooms (id, created_at, meta, revision, messages_revision, message_count, unclaimed_count)
     VALUES ('big', '', '{}', ${MESSAGES}, ${MESSAGES}, ${MESSAGES}, ${MESSAGES})`,
  ], "write");
  await insertMany(
    database,
    `INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, reply_to, revision)
     SELECT 'big', i, iif(i = 1, 'ann', 'bob'), iif(i = 1, 'cat', 'dan'), iif(i = 1, 'first', 'chat'),
            json_quote(printf('%.*c', 30000 * (i % 1000 = 0), 'x')), '', iif(i > 1, 1, NULL), i FROM n`,
    MESSAGES,
  );
}

const FACTS: Record<string, unknown> = {
  "messages.last": MESSAGES,
  "messages.kind.chat.count": MESSAGES - 1,
  "messages.kind.chat.open": MESSAGES - 1,
  "messages.kind.first.last": 1,
  "messages.kind.none.count": 0,
  "messages.to.cat.last": 1,
  "messages.to.dan.last": MESSAGES,
  "messages.to.zoe.last": 0,
  "messages.from.ann.last": 1,
  "messages.from.bob.last": MESSAGES,
  "messages.from.zoe.last": 0,
  "messages.id[1].replies": { count: MESSAGES - 1, last: MESSAGES },
  "messages.id[50000].status": "open",
  "has(messages.id[999999])": false,
};

async function evaluate(url: string, expr: string) {
  const response = await fetch(`${url}/rooms/big/eval`, { method: "POST", body: JSON.stringify({ expr }) });
  return await response.json();
}

const IDS = "lists.range(100).map(i, i * 1000 + 1000)";

onFilled(fill, {
  "a fact about a hundred thousand messages takes no longer than one about few": async ({ url }: Filled) => {
    for (const [expr, value] of Object.entries(FACTS)) {
      let best = Infinity;
      for (let n = 0; n < 5; n++) {
        const from = performance.now();
        assert.deepEqual((await evaluate(url, expr)).value, value, expr);
        best = Math.min(best, performance.now() - from);
      }
      assert.ok(best < FACT_MS, `${expr} took ${best} ms`);
    }
  },
  "a hundred long messages in one evaluation hold up nobody": async ({ url }: Filled) => {
    const count = `${IDS}.filter(i, messages.id[i].body != '').size()`;
    await assertOthersServed(count, { url, path: "/rooms/other/state?key=k" }, async () => {
      assert.equal((await evaluate(url, count)).value, 100);
    });
  },
  "views that look up more messages than one load brings leave the rest out": async ({ url }: Filled) => {
    const put = (key: string, expr: string) =>
      fetch(`${url}/rooms/big/state`, { method: "PUT", body: JSON.stringify({ scope: "_view", key, expr }) });
    for (let n = 0; n < 24; n++) {
      const reply = await put(
        `v${n}`,
        `lists.range(100).filter(i, messages.id[i + ${100 * n + 1}].body == 'no').size()`,
      );
      assert.equal((await reply.json()).resolved_value, 0);
    }
    await assertOthersServed("views", { url, path: "/rooms/other/state?key=k" }, async () => {
      const list = await (await fetch(`${url}/rooms/big/state?scope=_view&resolve=true`)).json();
      const codes = list.map(({ error }: { error?: { code: string } }) => error?.code);
      assert.ok(codes.includes(undefined) && codes.includes("budget_exceeded"), JSON.stringify(codes));
    });
  },
});
