import { IS_ADMIN } from "../access/own_token.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { IS_SERVED } from "../rooms/room.ts";
import { revocation } from "../tokens/revoke.ts";
import type { Operation } from "../write/context.ts";
import { INVITE_IN_FORCE } from "./invite.ts";

const IS_THERE = `EXISTS (SELECT 1 FROM invites WHERE room_id = :room AND id = :id AND ${INVITE_IN_FORCE})`;
const FOUND = `SELECT ${IS_THERE} AS is_there, ${IS_ADMIN} AS may FROM rooms WHERE id = :room`;
const ASKED = ["is_there", "may"];
const REVOKE = `
  DELETE FROM invites
   WHERE room_id = :room AND id = :id AND ${IS_SERVED} AND ${IS_ADMIN}`;

/**
 * Revokes an invitation. Tokens that it made stay in force.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `invite_not_found`.
 */
export function revokeInvite(database: Database, room: string, id: string): Operation<{ revision: number }> {
  return revocation(
    database,
    { room, id },
    { found: FOUND, asked: ASKED, revoke: REVOKE },
    (asked, revision) => {
      if (!asked.may) throw new Refusal("forbidden", { may: "write" });
      if (!asked.is_there) throw new Refusal("invite_not_found", { id }, revision);
    },
  );
}
