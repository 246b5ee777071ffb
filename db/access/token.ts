import { NOW } from "../clock.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { createLru } from "../lru.ts";
import { Refusal } from "../refusal.ts";
import type { ShownToken, Viewer } from "../viewer.ts";
import { shownRoom } from "./locked.ts";
import type { Role } from "./token_text.ts";

/** What never changes of a token in force. */
export interface TokenFacts {
  id: string;
  role: Role;
  /** The agent that it is bound to. */
  agent: string | null;
}

/** True of the row of a token that counts. Revoked ones have no row. */
export const inForce = (tokens: string) => `(${tokens}.expires_at IS NULL OR ${tokens}.expires_at > ${NOW})`;
export const IN_FORCE = inForce("tokens");

/** Selects one row: the token, null where it does not count in the room, and whether an open room has this id. */
const CHECK = `
  SELECT tokens.id, tokens.role, tokens.agent_id, EXISTS (SELECT 1 FROM rooms WHERE id = :open) AS is_open
    FROM (SELECT 1) LEFT JOIN tokens ON tokens.hash = :viewer_token AND tokens.room_id = :room AND ${IN_FORCE}`;

/** Selects the token that a viewer shows, for `checkToken`. */
export function selectToken({ hash, room }: ShownToken): Statement {
  return { sql: CHECK, args: { viewer_token: hash, room, open: shownRoom(room) }, single: true };
}

/** Facts by hash. They only save a look: whatever they lead to, the database judges (admission.ts). */
const known = createLru<TokenFacts>(10_000);

/** Reads the row of `selectToken`. Errors: `unauthenticated`; `room_not_found` where no open room has the id. */
export function checkToken({ hash }: ShownToken, row: Row): TokenFacts {
  if (row.id === null) throw new Refusal(row.is_open ? "unauthenticated" : "room_not_found", {});
  let facts = known.get(hash);
  if (facts === undefined) {
    facts = { id: row.id as string, role: row.role as Role, agent: row.agent_id as string | null };
    known.set(hash, facts);
  }
  return facts;
}

/** Adds the look at the token that a viewer shows; it comes first, since a write may take the token away. */
export function withCheck({ token }: Viewer, statements: Statement[]): Statement[] {
  return token === undefined ? statements : [selectToken(token), ...statements];
}

/** Takes that look from the rows. Errors: those of `checkToken`. */
export function checked({ token }: Viewer, rows: Row[][]): Row[][] {
  if (token === undefined) return rows;
  const [[row], ...others] = rows as [[Row], ...Row[][]];
  checkToken(token, row);
  return others;
}

/** Tells whether this instance has seen a token in force. */
export function isKnownToken(hash: string): boolean {
  return known.has(hash);
}

/** Returns the facts of the token that a viewer shows, where this instance has seen it before. */
export function knownFacts({ token }: Viewer): TokenFacts | undefined {
  return token && known.get(token.hash);
}
