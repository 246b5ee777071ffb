import { AS_NONE, mayAct } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import { DELETED, SERVED, THERE } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "./room.ts";
import type { Viewer } from "../viewer.ts";

/** Notes above what a room goes on that is made under this id later; the versions of entries are added as they go. */
const BURY = (may: string) => `
  INSERT INTO graves (id, revision, version, emptied, deleted_at)
  SELECT id, revision, versions_above, 0, ${NOW} FROM rooms WHERE id = :room AND ${SERVED} AND ${may}
  ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, version = MAX(version, excluded.version), emptied = 0,
    deleted_at = excluded.deleted_at, held_until = 0`;

const DELETE = (may: string) => `
  UPDATE rooms SET requires = ${DELETED}, listed = 0, meta = '{}', due = NULL
   WHERE id = :room AND ${SERVED} AND ${may}
  RETURNING id`;

/** What opens a room goes at once: there are a few of them. */
const FORGET_SECRETS = ["tokens", "invites"].map((table) => `
  DELETE FROM ${table} WHERE room_id = :room AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND NOT ${THERE})`);

/**
 * Deletes a room: from its commit on it is there for nobody, at any instance, and its tokens are no more. Its rows are
 * removed later (db/rooms/burial.ts); until then no room is made under its id. Errors: `room_not_found`, `unauthenticated`.
 */
export async function deleteRoom(database: Database, viewer: Viewer, room: string): Promise<void> {
  const may = mayAct(viewer, AS_NONE) ?? { sql: "TRUE", args: {} };
  const args = { ...may.args, room };
  const [found, , deleted] = await database.commit(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: BURY(may.sql), args },
    { sql: DELETE(may.sql), args, single: true },
    ...FORGET_SECRETS.map((sql) => ({ sql, args: { room } })),
  ]);
  revisionOf(found!);
  if (deleted!.length > 0) database.announceDeletion(room);
}
