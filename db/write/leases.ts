import { ADMITTED, NEW_REVISION } from "./admission.ts";
import { type Ending, timeOf } from "./due.ts";

/** Finds, as `failed`, the messages that this write has failed so far. */
const FAILED = `messages AS failed INDEXED BY messages_claimed
  WHERE failed.room_id = :room AND failed.claimed_by IS NOT NULL AND failed.revision = ${NEW_REVISION}
    AND failed.status = 'failed'`;

/**
 * Fails all messages that need one which this write has failed, directly or through others. They fail at the time of
 * the last of those. Passes each message once, however many ways lead to it: a thousand tasks may have 32 needs each.
 * The `+` has SQLite look among the needs of each message: else it looks for each message of the chain among them.
 */
export const FAIL_DEPENDENTS = `
  WITH RECURSIVE chain (id) AS (
    SELECT failed.id FROM ${FAILED}
    UNION
    SELECT needs.message_id FROM chain CROSS JOIN needs ON needs.room_id = :room AND needs.need_id = chain.id)
  UPDATE messages SET
    status = 'failed', claimed_by = '', revision = ${NEW_REVISION},
    done_at = (SELECT MAX(failed.done_at) FROM ${FAILED}),
    failure = json_object('reason', 'need', 'message', (
      SELECT MIN(need_id) FROM needs
       WHERE needs.room_id = :room AND message_id = messages.id AND +need_id IN (SELECT id FROM chain)))
   WHERE room_id = :room AND id IN (SELECT id FROM chain) AND status = 'blocked' AND ${ADMITTED}`;

/** Removes the needs of the messages that this write has failed, after `FAIL_DEPENDENTS`. */
export const DROP_NEEDS_OF_FAILED = `
  DELETE FROM needs WHERE room_id = :room AND message_id IN (SELECT failed.id FROM ${FAILED})`;

/** The error of a message's last release or failure, as a member in JSON; empty without one. */
const LAST_ERROR = `COALESCE(',"error":' || (
  SELECT error FROM attempts
   WHERE attempts.room_id = messages.room_id AND message_id = messages.id AND ended IN ('released', 'failed')
   ORDER BY attempts.fence DESC LIMIT 1), '')`;

/** True of a claimed message that has no attempts left. */
const EXHAUSTED = `(messages.attempts >= max_attempts)`;

/**
 * Makes the assignments, to a claimed message, that its claim ends without completion: the message is open again, or
 * failed at `time`, a text in SQL, if that was its last attempt.
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
    `revision = ${NEW_REVISION}`,
  ].join(", ");
}

/** The number of messages that need one from which on they are many. */
const MANY = 4;
const NEEDED_BY = "needs WHERE needs.room_id = :room AND need_id = messages.id";

/**
 * True of a claimed message that may fail many others when its claim ends without completion: many need it, or one does
 * that others need. Reads a bounded number of rows.
 */
export const FAILS_MANY = `(${EXHAUSTED} AND (
  (SELECT COUNT(*) FROM (SELECT 1 FROM ${NEEDED_BY} LIMIT ${MANY})) = ${MANY}
  OR EXISTS (SELECT 1 FROM ${NEEDED_BY} AND EXISTS (
    SELECT 1 FROM needs AS further WHERE further.room_id = :room AND further.need_id = needs.message_id))))`;

/** Ends claims that expire: another agent may claim their messages. */
export const LEASES: Ending = {
  part: "messages",
  kind: "leases",
  table: "messages",
  until: "claimed_until",
  heavy: FAILS_MANY,
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
