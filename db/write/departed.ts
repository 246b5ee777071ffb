import { FROM_ADMITTED } from "./admission.ts";

/** Departures that a room remembers for `/changes`, some 100 bytes each. Who follows from before them starts anew. */
const KEPT_DEPARTURES = 10_000;

type Departing = "agents" | "reservations";

/** Records departures. Append the SELECT of `:room`, the kind, the id and the revision. */
const RECORD = `INSERT OR REPLACE INTO departed (room_id, kind, id, revision)`;

/** Records, at the revision of the write, the departure of the things whose `id` the query `ids` selects. */
export function depart(kind: Departing, ids: string): string {
  return `${RECORD}
  SELECT :room, '${kind}', gone.id, rooms.revision FROM (${ids}) AS gone CROSS JOIN rooms
   WHERE rooms.id = :room AND rooms.admitted = :nonce`;
}

/** Forgets the oldest departures. Belongs to each write that records one. */
export const FORGET_DEPARTURES = [
  `UPDATE rooms SET forgotten = oldest.revision FROM (
      SELECT revision FROM departed INDEXED BY departed_changed
       WHERE room_id = :room ORDER BY revision DESC LIMIT 1 OFFSET ${KEPT_DEPARTURES}) AS oldest
    WHERE id = :room AND admitted = :nonce`,
  `DELETE FROM departed WHERE room_id = :room AND revision <= (SELECT forgotten ${FROM_ADMITTED})`,
];

/** Selects the ids of what has left the room after the revision `:seen` and has not come back. */
export const selectGone = (kind: Departing): string => `
  SELECT id FROM departed INDEXED BY departed_changed
   WHERE room_id = :room AND revision > :seen AND kind = '${kind}'`;
