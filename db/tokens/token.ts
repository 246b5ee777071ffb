import type { Role } from "../access/token_text.ts";
import type { Row } from "../driver/statement.ts";
import { timeOf } from "../write/due.ts";

/** A token in force, without its text. Times are ISO 8601. */
export interface Token {
  id: string;
  role: Role;
  /** The agent that it is bound to; null where it is bound to none. */
  agent: string | null;
  note: string | null;
  created_at: string;
  /** Null where it has no end. */
  expires_at: string | null;
  /** The beginning of the last hour in which it was used; null where it was never used. */
  last_used_at: string | null;
}

/** The columns that `toToken` reads, and their SQL. */
export const SHOWN = ["id", "role", "agent_id", "note", "created_at", "expires_at", "last_used_at"];
export const SHOWN_TOKEN = `id, role, agent_id, note, created_at,
  ${timeOf("expires_at")} AS expires_at, ${timeOf("last_used_at")} AS last_used_at`;

/** Selects the ids of a token and of all that it made, directly or not. `root`: its id, in SQL. */
export const madeBy = (root: string) => `
  WITH RECURSIVE made (id) AS (
    SELECT id FROM tokens WHERE room_id = :room AND id = ${root}
     UNION
    SELECT tokens.id FROM made CROSS JOIN tokens ON tokens.room_id = :room AND tokens.made_by = made.id)
  SELECT id FROM made`;

/** Makes a token of a row with `SHOWN_TOKEN`. */
export function toToken({ agent_id: agent, ...shown }: Row): Token {
  return { ...shown, agent } as unknown as Token;
}
