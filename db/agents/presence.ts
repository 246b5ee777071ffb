import { ALIVE_MS } from "../write/heartbeat.ts";
import type { Newest } from "./waits.ts";

export const STATUSES = ["active", "idle", "busy", "waiting"] as const;
export type Status = typeof STATUSES[number];

/**
 * Returns what an agent shows: `waiting` with its newest wait's condition while it has one in progress, else `status`.
 */
export function present(
  agent: string,
  status: Status,
  newest: Newest,
): { status: Status; waiting_on: string | null } {
  const wait = newest.get(agent);
  return wait ? { status: "waiting", waiting_on: wait.waiting_on } : { status, waiting_on: null };
}

/** Whether an agent is alive at a time of the database's clock: it waits, or had a heartbeat that counts (`ALIVE_MS`). */
export function isAlive(agent: string, lastHeartbeat: string, newest: Newest, now: Date): boolean {
  return newest.has(agent) || Math.abs(now.getTime() - Date.parse(lastHeartbeat)) <= ALIVE_MS;
}
