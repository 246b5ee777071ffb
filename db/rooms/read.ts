import { lockedRoom } from "../access/locked.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import { SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { edgeOf } from "../consistent_read/page_sql.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { REVISION, SERVED, THERE } from "../release.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { DUE_NOW } from "../write/due.ts";
import { readCoalescedCurrent } from "../write/current.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { ROOM, type Room, STORED, toRoom } from "./room.ts";

/** A position in the list of rooms, newest first. `id` orders rooms of the same time. */
export interface RoomCursor {
  created_at: string;
  id?: string;
}

const COALESCED_GET = createCoalescedRead(
  { ...columnsOf("rooms", STORED), revision: REVISION, due: DUE_NOW },
  `FROM json_each(:asked) AS asked CROSS JOIN rooms ON rooms.id = asked.value ->> 0`,
);

/**
 * Gets a room by its stored id. What is due ends first: the revision of a room is its tag, which must not match when
 * something in it is over. Errors: `room_not_found`, `unauthenticated`, `unavailable`.
 */
export async function getRoom(database: Database, viewer: Viewer, id: string): Promise<Room> {
  const row = await readCoalescedCurrent(database, viewer, COALESCED_GET, id, [id]);
  if (row === undefined) throw new Refusal("room_not_found", {});
  if (isBusyFor(row.meta)) await yieldToOthers();
  return toRoom(row);
}

/** Selects the open room with an id, else the locked one. */
const FIND =
  `SELECT id FROM rooms WHERE id IN (:open, :locked) AND ${THERE} ORDER BY id = :open DESC LIMIT 1`;

/** Returns the stored id of the room with this id, be it locked or open; the id itself where there is none. */
export async function findRoom(database: Database, id: string): Promise<string> {
  const args = { open: id, locked: lockedRoom(id) };
  const [rows] = await database.read(SERVICE, [{ sql: FIND, args, single: true }]);
  return rows![0]?.id as string | undefined ?? id;
}

/** Finds the rooms after the cursor: those that are older. */
const before = (id: string, which: string) =>
  `FROM rooms WHERE (created_at, id) < (:created_at, ${id}) AND ${which} ORDER BY created_at DESC, id DESC`;

const list = (rows: string) => `
  WITH edge (position) AS MATERIALIZED (${edgeOf(`SELECT octet_length(meta) AS size ${rows} LIMIT :limit`)})
  SELECT ${ROOM.join(", ")}, (SELECT position FROM edge) AS edge ${rows}
   LIMIT COALESCE((SELECT position FROM edge), :limit)`;

const LIST = list(before(":id", `listed AND ${SERVED}`));

/** Lists all rooms. The cursor's room may be open or locked, hence stored under either id. */
const LIST_ALL = list(
  before("COALESCE((SELECT id FROM rooms WHERE id IN (:id, char(9) || :id)), :id)", SERVED),
);

/**
 * Lists the rooms before the cursor that this release may serve, newest first: at most `limit`, and at most a page.
 * With `all` it includes locked and unlisted ones. `more` says that others follow.
 */
export async function listRooms(
  database: Database,
  viewer: Viewer,
  { before, limit, all = false }: { before?: RoomCursor; limit: number; all?: boolean },
): Promise<{ rooms: Room[]; more: boolean }> {
  // The default cursor lies after every room, the default id before every id.
  const { created_at, id = "" } = before ?? { created_at: "\u{10FFFF}" };
  const args = { created_at, id, limit: limit + 1, bytes: SHORT_PAGE_BYTES };
  const [rows] = await database.read(viewer, [{
    sql: all ? LIST_ALL : LIST,
    args,
    weight: SHORT_PAGE_WEIGHT,
  }]);
  // Whether the limit or the page cut the list, its last row only says that more follows.
  const more = rows!.length > limit || (rows!.length > 1 && rows![0]!.edge !== null);
  return { rooms: await mapYielding(rows!.slice(0, more ? -1 : undefined), toRoom), more };
}

const COUNT = `SELECT COUNT(*) AS count FROM rooms WHERE ${SERVED}`;

/** Counts the rooms that this release may serve, listed or not. */
export async function countRooms(database: Database): Promise<number> {
  const [rows] = await database.read(SERVICE, [{ sql: COUNT, args: {}, single: true }]);
  return Number(rows![0]!.count);
}
