import { IS_ADMIN, OWN, ownHashOf } from "../access/own_token.ts";
import type { Database } from "../database.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { madeBy } from "../tokens/token.ts";
import type { Viewer } from "../viewer.ts";
import { type Invite, INVITE_IN_FORCE, SHOWN_INVITE, toInvite } from "./invite.ts";

const LIST = `
  SELECT ${SHOWN_INVITE} FROM invites
   WHERE room_id = :room AND ${INVITE_IN_FORCE} AND (${IS_ADMIN} OR made_by IN (${madeBy(OWN("id"))}))
   ORDER BY created_at, id`;

/**
 * Lists the invitations in force, oldest first: to an admin all, to others those that their tokens made.
 * Errors: `room_not_found`, `unauthenticated`.
 */
export async function listInvites(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ invites: Invite[]; revision: number }> {
  const [rooms, rows] = await database.read(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: LIST, args: { room, ...ownHashOf(viewer) } },
  ]);
  return { invites: rows!.map(toInvite), revision: revisionOf(rooms!) };
}
