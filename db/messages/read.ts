import { CLAIMED, UNCLAIMED } from "../consistent_read/changed.ts";
import { createConditions } from "../consistent_read/conditions.ts";
import type { Database } from "../database.ts";
import { type Json, stored } from "../json.ts";
import type { Listing, Through } from "../consistent_read/listing.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms.ts";
import type { Row } from "../driver/statement.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import type { Viewer } from "../viewer.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { DUE_NOW } from "../write/due.ts";
import { readCoalescedCurrent } from "../write/endings.ts";
import { readConsistent } from "../consistent_read/read.ts";

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
  /** The root of a thread: this message and every reply below it. */
  thread?: number;
  unclaimed?: boolean;
  /** Selects the newest instead of the oldest. */
  newest?: boolean;
  limit: number;
}

const POSTED = ["id", "room_id", "from_agent", "to_agent", "kind", "body", "created_at", "reply_to"];
const COLUMNS = [...POSTED, "claimed_by", "claimed_at"];

const GET = createCoalescedRead(
  { room_revision: REVISION, due: DUE_NOW, ...columnsOf("message", COLUMNS) },
  `FROM json_each(:asked) AS asked
    CROSS JOIN rooms ON rooms.id = asked.value ->> 0
    LEFT JOIN messages AS message ON message.room_id = rooms.id AND message.id = asked.value ->> 1`,
);

/** Lists matching messages by ascending id; `more` says that the list was cut. Errors: `room_not_found`. */
export async function listMessages(
  database: Database,
  viewer: Viewer,
  room: string,
  filter: MessageFilter,
): Promise<{ messages: Message[]; more: boolean; revision: number }> {
  const [rooms, rows] = await readConsistent(database, viewer, [
    { sql: ROOM_CURRENT, args: { room } },
    selectMessages(room, filter),
  ]);
  const revision = revisionOf(rooms!);
  const messages = await mapYielding(rows!.slice(0, filter.limit), (row) => toMessage(row, stored));
  if (filter.newest) messages.reverse();
  return { messages, more: rows!.length > filter.limit, revision };
}

/** Gets a message. Errors: `room_not_found`, `message_not_found`. */
export async function getMessage(
  database: Database,
  viewer: Viewer,
  room: string,
  message: number,
): Promise<{ message: Message; revision: number }> {
  const row = await readCoalescedCurrent(database, viewer, GET, room, [room, message]);
  if (row === undefined) throw new Refusal("room_not_found", {});
  const revision = served(row.room_revision);
  if (row.id === null) throw new Refusal("message_not_found", { message }, revision);
  if (isBusyFor(row.body)) await yieldToOthers();
  return { message: toMessage(row), revision };
}

/** Finds messages of a kind in indexes, of which a new message is in only one. */
const OPEN_OF_KIND = [
  { where: `${UNCLAIMED} AND to_agent IS NULL` },
  { where: `${UNCLAIMED} AND to_agent IS NOT NULL` },
];
const OF_KIND = [...OPEN_OF_KIND, { where: CLAIMED }];

/** Finds messages of a sender in the blocks of 256 ids in which it has posted. */
const bySender = (blocks: string): Through => ({
  from: `(SELECT block FROM senders WHERE room_id = :room AND agent_id = :from ${blocks}) AS sent
    CROSS JOIN messages ON id BETWEEN block << 8 AND (block << 8) + 255`,
  order: "block",
  at: (id) => `${id} >> 8`,
});
const BY_SENDER = bySender("");
const BY_SENDER_AFTER = bySender("AND block >= :after >> 8");

/** Selects the messages of a filter, and one beyond its limit, which tells whether there is more. */
export function selectMessages(room: string, filter: MessageFilter): Listing {
  const { after, kind, from, to, unclaimed, newest, limit } = filter;
  const { args, where, sql } = createConditions("room_id = :room", { room });
  where("id > :after", "after", after);
  where("kind = :kind", "kind", kind);
  where("from_agent = :from", "from", from);
  where("to_agent = :to", "to", to);
  return {
    ...listingOf(sql(), args),
    ...wayTo(filter),
    ...(unclaimed && { live: UNCLAIMED }),
    descending: newest,
    limit: limit + 1,
  };
}

/** Chooses how to find the messages where no index fits the filter. */
function wayTo({ after, kind, from, to, thread, unclaimed }: MessageFilter): Partial<Listing> {
  if (thread !== undefined) {
    const filtered = unclaimed || [after, kind, from, to].some((wanted) => wanted !== undefined);
    return { thread: { root: thread, filtered } };
  }
  const passed = after === undefined ? "room_id = :room" : "room_id = :room AND id > :after";
  if (from !== undefined) return { passed, through: after === undefined ? BY_SENDER : BY_SENDER_AFTER };
  return {
    ...(to !== undefined && (kind !== undefined || unclaimed) && { passed }),
    ...(kind !== undefined && to === undefined && { parts: unclaimed ? OPEN_OF_KIND : OF_KIND }),
  };
}

/** Selects messages by id, as rows for `toMessage`. */
export function listingOf(where: string, args: Listing["args"]): Listing {
  return { table: "messages", columns: COLUMNS, where, args, order: ["id"] };
}

export function toMessage(row: Row, read: (json: string) => Json = JSON.parse): Message {
  return { ...toHead(row), body: read(row.body as string) };
}

/** Makes a message without its body. */
export function toHead(row: Row): Omit<Message, "body"> {
  return {
    id: Number(row.id),
    room_id: row.room_id as string,
    from_agent: row.from_agent as string | null,
    to_agent: row.to_agent as string | null,
    kind: row.kind as string,
    created_at: row.created_at as string,
    reply_to: row.reply_to === null ? null : Number(row.reply_to),
    claimed_by: row.claimed_by as string | null,
    claimed_at: row.claimed_at as string | null,
  };
}
