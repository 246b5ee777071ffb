import { ADMITTED, FROM_ADMITTED } from "./admission.ts";
import { type Ending, timeOf } from "./due.ts";

const REVISION = `(SELECT revision ${FROM_ADMITTED})`;

/** Finds, as `failed`, the messages that this write has failed so far. */
const FAILED = `messages AS failed INDEXED BY messages_claimed
  WHERE failed.room_id = :room AND failed.claimed_by IS NOT NULL AND failed.revision = ${REVISION}
    AND failed.status = 'failed'`;

// Each message is passed once, however many ways lead to it: a thousand tasks may have 32 needs each. They fail at the
// time at which the last of those did that this write fails first.
/** Fails all messages that need one which this write has failed, directly or by others between. */
export const FAIL_DEPENDENTS = `
  WITH RECURSIVE chain (id) AS (
    SELECT failed.id FROM ${FAILED}
    UNION
    SELECT needs.message_id FROM chain CROSS JOIN needs ON needs.room_id = :room AND needs.need_id = chain.id)
  UPDATE messages SET
    status = 'failed', claimed_by = '', revision = ${REVISION},
    done_at = (SELECT MAX(failed.done_at) FROM ${FAILED}),
    failure = json_object('reason', 'need', 'message', (
      SELECT MIN(need_id) FROM needs
       WHERE needs.room_id = :room AND message_id = messages.id AND need_id IN (SELECT id FROM chain)))
   WHERE room_id = :room AND id IN (SELECT id FROM chain) AND status = 'blocked' AND ${ADMITTED}`;

/** Removes the needs of the messages that this write has failed, after `FAIL_DEPENDENTS`. */
export const DROP_NEEDS_OF_FAILED = `
  DELETE FROM needs WHERE room_id = :room AND message_id IN (SELECT failed.id FROM ${FAILED})`;

/** The error that the last release or failure of a message gave, as a member in JSON; empty without one. */
const LAST_ERROR = `COALESCE(',"error":' || (
  SELECT error FROM attempts
   WHERE attempts.room_id = messages.room_id AND message_id = messages.id AND ended IN ('released', 'failed')
   ORDER BY attempts.fence DESC LIMIT 1), '')`;

/** True of a message whose claim was its last. */
const EXHAUSTED = `(messages.attempts >= max_attempts)`;

/**
 * Assigns to a claimed message that its claim ends without completion: it is open again, or failed at `time`, text in
 * SQL, if that was its last attempt.
 */
export function endClaim(time: string): string {
  const kept = ["claimed_by", "claimed_at", "fence"].map((column) =>
    `${column} = CASE WHEN ${EXHAUSTED} THEN ${column} END`
  );
  return [
    ...kept,
    "claimed_until = NULL",
    `status = CASE WHEN ${EXHAUSTED} THEN 'failed' END`,
    `done_at = CASE WHEN ${EXHAUSTED} THEN ${time} END`,
    `failure = CASE WHEN ${EXHAUSTED} THEN '{"reason":"attempts"' || ${LAST_ERROR} || '}' END`,
    `revision = ${REVISION}`,
  ].join(", ");
}

/** Ends claims whose time is over: another agent may claim their messages. */
export const LEASES: Ending = {
  part: "messages",
  kind: "leases",
  table: "messages",
  until: "claimed_until",
  effects: (dueFirst) => [
    `UPDATE attempts SET ended = 'expired', ended_at = (
        SELECT ${timeOf("claimed_until")} FROM messages WHERE messages.room_id = :room AND id = message_id)
      WHERE room_id = :room AND (message_id, fence) IN (${dueFirst("id, fence")}) AND ${ADMITTED}`,
    `UPDATE messages SET ${endClaim(timeOf("claimed_until"))}
      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
    FAIL_DEPENDENTS,
    DROP_NEEDS_OF_FAILED,
  ],
};
