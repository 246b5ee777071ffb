import type { Database } from "../database.ts";
import { stored } from "../json.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import type { Viewer } from "../viewer.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { DUE_NOW } from "../write/due.ts";
import { readCoalescedCurrent } from "../write/current.ts";
import { readConsistent } from "../consistent_read/read.ts";
import { COLUMNS, type Message, toMessage } from "./message.ts";
import { type MessageFilter, selectMessages } from "./listing.ts";

const GET = createCoalescedRead(
  { room_revision: REVISION, due: DUE_NOW, ...columnsOf("message", COLUMNS) },
  `FROM json_each(:asked) AS asked
    CROSS JOIN rooms ON rooms.id = asked.value ->> 0
    LEFT JOIN messages AS message ON message.room_id = rooms.id AND message.id = asked.value ->> 1`,
);

/**
 * Lists the messages of a filter by ascending id. `more` says that the limit cut the list.
 * Errors: `room_not_found`, `unauthenticated`.
 */
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

/** Gets a message by its id. Errors: `room_not_found`, `unauthenticated`, `message_not_found`. */
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
