import type { Homes } from "../access/private.ts";
import { countLiving, selectLiving } from "../consistent_read/living.ts";
import type { Statement } from "../driver/statement.ts";
import { REVISION } from "../release.ts";
import { DUE } from "../write/due.ts";
import { VIEW_SCOPE } from "./entry.ts";

/** Selects the bytes of a room's views in UTF-8, which SQL and JavaScript count alike. `further`: more conditions. */
export const selectViewBytes = (further = "") =>
  `SELECT COALESCE(SUM(octet_length(expr)), 0) FROM (${
    selectLiving("expr", `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'${further}`)
  })`;

const SCOPE = "(written.value ->> 0)";

/**
 * Selects a row for each key to write: its entry or tombstone, whose columns are null where there is none, with the
 * room's counts and whether the guard of a gate still holds. `private_count`: the keys of its scope, if that is
 * private.
 */
export const selectStored = (homes?: Homes, unchanged = "TRUE", where = "TRUE") => `
  SELECT ${unchanged} AS unchanged, ${REVISION} AS room_revision, ${DUE}, key_count, view_count,
         CASE WHEN ${SCOPE} = '${VIEW_SCOPE}' THEN (${selectViewBytes()}) END AS view_bytes,
         ${homes ? `${privateCount(homes.of(SCOPE))}, ` : ""}entry.*
    FROM rooms
    CROSS JOIN json_each(:keys_written) AS written
    LEFT JOIN state AS entry
      ON entry.room_id = ${
  homes?.of(SCOPE) ?? ":room"
} AND entry.scope = ${SCOPE} AND entry.key = written.value ->> 1
   WHERE rooms.id = :room AND ${where}`;

const privateCount = (home: string) => `
  CASE WHEN ${home} <> :room
    THEN ${countLiving(home)} END AS private_count,
  ${SCOPE} AS written_scope`;

export function storedArgs(
  room: string,
  keys: Array<{ scope: string; key: string }>,
  homes?: Homes,
): Statement["args"] {
  return { ...homes?.args, room, keys_written: JSON.stringify(keys.map(({ scope, key }) => [scope, key])) };
}
