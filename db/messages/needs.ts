import { ADMITTED } from "../write/admission.ts";
import { REVISION } from "./task.ts";

/** The messages that `:needs` names. */
const NEEDED = `json_each(:needs) AS named
  CROSS JOIN messages AS needed ON needed.room_id = :room AND needed.id = named.value`;

const NOT_OVER = "(needed.status IS NULL OR needed.status = 'blocked')";

/** The first need that has failed, else null. */
export const FAILED_NEED = `(
  SELECT needed.id FROM ${NEEDED} WHERE needed.status = 'failed' ORDER BY named.key LIMIT 1)`;

/** True where a need is not done. */
export const UNMET = `EXISTS (SELECT 1 FROM ${NEEDED} WHERE needed.status IS NOT 'done')`;

/** True where all needs are messages of the room. */
export const NEEDS_EXIST = `(SELECT COUNT(*) FROM ${NEEDED}) = json_array_length(:needs)`;

/** Selects the first of the `:named` that is no message of the room. */
export const MISSING = `
  SELECT named.value AS missing FROM json_each(:named) AS named
   WHERE NOT EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = named.value) ORDER BY named.key LIMIT 1`;

/**
 * True where a new message and all that is not over and hangs together with it by needs, in either direction, are at
 * most `:together`. What has failed is over, and so is what needs it.
 */
export const WITHIN_TOGETHER = `(${FAILED_NEED} IS NOT NULL OR :together > (
  WITH RECURSIVE together (id) AS (
    SELECT needed.id FROM ${NEEDED} WHERE ${NOT_OVER}
    UNION
    SELECT needs.need_id FROM together CROSS JOIN needs ON needs.room_id = :room AND needs.message_id = together.id
    UNION
    SELECT needs.message_id FROM together CROSS JOIN needs ON needs.room_id = :room AND needs.need_id = together.id
    LIMIT :together)
  SELECT COUNT(*) FROM together))`;

/** Records which needs of the posted message are not over, if it is blocked. */
export const ADD_NEEDS = `
  INSERT INTO needs (room_id, message_id, need_id)
  SELECT :room, posted.id, needed.id
    FROM messages AS posted CROSS JOIN ${NEEDED}
   WHERE posted.room_id = :room AND posted.id = ${REVISION} AND posted.status = 'blocked' AND ${NOT_OVER}`;

/** Opens the messages that needed `:message`, and nothing else that is not done. */
const OPEN_DEPENDENTS = `
  UPDATE messages SET status = NULL, claimed_by = NULL, revision = ${REVISION}
   WHERE room_id = :room AND status = 'blocked'
     AND id IN (SELECT message_id FROM needs WHERE room_id = :room AND need_id = :message)
     AND NOT EXISTS (
       SELECT 1 FROM needs
        WHERE needs.room_id = :room AND needs.message_id = messages.id AND need_id <> :message)
     AND ${ADMITTED}`;

const MET = `DELETE FROM needs WHERE room_id = :room AND need_id = :message AND ${ADMITTED}`;

/** Frees what needed `:message`, which this write completes. */
export const FREE_DEPENDENTS = [OPEN_DEPENDENTS, MET];
