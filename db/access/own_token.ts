import { OPERATOR, type Viewer } from "../viewer.ts";
import { inForce } from "./token.ts";

/** Selects a column of the viewer's own token, by `:own_hash`; null where it has none in force in `:room`. */
export const OWN = (column: string) =>
  `(SELECT own.${column} FROM tokens AS own
    WHERE own.hash = :own_hash AND own.room_id = :room AND ${inForce("own")})`;

/** The viewer's role in the room, null without a token. The operator is an admin of every room. */
export const OWN_ROLE = `(CASE :own_hash WHEN '${OPERATOR}' THEN 'admin' ELSE ${OWN("role")} END)`;

export const IS_ADMIN = `(${OWN_ROLE} IS 'admin')`;

/** Makes the argument of these conditions. */
export function ownHashOf({ token }: Viewer): { own_hash: string | null } {
  return { own_hash: token?.hash ?? null };
}
