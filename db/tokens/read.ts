import { IS_ADMIN, OWN, ownHashOf } from "../access/own_token.ts";
import { IN_FORCE } from "../access/token.ts";
import type { Database } from "../database.ts";
import { THERE } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { SERVICE, type ShownToken, type Viewer } from "../viewer.ts";
import { madeBy, SHOWN_TOKEN, type Token, toToken } from "./token.ts";

const LIST = `
  SELECT ${SHOWN_TOKEN} FROM tokens
   WHERE room_id = :room AND ${IN_FORCE} AND (${IS_ADMIN} OR id IN (${madeBy(OWN("id"))}))
   ORDER BY created_at, id`;

/**
 * Lists the tokens in force, oldest first: to an admin all, to others their own and those that it made.
 * Errors: `room_not_found`, `unauthenticated`.
 */
export async function listTokens(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ tokens: Token[]; revision: number }> {
  const [rooms, rows] = await database.read(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: LIST, args: { room, ...ownHashOf(viewer) } },
  ]);
  return { tokens: rows!.map(toToken), revision: revisionOf(rooms!) };
}

const REVOKED = `
  SELECT asked.value ->> 0 AS hash, asked.value ->> 1 AS room,
         EXISTS (SELECT 1 FROM rooms WHERE id = asked.value ->> 1 AND ${THERE}) AS is_there
    FROM json_each(:tokens) AS asked
   WHERE NOT EXISTS (
     SELECT 1 FROM tokens
      WHERE tokens.hash = asked.value ->> 0 AND tokens.room_id = asked.value ->> 1 AND ${IN_FORCE})`;

/** Returns which of these tokens are not in force any more. `isThere`: whether its room still is. */
export async function findRevoked(
  database: Database,
  shown: ShownToken[],
): Promise<Array<ShownToken & { isThere: boolean }>> {
  if (shown.length === 0) return [];
  const tokens = JSON.stringify(shown.map(({ hash, room }) => [hash, room]));
  const [rows] = await database.read(SERVICE, [{ sql: REVOKED, args: { tokens } }]);
  return rows!.map(({ hash, room, is_there }) => ({
    hash: hash as string,
    room: room as string,
    isThere: Boolean(is_there),
  }));
}

const IS_IN_FORCE = `SELECT 1 FROM tokens WHERE hash = :hash AND ${IN_FORCE}`;

/** Whether a token is in force in any room. */
export async function isInForce(database: Database, hash: string): Promise<boolean> {
  const [rows] = await database.read(SERVICE, [{ sql: IS_IN_FORCE, args: { hash }, single: true }]);
  return rows!.length > 0;
}
