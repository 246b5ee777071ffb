import { newToken } from "../access/make_token.ts";
import { IN_FORCE, learnToken } from "../access/token.ts";
import type { Role } from "../access/token_text.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { IS_SERVED, revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import { isOperator, SERVICE, type Viewer } from "../viewer.ts";
import { madeBy, SHOWN_TOKEN, type Token, toToken } from "./token.ts";

/** A request for a new text of the viewer's token. */
interface Rotation {
  /** The role that the old text names. */
  role: Role;
  /** Whether all that the token made is revoked. */
  revokeMade: boolean;
  /** The digest of the request and its idempotency key, if it has one. */
  request?: string;
  /** Milliseconds for which the same request may be repeated. */
  lifetime: number;
}

interface Rotated {
  token: Token;
  /** Shown once. */
  text: string;
  revision: number;
  /** Whether an earlier request under the key has rotated the token: this text replaces the one that it made. */
  replayed: boolean;
}

/**
 * True of the token to rotate: the viewer's own, or the one that the same request rotated, while nobody has used it.
 */
const OF_REQUEST = `
  tokens.room_id = :room AND ${IN_FORCE} AND (tokens.hash = :own_hash
    OR tokens.previous_hash = :own_hash AND tokens.request_key = :request AND tokens.unused
      AND tokens.requested_at > ${NOW} - :lifetime)`;

const FOUND = `SELECT tokens.hash <> :own_hash AS replayed FROM tokens WHERE ${OF_REQUEST}`;

const ROTATE = `
  UPDATE tokens SET
    requested_at = CASE WHEN hash = :own_hash THEN ${NOW} ELSE requested_at END,
    hash = :hash, previous_hash = :own_hash, request_key = :request, unused = 1
   WHERE ${OF_REQUEST} AND ${IS_SERVED}`;

const ROTATED =
  "(SELECT rotated.id FROM tokens AS rotated WHERE rotated.room_id = :room AND rotated.hash = :hash)";
const REVOKE_INVITES = `DELETE FROM invites WHERE room_id = :room AND made_by IN (${madeBy(ROTATED)})`;
const REVOKE_MADE = `
  DELETE FROM tokens WHERE room_id = :room AND id IN (${madeBy(ROTATED)}) AND hash <> :hash`;

const GET = `SELECT ${SHOWN_TOKEN} FROM tokens WHERE room_id = :room AND hash = :hash`;

/**
 * Gives the viewer's token a new text; from the commit on, the database refuses the old one. A repetition of the
 * request under its key replaces the new text by another, until somebody uses it: the first answer may have been lost.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `unavailable`.
 */
export async function rotateToken(
  database: Database,
  viewer: Viewer,
  { role, revokeMade, request, lifetime }: Rotation,
): Promise<Rotated> {
  if (isOperator(viewer)) throw new Refusal("forbidden", { may: "no_rotation" });
  const { hash: own_hash, room } = viewer.token!;
  const { text, hash } = newToken(room, role, database);
  const asked = { room, own_hash, request: request ?? null, lifetime };
  const made = { room, hash };
  // Commits as the service: a repetition shows the old text, which is not in force any more.
  const [rooms, found, , rows] = await database.commit(SERVICE, [
    { sql: ROOM_REVISION, args: { room } },
    { sql: FOUND, args: asked, single: true },
    { sql: ROTATE, args: { ...asked, hash } },
    { sql: GET, args: made, single: true },
    ...revokeMade ? [{ sql: REVOKE_INVITES, args: made }, { sql: REVOKE_MADE, args: made }] : [],
  ]);
  const [row] = rows!;
  if (row === undefined) {
    await database.read(viewer, []); // throws where the token is not in force
    revisionOf(rooms!);
    throw new Refusal("unauthenticated", {});
  }
  const token = toToken(row);
  learnToken(
    hash,
    { id: token.id, room, role, agent: token.agent, ends: token.expires_at !== null },
    request !== undefined,
  );
  return { token, text, revision: revisionOf(rooms!), replayed: Boolean(found![0]!.replayed) };
}
