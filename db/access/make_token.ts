import { OPERATOR } from "../viewer.ts";
import { isLocked } from "./locked.ts";
import { IN_FORCE, inForce } from "./token.ts";
import { hashOf, makeToken, type Role } from "./token_text.ts";

/** The release that judges tokens: older ones would show a room to everybody, and let anybody act as its agents. */
export const RELEASE_OF_ACCESS = 3;

/** A column of the viewer's own token in force; null without one. */
export const OWN = (column: string) =>
  `(SELECT own.${column} FROM tokens AS own
    WHERE own.hash = :own_hash AND own.room_id = :room AND ${inForce("own")})`;

/** The viewer's role in the room, which is the operator's everywhere; null without a token. */
export const OWN_ROLE = `(CASE :own_hash WHEN '${OPERATOR}' THEN 'admin' ELSE ${OWN("role")} END)`;

export const IS_ADMIN = `(${OWN_ROLE} IS 'admin')`;

/** True of a room that may have one more token. */
export const TOKENS_LEFT =
  `(SELECT COUNT(*) FROM tokens WHERE tokens.room_id = :room AND ${IN_FORCE}) < :most_tokens`;

/** Expired ones, whose place another may take. All that they made has expired too. */
export const FORGET_EXPIRED = `DELETE FROM tokens WHERE room_id = :room AND NOT ${IN_FORCE}`;

export const INSERT_TOKEN = `
  INSERT INTO tokens (room_id, id, hash, role, agent_id, note, created_at, expires_at, made_by)
  SELECT :room, :token_id, :hash, :role, :agent, :note, :now,
         CASE WHEN :expires_at IS NULL THEN ${OWN("expires_at")}
           ELSE MIN(:expires_at, COALESCE(${OWN("expires_at")}, :expires_at)) END,
         ${OWN("id")}`;

/** A token that is being made. Its text is shown once. */
export interface NewToken {
  text: string;
  id: string;
  hash: string;
}

/** Makes a token for a room of 32 random bytes. */
export function newToken(room: string, role: Role, { newId, randomBytes }: {
  newId(): string;
  randomBytes(): Uint8Array;
}): NewToken {
  const text = makeToken(role, isLocked(room), randomBytes());
  return { text, id: newId(), hash: hashOf(text) };
}
