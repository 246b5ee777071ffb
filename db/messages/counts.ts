import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";

/** Counts what a post added to a kind. Append the SELECT of `room_id, kind, count, last` and the statuses. */
const COUNTED = ["count", "open", "blocked", "done", "failed"];

const ADD_TO_KINDS = `ON CONFLICT (room_id, kind) DO UPDATE SET
  last = excluded.last, ${COUNTED.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")}`;

/** Counts the message that a write has posted, whose id is the write's revision. */
export const COUNT_POSTED = `
  INSERT INTO message_kinds (room_id, kind, count, last, open, blocked, done, failed)
  SELECT room_id, kind, 1, id, claimed_by IS NULL, status IS 'blocked', status IS 'done', status IS 'failed'
    FROM messages WHERE room_id = :room AND id = (SELECT revision ${FROM_ADMITTED})
  ${ADD_TO_KINDS}`;

/** Counts open messages, by room and kind: `:kinds` has the room, the kind, how many, how many posts follow the last. */
export const COUNT_COALESCED = `
  INSERT INTO message_kinds (room_id, kind, count, last, open)
  SELECT rooms.id, kind.value, number.value, rooms.revision - later.value, number.value
    FROM json_each(:kinds) AS counted
    CROSS JOIN json_each(counted.value, '$[0]') AS room
    CROSS JOIN json_each(counted.value, '$[1]') AS kind
    CROSS JOIN json_each(counted.value, '$[2]') AS number
    CROSS JOIN json_each(counted.value, '$[3]') AS later
    CROSS JOIN rooms ON rooms.id = room.value AND rooms.admitted = :nonce
  WHERE TRUE
  ON CONFLICT (room_id, kind) DO UPDATE SET
    last = excluded.last, count = count + excluded.count, open = open + excluded.open`;

/** Counts a reply of a message. */
export const COUNT_REPLY = `
  INSERT INTO replies (room_id, message_id, count) SELECT :room, :reply_to, 1 WHERE ${ADMITTED}
  ON CONFLICT (room_id, message_id) DO UPDATE SET count = count + 1`;
