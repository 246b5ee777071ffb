import { ADMITTED, NEW_REVISION } from "../write/admission.ts";

/** Finds, as `needed`, the messages that `:needs` names. */
const NEEDED = `json_each(:needs) AS named
  CROSS JOIN messages AS needed ON needed.room_id = :room AND needed.id = named.value`;

const NOT_OVER = "(needed.status IS NULL OR needed.status = 'blocked')";

/** The id of the first need that has failed; null where none has. */
export const FAILED_NEED = `(
  SELECT needed.id FROM ${NEEDED} WHERE needed.status = 'failed' ORDER BY named.key LIMIT 1)`;

/** True where a need is not done. */
export const UNMET = `EXISTS (SELECT 1 FROM ${NEEDED} WHERE needed.status IS NOT 'done')`;

export const NEEDS_EXIST = `(SELECT COUNT(*) FROM ${NEEDED}) = json_array_length(:needs)`;

/** Selects the first id of `:named` that is no message of the room. */
export const MISSING = `
  SELECT named.value AS missing FROM json_each(:named) AS named
   WHERE NOT EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = named.value) ORDER BY named.key LIMIT 1`;

/**
 * True where a new message and all unfinished ones that needs link to it, in either direction, are at most
 * `:max_linked`. A message whose need has failed is finished: it has failed too.
 */
export const WITHIN_LINKED = `(${FAILED_NEED} IS NOT NULL OR :max_linked > (
  WITH RECURSIVE linked (id) AS (
    SELECT needed.id FROM ${NEEDED} WHERE ${NOT_OVER}
    UNION
    SELECT needs.need_id FROM linked CROSS JOIN needs ON needs.room_id = :room AND needs.message_id = linked.id
    UNION
    SELECT needs.message_id FROM linked CROSS JOIN needs ON needs.room_id = :room AND needs.need_id = linked.id
    LIMIT :max_linked)
  SELECT COUNT(*) FROM linked))`;

/** The weight of a post with needs: `WITHIN_LINKED` takes 11 ms where a thousand tasks need 32 others each. */
export const NEEDS_WEIGHT = 50;

/** Records the unfinished needs of the posted message, if it is blocked. */
export const ADD_NEEDS = `
  INSERT INTO needs (room_id, message_id, need_id)
  SELECT :room, posted.id, needed.id
    FROM messages AS posted CROSS JOIN ${NEEDED}
   WHERE posted.room_id = :room AND posted.id = ${NEW_REVISION} AND posted.status = 'blocked' AND ${NOT_OVER}`;

/** Opens the messages that wait for `:message` alone. */
const OPEN_DEPENDENTS = `
  UPDATE messages SET status = NULL, claimed_by = NULL, revision = ${NEW_REVISION}
   WHERE room_id = :room AND status = 'blocked'
     AND id IN (SELECT message_id FROM needs WHERE room_id = :room AND need_id = :message)
     AND NOT EXISTS (
       SELECT 1 FROM needs
        WHERE needs.room_id = :room AND needs.message_id = messages.id AND need_id <> :message)
     AND ${ADMITTED}`;

const MET = `DELETE FROM needs WHERE room_id = :room AND need_id = :message AND ${ADMITTED}`;

/** Opens the messages that wait only for `:message`, which this write completes, and removes it from all needs. */
export const FREE_DEPENDENTS = [OPEN_DEPENDENTS, MET];
