import { NOW } from "../clock.ts";
import { type Acts, mayActIn } from "../access/acts.ts";
import { isOperator, SERVICE, type Viewer } from "../viewer.ts";
import type { Statement } from "../driver/statement.ts";
import { timeOf } from "./due.ts";

/** Milliseconds after its last heartbeat for which an agent is alive, whether or not it waits. */
export const ALIVE_MS = 60_000;

/** True of a heartbeat that is no older than that. */
export const isRecent = (heartbeat: string) => `${heartbeat} >= ${timeOf(`(${NOW} - ${ALIVE_MS})`)}`;

/** True of the row of an agent in `:room` that is alive: by the database what `isAlive` (db/agents/presence.ts) tells. */
export const ALIVE = `(${isRecent("agents.last_heartbeat")}
  OR EXISTS (SELECT 1 FROM waits WHERE waits.room_id = :room AND waits.agent_id = agents.id))`;

/** Moves heartbeats up to the time `now`, never back. Append FROM or WHERE. */
export const beat = (now: string) => `UPDATE agents SET last_heartbeat = MAX(last_heartbeat, ${now})`;

/** The heartbeat of one agent. Append further conditions with AND. */
export const BEAT = `${beat(":now")} WHERE room_id = :room AND id = :agent`;

/** The same of an agent that is not secure, whoever writes. */
export const BEAT_OPEN = `${BEAT} AND NOT secure`;

/**
 * Makes the heartbeat of an agent that writes, admitted or not; none where it is not registered, or where the viewer
 * may not act as it.
 */
export function heartbeatOf(
  room: string,
  agent: string | undefined,
  now: Date,
  { viewer, acts }: { viewer: Viewer; acts: Acts },
): Statement[] {
  if (agent === undefined) return [];
  const may = viewer.token && mayActIn(viewer, acts);
  const beat = may ? `${BEAT} AND ${may.sql}` : viewer === SERVICE || isOperator(viewer) ? BEAT : BEAT_OPEN;
  const args = { ...may?.args, room, agent, now: now.toISOString() };
  return [{ sql: `${beat} RETURNING id`, args, single: true }];
}
