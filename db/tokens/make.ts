import { AS_NONE } from "../access/acts.ts";
import { FORGET_EXPIRED, INSERT_TOKEN, newToken, TOKENS_LEFT } from "../access/make_token.ts";
import { IS_ADMIN, OWN, OWN_ROLE, ownHashOf } from "../access/own_token.ts";
import { learnToken } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import type { Database } from "../database.ts";
import { type Row, statementOf } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_ACCESS, SERVED } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import type { Operation, Step } from "../write/context.ts";
import { commitOnce } from "../write/commit_once.ts";
import { SHOWN, SHOWN_TOKEN, type Token, toToken } from "./token.ts";

export interface TokenRequest {
  role: Role;
  /** The agent to which it is bound, and which it makes secure. */
  agent?: string;
  /** Seconds until it expires; by default as late as the token that makes it. */
  ttl?: number;
  note?: string;
}

/** True where the viewer may make such a token: an admin any, a member narrower ones bound to its own agent. */
const MAY_MAKE = `(${IS_ADMIN} OR ${OWN_ROLE} = 'member' AND CASE :role
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
/** Makes the room guarded with its first token: from then on each write is judged by whom it acts as. */
const GUARD = `
  UPDATE rooms SET guarded = 1, requires = MAX(requires, ${RELEASE_OF_ACCESS})
   WHERE id = :room AND NOT guarded AND ${IS_MADE}`;
const GET_MADE = `SELECT ${SHOWN_TOKEN} FROM tokens WHERE room_id = :room AND hash = :hash`;
const WHY_NOT = `
  SELECT COALESCE(${MAY_MAKE}, FALSE) AS may, ${OWN_ROLE} AS own_role FROM rooms WHERE id = :room`;

/**
 * Makes a token of a room. `text` is shown once: it is null in a repetition under an idempotency key. `max`: the tokens
 * that a room may have. The room's revision stays as it is.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `limit_reached`.
 */
export function createToken(
  database: Database,
  room: string,
  request: TokenRequest,
  max: number,
): Operation<{ token: Token; text: string | null; revision: number }> {
  const { role, agent = null, ttl, note = null } = request;
  const made = newToken(room, role, database);
  return {
    acts: AS_NONE,
    async run(context) {
      const now = await context.time();
      const args = {
        room,
        role,
        agent,
        note,
        token_id: made.id,
        hash: made.hash,
        max_tokens: max,
        ...ownHashOf(context.viewer),
        now: now.toISOString(),
        expires_at: ttl === undefined ? null : now.getTime() + 1_000 * ttl,
      };
      const step = (sql: string): Step => statementOf(sql, args);
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { ...step(ROOM_REVISION), answer: { columns: ["revision"] } },
          { ...step(WHY_NOT), single: true },
          ...[FORGET_EXPIRED, MAKE, GUARD, SECURE, SHOW_SECURE].map(step),
          { ...step(GET_MADE), answer: { columns: SHOWN } },
        ],
        refused: step(`NOT ${IS_MADE}`),
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      const [row] = outcome.rows[1]!;
      if (row === undefined) throw refusalOf(rows, max);
      if (!outcome.replayed) {
        const { id, agent, expires_at } = toToken(row);
        learnToken(made.hash, { id, room, role, agent, ends: expires_at !== null });
      }
      return outcome;
    },
    answer: ({ replayed, rows: [rooms, tokens] }) => ({
      token: toToken(tokens![0]!),
      text: replayed ? null : made.text,
      revision: revisionOf(rooms!),
    }),
  };
}

/** Explains a refusal by the first rows of the steps. */
function refusalOf([rooms, reasons]: Row[][], max: number): Refusal {
  const revision = revisionOf(rooms!);
  const { may, own_role } = reasons![0]!;
  if (may) return new Refusal("limit_reached", { of: "tokens", max }, revision);
  return new Refusal("forbidden", { may: own_role === "reader" ? "read" : "narrower" });
}
