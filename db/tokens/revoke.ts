import { AS_NONE } from "../access/acts.ts";
import { IS_ADMIN, OWN, ownHashOf } from "../access/own_token.ts";
import { IN_FORCE } from "../access/token.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { IS_SERVED, revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import type { Operation } from "../write/context.ts";
import { commitOnce, deniedBy } from "../write/commit_once.ts";
import { madeBy } from "./token.ts";

/** The SQL of a revocation, over `:room`, `:id` and `:own_hash` (db/access/own_token.ts). */
interface RevocationSql {
  /** Selects the columns `asked`, all of which must be true, before anything is revoked. */
  found: string;
  asked: string[];
  /** Revokes the thing; nothing where one of `asked` is false. */
  revoke: string;
}

/**
 * Revokes a token or an invitation of a room by its id. `check` throws the refusal of a row of `found` in which a
 * column is false. The room's revision stays as it is. Errors: `room_not_found`, those of `check`.
 */
export function revocation(
  database: Database,
  thing: { room: string; id: string },
  { found, asked, revoke }: RevocationSql,
  check: (asked: Row, revision: number) => void,
): Operation<{ revision: number }> {
  return {
    acts: AS_NONE,
    async run(context) {
      const args = { ...thing, ...ownHashOf(context.viewer) };
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { sql: ROOM_REVISION, args: { room: thing.room }, answer: { columns: ["revision"] } },
          { sql: found, args, single: true, answer: { columns: asked } },
          { sql: revoke, args },
        ],
        refused: { sql: `NOT ${IS_SERVED} OR ${deniedBy(1, asked)}`, args: { room: thing.room } },
      });
      const outcome = stored ?? { now: await context.time(), revision: undefined, rows: answers };
      if (!outcome.replayed) check(rows[1]![0]!, revisionOf(rows[0]!));
      return outcome;
    },
    answer: ({ rows: [rooms] }) => ({ revision: revisionOf(rooms!) }),
  };
}

/** True of a token that the viewer may revoke: an admin any, others their own and those that it made. */
const MAY_REVOKE = `(${IS_ADMIN} OR :id IN (${madeBy(OWN("id"))}))`;
const IS_THERE = `EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND id = :id AND ${IN_FORCE})`;
/** True where the room keeps an admin's token that does not expire, or had none. */
const KEEPS_ADMIN = `(
  NOT EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND role = 'admin' AND expires_at IS NULL
    AND id IN (${madeBy(":id")}))
  OR EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND role = 'admin' AND expires_at IS NULL
    AND id NOT IN (${madeBy(":id")})))`;

const REVOKE = `
  DELETE FROM tokens
   WHERE room_id = :room AND id IN (${madeBy(":id")})
     AND ${IS_SERVED} AND ${MAY_REVOKE} AND ${KEEPS_ADMIN}`;

const FOUND = `
  SELECT ${IS_THERE} AS is_there, ${MAY_REVOKE} AS may, ${KEEPS_ADMIN} AS keeps FROM rooms WHERE id = :room`;
const ASKED = ["is_there", "may", "keeps"];

/**
 * Revokes a token and all tokens that it made: from the commit on, the database refuses whoever shows one.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `token_not_found`; `limit_reached` for the last admin's
 * token that does not expire.
 */
export function revokeToken(database: Database, room: string, id: string): Operation<{ revision: number }> {
  return revocation(
    database,
    { room, id },
    { found: FOUND, asked: ASKED, revoke: REVOKE },
    (asked, revision) => {
      // Only admins learn whether another's token exists.
      if (!asked.is_there || !asked.may) throw new Refusal("token_not_found", { id }, revision);
      if (!asked.keeps) throw new Refusal("limit_reached", { of: "last_admin", max: 1 }, revision);
    },
  );
}
