import { AS_NONE, mayAct } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import { DELETED, SERVED } from "../release.ts";
import { IS_DELETED, revisionOf, ROOM_REVISION } from "./room.ts";
import type { Viewer } from "../viewer.ts";

/**
 * Records the revision and the version above which a later room of this id begins. The versions of entries are added as
 * their rows are removed.
 */
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

/** Deletes tokens and invitations with the room, since they are few and let people in. */
const FORGET_SECRETS = ["tokens", "invites"].map((table) => `
  DELETE FROM ${table} WHERE room_id = :room AND ${IS_DELETED}`);

/**
 * Deletes a room and its tokens: from the commit on, no instance serves it. Its rows are removed later
 * (db/rooms/burial.ts); until then no room is made under its id. Returns its last revision.
 * Errors: `room_not_found`, `unauthenticated`.
 */
export async function deleteRoom(database: Database, viewer: Viewer, room: string): Promise<number> {
  const may = mayAct(viewer, AS_NONE) ?? { sql: "TRUE", args: {} };
  const args = { ...may.args, room };
  const [found, , deleted] = await database.commit(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: BURY(may.sql), args },
    { sql: DELETE(may.sql), args, single: true },
    ...FORGET_SECRETS.map((sql) => ({ sql, args: { room } })),
  ]);
  const revision = revisionOf(found!);
  if (deleted!.length > 0) database.announceDeletion(room);
  return revision;
}
