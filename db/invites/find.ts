import { IN_FORCE } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import type { Database } from "../database.ts";
import { NOW } from "../clock.ts";
import type { Row } from "../driver/statement.ts";
import { REVISION, THERE } from "../release.ts";
import { SERVICE } from "../viewer.ts";
import { timeOf } from "../write/due.ts";
import { BY_OPERATOR, type Invite, INVITE_IN_FORCE } from "./invite.ts";

/** An invitation as its code shows it, in force or not. */
export interface FoundInvite extends Pick<Invite, "role" | "agent" | "note" | "uses_left" | "expires_at"> {
  /** The stored id of its room. */
  room: string;
  /** That of the room, for `served`. */
  revision: unknown;
  inForce: boolean;
  /** When it was read. */
  now: string;
  /** The role of its maker's token and the agent to which that is bound; null where it was made without a token. */
  by: { role: Role; agent: string | null } | null;
  /** The token that an earlier request under the key has made, and the digest of that request. */
  made?: { id: string; agent: string; role: Role; request: string };
}

/** The idempotency key of a request to join. */
export interface JoinKey {
  /** The digest of the key, in hex. */
  key: string;
  /** The digest of what the request asks for, in hex. */
  request: string;
  /** Milliseconds for which it is kept. */
  lifetime: number;
}

/** Digits of the digest of a key, with which the column `request_key` begins; the digest of the request follows. */
const KEY_DIGITS = 64;

/** True of a token of `room` that a request under `:key` has made. */
export const madeUnderKey = (room: string) =>
  `(tokens.room_id = ${room} AND substr(tokens.request_key, 1, ${KEY_DIGITS}) = :key
    AND tokens.requested_at > :expired AND ${IN_FORCE})`;

const FIND = `
  SELECT invites.room_id AS room, ${REVISION} AS revision, invites.role, invites.agent_id AS agent, invites.note,
         uses - used AS uses_left,
         ${timeOf("invites.expires_at")} AS expires_at, ${INVITE_IN_FORCE} AS in_force, ${timeOf(NOW)} AS now,
         CASE WHEN ${BY_OPERATOR} THEN 'admin' ELSE maker.role END AS by_role, maker.agent_id AS by_agent
    FROM invites JOIN rooms ON rooms.id = invites.room_id AND ${THERE}
    LEFT JOIN tokens AS maker ON maker.room_id = invites.room_id AND maker.id = invites.made_by
   WHERE invites.hash = :code`;

const FIND_MADE = `
  SELECT tokens.id, tokens.agent_id AS agent, tokens.role, substr(request_key, ${KEY_DIGITS} + 1) AS request
    FROM invites JOIN tokens ON ${madeUnderKey("invites.room_id")}
   WHERE invites.hash = :code`;

/**
 * Finds an invitation, in force or not, and the token that a request under the key has made by it; undefined where
 * there is none. `code`: the hash of its code.
 */
export async function findInvite(
  database: Database,
  code: string,
  key?: JoinKey,
): Promise<FoundInvite | undefined> {
  const made = key && { sql: FIND_MADE, args: { code, ...await keyArgs(database, key) } };
  const [[row], [token] = []] = await database.read(SERVICE, [
    { sql: FIND, args: { code } },
    ...made ? [made] : [],
  ]) as [Row[], Row[]?];
  if (row === undefined) return undefined;
  const { in_force, by_role: role, by_agent: agent, ...found } = row;
  const by = role === null ? null : { role, agent };
  return { ...found, inForce: Boolean(in_force), by, made: token } as unknown as FoundInvite;
}

/** Makes the arguments of `madeUnderKey`. */
export async function keyArgs(
  database: Database,
  { key, lifetime }: JoinKey,
): Promise<{ key: string; expired: number }> {
  return { key, expired: (await database.time()).getTime() - lifetime };
}
