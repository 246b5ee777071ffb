import { IN_FORCE } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { BY_OPERATOR, INVITE_COUNTS } from "./invite.ts";
import { SERVED } from "../release.ts";
import { SERVICE } from "../viewer.ts";
import { timeOf } from "../write/due.ts";

/** An invitation as its code shows it, whether it still counts or not. */
export interface FoundInvite {
  /** As it is stored. */
  room: string;
  role: Role;
  /** The agent that it invites; null for one of the joiner's choice. */
  agent: string | null;
  note: string | null;
  uses_left: number;
  expires_at: string;
  counts: boolean;
  /** Whose token made it: its role, and the agent that it is bound to. Null where nobody's did. */
  by: { role: Role; agent: string | null } | null;
  /** The token that an earlier request under the key has made, and the digest of that request. */
  made?: { id: string; agent: string; role: Role; request: string };
}

/** The digests, in hex, of the key of a request and of what it asks for. */
export interface JoinKey {
  key: string;
  request: string;
  /** The key as it was sent. */
  sent: string;
  /** Milliseconds for which it is kept. */
  lifetime: number;
}

const KEY_DIGITS = 64;
/** True of the token of a room that a request under `:key` has made. */
export const madeUnderKey = (room: string) =>
  `(tokens.room_id = ${room} AND substr(tokens.request_key, 1, ${KEY_DIGITS}) = :key
    AND tokens.requested_at > :expired AND ${IN_FORCE})`;

const FIND = `
  SELECT invites.room_id, invites.role, invites.agent_id, invites.note, uses - used AS uses_left,
         ${timeOf("invites.expires_at")} AS expires_at, ${INVITE_COUNTS} AS counts,
         CASE WHEN ${BY_OPERATOR} THEN 'admin' ELSE maker.role END AS by_role, maker.agent_id AS by_agent
    FROM invites JOIN rooms ON rooms.id = invites.room_id AND ${SERVED}
    LEFT JOIN tokens AS maker ON maker.room_id = invites.room_id AND maker.id = invites.made_by
   WHERE invites.hash = :code`;

const FIND_MADE = `
  SELECT tokens.id, tokens.agent_id, tokens.role, substr(request_key, ${KEY_DIGITS} + 1) AS request
    FROM invites JOIN tokens ON ${madeUnderKey("invites.room_id")}
   WHERE invites.hash = :code`;

/** Finds the invitation of a code, by its hash, and what the key has made by it. Undefined where there is none. */
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
  return {
    room: row.room_id as string,
    role: row.role as Role,
    agent: row.agent_id as string | null,
    note: row.note as string | null,
    uses_left: Number(row.uses_left),
    expires_at: row.expires_at as string,
    counts: Boolean(row.counts),
    by: row.by_role === null ? null : { role: row.by_role as Role, agent: row.by_agent as string | null },
    ...token && {
      made: {
        id: token.id as string,
        agent: token.agent_id as string,
        role: token.role as Role,
        request: token.request as string,
      },
    },
  };
}

/** Returns the arguments of `madeUnderKey`. */
export async function keyArgs(database: Database, { key, lifetime }: JoinKey) {
  return { key, expired: (await database.time()).getTime() - lifetime };
}
