import { FROM_ADMITTED } from "./admission.ts";

/** Departures of a room that `/changes` tells of: some 100 bytes each. Who follows from before is sent all anew. */
const KEPT_DEPARTURES = 10_000;

/** What leaves a room, by its table. */
export type Departing = "agents" | "reservations";

/** Records that things have left the room. Append the SELECT of `:room`, the kind, the id and the revision. */
const RECORD = `INSERT OR REPLACE INTO departed (room_id, kind, id, revision)`;

/** Records, with the revision of the write, that something has left the room: `ids` selects `id`. */
export function depart(kind: Departing, ids: string): string {
  return `${RECORD}
  SELECT :room, '${kind}', gone.id, rooms.revision FROM (${ids}) AS gone CROSS JOIN rooms
   WHERE rooms.id = :room AND rooms.admitted = :nonce`;
}

/** Forgets the oldest departures, after a write that has recorded one. */
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
