import { AS_NONE } from "../access/acts.ts";
import {
  FORGET_EXPIRED,
  INSERT_TOKEN,
  newToken,
  OWN,
  OWN_ROLE,
  RELEASE_OF_ACCESS,
  TOKENS_LEFT,
} from "../access/make_token.ts";
import { IN_FORCE, learnToken } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { revocation } from "./revoke.ts";
import { SERVED, THERE } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { SERVICE, type ShownToken, type Viewer } from "../viewer.ts";
import type { Operation } from "../write/context.ts";
import { timeOf } from "../write/due.ts";
import { commitOnce } from "../write/idempotency.ts";

/** A token in force, without its text. Times are ISO 8601. */
export interface Token {
  id: string;
  role: Role;
  /** The agent that it is bound to. */
  agent: string | null;
  note: string | null;
  created_at: string;
  expires_at: string | null;
  /** To the hour; null where it was not used. */
  last_used_at: string | null;
}

/** What a token is asked for. */
export interface TokenRequest {
  role: Role;
  agent?: string;
  /** Seconds. */
  ttl?: number;
  note?: string;
}

const SHOWN = ["id", "role", "agent_id", "note", "created_at", "expires_at", "last_used_at"];
/** Selects the columns that `toToken` reads. */
export const SHOWN_TOKEN = `id, role, agent_id, note, created_at,
  ${timeOf("expires_at")} AS expires_at, ${timeOf("last_used_at")} AS last_used_at`;

/** Selects the ids of a token and of all that it made, directly or not. */
export const madeBy = (root: string) => `
  WITH RECURSIVE made (id) AS (
    SELECT id FROM tokens WHERE room_id = :room AND id = ${root}
     UNION
    SELECT tokens.id FROM made CROSS JOIN tokens ON tokens.room_id = :room AND tokens.made_by = made.id)
  SELECT id FROM made`;

/** True of what the viewer's token may make: an admin's any, a member's narrower ones of its own agent. */
const MAY_MAKE = `(${OWN_ROLE} = 'admin' OR ${OWN_ROLE} = 'member' AND CASE :role
  WHEN 'member' THEN :agent = ${OWN("agent_id")}
  WHEN 'reader' THEN :agent IS NULL OR :agent = ${OWN("agent_id")}
  ELSE FALSE END)`;

const MAKE = `
  ${INSERT_TOKEN} FROM rooms
   WHERE rooms.id = :room AND ${SERVED} AND COALESCE(${MAY_MAKE}, FALSE) AND ${TOKENS_LEFT}`;

const IS_MADE = `EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND hash = :hash)`;
const SECURE = `
  INSERT INTO secured (room_id, agent_id) SELECT :room, :agent WHERE :agent IS NOT NULL AND ${IS_MADE}
  ON CONFLICT DO NOTHING`;
const SHOW_SECURE = `UPDATE agents SET secure = 1 WHERE room_id = :room AND id = :agent AND ${IS_MADE}`;
/** A room with a token judges who acts in it, from the first one on. */
const GUARD = `
  UPDATE rooms SET guarded = 1, requires = MAX(requires, ${RELEASE_OF_ACCESS})
   WHERE id = :room AND NOT guarded AND ${IS_MADE}`;
const GET_MADE = `SELECT ${SHOWN_TOKEN} FROM tokens WHERE room_id = :room AND hash = :hash`;
const WHY_NOT = `
  SELECT COALESCE(${MAY_MAKE}, FALSE) AS may, ${OWN_ROLE} AS own_role FROM rooms WHERE id = :room`;

/**
 * Makes a token of a room, whose text is shown once: null in a repetition. With an agent it is bound to it, which makes
 * that secure. Leaves the revision alone. Errors: `room_not_found`, `unauthenticated`, `forbidden`, `limit_reached`.
 */
