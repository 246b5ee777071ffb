import { AS_NONE } from "../access/acts.ts";
import { FORGET_EXPIRED, INSERT_TOKEN, type NewToken, newToken, TOKENS_LEFT } from "../access/make_token.ts";
import { OWN, OWN_ROLE, ownHashOf } from "../access/own_token.ts";
import { learnToken } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_ACCESS, SERVED } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import type { Viewer } from "../viewer.ts";
import type { Operation, Step } from "../write/context.ts";
import { commitOnce } from "../write/commit_once.ts";
import { SHOWN, SHOWN_TOKEN, type Token, toToken } from "./token.ts";

/** A request for a token. */
export interface TokenRequest {
  role: Role;
  /** The agent to which it is bound, and which it makes secure. */
  agent?: string;
  /** Seconds until it expires; by default as late as the token that makes it. */
  ttl?: number;
  note?: string;
}

/** True where the viewer may make such a token: an admin any, a member narrower ones bound to its own agent. */
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
  const made = newToken(room, request.role, database);
  return {
    acts: AS_NONE,
    async run(context) {
      const now = await context.time();
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: stepsOf({ room, request, made, now, max, viewer: context.viewer }),
        refused: { sql: `NOT ${IS_MADE}`, args: { room, hash: made.hash } },
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      const [row] = outcome.rows[1]!;
      if (row === undefined) throw refusalOf(rows, max);
      if (!outcome.replayed) {
        const agent = row.agent_id as string | null;
        learnToken(made.hash, {
          id: made.id,
          room,
          role: request.role,
          agent,
          ends: row.expires_at !== null,
        });
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

function stepsOf({ room, request, made, now, max, viewer }: {
  room: string;
  request: TokenRequest;
  made: NewToken;
  now: Date;
  max: number;
  viewer: Viewer;
}): Step[] {
  const { role, agent = null, ttl, note = null } = request;
  const asked = { room, ...ownHashOf(viewer), role, agent };
  const secured = { room, agent, hash: made.hash };
  const token = {
    ...asked,
    token_id: made.id,
    hash: made.hash,
    note,
    now: now.toISOString(),
    expires_at: ttl === undefined ? null : now.getTime() + 1_000 * ttl,
    max_tokens: max,
  };
  return [
    { sql: ROOM_REVISION, args: { room }, answer: { columns: ["revision"] } },
    { sql: WHY_NOT, args: asked, single: true },
    { sql: FORGET_EXPIRED, args: { room } },
    { sql: MAKE, args: token },
    { sql: GUARD, args: { room, hash: made.hash } },
    { sql: SECURE, args: secured },
    { sql: SHOW_SECURE, args: secured },
    { sql: GET_MADE, args: { room, hash: made.hash }, answer: { columns: SHOWN } },
  ];
}

/** Explains a refusal by the first rows of `stepsOf`. */
function refusalOf([rooms, reasons]: Row[][], max: number): Refusal {
  const revision = revisionOf(rooms!);
  const { may, own_role } = reasons![0]!;
  if (may) return new Refusal("limit_reached", { of: "tokens", max }, revision);
  return new Refusal("forbidden", { may: own_role === "reader" ? "read" : "narrower" });
}
