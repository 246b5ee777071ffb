import { NOW } from "../clock.ts";
import type { Statement } from "../driver/statement.ts";
import { timeOf } from "./due.ts";

/** Milliseconds after its last sign of life in which an agent is alive, whether or not it waits. */
export const ALIVE_MS = 60_000;

/** True of a heartbeat that is no older than that. */
export const isRecent = (heartbeat: string) => `${heartbeat} >= ${timeOf(`(${NOW} - ${ALIVE_MS})`)}`;

/** True of the row of an agent in `:room` that is alive: by the database what `isAlive` (db/presence.ts) tells. */
export const ALIVE = `(${isRecent("agents.last_heartbeat")}
  OR EXISTS (SELECT 1 FROM waits WHERE waits.room_id = :room AND waits.agent_id = agents.id))`;

/** Moves heartbeats up to the time `now`, never back. Append FROM or WHERE. */
export const beat = (now: string) => `UPDATE agents SET last_heartbeat = MAX(last_heartbeat, ${now})`;

/** The heartbeat of one agent. Append further conditions with AND. */
export const BEAT = `${beat(":now")} WHERE room_id = :room AND id = :agent`;

const BEAT_ALWAYS = `${BEAT} RETURNING id`;

/** Makes the heartbeat of an agent that writes, admitted or not; none where it is not registered. */
export function heartbeatOf(room: string, agent: string | undefined, now: Date): Statement[] {
  if (agent === undefined) return [];
  return [{ sql: BEAT_ALWAYS, args: { room, agent, now: now.toISOString() }, single: true }];
}
