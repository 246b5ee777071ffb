import { shownRoom } from "../access/locked.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import type { Database } from "../database.ts";
import type { Json } from "../json.ts";
import type { Listing } from "../consistent_read/listing.ts";
import { readConsistent } from "../consistent_read/read.ts";
import type { Row } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { mapYielding } from "../yield.ts";
import { createOverlaps, findOverlapping } from "./globs.ts";

export const MODES = ["exclusive", "shared"] as const;
export type Mode = typeof MODES[number];

/** Paths on which an agent works, while it is in force. Times are ISO 8601. */
export interface Reservation {
  id: string;
  room_id: string;
  agent: string;
  /** Globs (globs.ts). */
  paths: string[];
  mode: Mode;
  note: Json;
  /** The room's revision at which it began. */
  fence: number;
  created_at: string;
  expires_at: string;
}

/** The columns that `toReservation` reads. */
export const RESERVATION = [
  "id",
  "room_id",
  "agent_id",
  "paths",
  "mode",
  "note",
  "fence",
  "created_at",
  "expires_at",
];

/**
 * Lists the reservations in force, oldest first. `path`: a glob that has a path in common with each of them.
 * Errors: `room_not_found`, `unauthenticated`.
 */
export async function listReservations(
  database: Database,
  viewer: Viewer,
  room: string,
  { agent, path }: { agent?: string; path?: string },
): Promise<{ reservations: Reservation[]; revision: number }> {
  const [rooms, rows] = await readConsistent(database, viewer, [
    { sql: ROOM_CURRENT, args: { room } },
    selectReservations(room, agent),
  ]);
  const all = await mapYielding(rows!, toReservation);
  const reservations = path === undefined ? all : await findOverlapping(createOverlaps([path]), all);
  return { reservations, revision: revisionOf(rooms!) };
}

function selectReservations(room: string, agent: string | undefined): Listing {
  const own = agent === undefined ? "" : " AND agent_id = :agent";
  return {
    table: "reservations",
    columns: RESERVATION,
    where: `WHERE room_id = :room${own}`,
    args: agent === undefined ? { room } : { room, agent },
    order: ["fence"],
  };
}

export function toReservation(row: Row): Reservation {
  return {
    id: row.id as string,
    room_id: shownRoom(row.room_id as string),
    agent: row.agent_id as string,
    paths: JSON.parse(row.paths as string),
    mode: row.mode as Mode,
    note: JSON.parse(row.note as string),
    fence: Number(row.fence),
    created_at: row.created_at as string,
    expires_at: new Date(Number(row.expires_at)).toISOString(),
  };
}
