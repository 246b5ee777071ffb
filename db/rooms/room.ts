import { isLocked, lockedRoom, shownRoom } from "../access/locked.ts";
import { type Change, PARTS } from "../bus.ts";
import type { Database } from "../database.ts";
import { DUE, type Due, dueOf } from "../write/due.ts";
import type { Json } from "../json.ts";
import { edgeOf, SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION, SERVED, THERE } from "../release.ts";
import type { Row } from "../driver/statement.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";

export interface Room {
  id: string;
  created_at: string;
  meta: Json;
  revision: number;
  /** It answers nobody without a token of its own. */
  locked?: true;
  /** It is open, and lists leave it out. */
  listed?: false;
}

/** A cursor in the list of rooms, newest first; `id` orders rooms of the same time. */
export interface RoomCursor {
  created_at: string;
  id?: string;
}

/** Comes first in every read of a room; its row is for `revisionOf`. */
export const ROOM_REVISION = `SELECT ${REVISION} AS revision FROM rooms WHERE id = :room`;

/** The same for `readCurrent`, and as the first read of a write. */
export const ROOM_CURRENT = currentWith();

/** The same with a further column. */
export function currentWith(...further: string[]): string {
  return `SELECT ${[`${REVISION} AS revision`, DUE, ...further].join(", ")} FROM rooms WHERE id = :room`;
}

/** Columns that `toRoom` reads. */
export const ROOM = ["id", "created_at", "meta", "listed", "revision"];
export const GET_ROOM =
  `SELECT id, created_at, meta, listed, ${REVISION} AS revision FROM rooms WHERE id = :room`;

const COALESCED_GET = createCoalescedRead(
  { ...columnsOf("rooms", ["id", "created_at", "meta", "listed"]), revision: REVISION },
  `FROM json_each(:asked) AS asked CROSS JOIN rooms ON rooms.id = asked.value ->> 0`,
);

/** The rooms before the cursor, newest first. */
const before = (id: string, which: string) =>
  `FROM rooms WHERE (created_at, id) < (:created_at, ${id}) AND ${which} ORDER BY created_at DESC, id DESC`;

const list = (rows: string) => `
  WITH edge (position) AS MATERIALIZED (${edgeOf(`SELECT octet_length(meta) AS size ${rows} LIMIT :limit`)})
  SELECT id, created_at, meta, listed, revision, (SELECT position FROM edge) AS edge ${rows}
   LIMIT COALESCE((SELECT position FROM edge), :limit)`;

const LIST = list(before(":id", `listed AND ${SERVED}`));

/** The same of all rooms; the cursor names one that is stored under either name. */
const LIST_ALL = list(
  before("COALESCE((SELECT id FROM rooms WHERE id IN (:id, char(9) || :id)), :id)", SERVED),
);

const REVISIONS = `
  SELECT id, first_revision, ${PARTS.map((part) => `${part}_revision`).join(", ")}, ${DUE} FROM rooms
   WHERE id IN (SELECT value FROM json_each(:rooms)) AND ${THERE}`;

/** The open room with an id, else the locked one. */
const FIND =
  `SELECT id FROM rooms WHERE id IN (:open, :locked) AND ${THERE} ORDER BY id = :open DESC LIMIT 1`;

/** Selects no row, and fails where the tables are gone. */
const PING = `SELECT id FROM rooms WHERE id = ''`;

/** Gets a room. Errors: `room_not_found`. */
export async function getRoom(database: Database, viewer: Viewer, id: string): Promise<Room> {
  const row = await database.readCoalesced(viewer, COALESCED_GET, [id]);
  if (row === undefined) throw new Refusal("room_not_found", {});
  if (isBusyFor(row.meta)) await yieldToOthers();
  return toRoom(row);
}

/** Returns the name under which a room with this id is stored, be it locked or open; the id where there is none. */
export async function findRoom(database: Database, id: string): Promise<string> {
  const args = { open: id, locked: lockedRoom(id) };
  const [rows] = await database.read(SERVICE, [{ sql: FIND, args, single: true }]);
  return rows![0]?.id as string | undefined ?? id;
}

/**
 * Lists the rooms before the cursor that this release may serve, newest first: at most `limit`, and no more than a
 * page; those that lists leave out only with `all`. `more` says that others follow.
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

/**
 * Reads the revisions of the parts of these rooms, as far as they exist, and what is due in them. `anew`: the first
 * revisions of those that were made under the id of a deleted one.
 */
export async function lookAtRooms(
  database: Database,
  rooms: string[],
): Promise<{ changes: Change[][]; due: Due[]; anew: Array<[room: string, first: number]> }> {
  const [rows] = await database.read(SERVICE, [{ sql: REVISIONS, args: { rooms: JSON.stringify(rooms) } }]);
  const changes = rows!.map((row) =>
    PARTS.map((part) => ({ room: row.id as string, part, revision: Number(row[`${part}_revision`]) }))
  );
  const anew = rows!.map((
    { id, first_revision },
  ): [string, number] => [id as string, Number(first_revision)]);
  return {
    changes,
    due: rows!.flatMap((row) => dueOf(row.id as string, row) ?? []),
    anew: anew.filter(([, first]) => first > 0),
  };
}

/** Resolves when the database answers and has its tables. Errors: `DatabaseUnavailable`. */
export async function ping(database: Database): Promise<void> {
  await database.read(SERVICE, [{ sql: PING, args: {} }]);
}

/** Reads the rows of `ROOM_REVISION`. Errors: `room_not_found`, `unavailable`. */
export function revisionOf(rows: Row[]): number {
  if (rows.length === 0) throw new Refusal("room_not_found", {});
  return served(rows[0]!.revision);
}

/** Makes a room of its row. */
export function toRoom(row: Row): Room {
  const id = row.id as string;
  return {
    id: shownRoom(id),
    created_at: row.created_at as string,
    meta: JSON.parse(row.meta as string),
    revision: served(row.revision),
    ...isLocked(id) ? { locked: true } : isListed(row) ? {} : { listed: false },
  };
}

/** What an earlier release has stored lacks the column. */
const isListed = ({ listed }: Row) => listed === undefined || Boolean(listed);
