import { createConditions } from "./conditions.ts";
import type { Database } from "./database.ts";
import type { Json } from "./json.ts";
import type { Row, Statement } from "./lane.ts";
import { PLAIN_POSTS } from "./plain_posts.ts";
import { touch } from "./presence.ts";
import { messageNotFound, Refusal, roomNotFound } from "./refusal.ts";
import { revisionOf, ROOM_REVISION } from "./rooms.ts";
import { createRead, weightOf } from "./together.ts";
import { ADMITTED, commit, FROM_ADMITTED } from "./write.ts";
import { readWhole } from "./whole_reads.ts";

export interface Message {
  id: number;
  room_id: string;
  from_agent: string | null;
  to_agent: string | null;
  kind: string;
  body: Json;
  created_at: string;
  reply_to: number | null;
  claimed_by: string | null;
  claimed_at: string | null;
}

export interface MessageFilter {
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  /** This message and every reply below it. */
  thread?: number;
  unclaimed?: boolean;
  /** The newest of them instead of the oldest. */
  newest?: boolean;
  limit: number;
}

const ADMIT_REPLY = `
  UPDATE rooms SET
    revision = revision + 1,
    messages_revision = revision + 1,
    message_count = message_count + 1,
    unclaimed_count = unclaimed_count + 1,
    admitted = :nonce
   WHERE id = :room
     AND EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :reply_to)
  RETURNING revision`;

const POST_REPLY = `
  INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, reply_to, revision)
  SELECT :room, revision, :from, :to, :kind, :body, :now, :reply_to, revision ${FROM_ADMITTED}`;

const ADMIT_CLAIM = `
  UPDATE rooms SET
    revision = revision + 1,
    messages_revision = revision + 1,
    unclaimed_count = unclaimed_count - 1,
    admitted = :nonce
   WHERE id = :room
     AND EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :message AND claimed_by IS NULL)
  RETURNING revision`;

const CLAIM = `
  UPDATE messages SET claimed_by = :agent, claimed_at = :now, revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :message AND ${ADMITTED}`;

const GET_CLAIM = `SELECT claimed_by, claimed_at FROM messages WHERE room_id = :room AND id = :message`;

const GET = createRead(`
  SELECT asked.key AS n, rooms.revision AS room_revision, message.*
    FROM json_each(:asked) AS asked
    CROSS JOIN rooms ON rooms.id = asked.value ->> 0
    LEFT JOIN messages AS message ON message.room_id = rooms.id AND message.id = asked.value ->> 1`);

// A reply's id is above that of what it answers, so the tree below a message has no cycles. CROSS JOIN keeps the
// order: from each message to its replies by their index, never through all replies of the room.
const WITH_THREAD = `
  WITH RECURSIVE thread (id) AS (
    SELECT id FROM messages WHERE room_id = :room AND id = :thread
    UNION ALL
    SELECT reply.id FROM thread CROSS JOIN messages AS reply ON reply.room_id = :room AND reply.reply_to = thread.id
  )`;

/** A message as it is posted. */
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
export async function postMessage(database: Database, room: string, message: NewMessage): Promise<Message> {
  const now = database.now();
  const post = message.reply_to === undefined ? postPlain : postReply;
  return {
    id: await post(database, room, message, now),
    room_id: room,
    from_agent: message.from ?? null,
    to_agent: message.to ?? null,
    kind: message.kind,
    body: message.body,
    created_at: now.toISOString(),
    reply_to: message.reply_to ?? null,
    claimed_by: null,
    claimed_at: null,
  };
}

async function postPlain(database: Database, room: string, message: NewMessage, now: Date): Promise<number> {
  const { from = null, to = null, kind } = message;
  const body = JSON.stringify(message.body);
  const post = {
    room,
    from,
    to,
    kind,
    body,
    agent: message.from,
    now: now.toISOString(),
    nonce: database.unique(),
  };
  const result = await database.commitOne(PLAIN_POSTS, post, weightOf(body));
  if (typeof result === "string") throw roomNotFound();
  database.announce({ room, part: "messages", revision: result.revision });
  return result.revision;
}

