import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { ADMITTED, NEW_REVISION } from "../write/admission.ts";
import { COALESCED_HEARTBEATS } from "../write/coalesced_write.ts";
import type { Operation, WriteAs } from "../write/context.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";
import { GET } from "./agent.ts";
import type { Status } from "./presence.ts";

const OTHER_STATUS =
  "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent AND status <> :status)";

const SET_STATUS = `
  UPDATE agents SET status = :status, revision = ${NEW_REVISION}
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/**
 * Records a heartbeat and a status. Only a new status advances the room's revision. `heartbeat`: its time, ISO 8601.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `agent_not_found`.
 */
export function heartbeat(
  database: Database,
  room: string,
  agent: string,
  status: Status,
): Operation<{ heartbeat: string; revision: number }> {
  return {
    acts: { as: agent },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const { outcome } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: { where: [OTHER_STATUS], args: { agent, status } },
        effects: [
          { sql: SET_STATUS, args: { room, nonce, agent, status } },
          { ...heartbeatOf(room, agent, now, context)[0]!, answer: { columns: ["id"], query: GET } },
        ],
        reads: [{ sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } }],
        granted: { sql: `EXISTS (${GET})`, args: { room, agent } },
      });
      const [beats, rooms] = outcome.rows;
      const revision = revisionOf(rooms!);
      if (beats!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
      return outcome;
    },
    answer: ({ now, rows: [, rooms] }) => ({ heartbeat: now.toISOString(), revision: revisionOf(rooms!) }),
  };
}

/** Records a heartbeat that comes without a write; does nothing where the agent is not registered. */
export async function recordHeartbeat(
  database: Database,
  by: WriteAs,
  room: string,
  agent: string,
): Promise<void> {
  const now = await database.time();
  if (by.viewer.token) await database.commit(by.viewer, heartbeatOf(room, agent, now, by));
  else await database.commitCoalesced(by.viewer, COALESCED_HEARTBEATS, [room, agent, now.toISOString()]);
}
