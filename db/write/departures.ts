import { ADMITTED } from "./admission.ts";
import { depart, FORGET_DEPARTURES } from "./departed.ts";
import { type Ending, ENDS } from "./due.ts";
import { DROP_NEEDS_OF_FAILED, endClaim, FAIL_DEPENDENTS, FAILS_MANY } from "./leases.ts";

// While what an agent held ends, the room's row names the agent, and `due` is 0. So whoever reads or writes the room
// ends the rest first, at whatever time: the agent cannot be back while anything of it is left.
const LEAVING = `(SELECT leaving FROM rooms WHERE id = :room)`;
const LEFT_AT = `(SELECT left_at FROM rooms WHERE id = :room)`;

const claimsOf = (agent: string) => `room_id = :room AND claimed_by = ${agent} AND status IS NULL`;
const reservationsOf = (agent: string) => `room_id = :room AND agent_id = ${agent}`;
const HELD = "messages INDEXED BY messages_held";

/** True where an agent holds a claim that is not over, or a reservation. */
const holdsAnything = (agent: string) =>
  `(EXISTS (SELECT 1 FROM ${HELD} WHERE ${claimsOf(agent)})
    OR EXISTS (SELECT 1 FROM reservations WHERE ${reservationsOf(agent)}))`;

/** Makes due what `:agent` holds, which leaves the room at `:now` with this write. */
export const BEGIN_DEPARTURE = `
  UPDATE rooms SET leaving = :agent, left_at = :now, due = 0, ends = ends | ${ENDS.departures}
   WHERE id = :room AND admitted = :nonce AND ${holdsAnything(":agent")}`;

/** Releases the claims of an agent that left. Those that an earlier release made may lack fence and attempts. */
export const CLAIMS_OF_LEAVING: Ending = {
  part: "messages",
  kind: "departures",
  table: HELD,
  until: { where: claimsOf(LEAVING) },
  heavy: FAILS_MANY,
  effects: (dueFirst) => [
    `UPDATE attempts SET ended = 'released', ended_at = ${LEFT_AT}
      WHERE room_id = :room AND (message_id, fence) IN (${
      dueFirst("id, COALESCE(fence, revision)")
    }) AND ${ADMITTED}`,
    `UPDATE messages SET ${endClaim(LEFT_AT)}, attempts = COALESCE(attempts, 1)
      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
    FAIL_DEPENDENTS,
    DROP_NEEDS_OF_FAILED,
  ],
};

/** Ends the reservations of an agent that left. */
export const RESERVATIONS_OF_LEAVING: Ending = {
  part: "reservations",
  kind: "departures",
  table: "reservations",
  until: { where: reservationsOf(LEAVING) },
  effects: (dueFirst) => [
    depart("reservations", dueFirst("id")),
    `DELETE FROM reservations WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
    ...FORGET_DEPARTURES,
  ],
};

/** Ends the departure once the agent holds nothing any more. */
export const FINISH_DEPARTURE = `
  UPDATE rooms SET leaving = NULL, left_at = NULL, ends = ends & ~${ENDS.departures}
   WHERE id = :room AND leaving IS NOT NULL AND NOT ${holdsAnything("leaving")}`;

/** Selects `until` of what an agent that is leaving still holds: it is due at once. */
export const FIRST_LEFT_OF_LEAVING = `SELECT 0 AS until FROM rooms WHERE id = :room AND leaving IS NOT NULL`;
