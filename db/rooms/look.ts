import { type Change, PARTS } from "../bus.ts";
import type { Database } from "../database.ts";
import { THERE } from "../release.ts";
import { SERVICE } from "../viewer.ts";
import { DUE, type Due, dueOf } from "../write/due.ts";

const REVISIONS = `
  SELECT id, first_revision, ${PARTS.map((part) => `${part}_revision`).join(", ")}, ${DUE} FROM rooms
   WHERE id IN (SELECT value FROM json_each(:rooms)) AND ${THERE}`;

/**
 * Reads the revisions of the parts of rooms, and what is due in them; nothing of rooms that do not exist. `anew` lists
 * the first revision of each room that was made under the id of a deleted one. Errors: `DatabaseUnavailable`.
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

/** Selects no row. Fails where the tables are missing. */
const PING = `SELECT id FROM rooms WHERE id = ''`;

/** Resolves when the database answers and has its tables. Errors: `DatabaseUnavailable`. */
export async function ping(database: Database): Promise<void> {
  await database.read(SERVICE, [{ sql: PING, args: {} }]);
}
