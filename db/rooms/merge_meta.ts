import { AS_NONE } from "../access/acts.ts";
import type { Database } from "../database.ts";
import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { commit } from "../write/write.ts";
import { GET_ROOM, revisionOf, ROOM, type Room, ROOM_CURRENT, toRoom } from "./room.ts";

const MERGED = "json_patch(meta, :patch)";

const MERGE = `UPDATE rooms SET meta = ${MERGED} WHERE id = :room AND ${ADMITTED}`;

/**
 * Merges a patch into the meta of a room (RFC 7396), which may have `max` bytes of JSON.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `too_large`.
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
