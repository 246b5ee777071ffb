import { NOW } from "../clock.ts";
import type { Row, Statement } from "../driver/statement.ts";

/** Milliseconds by which the lease of a mark outlives the time of its wait. */
export const MARK_STAYS_MS = 5_000;

/**
 * Milliseconds by which a wait may end before its time by the database's clock, since instances estimate that clock.
 */
export const WAIT_OVER_EARLY_MS = 50;

/** True of a mark whose wait is over, as the end of its lease tells. */
export const IS_OVER = `+until <= ${NOW} + ${MARK_STAYS_MS + WAIT_OVER_EARLY_MS}`;

/** Columns that `toWait` reads. */
export const WAIT = `agent_id, token, waiting_on, ${IS_OVER} AS over`;
export const WAIT_CELLS = ["agent_id", "token", "waiting_on", "over"];

const WAITS = `SELECT agent_id, token, waiting_on FROM waits WHERE room_id = :room`;
const OLDEST_FIRST = `ORDER BY revision`;

/**
 * Selects each agent's two newest waits in progress, and its two newest that are over, oldest first. Two, because a wait
 * sees its agent without itself; no more, because an agent may have thousands. Sorts rowids, since `waiting_on` may be
 * long.
 */
const newestTwo = (whose: string) => `
  SELECT ${WAIT} FROM waits WHERE rowid IN (
    SELECT id FROM (
      SELECT rowid AS id, ROW_NUMBER() OVER (PARTITION BY agent_id, ${IS_OVER} ORDER BY revision DESC) AS position
        FROM waits WHERE ${whose})
     WHERE position <= 2)
  ${OLDEST_FIRST}`;
const NEWEST_TWO = newestTwo("room_id = :room");
const NEWEST_TWO_OF = newestTwo("room_id = :room AND agent_id IN (SELECT value FROM json_each(:agents))");

/**
 * Makes the value of the same of one agent, for `rowsOfCells` by `WAIT_CELLS`, beside a row of `rooms`. `agent` is SQL.
 * The limit, of all there are, keeps the order.
 */
export const newestTwoWaitsOf = (agent: string) => `
  (SELECT json_group_array(json_array(${WAIT_CELLS}))
     FROM (${newestTwo(`room_id = rooms.id AND agent_id = ${agent}`)} LIMIT 4))`;

// With MAX, SQLite takes the other columns of a group from the row that has the greatest revision.
const NEWEST = `SELECT agent_id, token, waiting_on, MAX(revision) FROM waits WHERE room_id = :room`;
// The plus keeps SQLite from the index by time: an agent has few waits, a room may have thousands.
const IN_PROGRESS_NOW = `${WAITS} AND agent_id = :agent AND +until > ${NOW} ${OLDEST_FIRST}`;

/**
 * Selects, for `readCurrent`, the two newest marks of waits in progress of each agent, or of each of `agents`, and of
 * those that are over.
 */
export function newestTwoWaits(room: string, agents?: readonly string[]): Statement {
  return agents === undefined
    ? { sql: NEWEST_TWO, args: { room } }
    : { sql: NEWEST_TWO_OF, args: { room, agents: JSON.stringify(agents) } };
}

/** Selects, for `readCurrent`, the newest wait in progress of one agent, or of each, as rows for `toNewest`. */
export function newestWaitsOf(room: string, agent: string | null): Statement {
  return agent === null
    ? { sql: `${NEWEST} GROUP BY agent_id`, args: { room } }
    : { sql: `${NEWEST} AND agent_id = :agent GROUP BY agent_id`, args: { room, agent } };
}

/**
 * Selects an agent's waits in progress, as rows for `toNewest`. A write leaves the due ones to the next `readCurrent`.
 */
export function waitsNow(room: string, agent: string): Statement {
  return { sql: IN_PROGRESS_NOW, args: { room, agent } };
}

export interface WaitInProgress {
  agent_id: string;
  /** Unique among the agent's waits. */
  token: string;
  /** Its condition. */
  waiting_on: string;
  /** Whether it is over and has left its mark. */
  over: boolean;
}

/** Whose expression reads the waits: the agent `self`, in its own `wait`. */
export interface Viewpoint {
  self: string | null;
  wait?: string;
}

export function toWait({ agent_id, token, waiting_on, over }: Row): WaitInProgress {
  return { agent_id, token, waiting_on, over: Boolean(over) } as WaitInProgress;
}

/** Whether a viewpoint does not see a mark: its own wait's, and those that its agent's earlier waits have left. */
export function isHidden({ agent_id, token, over }: WaitInProgress, { self, wait }: Viewpoint): boolean {
  return wait !== undefined && (token === wait || over && agent_id === self);
}

/** The newest wait in progress of each waiting agent. */
export type Newest = ReadonlyMap<string, WaitInProgress>;

/** Finds each agent's newest wait among waits in progress, oldest first. */
export function newestOf(waits: WaitInProgress[]): Newest {
  return new Map(waits.map((wait) => [wait.agent_id, wait]));
}

export function toNewest(rows: Row[]): Newest {
  return newestOf(rows.map(toWait));
}
