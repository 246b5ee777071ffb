import type { Statement } from "../driver/statement.ts";

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
