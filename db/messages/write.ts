import { isSecure } from "../access/acts.ts";
import { actorOf } from "../access/actors.ts";
import { shownRoom } from "../access/locked.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { FURTHER, type Further, type Message, type MessageStatus, OPEN, STATUS } from "./message.ts";
import { RECIPIENT, type Recipient, selectRecipients, toRecipient } from "../agents/recipients.ts";
import { joinedOf, type Noticed, noticeOf } from "../agents/registration.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { FROM_ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Operation, Outcome, WriteContext } from "../write/context.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";
import { type CoalescedPost, postCoalesced, posted, SENT, SENT_COLUMNS } from "./coalesced_post.ts";
import { COUNT_POSTED, COUNT_REPLY } from "./counts.ts";
import { ADD_NEEDS, FAILED_NEED, MISSING, NEEDS_EXIST, NEEDS_WEIGHT, UNMET, WITHIN_LINKED } from "./needs.ts";

/** True where the message that a reply answers exists. */
const REPLIED = "EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :reply_to)";

/** The columns of a post, and their values. */
const COLUMNS = ["room_id, id, revision, attempts, verified", ...SENT_COLUMNS, ...FURTHER].join(", ");
const VALUES = [
  `:room, revision, revision, 0, guarded AND ${isSecure(":from")}`,
  ...[...SENT, ...FURTHER].map((name) => `:${name}`),
].join(", ");

const POST = `INSERT INTO messages (${COLUMNS}) SELECT ${VALUES} ${FROM_ADMITTED}`;

/** Posts a message with needs, which decide whether it is open, blocked or failed. */
const POST_NEEDING = `
  INSERT INTO messages (${COLUMNS}, needs, status, claimed_by, done_at, failure)
  SELECT ${VALUES}, :needs,
    CASE WHEN failed IS NOT NULL THEN 'failed' WHEN unmet THEN 'blocked' END,
    CASE WHEN unmet THEN '' END,
    CASE WHEN failed IS NOT NULL THEN :now END,
    CASE WHEN failed IS NOT NULL THEN json_object('reason', 'need', 'message', failed) END
    FROM (SELECT revision, guarded, ${FAILED_NEED} AS failed, ${UNMET} AS unmet ${FROM_ADMITTED})`;

/** Selects the registration of the sender; with a token, also whether the message is verified. */
const SENDER = `SELECT ${joinedOf(":from")} AS joined`;
const SENDER_VERIFIED = `${SENDER}, verified FROM messages WHERE room_id = :room AND id = ${NEW_REVISION}`;

/** Selects the status in which a message with needs was posted. */
const BORN = `
  SELECT ${STATUS} AS status, done_at, failure FROM messages WHERE room_id = :room AND id = ${NEW_REVISION}`;

export interface NewMessage extends Partial<Further> {
  /** The sender, an agent. */
  from?: string;
  /** The recipient, an agent. */
  to?: string;
  kind: string;
  body: Json;
  /** The ids of messages that must be done before it is open. */
  needs?: number[];
}

interface PostLimits {
  /** Unfinished tasks that needs may link. */
  needsTogether: number;
}

type Posted = Message & Noticed & { recipient?: Recipient };

/**
 * Posts a message. Its id is the revision that admits it. `recipient` is who it is addressed to, if anybody.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found` for `reply_to` and `needs`,
 * `limit_reached`.
 */
