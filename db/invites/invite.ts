import { AS_NONE } from "../access/acts.ts";
import { newCode } from "../access/join_code.ts";
import { isLocked } from "../access/locked.ts";
import { IS_ADMIN, OWN, OWN_ROLE } from "../access/make_token.ts";
import { inForce } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import { UNUSED } from "../agents/register.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { revocation } from "../tokens/revoke.ts";
import { SERVED } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { madeBy } from "../tokens/make.ts";
import { OPERATOR, type Viewer } from "../viewer.ts";
import type { Operation } from "../write/context.ts";
import { timeOf } from "../write/due.ts";
import { commitOnce } from "../write/idempotency.ts";

/** An invitation that counts, without its code. Times are ISO 8601. */
export interface Invite {
  id: string;
  role: Role;
  /** The agent that it invites; null for one of the joiner's choice. */
  agent: string | null;
  uses: number;
  uses_left: number;
  note: string | null;
  created_at: string;
  expires_at: string;
}

/** What an invitation is asked for. */
export interface InviteRequest {
  role: Role;
  agent?: string;
  uses: number;
  /** Seconds. */
  ttl: number;
  note?: string;
}

/** Milliseconds after its end for which a used one is kept, so that a request that joined by it may be sent again. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** True of an invitation that the operator made, whose token is of no room. */
export const BY_OPERATOR = `invites.made_by IS '${OPERATOR}'`;

const MAKER_COUNTS = `(invites.made_by IS NULL OR ${BY_OPERATOR} OR EXISTS (
  SELECT 1 FROM tokens AS maker
   WHERE maker.room_id = invites.room_id AND maker.id = invites.made_by AND ${inForce("maker")}))`;

/** True of the row of an invitation that counts: within its uses and its time, and while its maker's token counts. */
export const INVITE_COUNTS =
  `(invites.used < invites.uses AND invites.expires_at > ${NOW} AND ${MAKER_COUNTS})`;

const SHOWN = ["id", "role", "agent_id", "uses", "used", "note", "created_at", "expires_at"];
const COLUMNS = `id, role, agent_id, uses, used, note, created_at, ${timeOf("expires_at")} AS expires_at`;

const FORGET = `
  DELETE FROM invites
   WHERE room_id = :room AND (expires_at <= ${NOW} - ${KEPT_MS} OR used = 0 AND NOT ${INVITE_COUNTS})`;

/** True of whom an open room lets invite: whoever may write, as members under ids that are new to it. */
const IS_OPEN_INVITE =
  `(NOT :is_locked AND :role = 'member' AND (:own_hash IS NULL OR ${OWN_ROLE} IS 'member'))`;
const MAY_INVITE = `(${IS_ADMIN} OR ${IS_OPEN_INVITE})`;
const MAY_NAME = `(:agent IS NULL OR ${IS_ADMIN} OR ${UNUSED})`;
const INVITES_LEFT =
  `(SELECT COUNT(*) FROM invites WHERE invites.room_id = :room AND ${INVITE_COUNTS}) < :most_invites`;

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
const GET_MADE = `SELECT ${COLUMNS} FROM invites WHERE room_id = :room AND hash = :hash`;

/**
 * Makes an invitation, whose code is shown once: null in a repetition. In an open room anybody invites members under
 * new ids; else an admin does. Leaves the revision alone. Errors: `room_not_found`, `unauthenticated`, `forbidden`,
 * `agent_exists`, `limit_reached`.
 */
export function createInvite(
  database: Database,
  room: string,
  { role, agent, uses, ttl, note }: InviteRequest,
  max: number,
): Operation<{ invite: Invite; code: string | null; revision: number }> {
  const code = newCode(database);
  const asked = { room, role, agent: agent ?? null, is_locked: Number(isLocked(room)) };
  return {
    acts: AS_NONE,
    async run(context) {
      const now = await context.time();
      const own = { ...asked, own_hash: context.viewer.token?.hash ?? null };
      const made = { room, hash: code.hash };
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { sql: ROOM_REVISION, args: { room }, answer: { columns: ["revision"] } },
          { sql: WHY_NOT, args: own, single: true },
          { sql: FORGET, args: { room } },
          {
            sql: MAKE,
            args: {
              ...own,
              ...made,
              id: context.newId(),
              uses,
              note: note ?? null,
              now: now.toISOString(),
              expires_at: now.getTime() + 1_000 * ttl,
              most_invites: max,
            },
          },
          { sql: GET_MADE, args: made, answer: { columns: SHOWN } },
        ],
        refused: { sql: `NOT ${IS_MADE}`, args: made },
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      if (outcome.rows[1]!.length > 0) return outcome;
      const revision = revisionOf(rows[0]!);
      const { may, may_name, own_role } = rows[1]![0]!;
      if (!may) throw new Refusal(own_role === null ? "unauthenticated" : "forbidden", { may: "invite" });
      if (!may_name) throw new Refusal("agent_exists", { agent: agent!, used: true }, revision);
      throw new Refusal("limit_reached", { of: "invitations", max }, revision);
    },
    answer: ({ replayed, rows: [rooms, invites] }) => ({
      invite: toInvite(invites![0]!),
      code: replayed ? null : code.text,
      revision: revisionOf(rooms!),
    }),
  };
}

const LIST = `
  SELECT ${COLUMNS} FROM invites
   WHERE room_id = :room AND ${INVITE_COUNTS} AND (${IS_ADMIN} OR made_by IN (${madeBy(OWN("id"))}))
   ORDER BY created_at, id`;

/** Lists the invitations that count: to others than admins those that it made. Errors: `room_not_found`. */
export async function listInvites(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ invites: Invite[]; revision: number }> {
  const [rooms, rows] = await database.read(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: LIST, args: { room, own_hash: viewer.token?.hash ?? null } },
  ]);
  return { invites: rows!.map(toInvite), revision: revisionOf(rooms!) };
}

const IS_THERE = `EXISTS (SELECT 1 FROM invites WHERE room_id = :room AND id = :id AND ${INVITE_COUNTS})`;
const FOUND = `SELECT ${IS_THERE} AS is_there, ${IS_ADMIN} AS may FROM rooms WHERE id = :room`;
/** What must be true of it, before the write. */
const ASKED = ["is_there", "may"];
const REVOKE = `
  DELETE FROM invites
   WHERE room_id = :room AND id = :id AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED}) AND ${IS_ADMIN}`;

/**
 * Revokes an invitation; the tokens that came of it stay. Errors: `room_not_found`, `unauthenticated`, `forbidden`,
 * `invite_not_found`.
 */
export function revokeInvite(database: Database, room: string, id: string): Operation<{ revision: number }> {
  return revocation(
    database,
    { room, id },
    { found: FOUND, asked: ASKED, revoke: REVOKE },
    (asked, revision) => {
      if (!asked.may) throw new Refusal("forbidden", { may: "write" });
      if (!asked.is_there) throw new Refusal("invite_not_found", {}, revision);
    },
  );
}

function toInvite(row: Row): Invite {
  const [uses, used] = [Number(row.uses), Number(row.used)];
  return {
    id: row.id as string,
    role: row.role as Role,
    agent: row.agent_id as string | null,
    uses,
    uses_left: uses - used,
    note: row.note as string | null,
    created_at: row.created_at as string,
    expires_at: row.expires_at as string,
  };
}
