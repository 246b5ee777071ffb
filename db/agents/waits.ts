import { NOW } from "../clock.ts";
import { type Listing, rowsOfCells } from "../consistent_read/listing.ts";
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
export const newestTwo = (whose: string) => `
  SELECT ${WAIT} FROM waits WHERE rowid IN (
    SELECT id FROM (
      SELECT rowid AS id, ROW_NUMBER() OVER (PARTITION BY agent_id, ${IS_OVER} ORDER BY revision DESC) AS position
        FROM waits WHERE ${whose})
     WHERE position <= 2)
  ${OLDEST_FIRST}`;
const NEWEST_TWO_OF = newestTwo("room_id = :room AND agent_id IN (SELECT value FROM json_each(:agents))");

/**
 * Makes the value of the same of one agent, for `rowsOfCells` by `WAIT_CELLS`. `room` and `agent` are SQL. The limit, of
 * all there are, keeps the order.
 */
export const newestTwoWaitsOf = (room: string, agent: string) => `
  (SELECT json_group_array(json_array(${WAIT_CELLS}))
     FROM (${newestTwo(`room_id = ${room} AND agent_id = ${agent}`)} LIMIT 4))`;

const OF_AGENT = "FROM waits WHERE waits.room_id = :room AND agent_id = agents.id";
const NEWEST = `SELECT agent_id, token, waiting_on, 0 AS over FROM waits WHERE room_id = :room`;
const NEWEST_FIRST = `ORDER BY revision DESC LIMIT 1`;
/** What a page of agents shows of their marks: most agents have none, which one look for all finds out. */
const ofWaiting = (marks: string) =>
  `CASE WHEN agents.id IN (SELECT agent_id FROM waits WHERE room_id = :room) THEN ${marks} END`;
const MARKS = {
  newest: ofWaiting(`
    (SELECT json_array(json_array(${WAIT_CELLS}))
       FROM (${NEWEST} AND agent_id = agents.id ${NEWEST_FIRST}))`),
  newestTwo: ofWaiting(newestTwoWaitsOf(":room", "agents.id")),
};

/** The bytes of all conditions on which an agent waits, in SQL, beside a row of `agents`: at least those that it shows. */
export const MARKS_BYTES = `COALESCE((SELECT SUM(octet_length(waiting_on)) ${OF_AGENT}), 0)`;

/**
 * Adds to a listing of agents, for `marksOf`, each agent's newest wait in progress, or the two newest ones and the two
 * newest that are over. They come with the agents page by page: a thousand conditions exceed one answer of a server. A
 * mark that is set or cleared gives its agent a revision, so what changes between pages is read again.
 */
export function withMarks(listing: Listing, which: keyof typeof MARKS): Listing {
  return {
    ...listing,
    columns: [...listing.columns, "marks"],
    values: { ...listing.values, marks: MARKS[which] },
    bytes: MARKS_BYTES,
  };
}

/** Reads the marks in rows of a listing `withMarks`, each agent's oldest first. */
export function marksOf(agents: Row[]): WaitInProgress[] {
  return agents.flatMap(({ marks }) => rowsOfCells(WAIT_CELLS, marks)).map(toWait);
}

// The plus keeps SQLite from the index by time: an agent has few waits, a room may have thousands.
const IN_PROGRESS_NOW = `${WAITS} AND agent_id = :agent AND +until > ${NOW} ${NEWEST_FIRST}`;

/**
 * Selects, for `readCurrent`, the two newest marks of waits in progress of each of few agents, and of those that are
 * over.
 */
export function newestTwoWaits(room: string, agents: readonly string[]): Statement {
  return { sql: NEWEST_TWO_OF, args: { room, agents: JSON.stringify(agents) } };
}

/** Selects, for `readCurrent`, the newest wait in progress of an agent, as rows for `toNewest`. */
export function newestWaitOf(room: string, agent: string): Statement {
  return { sql: `${NEWEST} AND agent_id = :agent ${NEWEST_FIRST}`, args: { room, agent } };
}

/**
 * Selects an agent's newest wait in progress, as rows for `toNewest`. A write leaves the due ones to the next
 * `readCurrent`.
 */
export function newestWaitNow(room: string, agent: string): Statement {
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
