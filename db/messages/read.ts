import { shownRoom } from "../access/locked.ts";
import type { Database } from "../database.ts";
import { type Json, stored } from "../json.ts";
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
import { COLUMNS, type MessageStatus, type Task } from "./columns.ts";
import { type MessageFilter, selectMessages } from "./listing.ts";

export interface Message extends Task {
  id: number;
  room_id: string;
  from_agent: string | null;
  to_agent: string | null;
  /** Whether its sender had proved who it is. */
  verified: boolean;
  kind: string;
  body: Json;
  created_at: string;
  reply_to: number | null;
}

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

/** Makes a message of a row with COLUMNS. */
export function toMessage(row: Row, read: (json: string) => Json = JSON.parse): Message {
  return { ...toHead(row), body: read(row.body as string) };
}

/** Makes a message without its body. */
export function toHead(row: Row): Omit<Message, "body"> {
  return {
    id: Number(row.id),
    room_id: shownRoom(row.room_id as string),
    from_agent: row.from_agent as string | null,
    to_agent: row.to_agent as string | null,
    verified: Boolean(row.verified),
    kind: row.kind as string,
    created_at: row.created_at as string,
    reply_to: toNumber(row.reply_to),
    ...toTask(row),
  };
}

/** Makes the members that a message has as a task. Most messages are open, and were never anything else. */
function toTask(row: Row): Task {
  const { status, claimed_by, claimed_until, needs, failure } = row;
  const isOpen = claimed_by === null;
  return {
    claimed_by: claimed_by as string || null,
    claimed_at: row.claimed_at as string | null,
    status: status as MessageStatus | null ?? (isOpen ? "open" : "claimed"),
    claimed_until: claimed_until === null ? null : new Date(Number(claimed_until)).toISOString(),
    fence: claimed_by ? toNumber(row.fence ?? row.revision) : null,
    attempts: Number(row.attempts ?? !isOpen),
    max_attempts: toNumber(row.max_attempts),
    needs: needs === null ? [] : JSON.parse(needs as string),
    done_at: row.done_at as string | null,
    result_id: toNumber(row.result_id),
    failure: failure === null ? null : JSON.parse(failure as string),
  };
}

function toNumber(cell: unknown): number | null {
  return cell === null ? null : Number(cell);
}
