import { AS_NONE } from "../access/acts.ts";
import { lockedRoom } from "../access/locked.ts";
import { INSERT_TOKEN, newToken, RELEASE_OF_ACCESS } from "../access/make_token.ts";
import { learnToken } from "../access/token.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal, served } from "../refusal.ts";
import { DELETED, REVISION, SERVED } from "../release.ts";
import { GET_ROOM, revisionOf, ROOM, type Room, ROOM_CURRENT, ROOM_REVISION, toRoom } from "./room.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { commitOnce, held, type Step } from "../write/idempotency.ts";
import { commit } from "../write/write.ts";

/** What a room is made as. */
export interface RoomRequest {
  /** By default a new one. */
  id?: string;
  meta: Json;
  /** Answers nobody without a token of its own. */
  locked?: boolean;
  /** False keeps it out of lists. */
  listed?: boolean;
  /** Joins it only, if it is open. */
  onlyJoin?: boolean;
}

/** A room that was made or joined, with the text of an admin's token where it was made locked: null in a repetition. */
export interface EnteredRoom {
  room: Room;
  created: boolean;
  token?: string | null;
}

const CREATE = `
  INSERT INTO rooms (id, created_at, meta, listed, guarded, requires, admitted)
  SELECT :room, :now, :meta, :listed, :locked, :requires, :nonce`;
/** A trigger ignores it where a locked and an open room would have the same id. */
const UNLESS_THERE = "ON CONFLICT (id) DO NOTHING";

/** Where it was not made: the open room with this id, if that is why. */
const WHO_HAS_IT = `SELECT ${REVISION} AS revision FROM rooms WHERE id = :open`;

const MAKE_TOKEN = `${INSERT_TOKEN} ${FROM_ADMITTED}`;

const IS_THERE = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED})`;

/**
 * Creates a room, or joins the open one with this id and leaves it as it is. Both store an answer under the key. Errors:
 * `room_exists` for a locked room where an open one has the id; `id_unavailable` where another has it; `forbidden`.
 */
export function createRoom(
  database: Database,
  { id, meta, locked = false, listed = true, onlyJoin = false }: RoomRequest,
): Operation<EnteredRoom> {
  const nameOf = (id: string) => locked ? lockedRoom(id) : id;
  const token = locked ? newToken(nameOf(id ?? ""), "admin", database) : undefined;
  return {
    acts: AS_NONE,
    async run(context) {
      const [shown, now, nonce] = [id ?? context.newId(), await context.time(), database.newId()];
      const room = nameOf(shown);
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
          ...token ? tokenSteps({ room, nonce, open: shown, now: made.now }, token) : [],
        ],
        refused: locked
          ? { sql: `NOT ${ADMITTED}`, args: { room, nonce } }
          : { sql: `NOT ${IS_THERE}`, args: { room } },
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

function tokenSteps(
  { room, nonce, open, now }: { room: string; nonce: string; open: string; now: string },
  { id, hash }: { id: string; hash: string },
): Step[] {
  const unbound = { role: "admin", agent: null, note: null, expires_at: null, own_hash: null };
  return [
    { sql: MAKE_TOKEN, args: { room, nonce, now, token_id: id, hash, ...unbound } },
    { sql: WHO_HAS_IT, args: { open }, single: true },
  ];
}

/** Refuses a room that is not there `after` its creation, or, if it was to be locked, that was there `before`. */
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

const MERGED = "json_patch(meta, :patch)";

const MERGE = `UPDATE rooms SET meta = ${MERGED} WHERE id = :room AND ${ADMITTED}`;

/**
 * Merges into the meta of a room (RFC 7396), which may have `max` bytes of JSON. Errors: `room_not_found`, `too_large`.
 */
export function mergeMeta(
  database: Database,
  room: string,
  patch: Json,
  max: number,
): Operation<{ room: Room }> {
  return {
    acts: AS_NONE,
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const merged = { room, patch: JSON.stringify(patch) };
      const { outcome, reads: [rooms] } = await commit(database, context, {
        room,
        part: "meta",
        nonce,
        now,
        admission: {
          where: [`octet_length(${MERGED}) <= :max`],
          args: { patch: merged.patch, max },
        },
        effects: [{ sql: MERGE, args: { ...merged, nonce } }],
        reads: [
          { sql: ROOM_CURRENT, args: { room } },
          { sql: GET_ROOM, args: { room }, answer: { columns: ROOM } },
        ],
      });
      if (outcome.revision !== undefined) return outcome;
      revisionOf(rooms!);
      throw new Refusal("too_large", { what: "meta", max });
    },
    answer: ({ rows: [rooms] }) => ({ room: toRoom(rooms![0]!) }),
  };
}
