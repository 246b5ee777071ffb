import type { Database } from "../database.ts";
import { REVISION } from "../release.ts";
import { revisionOf } from "../rooms.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import { type ReadSetAt, unchangedSince } from "../write/read_set.ts";
import { commit } from "../write/write.ts";
import { isBusyFor, yieldToOthers } from "../yield.ts";
import { admitDelete } from "./admission.ts";
import { toEntry } from "./entry.ts";
import { isVersion, preconditionOfDelete } from "./preconditions.ts";
import { versionConflict } from "./refusals.ts";

const DELETE = `
  UPDATE state SET
    value = 'null', expr = NULL, deleted = 1, version = version + 1, updated_at = :now, updated_by = :agent,
    revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND scope = :scope AND key = :key AND ${ADMITTED}`;

const GET_LIVE =
  `SELECT * FROM state WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted`;

export interface Delete {
  scope: string;
  key: string;
  ifVersion?: number;
  agent?: string;
  readSet?: ReadSetAt;
}

/**
 * Deletes a key; false where there is none. Undefined where what a gate has read has changed.
 * Errors: `room_not_found`, `version_conflict`.
 */
export async function deleteEntry(
  database: Database,
  room: string,
  { scope, key, ifVersion, agent, readSet }: Delete,
): Promise<{ deleted: boolean; revision: number } | undefined> {
  const [nonce, now] = [database.unique(), await database.time()];
  const entry = { room, scope, key };
  const unchanged = unchangedSince(readSet);
  const { revision, reads: [rooms, rows] } = await commit(database, {
    room,
    part: "state",
    admission: admitDelete(nonce, preconditionOfDelete({ scope, key, ifVersion }), unchanged),
    effects: [{ sql: DELETE, args: { ...entry, nonce, now: now.toISOString(), agent: agent ?? null } }],
    reads: [
      {
        sql: `SELECT ${REVISION} AS revision, ${unchanged.sql} AS unmoved FROM rooms WHERE id = :room`,
        args: { room, ...unchanged.args },
        kept: { columns: ["revision", "unmoved"] },
      },
      { sql: GET_LIVE, args: entry },
    ],
    heartbeat: { agent, now },
    granted: isVersion(ifVersion, 0)
      ? {
        sql:
          `NOT EXISTS (${GET_LIVE}) AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${unchanged.sql})`,
        args: { ...entry, ...unchanged.args },
      }
      : undefined,
  });
  if (revision !== undefined) return { deleted: true, revision };
  const reached = revisionOf(rooms!);
  if (isBusyFor(rows![0]?.value)) await yieldToOthers();
  const current = rows!.length === 0 ? null : toEntry(rows![0]!);
  if (!rooms![0]!.unmoved) return undefined;
  if (current === null && isVersion(ifVersion, 0)) return { deleted: false, revision: reached };
  throw versionConflict(entry, ifVersion!, current, reached);
}
