import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import type { Message } from "./read.ts";
import { Refusal } from "../refusal.ts";
import { WRITABLE } from "../write/due.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import { UNCLAIMED } from "../consistent_read/changed.ts";
import { ADMITTED, advance, FROM_ADMITTED } from "../write/admission.ts";
import { type CoalescedWrite, countByRoom, createCoalescedWrites } from "../write/coalesced_write.ts";
import type { Viewer } from "../viewer.ts";
import type { Operation } from "../write/context.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";

/** Admits a reply only to a message that exists. */
const REPLIED = "EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :reply_to)";

const POST = `
  INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, reply_to, revision)
  SELECT :room, revision, :from, :to, :kind, :body, :now, :reply_to, revision ${FROM_ADMITTED}`;

/** A message that answers none. */
interface CoalescedPost extends CoalescedWrite {
  from: string | null;
  to: string | null;
  kind: string;
  /** JSON. */
  body: string;
}

const ADDED = "(added.value ->> 1)";
const ADMIT_COALESCED = `
  ${advance("messages", posted(ADDED), ADDED)} FROM json_each(:added) AS added
   WHERE rooms.id = added.value ->> 0 AND ${WRITABLE}
  RETURNING id AS room, revision`;

/** Counts posted messages in a room. */
function posted(count: string): string[] {
  return [`message_count = message_count + ${count}`, `unclaimed_count = unclaimed_count + ${count}`];
}

/** The cells of a row of `json_each(:writes)`. */
const CELLS = ["room", "later", "sender", "receiver", "kind", "body", "posted"];

// Joins take the cells out, since a function call may fail, for which SQLite would copy each page to a file before the
// statement changes it. OR FAIL spares that copy too: a failure rolls back the whole batch.
const COALESCED_POST = `
  INSERT OR FAIL INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, revision)
  SELECT
    rooms.id, rooms.revision - later.value, sender.value, receiver.value, kind.value, body.value, posted.value,
    rooms.revision - later.value
  FROM json_each(:writes) AS write
  ${CELLS.map((cell, n) => `CROSS JOIN json_each(write.value, '$[${n}]') AS ${cell}`).join("\n  ")}
  CROSS JOIN rooms ON rooms.id = room.value AND rooms.admitted = :nonce`;

/** Coalesces any number of posts into three statements. */
const COALESCED_POSTS = createCoalescedWrites<CoalescedPost>({
  admission(items) {
    return {
      sql: ADMIT_COALESCED,
      args: { added: JSON.stringify([...countByRoom(items)]), nonce: items[0]!.nonce },
    };
  },
  effect: COALESCED_POST,
  asRow: ({ room, from, to, kind, body, now }, later) => [room, later, from, to, kind, body, now],
});

const CLAIMABLE = `EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :message AND ${UNCLAIMED})`;

const CLAIM = `
  UPDATE messages SET claimed_by = :agent, claimed_at = :now, revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :message AND ${ADMITTED}`;

const GET_CLAIM = `SELECT claimed_by, claimed_at FROM messages WHERE room_id = :room AND id = :message`;

const HELD =
  `EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :message AND claimed_by = :agent)`;

export interface NewMessage {
  from?: string;
  to?: string;
  kind: string;
  body: Json;
  reply_to?: number;
}

/**
 * Posts a message; its id is the revision that admits it.
 * Errors: `room_not_found`, `message_not_found` for `reply_to`.
 */
export function postMessage(database: Database, room: string, message: NewMessage): Operation<Message> {
  const { from = null, to = null, kind, body, reply_to = null } = message;
  return {
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const post = { room, nonce, from, to, kind, body: JSON.stringify(body), now: now.toISOString() };
      const coalesced = reply_to === null && !context.idempotencyKey;
      const revision = coalesced &&
        await postCoalesced(database, context.viewer, { ...post, agent: message.from });
      if (revision) return { now, revision, rows: [] };
      const { outcome, reads: [rooms] } = await commit(database, context, {
        room,
        part: "messages",
        nonce,
        now,
        admission: {
          counts: posted("1"),
          ...(reply_to === null ? { where: [], args: {} } : { where: [REPLIED], args: { reply_to } }),
        },
        effects: [{ sql: POST, args: { ...post, reply_to } }, ...heartbeatOf(room, message.from, now)],
        reads: [{ sql: ROOM_CURRENT, args: { room } }],
      });
      if (outcome.revision === undefined) {
        throw new Refusal("message_not_found", { message: reply_to ?? "" }, revisionOf(rooms!));
      }
      return outcome;
    },
    answer: ({ now, revision }) => ({
      id: revision!,
      room_id: room,
      from_agent: from,
      to_agent: to,
      kind,
      body,
      created_at: now.toISOString(),
      reply_to,
      claimed_by: null,
      claimed_at: null,
    }),
  };
}

/** Posts a message with others; returns its revision, undefined where it must go alone, which tells why. */
async function postCoalesced(database: Database, viewer: Viewer, post: CoalescedPost) {
  const result = await database.commitCoalesced(viewer, COALESCED_POSTS, post, weightOfJson(post.body));
  if (result) database.announce({ room: post.room, part: "messages", revision: result.revision });
  return result?.revision;
}

/**
 * Claims a message for an agent, for good; to the agent that holds it, the claim is granted again.
 * Errors: `room_not_found`, `message_not_found`, `already_claimed`.
 */
export function claimMessage(
  database: Database,
  room: string,
  message: number,
  agent: string,
): Operation<{ revision: number }> {
  return {
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const { outcome } = await commit(database, context, {
        room,
        part: "messages",
        nonce,
        now,
        admission: {
          counts: ["unclaimed_count = unclaimed_count - 1"],
          where: [CLAIMABLE],
          args: { message },
        },
        effects: [
          { sql: CLAIM, args: { room, nonce, message, agent, now: now.toISOString() } },
          ...heartbeatOf(room, agent, now),
        ],
        reads: [
          { sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } },
          { sql: GET_CLAIM, args: { room, message }, answer: { columns: ["claimed_by", "claimed_at"] } },
        ],
        granted: { sql: HELD, args: { room, message, agent } },
      });
      const [rooms, [claim]] = outcome.rows as [Row[], Row[]];
      if (claim?.claimed_by !== agent) throw notClaimed(message, claim, revisionOf(rooms));
      return outcome;
    },
    answer: ({ rows: [rooms] }) => ({ revision: revisionOf(rooms!) }),
  };
}

function notClaimed(message: number, claim: Row | undefined, revision: number): Refusal {
  if (claim === undefined) return new Refusal("message_not_found", { message }, revision);
  const { claimed_by, claimed_at } = claim as { claimed_by: string; claimed_at: string };
  return new Refusal("already_claimed", { message, claimed_by, claimed_at }, revision);
}
