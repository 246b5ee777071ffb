import { NOW } from "../clock.ts";
import { type Acts, mayActIn } from "../access/acts.ts";
import { isOperator, SERVICE, type Viewer } from "../viewer.ts";
import type { Condition, Statement } from "../driver/statement.ts";
import { timeOf } from "./due.ts";

/**
 * Milliseconds for which an agent is alive after its last heartbeat, whether or not it waits. One that is further ahead
 * was recorded before the database's clock was set back, and does not count.
 */
export const ALIVE_MS = 60_000;

const LATEST = timeOf(`(${NOW} + ${ALIVE_MS})`);

/** Makes the condition that a heartbeat is no older, nor further ahead. */
export const isRecent = (heartbeat: string) =>
  `${heartbeat} BETWEEN ${timeOf(`(${NOW} - ${ALIVE_MS})`)} AND ${LATEST}`;

/** True of the row of an agent of `:room` that is alive, as `isAlive` tells (db/agents/presence.ts). */
export const ALIVE = `(${isRecent("agents.last_heartbeat")}
  OR EXISTS (SELECT 1 FROM waits WHERE waits.room_id = :room AND waits.agent_id = agents.id))`;

/** Assigns a heartbeat at `now`, in SQL. It moves back only what is too far ahead to count. */
export const beatAt = (now: string) =>
  `last_heartbeat = IIF(last_heartbeat BETWEEN ${now} AND ${LATEST}, last_heartbeat, ${now})`;

/** Records heartbeats at `now`, in SQL. Append FROM or WHERE. */
export const beat = (now: string) => `UPDATE agents SET ${beatAt(now)}`;

/** Records the heartbeat of one agent. Append further conditions with AND. */
export const BEAT = `${beat(":now")} WHERE room_id = :room AND id = :agent`;

/** Records the heartbeat of an agent that is not secure: anybody may act as it. */
export const BEAT_OPEN = `${BEAT} AND NOT secure`;

/**
 * Makes the statement that records the heartbeat of an agent, whether or not its write is admitted. It does nothing
 * where the agent is not registered, or the viewer may not act as it. Without an agent, makes none. `only`: a further
 * condition.
 */
export function heartbeatOf(
  room: string,
  agent: string | undefined,
  now: Date,
  { viewer, acts }: { viewer: Viewer; acts: Acts },
  only?: Condition,
): Statement[] {
  if (agent === undefined) return [];
  const may = viewer.token && mayActIn(viewer, acts);
  const beat = may ? `${BEAT} AND ${may.sql}` : viewer === SERVICE || isOperator(viewer) ? BEAT : BEAT_OPEN;
  const args = { ...may?.args, ...only?.args, room, agent, now: now.toISOString() };
  return [{ sql: `${beat}${only ? ` AND ${only.sql}` : ""} RETURNING id`, args, single: true }];
}
