import { isLocked, shownRoom } from "../access/locked.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION, SERVED, THERE } from "../release.ts";
import { DUE } from "../write/due.ts";

/** A room as it is shown. `created_at` is ISO 8601. */
export interface Room {
  id: string;
  created_at: string;
  meta: Json;
  revision: number;
  /** Set where it answers only whoever shows a token of its own. */
  locked?: true;
  /** False where it is open, but left out of lists. */
  listed?: false;
}

/** Selects, as the first statement of a read of a room, the row for `revisionOf`. */
export const ROOM_REVISION = `SELECT ${REVISION} AS revision FROM rooms WHERE id = :room`;

/** Selects the same for `readCurrent`, and as the first read of a write. */
export const ROOM_CURRENT = currentWith();

export function currentWith(...further: string[]): string {
  return `SELECT ${[`${REVISION} AS revision`, DUE, ...further].join(", ")} FROM rooms WHERE id = :room`;
}

/** The columns that `toRoom` reads as they are stored; with `revision`, all that it reads. */
export const STORED = ["id", "created_at", "meta", "listed"];
export const ROOM = [...STORED, "revision"];
export const GET_ROOM = `SELECT ${STORED.join(", ")}, ${REVISION} AS revision FROM rooms WHERE id = :room`;

/** True where this release may serve `:room`. */
export const IS_SERVED = `EXISTS (SELECT 1 FROM rooms WHERE rooms.id = :room AND ${SERVED})`;

/** True where `:room` is deleted and its row is still there. */
export const IS_DELETED = `EXISTS (SELECT 1 FROM rooms WHERE rooms.id = :room AND NOT ${THERE})`;

/** Reads the revision of a room's row. Errors: `room_not_found`, `unavailable`. */
export function revisionOf(rows: Row[]): number {
  if (rows.length === 0) throw new Refusal("room_not_found", {});
  return served(rows[0]!.revision);
}

/** Makes a room of its row. Errors: `room_not_found`, `unavailable`. */
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

/** An answer that an earlier release stored under a key lacks the column. */
const isListed = ({ listed }: Row) => listed === undefined || Boolean(listed);
