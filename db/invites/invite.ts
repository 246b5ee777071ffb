import { inForce } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import { NOW } from "../clock.ts";
import type { Row } from "../driver/statement.ts";
import { OPERATOR } from "../viewer.ts";
import { timeOf } from "../write/due.ts";

/** An invitation in force, without its code. Times are ISO 8601. */
export interface Invite {
  id: string;
  /** The role of the tokens that it makes. */
  role: Role;
  /** The agent that it invites; null where whoever joins chooses an id. */
  agent: string | null;
  uses: number;
  uses_left: number;
  note: string | null;
  created_at: string;
  expires_at: string;
}

/** True of an invitation that the operator made, whose token belongs to no room. */
export const BY_OPERATOR = `invites.made_by IS '${OPERATOR}'`;

const MAKER_IN_FORCE = `(invites.made_by IS NULL OR ${BY_OPERATOR} OR EXISTS (
  SELECT 1 FROM tokens AS maker
   WHERE maker.room_id = invites.room_id AND maker.id = invites.made_by AND ${inForce("maker")}))`;

/** True of the row of an invitation in force: it has uses left, has not expired, and its maker's token is in force. */
export const INVITE_IN_FORCE =
  `(invites.used < invites.uses AND invites.expires_at > ${NOW} AND ${MAKER_IN_FORCE})`;

/** The columns that `toInvite` reads, and their SQL. */
export const SHOWN = ["id", "role", "agent_id", "uses", "used", "note", "created_at", "expires_at"];
export const SHOWN_INVITE = `id, role, agent_id, uses, used, note, created_at, ${
  timeOf("expires_at")
} AS expires_at`;

/** Makes an invitation of a row with `SHOWN_INVITE`. */
export function toInvite({ agent_id: agent, used, ...shown }: Row): Invite {
  return { ...shown, agent, uses_left: Number(shown.uses) - Number(used) } as unknown as Invite;
}
