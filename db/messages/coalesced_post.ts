import { SERVED } from "../release.ts";
import { advance } from "../write/admission.ts";
import { type CoalescedWrite, countByRoom, createCoalescedWrites } from "../write/coalesced_write.ts";

/** A message that answers none. */
export interface CoalescedPost extends CoalescedWrite {
  from: string | null;
  to: string | null;
  kind: string;
  /** JSON. */
  body: string;
}

const ADDED = "(added.value ->> 1)";
const ADMIT = `
  ${advance("messages", posted(ADDED), ADDED)} FROM json_each(:added) AS added
   WHERE rooms.id = added.value ->> 0 AND ${SERVED}
  RETURNING id AS room, revision`;

/** What posting so many messages adds to the counts of a room. */
export function posted(count: string): string[] {
  return [`message_count = message_count + ${count}`, `unclaimed_count = unclaimed_count + ${count}`];
}

/** What a row of `json_each(:writes)` holds. */
const CELLS = ["room", "later", "sender", "receiver", "kind", "body", "posted"];

// No function is called, hence the cells are taken out by joins: a function may fail, and for that SQLite would copy
// each page, before the statement changes it, to a file. OR FAIL says that nothing has to be put back: what fails
// takes the whole batch with it.
const POST = `
  INSERT OR FAIL INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, revision)
  SELECT
    rooms.id, rooms.revision - later.value, sender.value, receiver.value, kind.value, body.value, posted.value,
    rooms.revision - later.value
  FROM json_each(:writes) AS write
  ${CELLS.map((cell, n) => `CROSS JOIN json_each(write.value, '$[${n}]') AS ${cell}`).join("\n  ")}
  CROSS JOIN rooms ON rooms.id = room.value AND rooms.admitted = :nonce`;

/** Coalesces posts into three statements, however many they are. */
export const COALESCED_POSTS = createCoalescedWrites<CoalescedPost>({
  admission(items) {
    return { sql: ADMIT, args: { added: JSON.stringify([...countByRoom(items)]), nonce: items[0]!.nonce } };
  },
  effect: POST,
  asRow: ({ room, from, to, kind, body, now }, later) => [room, later, from, to, kind, body, now],
});
