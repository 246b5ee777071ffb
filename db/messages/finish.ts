import { isAdmin, isSecure } from "../access/acts.ts";
import { isLocked } from "../access/locked.ts";
import type { Database } from "../database.ts";
import type { Statement } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { ADMITTED, FROM_ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { DROP_NEEDS_OF_FAILED, endClaim, FAIL_DEPENDENTS } from "../write/leases.ts";
import { ATTEMPTS, COLUMNS, FENCE, type Message, type MessageStatus, toMessage } from "./message.ts";
import { COUNT_POSTED, COUNT_REPLY } from "./counts.ts";
import { FREE_DEPENDENTS } from "./needs.ts";
import { changedTask, changeTask, HELD, type Held, notHeld, type TaskNow } from "./task.ts";

const OF_MESSAGE = "WHERE room_id = :room AND id = :message";

/** Ends the attempt of the claim, before the message changes. `leased`: whether the claim had a ttl. */
const END_ATTEMPT = `
  UPDATE attempts SET ended = :ended, ended_at = :now, error = :error,
    leased = (SELECT claimed_until IS NOT NULL FROM messages ${OF_MESSAGE})
   WHERE room_id = :room AND message_id = :message AND fence = (SELECT ${FENCE} FROM messages ${OF_MESSAGE})
     AND ${ADMITTED}`;

const RELEASE = `
  UPDATE messages SET ${endClaim(":now")}, attempts = ${ATTEMPTS} ${OF_MESSAGE} AND ${ADMITTED}`;

/** Assignments to a message that is finished: what it keeps of its last claim. */
const OVER = `
  claimed_until = NULL, fence = ${FENCE}, attempts = ${ATTEMPTS}, done_at = :now, revision = ${NEW_REVISION}`;

const COMPLETE = `
  UPDATE messages SET status = 'done', result_id = CASE WHEN :posts THEN ${NEW_REVISION} END, ${OVER}
   ${OF_MESSAGE} AND ${ADMITTED}`;

const POST_RESULT = `
  INSERT INTO messages (
    room_id, id, from_agent, kind, body, created_at, reply_to, claimed_by, status, attempts, done_at, revision, verified)
  SELECT :room, revision, :agent, 'result', :body, :now, :message, '', 'done', 0, :now, revision,
    guarded AND ${isSecure(":agent")}
    ${FROM_ADMITTED}`;

const FAIL = `
  UPDATE messages SET status = 'failed', claimed_by = COALESCE(claimed_by, ''), failure = :failure, ${OVER}
   ${OF_MESSAGE} AND ${ADMITTED}`;

const GET_RESULT = `
  SELECT ${COLUMNS.join(", ")} FROM messages
   WHERE room_id = :room AND id = (SELECT result_id FROM messages ${OF_MESSAGE})`;

/** True of a task that `:agent` completed under `:fence`; without a fence, under a claim that had no ttl. */
const COMPLETED =
  `(status = 'done' AND claimed_by = :agent AND CASE WHEN :fence IS NOT NULL THEN fence = :fence ELSE
  NOT EXISTS (
    SELECT 1 FROM attempts
     WHERE attempts.room_id = messages.room_id AND message_id = messages.id AND attempts.fence = messages.fence AND leased)
  END)`;

/** True of a task that nobody holds and that `:agent` posted, or nobody, or where `byAdmin`: it needs no fence to fail. */
const withdrawable = (byAdmin: string) =>
  `(:fence IS NULL AND (claimed_by IS NULL OR status = 'blocked')
  AND (from_agent IS NULL OR from_agent = :agent OR ${byAdmin}))`;

const ofHeld = (held: Held) => ({
  args: { agent: held.agent, fence: held.fence ?? null },
  requires: RELEASE_OF_TASKS,
  refuse: (task: TaskNow, revision: number) => notHeld(task, held, revision),
});

const endAttempt = (
  { room, message }: Held,
  { nonce, now, ended, error }: { nonce: string; now: string; ended: string; error?: Json },
): Statement => ({
  sql: END_ATTEMPT,
  args: { room, message, nonce, now, ended, error: error === undefined ? null : JSON.stringify(error) },
});

/** The weight of each statement that may change a thousand messages, or 32,000 needs: one such write fills a batch. */
const DEPENDENTS_WEIGHT = 45;

const failDependents = (room: string, nonce: string): Statement[] =>
  [FAIL_DEPENDENTS, DROP_NEEDS_OF_FAILED].map((sql) => ({
    sql,
    args: { room, nonce },
    weight: DEPENDENTS_WEIGHT,
  }));

/**
 * Ends a claim without completing the task: it is open again, or failed if that was its last attempt. `error` is kept
 * with the attempt. Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`, `lease_lost`.
 */
export function releaseClaim(
  database: Database,
  held: Held,
  error?: Json,
): Operation<{ released: true; message_id: number; status: MessageStatus; revision: number }> {
  const { room, message } = held;
  return {
    acts: { as: held.agent },
    run: (context) =>
      changeTask(database, context, held, {
        ...ofHeld(held),
        where: HELD,
        effects: ({ nonce, now }) => [
          endAttempt(held, { nonce, now, ended: "released", error }),
          { sql: RELEASE, args: { room, nonce, message, now } },
          ...failDependents(room, nonce),
        ],
      }),
    answer(outcome) {
      const { task: { status }, revision } = changedTask(outcome, message);
      return { released: true, message_id: message, status, revision };
    },
  };
}

/**
 * Completes a task and posts its result, unless that is undefined; null is a result. Tasks that waited for it alone are
 * open from then on. Repeated under the same fence, it is answered as the first time.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`, `lease_lost`.
 */
export function completeTask(
  database: Database,
  held: Held,
  result?: Json,
): Operation<
  { completed: true; message_id: number; done_at: string; result: Message | null; revision: number }
> {
  const { room, message, agent } = held;
  const posts = result !== undefined;
  const posted = ({ nonce, now }: { nonce: string; now: string }): Statement[] => [
    { sql: POST_RESULT, args: { room, nonce, message, agent, now, body: JSON.stringify(result) } },
    { sql: COUNT_POSTED, args: { room, nonce } },
    { sql: COUNT_REPLY, args: { room, nonce, reply_to: message } },
  ];
  return {
    acts: { as: held.agent },
    run: (context) =>
      changeTask(database, context, held, {
        ...ofHeld(held),
        where: HELD,
        counts: posts ? ["message_count = message_count + 1"] : [],
        effects: ({ nonce, now }) => [
          endAttempt(held, { nonce, now, ended: "completed" }),
          { sql: COMPLETE, args: { room, nonce, message, now, posts } },
          ...posts ? posted({ nonce, now }) : [],
          ...FREE_DEPENDENTS.map((sql) => ({ sql, args: { room, nonce, message } })),
        ],
        reads: [{ sql: GET_RESULT, args: { room, message }, answer: { columns: COLUMNS } }],
        again: COMPLETED,
      }),
    answer(outcome) {
      const { task: { done_at }, revision } = changedTask(outcome, message);
      const row = outcome.rows[2]![0];
      const result = row ? toMessage(row) : null;
      return { completed: true, message_id: message, done_at: done_at!, result, revision };
    },
  };
}

/**
 * Fails a task, however many attempts it has left, and all tasks that need it. The agent that holds the task may; while
 * nobody holds it, the agent that posted it, anybody if no agent posted it, and in a locked room an admin.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`, `lease_lost`.
 */
export function failTask(
  database: Database,
  held: Held,
  error?: Json,
): Operation<{ failed: true; message_id: number; status: MessageStatus; done_at: string; revision: number }> {
  const { room, message } = held;
  const failure = JSON.stringify({ reason: "failed", error });
  return {
    acts: { as: held.agent },
    run(context) {
      const own = ofHeld(held);
      const byAdmin = isLocked(room) ? isAdmin(context.viewer) : { sql: "FALSE", args: {} };
      return changeTask(database, context, held, {
        ...own,
        args: { ...own.args, ...byAdmin.args },
        where: `(${HELD} OR ${withdrawable(byAdmin.sql)})`,
        effects: ({ nonce, now }) => [
          endAttempt(held, { nonce, now, ended: "failed", error }),
          { sql: FAIL, args: { room, nonce, message, now, failure } },
          ...failDependents(room, nonce),
        ],
      });
    },
    answer(outcome) {
      const { task: { status, done_at }, revision } = changedTask(outcome, message);
      return { failed: true, message_id: message, status, done_at: done_at!, revision };
    },
  };
}
