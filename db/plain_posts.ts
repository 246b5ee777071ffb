import { countByRoom, createPlainWrites, type Plain } from "./together.ts";

/** A message that answers none. */
export interface PlainPost extends Plain {
  from: string | null;
  to: string | null;
  kind: string;
  /** JSON. */
  body: string;
}

const ADMIT = `
  UPDATE rooms SET
    revision = revision + (added.value ->> 1),
    messages_revision = revision + (added.value ->> 1),
    message_count = message_count + (added.value ->> 1),
    unclaimed_count = unclaimed_count + (added.value ->> 1),
    admitted = :nonce
   FROM json_each(:added) AS added
   WHERE rooms.id = added.value ->> 0
  RETURNING id, revision`;

const POST = `
  INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, revision)
  SELECT
    rooms.id, rooms.revision - (write.value ->> 'later'), write.value ->> 'from', write.value ->> 'to',
    write.value ->> 'kind', write.value ->> 'body', write.value ->> 'now', rooms.revision - (write.value ->> 'later')
  FROM json_each(:writes) AS write
  CROSS JOIN rooms ON rooms.id = write.value ->> 'room' AND rooms.admitted = :nonce`;

/** Plain posts travel as three statements, however many they are. */
export const PLAIN_POSTS = createPlainWrites<PlainPost>({
  admission(items) {
    return { sql: ADMIT, args: { added: JSON.stringify([...countByRoom(items)]), nonce: items[0]!.nonce } };
  },
  effect: POST,
  asRow: ({ room, from, to, kind, body, now }) => ({ room, from, to, kind, body, now }),
});
