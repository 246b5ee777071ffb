import { AS_NONE } from "../access/acts.ts";
import { lockedRoom } from "../access/locked.ts";
import { INSERT_TOKEN, newToken } from "../access/make_token.ts";
import { learnToken } from "../access/token.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal, served } from "../refusal.ts";
import { DELETED, RELEASE_OF_ACCESS, REVISION } from "../release.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { commitOnce, held } from "../write/commit_once.ts";
import { GET_ROOM, IS_SERVED, ROOM, type Room, ROOM_REVISION, toRoom } from "./room.ts";

export interface RoomRequest {
  /** By default a new one. */
  id?: string;
  meta: Json;
  /** Makes it answer only whoever shows a token of its own. */
  locked?: boolean;
  /** False keeps it out of lists. */
  listed?: boolean;
  /** Refuses to create it: an open room may only be joined. */
  onlyJoin?: boolean;
}

interface EnteredRoom {
  room: Room;
  created: boolean;
  /** The text of an admin's token for a locked room. Shown once: null in a repetition under an idempotency key. */
  token?: string | null;
}

const CREATE = `
  INSERT INTO rooms (id, created_at, meta, listed, guarded, requires, admitted)
  SELECT :room, :now, :meta, :listed, :locked, :requires, :nonce`;
/** A trigger drops the row where a locked and an open room would have the same id. */
const UNLESS_THERE = "ON CONFLICT (id) DO NOTHING";

/** Selects the open room that has the id, which may be why none was created. */
const GET_OPEN = `SELECT ${REVISION} AS revision FROM rooms WHERE id = :open`;

const MAKE_TOKEN = `${INSERT_TOKEN} ${FROM_ADMITTED}`;
const UNBOUND = { role: "admin", agent: null, note: null, expires_at: null, own_hash: null };

/**
 * Creates a room, or joins the open one with this id and leaves it as it is. Both store an answer under the key.
 * Errors: `room_exists` for a locked room where an open one has the id; `id_unavailable` where a locked or deleted one
 * has it; `forbidden`.
 */
export function createRoom(
  database: Database,
  { id, meta, locked = false, listed = true, onlyJoin = false }: RoomRequest,
): Operation<EnteredRoom> {
  const storedIdOf = (id: string) => locked ? lockedRoom(id) : id;
  const token = locked ? newToken(storedIdOf(id ?? ""), "admin", database) : undefined;
  return {
    acts: AS_NONE,
    async run(context) {
      const [shown, now, nonce] = [id ?? context.newId(), await context.time(), database.newId()];
      const room = storedIdOf(shown);
      const key = context.idempotencyKey;
      const own = key ? held(key) : { sql: "TRUE", args: {} };
      const made = {
        ...{ room, nonce, now: now.toISOString(), meta: JSON.stringify(meta) },
        listed: Number(listed && !locked),
        locked: Number(locked),
        requires: locked || !listed ? RELEASE_OF_ACCESS : 0,
      };
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { sql: ROOM_REVISION, args: { room }, answer: { columns: ["revision"] } },
          {
            sql: `${CREATE} WHERE ${own.sql}${onlyJoin ? " AND FALSE" : ""} ${UNLESS_THERE}`,
            args: { ...made, ...own.args },
            single: true,
          },
          { sql: GET_ROOM, args: { room }, answer: { columns: ROOM } },
          ...token
            ? [
              {
                sql: MAKE_TOKEN,
                args: { ...UNBOUND, room, nonce, now: made.now, token_id: token.id, hash: token.hash },
              },
              { sql: GET_OPEN, args: { open: shown }, single: true },
            ]
            : [],
        ],
        refused: locked
          ? { sql: `NOT ${ADMITTED}`, args: { room, nonce } }
          : { sql: `NOT ${IS_SERVED}`, args: { room } },
      });
      const outcome = stored ?? { now, revision: undefined, rows: answers };
      if (outcome.replayed) return outcome;
      if (onlyJoin && !isThere(rows[2]!)) throw new Refusal("forbidden", { may: "locked" });
      refuseTaken({ before: rows[0]!, after: rows[2]!, open: token && rows.at(-1)! });
      if (token) learnToken(token.hash, { id: token.id, room, role: "admin", agent: null, ends: false });
      return outcome;
    },
    answer: ({ replayed, rows: [joined, rooms] }) => {
      const entered = { room: toRoom(rooms![0]!), created: joined!.length === 0 };
      return token ? { ...entered, token: replayed ? null : token.text } : entered;
    },
  };
}

/**
 * Throws the refusal of a room that is not there `after` the write, or of a locked one that was there `before` it.
 * `open`: the rows of `GET_OPEN`, for a locked one.
 */
function refuseTaken({ before, after, open }: { before: Row[]; after: Row[]; open?: Row[] }): void {
  if (open === undefined) {
    if (!isThere(after)) throw new Refusal("id_unavailable", {});
    return;
  }
  if (before.length === 0 && after.length > 0) return;
  if (!isThere(open)) throw new Refusal("id_unavailable", {});
  throw new Refusal("room_exists", {}, served(open[0]!.revision));
}

/** Whether the rows have a room that is not deleted. */
const isThere = ([room]: Row[]) => room !== undefined && Number(room.revision) > -DELETED;
