import { SECURED, toSecured } from "../access/acts.ts";
import { foundGuarded, isKnownGuarded } from "../access/guarded.ts";
import type { Database } from "../database.ts";
import { selectRegistrations, toRegistrations } from "../agents/registration.ts";
import type { Json } from "../json.ts";
import { readCurrent } from "../write/current.ts";
import { Refusal } from "../refusal.ts";
import { currentWith, revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import type { Viewer } from "../viewer.ts";
import { mapYielding } from "../yield.ts";
import { createOverlaps, findOverlapping } from "./globs.ts";
import type { Mode } from "./read.ts";

/** A request for a reservation. */
export interface Asked {
  agent: string;
  paths: string[];
  mode: Mode;
  /** Seconds. */
  ttl: number;
  note: Json;
}

/** The limits of the reservations of a room that are in force at once: the bytes of their globs, and their number. */
export interface Limits {
  bytes: number;
  count: number;
}

interface Conflict {
  id: string;
  agent: string;
  paths: string[];
  mode: Mode;
  note: Json;
  expires_at: string;
}

type InForce = Omit<Conflict, "note">;

/** The reservations of a room that are in force, as long as `seen` is the revision of their last change. */
export interface Board {
  revision: number;
  seen: number;
  reservations: InForce[];
  bytes: number;
  /** The registrations of the agents that were asked for, without those that are not registered. */
  joined: Map<string, number>;
  /** Whether the room has tokens or secure agents. */
  guarded: boolean;
  /** Those of the actors that are secure, where it was known before that the room is guarded. */
  secured?: string[];
}

/** The maximum number of conflicts that a refusal shows. */
export const MAX_SHOWN = 20;

const BOARD = [
  `SELECT reservations_revision FROM rooms WHERE id = :room`,
  `SELECT id, agent_id, paths, mode, expires_at FROM reservations WHERE room_id = :room ORDER BY fence`,
];
const NOTES = `
  SELECT id, note FROM reservations WHERE room_id = :room AND id IN (SELECT value FROM json_each(:ids))`;

const encoder = new TextEncoder();

/** Returns the bytes of globs, of which there may be 65,536: to encode each takes thirty times as long. */
export function bytesOf(paths: string[]): number {
  return encoder.encode(paths.join("")).length;
}

/**
 * Reads the reservations in force in a room, the registrations of agents, and which `actors` are secure.
 * Errors: `room_not_found`, `unauthenticated`.
 */
export async function readBoard(
  database: Database,
  viewer: Viewer,
  room: string,
  agents: string[] = [],
  actors: string[] = [],
): Promise<Board> {
  const args = { room };
  const asks = actors.length > 0 && isKnownGuarded(room);
  const [rooms, seen, rows, registered] = await readCurrent(database, viewer, [
    asks
      ? { sql: currentWith(`${SECURED} AS secured`), args: { room, actors: JSON.stringify(actors) } }
      : { sql: ROOM_CURRENT, args },
    ...BOARD.map((sql) => ({ sql, args })),
    selectRegistrations(room, agents),
  ]);
  const revision = revisionOf(rooms!);
  const reservations = await mapYielding(rows!, (row): InForce => ({
    id: row.id as string,
    agent: row.agent_id as string,
    paths: JSON.parse(row.paths as string),
    mode: row.mode as Mode,
    expires_at: new Date(Number(row.expires_at)).toISOString(),
  }));
  const bytes = bytesOf(reservations.flatMap(({ paths }) => paths));
  const joined = toRegistrations(registered!);
  const guarded = Boolean(rooms![0]!.guarded);
  if (guarded) foundGuarded(room);
  return {
    revision,
    seen: Number(seen![0]!.reservations_revision),
    reservations,
    bytes,
    joined,
    guarded,
    ...asks && { secured: toSecured(rooms![0]!) },
  };
}

/** Whether a reservation that was in force before has ended. */
export function hasLost(before: Board, now: Board): boolean {
  const ids = new Set(now.reservations.map(({ id }) => id));
  return before.reservations.some(({ id }) => !ids.has(id));
}

/**
 * Returns the function that finds what is in conflict with a request on a board: the oldest first, at most one more
 * than is shown.
 */
export function createConflicts({ agent, paths, mode }: Asked): (board: Board) => Promise<InForce[]> {
  const overlaps = createOverlaps(paths);
  return async ({ reservations }) => {
    const others = reservations.filter((other) =>
      other.agent !== agent && !(mode === "shared" && other.mode === "shared")
    );
    return await findOverlapping(overlaps, others, MAX_SHOWN + 1);
  };
}

/** Makes the refusal of a request. `waited`: whether the request has waited for the conflicts to end. */
export async function refusalOf(
  database: Database,
  viewer: Viewer,
  room: string,
  found: InForce[],
  { revision }: Board,
  waited: boolean,
): Promise<Refusal> {
  const shown = found.slice(0, MAX_SHOWN);
  const ids = JSON.stringify(shown.map(({ id }) => id));
  const [rows] = await database.read(viewer, [{ sql: NOTES, args: { room, ids } }]);
  const notes = new Map(rows!.map(({ id, note }) => [id, JSON.parse(note as string) as Json]));
  const conflicts = shown.map(({ id, agent, paths, mode, expires_at }): Conflict => {
    return { id, agent, paths, mode, note: notes.get(id) ?? null, expires_at };
  });
  return new Refusal("reserved", { conflicts, more: found.length > MAX_SHOWN, waited }, revision);
}

/** Errors: `limit_reached` where the room may not have so many reservations, or so many bytes of globs. */
export function checkRoom({ reservations, bytes, revision }: Board, { paths }: Asked, limits: Limits): void {
  if (reservations.length >= limits.count) {
    throw new Refusal("limit_reached", { of: "reservations", max: limits.count }, revision);
  }
  const sum = bytes + bytesOf(paths);
  if (sum > limits.bytes) {
    throw new Refusal("limit_reached", { of: "globs", max: limits.bytes, bytes: sum }, revision);
  }
}
