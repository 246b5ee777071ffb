import type { Statement } from "../driver/statement.ts";

/** A heartbeat of agents at the time `now`, which never moves one back; the statement goes on with FROM or WHERE. */
export const beat = (now: string) => `UPDATE agents SET last_heartbeat = MAX(last_heartbeat, ${now})`;

/** The heartbeat of one agent. It ends in its condition. */
export const BEAT = `${beat(":now")} WHERE room_id = :room AND id = :agent`;

const BEAT_ALWAYS = `${BEAT} RETURNING id`;

/** The heartbeat of whoever acts, whether the write is admitted or not; none where no such agent is registered. */
export function heartbeatOf(room: string, agent: string | undefined, now: Date): Statement[] {
  if (agent === undefined) return [];
  return [{ sql: BEAT_ALWAYS, args: { room, agent, now: now.toISOString() }, single: true }];
}
