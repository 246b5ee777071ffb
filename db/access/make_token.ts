import { isLocked } from "./locked.ts";
import { OWN } from "./own_token.ts";
import { IN_FORCE } from "./token.ts";
import { hashOf, makeToken, type Role } from "./token_text.ts";

export const TOKENS_LEFT =
  `(SELECT COUNT(*) FROM tokens WHERE tokens.room_id = :room AND ${IN_FORCE}) < :max_tokens`;

/** Deletes expired tokens, which would count towards the limit. All that they made has expired too. */
export const FORGET_EXPIRED = `DELETE FROM tokens WHERE room_id = :room AND NOT ${IN_FORCE}`;

/** Inserts a token made by the viewer's own, which it does not outlive. Append FROM or WHERE. */
export const INSERT_TOKEN = `
  INSERT INTO tokens (room_id, id, hash, role, agent_id, note, created_at, expires_at, made_by)
  SELECT :room, :token_id, :hash, :role, :agent, :note, :now,
         CASE WHEN :expires_at IS NULL THEN ${OWN("expires_at")}
           ELSE MIN(:expires_at, COALESCE(${OWN("expires_at")}, :expires_at)) END,
         ${OWN("id")}`;

export interface NewToken {
  /** Shown once: the service stores only its hash. */
  text: string;
  id: string;
  hash: string;
}

/** Makes a token for a room of 32 random bytes. `room`: its stored id. */
export function newToken(room: string, role: Role, { newId, randomBytes }: {
  newId(): string;
  randomBytes(): Uint8Array;
}): NewToken {
  const text = makeToken(role, isLocked(room), randomBytes());
  return { text, id: newId(), hash: hashOf(text) };
}
