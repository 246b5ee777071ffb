import { shownRoom } from "../access/locked.ts";
import { privateFor } from "../access/private.ts";
import type { Listing } from "../consistent_read/listing.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import type { Viewer } from "../viewer.ts";
import { isAlive, present, type Status } from "./presence.ts";
import type { Newest } from "./waits.ts";

/** An agent as it is shown. Times are ISO 8601. */
export interface Agent {
  id: string;
  room_id: string;
  name: string;
  role: string;
  meta: Json;
  status: Status;
  /** The condition of its newest wait in progress; null where it does not wait. */
  waiting_on: string | null;
  joined_at: string;
  last_heartbeat: string;
  /** Whether it had a heartbeat in the last 60 seconds or has a wait in progress, when this was read. */
  alive: boolean;
  /** Whether only its token, or an admin's, acts as it. */
  secure: boolean;
  /** Whether the scope of its id is private. Only the agent itself and admins are shown this. */
  private?: boolean;
}

export const OF_AGENT = "FROM agents WHERE room_id = :room AND id = :agent";
export const GET = `SELECT * ${OF_AGENT}`;

/** The columns that `toAgent` reads, and `joined`, which tells whether an agent is new. */
export const AGENT = [
  ...["id", "room_id", "name", "role", "meta", "status", "joined", "joined_at", "last_heartbeat", "secure"],
];

const OF_ROOM = "WHERE room_id = :room";

/** Selects all agents, or the named ones, in order of joining, as rows for `toAgent`. */
export function selectAgents(room: string, agents?: string[]): Listing {
  const listing = { table: "agents" as const, columns: AGENT, order: ["joined"] };
  if (agents === undefined) return { ...listing, where: OF_ROOM, args: { room } };
  const where = `${OF_ROOM} AND id IN (SELECT value FROM json_each(:agents))`;
  return { ...listing, where, args: { room, agents: JSON.stringify(agents) } };
}

/** Adds to a listing of agents whether their scopes are private, as far as the viewer may know. */
export function withPrivate(listing: Listing, viewer: Viewer): Listing {
  const shown = privateFor(viewer, "agents.id");
  if (shown === undefined) return listing;
  const columns = [...listing.columns, "private"];
  return { ...listing, columns, values: { private: shown.sql }, args: { ...listing.args, ...shown.args } };
}

/**
 * Makes an agent of its row and the room's newest waits in progress, as of the database's time `now`. `read` parses its
 * meta.
 */
export function toAgent(
  row: Row,
  newest: Newest,
  now: Date,
  read: (json: string) => Json = JSON.parse,
): Agent {
  const [id, last_heartbeat] = [row.id as string, row.last_heartbeat as string];
  return {
    id,
    room_id: shownRoom(row.room_id as string),
    name: row.name as string,
    role: row.role as string,
    meta: read(row.meta as string),
    ...present(id, row.status as Status, newest),
    joined_at: row.joined_at as string,
    last_heartbeat,
    alive: isAlive(id, last_heartbeat, newest, now),
    secure: Boolean(row.secure),
    ...(row.private ?? null) === null ? {} : { private: Boolean(row.private) },
  };
}
