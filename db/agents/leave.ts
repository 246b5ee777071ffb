import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { statementOf } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { SERVICE } from "../viewer.ts";
import { ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { depart, FORGET_DEPARTURES } from "../write/departed.ts";
import { BEGIN_DEPARTURE } from "../write/departures.ts";
import { dueOf } from "../write/due.ts";
import { makeAllEndings } from "../write/endings.ts";
import { commit } from "../write/write.ts";
import { REGISTERED } from "./registration.ts";

// One revision removes the agent and its waits. The following ones end what else it holds, before anybody reads the
// room.
const LEAVE = [
  `DELETE FROM agents WHERE room_id = :room AND id = :agent AND ${ADMITTED}`,
  `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND ${ADMITTED}`,
  depart("agents", "SELECT :agent AS id"),
  ...FORGET_DEPARTURES,
  BEGIN_DEPARTURE,
];

/**
 * Removes an agent's registration, and ends its waits, its claims and its reservations. `left` is false where it was
 * not registered. Errors: `room_not_found`, `unauthenticated`, `forbidden`.
 */
export function leaveRoom(
  database: Database,
  room: string,
  agent: string,
): Operation<{ left: boolean; revision: number }> {
  return {
    // Whoever writes may let any agent leave that is not secure, also under a token that is bound to another.
    acts: { scopes: [agent] },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const args = { room, nonce, agent, now: now.toISOString() };
      const { outcome, reads: [rooms] } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: {
          counts: ["departures_revision = revision + 1", "agent_count = agent_count - 1"],
          where: [REGISTERED],
          args: { agent },
          requires: RELEASE_OF_TASKS,
        },
        effects: LEAVE.map((sql) => statementOf(sql, args)),
        reads: [{ sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } }],
        granted: { sql: `NOT ${REGISTERED}`, args: { room, agent } },
      });
      if (outcome.replayed) return outcome;
      const { revision } = outcome;
      if (revision === undefined) revisionOf(rooms!);
      else database.announce({ room, part: "departures", revision });
      const due = revision === undefined ? undefined : dueOf(room, rooms![0]);
      if (due) await makeAllEndings(database, SERVICE, due).catch(leftToOthers);
      return outcome;
    },
    answer: ({ revision, rows: [rooms] }) => ({
      left: revision !== undefined,
      revision: revision ?? revisionOf(rooms!),
    }),
  };
}

/** Leaves to the next reader of the room what could not be ended in an outage. */
function leftToOthers(error: unknown) {
  if (!(error instanceof DatabaseUnavailable)) throw error;
}
