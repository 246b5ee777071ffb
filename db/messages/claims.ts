import { NOW } from "../clock.ts";
import { UNCLAIMED } from "../consistent_read/changed.ts";
import type { Database } from "../database.ts";
import { type Noticed, noticeOf } from "../agents/registration.ts";
import type { Statement } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Operation, Outcome } from "../write/context.ts";
import { endsAt, timeOf } from "../write/due.ts";
import { ATTEMPTS, FENCE } from "./message.ts";
import {
  changedTask,
  changeTask,
  type Claimant,
  HELD,
  HELD_BY_AGENT,
  notClaimable,
  notHeld,
  whereMessage,
} from "./task.ts";

/** The end of a claim that begins or is renewed now, in milliseconds of the database's clock; null without a ttl. */
export const END_OF_CLAIM = `${NOW} + :ttl * 1000`;

/**
 * Claims a message, or renews the claim of its holder. A claim begins when it is written, not when it was asked for:
 * the claim before may have ended between the two. Append WHERE.
 */
export const CLAIM = `
  UPDATE messages SET
    claimed_by = :agent,
    claimed_at = CASE WHEN ${UNCLAIMED} THEN ${timeOf(NOW)} ELSE claimed_at END,
    claimed_until = ${END_OF_CLAIM},
    fence = CASE WHEN ${UNCLAIMED} THEN ${NEW_REVISION} ELSE ${FENCE} END,
    attempts = ${ATTEMPTS} + (${UNCLAIMED}),
    revision = ${NEW_REVISION}`;

const CLAIM_ONE = `${CLAIM} WHERE room_id = :room AND id = :message AND ${ADMITTED}`;

/** Records the attempt of the claim, if it began with this write. `message`: FROM and WHERE. */
export const beginAttempt = (message: string) => `
  INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at)
  SELECT room_id, id, fence, claimed_by, claimed_at ${message}`;
const BEGIN_ATTEMPT = beginAttempt(
  `FROM messages WHERE room_id = :room AND id = :message AND fence = revision AND ${ADMITTED}`,
);

const RENEW = `
  UPDATE messages SET claimed_until = ${END_OF_CLAIM}, fence = ${FENCE}, attempts = ${ATTEMPTS}, revision = ${NEW_REVISION}
   WHERE room_id = :room AND id = :message AND ${ADMITTED}`;

/** The answer to a claim. Times are ISO 8601. */
interface Claimed extends Noticed {
  claimed: true;
  claimed_by: string;
  message_id: number;
  claimed_at: string;
  /** When it expires; null where it does not. */
  claimed_until: string | null;
  fence: number;
  attempts: number;
  /** The room's. */
  revision: number;
}

/**
 * Claims a message for an agent, for `ttl` seconds or for good. The agent that holds the message gets its claim again,
 * which with a ttl is renewed.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`, `already_claimed`, `task_blocked`,
 * `task_over`.
 */
export function claimMessage(
  database: Database,
  { ttl = null, ...claimant }: Claimant & { ttl?: number | null },
): Operation<Claimed> {
  const { room, message, agent } = claimant;
  return {
    acts: { as: claimant.agent },
    run: (context) =>
      changeTask(database, context, claimant, {
        ...(ttl === null ? PLAIN : LEASED),
        args: ttl === null ? { agent } : { agent, ttl },
        again: HELD_BY_AGENT,
        effects: ({ nonce }): Statement[] => [
          { sql: CLAIM_ONE, args: { room, nonce, message, agent, ttl } },
          { sql: BEGIN_ATTEMPT, args: { room, nonce, message } },
        ],
        refuse: notClaimable,
      }),
    answer: (outcome) => answerOf(outcome, message),
  };
}

/** A claim without a ttl, of an open message. */
const PLAIN = { counts: ["unclaimed_count = unclaimed_count - 1"], where: UNCLAIMED };

/** A claim with a ttl, of an open message or of one that the agent holds. */
const LEASED = {
  counts: [
    `unclaimed_count = unclaimed_count - ${whereMessage(UNCLAIMED)}`,
    ...endsAt("leases", END_OF_CLAIM),
  ],
  where: `(${UNCLAIMED} OR ${HELD_BY_AGENT})`,
  requires: RELEASE_OF_TASKS,
};

/**
 * Renews a claim: it expires `ttl` seconds from now, even if it had no ttl.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`, `lease_lost`.
 */
export function renewClaim(
  database: Database,
  { ttl, ...held }: Claimant & { fence: number; ttl: number },
): Operation<Claimed> {
  const { room, message, agent, fence } = held;
  return {
    acts: { as: held.agent },
    run: (context) =>
      changeTask(database, context, held, {
        counts: endsAt("leases", END_OF_CLAIM),
        where: HELD,
        args: { agent, fence, ttl },
        requires: RELEASE_OF_TASKS,
        effects: ({ nonce }) => [{ sql: RENEW, args: { room, nonce, message, ttl } }],
        refuse: (task, revision) => notHeld(task, held, revision),
      }),
    answer: (outcome) => answerOf(outcome, message),
  };
}

/** Makes the answer of an outcome. One that an earlier release stored under a key is answered as that release did. */
function answerOf(outcome: Outcome, message: number): Claimed {
  const { task, revision } = changedTask(outcome, message);
  const { claimed_by, claimed_at, claimed_until, fence, attempts } = task;
  const claim = { claimed: true, claimed_by, message_id: message } as const;
  if (task.status === undefined) return { ...claim, revision } as Claimed;
  const noticed = noticeOf(outcome.rows[0]![0]);
  return { ...claim, claimed_at, claimed_until, fence, attempts, ...noticed, revision } as Claimed;
}