async function postReply(database: Database, room: string, message: NewMessage, now: Date): Promise<number> {
  const nonce = database.unique();
  const { from = null, to = null, kind, reply_to } = message as NewMessage & { reply_to: number };
  const post = { from, to, kind, body: JSON.stringify(message.body), now: now.toISOString(), reply_to };
  const { revision, reads: [rooms] } = await commit(database, {
    room,
    part: "messages",
    admission: { sql: ADMIT_REPLY, args: { room, nonce, reply_to } },
    effects: [{ sql: POST_REPLY, args: { room, nonce, ...post } }, ...touch(room, message.from, now)],
    reads: [{ sql: ROOM_REVISION, args: { room } }],
  });
  if (revision === undefined) throw messageNotFound(reply_to, revisionOf(rooms!));
  return revision;
}

/**
 * Claims a message for an agent, once and for all; claiming what one holds is granted again.
 * Errors: `room_not_found`, `message_not_found`, `already_claimed`.
 */
export async function claimMessage(
  database: Database,
  room: string,
  message: number,
  agent: string,
): Promise<{ revision: number }> {
  const [nonce, now] = [database.unique(), database.now()];
  const { reads: [rooms, claims] } = await commit(database, {
    room,
    part: "messages",
    admission: { sql: ADMIT_CLAIM, args: { room, nonce, message } },
    effects: [
      { sql: CLAIM, args: { room, nonce, message, agent, now: now.toISOString() } },
      ...touch(room, agent, now),
    ],
    reads: [{ sql: ROOM_REVISION, args: { room } }, { sql: GET_CLAIM, args: { room, message } }],
  });
  const revision = revisionOf(rooms!);
  if (claims!.length === 0) throw messageNotFound(message, revision);
  const { claimed_by, claimed_at } = claims![0]!;
  if (claimed_by === agent) return { revision };
  const details = {
    claimed: false,
    claimed_by,
    claimed_at,
    hint: "Take another one: GET .../messages?unclaimed=true",
  };
  throw new Refusal(
    "already_claimed",
    `Message ${message} is claimed by ${JSON.stringify(claimed_by)}.`,
    details,
    revision,
  );
}

/** The messages that match, ids ascending; `more` says that the list was cut. Errors: `room_not_found`. */
export async function listMessages(
  database: Database,
  room: string,
  filter: MessageFilter,
): Promise<{ messages: Message[]; more: boolean; revision: number }> {
  const [rooms, rows] = await readWhole(database, room, [
    { sql: ROOM_REVISION, args: { room } },
    selectMessages(room, filter),
  ]);
  const revision = revisionOf(rooms!);
  const messages = rows!.slice(0, filter.limit).map(toMessage);
  if (filter.newest) messages.reverse();
  return { messages, more: rows!.length > filter.limit, revision };
}

/** Errors: `room_not_found`, `message_not_found`. */
export async function getMessage(
  database: Database,
  room: string,
  message: number,
): Promise<{ message: Message; revision: number }> {
  const [row] = await database.readOne(GET, [room, message]);
  if (row === undefined) throw roomNotFound();
  const revision = Number(row.room_revision);
  if (row.id === null) throw messageNotFound(message, revision);
  return { message: toMessage(row), revision };
}

/** The query for a filter, with one row more than its limit, which tells whether there is more. */
export function selectMessages(room: string, filter: MessageFilter): Statement {
  const { after, kind, from, to, thread, unclaimed, newest, limit } = filter;
  const { args, where, and, sql } = createConditions("m.room_id = :room", { room, limit: limit + 1 });
  where("m.id > :after", "after", after);
  where("m.kind = :kind", "kind", kind);
  where("m.from_agent = :from", "from", from);
  where("m.to_agent = :to", "to", to);
  where("m.id = thread.id", "thread", thread);
  if (unclaimed) and("m.claimed_by IS NULL");
  const [prefix, source] = thread === undefined
    ? ["", "messages AS m"]
    : [WITH_THREAD, "thread CROSS JOIN messages AS m"];
  const order = newest ? "DESC" : "ASC";
  return { sql: `${prefix} SELECT m.* FROM ${source} ${sql()} ORDER BY m.id ${order} LIMIT :limit`, args };
}

export function toMessage(row: Row): Message {
  return {
    id: Number(row.id),
    room_id: row.room_id as string,
    from_agent: row.from_agent as string | null,
    to_agent: row.to_agent as string | null,
    kind: row.kind as string,
    body: JSON.parse(row.body as string),
    created_at: row.created_at as string,
    reply_to: row.reply_to === null ? null : Number(row.reply_to),
    claimed_by: row.claimed_by as string | null,
    claimed_at: row.claimed_at as string | null,
  };
}