export function createToken(
  database: Database,
  room: string,
  { role, agent, ttl, note }: TokenRequest,
  max: number,
): Operation<{ token: Token; text: string | null; revision: number }> {
  const made = newToken(room, role, database);
  return {
    acts: AS_NONE,
    async run(context) {
      const now = await context.time();
      const own = { room, own_hash: context.viewer.token?.hash ?? null };
      const asked = { role, agent: agent ?? null };
      const secured = { room, agent: agent ?? null, hash: made.hash };
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { sql: ROOM_REVISION, args: { room }, answer: { columns: ["revision"] } },
          { sql: WHY_NOT, args: { ...own, ...asked }, single: true },
          { sql: FORGET_EXPIRED, args: { room } },
          {
            sql: MAKE,
            args: {
              ...own,
              ...asked,
              token_id: made.id,
              hash: made.hash,
              note: note ?? null,
              now: now.toISOString(),
              expires_at: ttl === undefined ? null : now.getTime() + 1_000 * ttl,
              most_tokens: max,
            },
          },
          { sql: GUARD, args: { room, hash: made.hash } },
          { sql: SECURE, args: secured },
          { sql: SHOW_SECURE, args: secured },
          { sql: GET_MADE, args: { room, hash: made.hash }, answer: { columns: SHOWN } },
        ],
        refused: { sql: `NOT ${IS_MADE}`, args: { room, hash: made.hash } },
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      const [row] = outcome.rows[1]!;
      if (row && !outcome.replayed) {
        learnToken(made.hash, {
          id: made.id,
          room,
          role,
          agent: row.agent_id as string | null,
          ends: row.expires_at !== null,
        });
      }
      if (row) return outcome;
      const revision = revisionOf(rows[0]!);
      const [why] = rows[1]!;
      if (why!.may) throw new Refusal("limit_reached", { of: "tokens", max }, revision);
      if (why!.own_role === "reader") throw new Refusal("forbidden", { may: "read" });
      throw new Refusal("forbidden", { may: "narrower" });
    },
    answer: ({ replayed, rows: [rooms, tokens] }) => ({
      token: toToken(tokens![0]!),
      text: replayed ? null : made.text,
      revision: revisionOf(rooms!),
    }),
  };
}

const REVOKED = `
  SELECT asked.value ->> 0 AS hash, asked.value ->> 1 AS room,
         EXISTS (SELECT 1 FROM rooms WHERE id = asked.value ->> 1 AND ${THERE}) AS is_there
    FROM json_each(:tokens) AS asked
   WHERE NOT EXISTS (
     SELECT 1 FROM tokens
      WHERE tokens.hash = asked.value ->> 0 AND tokens.room_id = asked.value ->> 1 AND ${IN_FORCE})`;

/** Returns which of these tokens are not in force, and whether their rooms are there. */
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

const LIST = `
  SELECT ${SHOWN_TOKEN} FROM tokens
   WHERE room_id = :room AND ${IN_FORCE} AND (${OWN_ROLE} = 'admin' OR id IN (${madeBy(OWN("id"))}))
   ORDER BY created_at, id`;

/** Lists the tokens in force: to others than admins their own and those that it made. Errors: `room_not_found`. */
export async function listTokens(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ tokens: Token[]; revision: number }> {
  const own = { room, own_hash: viewer.token!.hash };
  const [rooms, rows] = await database.read(viewer, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: LIST, args: own },
  ]);
  return { tokens: rows!.map(toToken), revision: revisionOf(rooms!) };
}

/** True of a token that the viewer may revoke: an admin any, others what they made, and themselves. */
const MAY_REVOKE = `(${OWN_ROLE} = 'admin' OR :id IN (${madeBy(OWN("id"))}))`;
const IS_THERE = `EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND id = :id AND ${IN_FORCE})`;
/** True where a room keeps an admin's token without an end, or had none. */
const KEEPS_ADMIN = `(
  NOT EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND role = 'admin' AND expires_at IS NULL
    AND id IN (${madeBy(":id")}))
  OR EXISTS (SELECT 1 FROM tokens WHERE room_id = :room AND role = 'admin' AND expires_at IS NULL
    AND id NOT IN (${madeBy(":id")})))`;

const REVOKE = `
  DELETE FROM tokens
   WHERE room_id = :room AND id IN (${madeBy(":id")})
     AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED}) AND ${MAY_REVOKE} AND ${KEEPS_ADMIN}`;

const FOUND = `
  SELECT ${IS_THERE} AS is_there, ${MAY_REVOKE} AS may, ${KEEPS_ADMIN} AS keeps FROM rooms WHERE id = :room`;
/** What must be true of it, before the write. */
const ASKED = ["is_there", "may", "keeps"];

/**
 * Revokes a token and all that it made, from this moment on. Errors: `room_not_found`, `unauthenticated`, `forbidden`,
 * `token_not_found`, `limit_reached` for the last admin's without an end.
 */
export function revokeToken(database: Database, room: string, id: string): Operation<{ revision: number }> {
  return revocation(
    database,
    { room, id },
    { found: FOUND, asked: ASKED, revoke: REVOKE },
    (asked, revision) => {
      // Whether there is another's token, only admins learn.
      if (!asked.is_there || !asked.may) throw new Refusal("token_not_found", { id }, revision);
      if (!asked.keeps) throw new Refusal("limit_reached", { of: "last_admin", max: 1 }, revision);
    },
  );
}

export function toToken(row: Row): Token {
  return {
    id: row.id as string,
    role: row.role as Role,
    agent: row.agent_id as string | null,
    note: row.note as string | null,
    created_at: row.created_at as string,
    expires_at: row.expires_at as string | null,
    last_used_at: laterOf(row.last_used_at as string | null, row.created_at as string),
  };
}

/** The use of a token is noted to the hour, which may have begun before it was made. */
function laterOf(used: string | null, created: string): string | null {
  return used !== null && used < created ? created : used;
}
