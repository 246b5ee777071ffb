import { AS_NONE } from "../access/acts.ts";
import { newCode } from "../access/join_code.ts";
import { isLocked } from "../access/locked.ts";
import { IS_ADMIN, OWN, OWN_ROLE, ownHashOf } from "../access/own_token.ts";
import type { Role } from "../access/token_text.ts";
import { UNUSED } from "../agents/register_sql.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import { type Row, statementOf } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { SERVED } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { OPERATOR } from "../viewer.ts";
import type { Operation, Step } from "../write/context.ts";
import { commitOnce } from "../write/commit_once.ts";
import { type Invite, INVITE_IN_FORCE, SHOWN, SHOWN_INVITE, toInvite } from "./invite.ts";

export interface InviteRequest {
  role: Role;
  /** The agent that it invites; by default whoever joins chooses an id. */
  agent?: string;
  uses: number;
  /** Seconds until it expires, or sooner, with the token that makes it. */
  ttl: number;
  note?: string;
}

/** Used invitations that do not count, of which a room keeps the latest: each that is made passes all of them. */
const KEPT = 1_000;

const FORGET = `
  DELETE FROM invites
   WHERE room_id = :room AND (expires_at <= ${NOW} - :lifetime OR used = 0 AND NOT ${INVITE_IN_FORCE}
     OR rowid IN (SELECT rowid FROM invites WHERE room_id = :room AND NOT ${INVITE_IN_FORCE}
       ORDER BY rowid DESC LIMIT ${KEPT} OFFSET ${KEPT}))`;

/**
 * True where the room is open and the viewer may write in it: it may invite members, under ids that nobody has used.
 */
const IS_OPEN_INVITE =
  `(NOT :is_locked AND :role = 'member' AND (:own_hash IS NULL OR ${OWN_ROLE} IS 'member'))`;
const MAY_INVITE = `(${IS_ADMIN} OR ${IS_OPEN_INVITE})`;
const MAY_NAME = `(:agent IS NULL OR ${IS_ADMIN} OR ${UNUSED})`;
const INVITES_LEFT =
  `(SELECT COUNT(*) FROM invites WHERE invites.room_id = :room AND ${INVITE_IN_FORCE}) < :max_invites`;

const MAKE = `
  INSERT INTO invites (room_id, id, hash, role, agent_id, uses, note, created_at, expires_at, made_by)
  SELECT :room, :id, :hash, :role, :agent, :uses, :note, :now,
         MIN(:expires_at, COALESCE(${OWN("expires_at")}, :expires_at)),
         CASE :own_hash WHEN '${OPERATOR}' THEN '${OPERATOR}' ELSE ${OWN("id")} END
    FROM rooms
   WHERE rooms.id = :room AND ${SERVED} AND ${MAY_INVITE} AND ${MAY_NAME} AND ${INVITES_LEFT}`;

const WHY_NOT = `
  SELECT ${MAY_INVITE} AS may, ${MAY_NAME} AS may_name, ${OWN_ROLE} AS own_role FROM rooms WHERE id = :room`;
const IS_MADE = `EXISTS (SELECT 1 FROM invites WHERE room_id = :room AND hash = :hash)`;
const GET_MADE = `SELECT ${SHOWN_INVITE} FROM invites WHERE room_id = :room AND hash = :hash`;

/**
 * Makes an invitation. `code` is shown once: it is null in a repetition under an idempotency key. In an open room
 * anybody who may write invites members under new ids; all else is for admins. `max`: the invitations in force that a
 * room may have; `lifetime`: milliseconds for which a request that joins may be repeated, also by a used invitation that
 * has expired. The room's revision stays as it is.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `agent_exists`, `limit_reached`.
 */
export function createInvite(
  database: Database,
  room: string,
  request: InviteRequest,
  { max, lifetime }: { max: number; lifetime: number },
): Operation<{ invite: Invite; code: string | null; revision: number }> {
  const { role, agent = null, uses, ttl, note = null } = request;
  const code = newCode(database);
  return {
    acts: AS_NONE,
    async run(context) {
      const [now, id] = [await context.time(), context.newId()];
      const args = {
        room,
        id,
        hash: code.hash,
        role,
        agent,
        uses,
        note,
        max_invites: max,
        lifetime,
        ...ownHashOf(context.viewer),
        is_locked: Number(isLocked(room)),
        now: now.toISOString(),
        expires_at: now.getTime() + 1_000 * ttl,
      };
      const step = (sql: string): Step => statementOf(sql, args);
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { ...step(ROOM_REVISION), answer: { columns: ["revision"] } },
          { ...step(WHY_NOT), single: true },
          step(FORGET),
          step(MAKE),
          { ...step(GET_MADE), answer: { columns: SHOWN } },
        ],
        refused: step(`NOT ${IS_MADE}`),
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      if (outcome.rows[1]!.length === 0) throw refusalOf(rows, agent, max);
      return outcome;
    },
    answer: ({ replayed, rows: [rooms, invites] }) => ({
      invite: toInvite(invites![0]!),
      code: replayed ? null : code.text,
      revision: revisionOf(rooms!),
    }),
  };
}

/** Explains a refusal by the first rows of the steps. */
function refusalOf([rooms, reasons]: Row[][], agent: string | null, max: number): Refusal {
  const revision = revisionOf(rooms!);
  const { may, may_name, own_role } = reasons![0]!;
  if (!may) return new Refusal(own_role === null ? "unauthenticated" : "forbidden", { may: "invite" });
  if (!may_name) return new Refusal("agent_exists", { agent: agent!, used: true }, revision);
  return new Refusal("limit_reached", { of: "invitations", max }, revision);
}