export function postMessage(
  database: Database,
  room: string,
  message: NewMessage,
  limits: PostLimits,
): Operation<Posted> {
  const { from = null, to = null, kind, body } = message;
  const further = Object.fromEntries(FURTHER.map((name) => [name, message[name] ?? null])) as Further;
  const needs = [...new Set(message.needs)];
  const alone = needs.length > 0 || FURTHER.some((name) => further[name] !== null);
  return {
    acts: { as: from },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const post = { room, nonce, from, to, kind, body: JSON.stringify(body), now: now.toISOString() };
      const by = alone || context.idempotencyKey ? undefined : actorOf(context.viewer, context.acts, room);
      if (by) {
        const coalesced = { ...post, agent: message.from, by };
        const posted = await postCoalesced(database, context.viewer, coalesced);
        if (posted) {
          const joined = posted.registered === false ? { joined: null } : {};
          const rows = [posted.beside ? [posted.beside] : [], [{ verified: by.verified, ...joined }]];
          return { now, revision: posted.revision, rows };
        }
      }
      return await postAlone(database, context, { ...post, ...further, now, needs }, limits);
    },
    answer({ now, revision, rows }) {
      const sender = rows.at(-1)?.[0];
      const [recipients, born] = needs.length > 0 ? [rows[1], rows[0]![0]] : [rows[0]];
      return {
        id: revision!,
        room_id: shownRoom(room),
        from_agent: from,
        to_agent: to,
        verified: Boolean(sender?.verified),
        kind,
        body,
        created_at: now.toISOString(),
        ...OPEN,
        ...further,
        needs,
        ...(born && bornAs(born)),
        ...(to !== null && recipients && { recipient: toRecipient(recipients[0]) }),
        ...(from !== null && noticeOf(sender)),
      };
    },
  };
}

interface Post extends Omit<CoalescedPost, "agent" | "by" | "now">, Further {
  now: Date;
  needs: number[];
}

/**
 * Posts a message in a write of its own. The outcome has its status, if it has needs, its recipient, and its sender.
 */
async function postAlone(
  database: Database,
  context: WriteContext,
  { now, needs: ids, ...post }: Post,
  { needsTogether: max }: PostLimits,
): Promise<Outcome> {
  const { room, nonce, from, to, reply_to, max_attempts } = post;
  const needing = ids.length > 0;
  const needs = JSON.stringify(ids);
  const named = reply_to === null ? [] : [reply_to];
  const args = { ...post, now: now.toISOString() };
  const { outcome, reads: [rooms, missing] } = await commit(database, context, {
    room,
    part: "messages",
    nonce,
    now,
    admission: {
      counts: posted("1", needing ? `NOT ${UNMET}` : "1"),
      where: [...reply_to === null ? [] : [REPLIED], ...needing ? [NEEDS_EXIST, WITHIN_LINKED] : []],
      args: { ...reply_to !== null && { reply_to }, ...needing && { needs, max_linked: max } },
      ...((needing || max_attempts !== null) && { requires: RELEASE_OF_TASKS }),
    },
    effects: [
      needing ? { sql: POST_NEEDING, args: { ...args, needs } } : { sql: POST, args },
      ...needing ? [{ sql: ADD_NEEDS, args: { room, nonce, needs }, weight: NEEDS_WEIGHT }] : [],
      { sql: COUNT_POSTED, args: { room, nonce } },
      ...reply_to === null ? [] : [{ sql: COUNT_REPLY, args: { room, nonce, reply_to } }],
      ...heartbeatOf(room, from ?? undefined, now, context),
    ],
    reads: [
      { sql: ROOM_CURRENT, args: { room } },
      ...needing ? [{ sql: MISSING, args: { room, named: JSON.stringify([...named, ...ids]) } }] : [],
      ...needing
        ? [{ sql: BORN, args: { room, nonce }, answer: { columns: ["status", "done_at", "failure"] } }]
        : [],
      ...to === null ? [] : [{ ...selectRecipients([[room, to]]), answer: { columns: RECIPIENT } }],
      ...from === null ? [] : [selectSender(context, { room, nonce, from })],
    ],
  });
  if (outcome.revision !== undefined) return outcome;
  const revision = revisionOf(rooms!);
  const message = needing ? missing![0]?.missing : reply_to;
  if (message == null) throw new Refusal("limit_reached", { of: "needs", max }, revision);
  throw new Refusal("message_not_found", { message: Number(message) }, revision);
}

/** Makes the last read of a post, which is of its sender. */
function selectSender(
  { viewer }: WriteContext,
  { nonce, ...args }: { room: string; nonce: string; from: string },
) {
  if (!viewer.token) return { sql: SENDER, args, answer: { columns: ["joined"] } };
  return { sql: SENDER_VERIFIED, args: { ...args, nonce }, answer: { columns: ["joined", "verified"] } };
}

function bornAs({ status, done_at, failure }: Row): Pick<Message, "status" | "done_at" | "failure"> {
  return {
    status: status as MessageStatus,
    done_at: done_at as string | null,
    failure: failure === null ? null : JSON.parse(failure as string),
  };
}
