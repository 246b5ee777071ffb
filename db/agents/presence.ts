import { mayActIn } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { type Admission, ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import { COALESCED_HEARTBEATS } from "../write/coalesced_write.ts";
import { BY_SERVICE, type WriteAs } from "../write/context.ts";
import { ALIVE_MS, heartbeatOf, isRecent } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";

export const STATUSES = ["active", "idle", "busy", "waiting"] as const;
export type Status = typeof STATUSES[number];

/**
 * Marks a wait in progress for all to see: a lease, which ends when its instance dies (db/write/endings.ts). A mark
 * that is not cleared when its wait is over stays until the lease ends, or until the agent does anything: the trigger
 * `agents_acted` (db/driver/schema.ts) makes it due with the sign of life of that.
 */
interface WaitMark {
  room: string;
  agent: string;
  /** Unique among the agent's waits. */
  token: string;
}

/** Milliseconds by which the lease of a mark outlives the time of its wait. */
export const MARK_STAYS_MS = 5_000;

/** How much sooner than by the database's clock a wait may be over, since instances estimate that clock. */
export const WAIT_OVER_EARLY_MS = 50;

/** True of a mark whose wait is over, by its lease. */
const IS_OVER = `+until <= ${NOW} + ${MARK_STAYS_MS + WAIT_OVER_EARLY_MS}`;

/** Columns that `toWait` reads. */
export const WAIT = `agent_id, token, waiting_on, ${IS_OVER} AS over`;

const WAITS = `SELECT agent_id, token, waiting_on FROM waits WHERE room_id = :room`;
const OLDEST_FIRST = `ORDER BY revision`;

/**
 * The two newest of each agent's waits, and of those that are over. They are found by rowid, since `waiting_on` may be
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
const NEWEST_TWO_OF = newestTwo("room_id = :room AND agent_id = :agent");
// With MAX, SQLite takes the other columns of a group from the row that has the greatest revision.
const NEWEST = `SELECT agent_id, token, waiting_on, MAX(revision) FROM waits WHERE room_id = :room`;
// The plus rules out the index by time: an agent has few waits, a room may have thousands.
const IN_PROGRESS_NOW = `${WAITS} AND agent_id = :agent AND +until > ${NOW} ${OLDEST_FIRST}`;

/** True where `:agent` is registered in `:room`. */
export const REGISTERED = "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent)";

const MARK = `
  INSERT INTO waits (room_id, agent_id, token, waiting_on, until, revision)
  SELECT :room, :agent, :token, :waiting_on, :from + :lasts, revision ${FROM_ADMITTED}
  ON CONFLICT DO NOTHING`; // a restored copy may have it

/** The row of a room, without what is due: a mark is a lease, and ends nothing else. */
const GUARDED = (room: string): Statement => ({
  sql: "SELECT guarded FROM rooms WHERE id = :room",
  args: { room },
  single: true,
});

const OWN_MARK = "room_id = :room AND agent_id = :agent AND token = :token";
const IS_MARKED = `EXISTS (SELECT 1 FROM waits WHERE ${OWN_MARK})`;

/** Selects marks that the same wait of the agent has left. */
const LEFT = `
  SELECT rowid FROM waits
   WHERE room_id = :room AND agent_id = :agent AND waiting_on = :waiting_on AND +until > ${NOW} AND ${IS_OVER}`;

/** Makes a mark that was left that of this wait. Nobody sees a difference, so it takes no revision. */
const TAKE_OVER = `
  UPDATE waits SET token = :token, until = :from + :lasts WHERE rowid = (${LEFT} LIMIT 1) AND NOT ${IS_MARKED}`;

const CLEAR = `DELETE FROM waits WHERE ${OWN_MARK}`;

const MOVE = `
  UPDATE agents SET revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/** Gives the agent a sign of life, and the revision where there is one. It ends what its other waits have left. */
const MOVE_AND_BEAT = `
  UPDATE agents SET
    revision = COALESCE((SELECT revision ${FROM_ADMITTED}), revision),
    last_heartbeat = MAX(last_heartbeat, :now)
   WHERE room_id = :room AND id = :agent`;

/**
 * Selects the two newest marks of waits in progress of one agent, or of each, and of waits that are over, oldest first,
 * for `readCurrent`. Two, because a wait sees its agent without itself; no more, because an agent may have thousands.
 */
export function newestTwoWaitsOf(room: string, agent: string | null): Statement {
  return agent === null ? { sql: NEWEST_TWO, args: { room } } : { sql: NEWEST_TWO_OF, args: { room, agent } };
}

/** Selects the newest wait in progress of one agent, or of each, for `readCurrent`. */
export function newestWaitsOf(room: string, agent: string | null): Statement {
  return agent === null
    ? { sql: `${NEWEST} GROUP BY agent_id`, args: { room } }
    : { sql: `${NEWEST} AND agent_id = :agent GROUP BY agent_id`, args: { room, agent } };
}

/** Selects an agent's waits in progress for a write, which leaves the due ones to the next `readCurrent`. */
export function waitsNow(room: string, agent: string): Statement {
  return { sql: IN_PROGRESS_NOW, args: { room, agent } };
}

export interface WaitInProgress {
  agent_id: string;
  token: string;
  waiting_on: string;
  /** It is over and has left its mark. */
  over: boolean;
}

/** From where waits are seen: the agent `self`, and its own `wait`. */
export interface Viewpoint {
  self: string | null;
  wait?: string;
}

/** Reads a row of `newestTwoWaitsOf`. */
export function toWait(row: Row): WaitInProgress {
  return {
    agent_id: row.agent_id as string,
    token: row.token as string,
    waiting_on: row.waiting_on as string,
    over: Boolean(row.over),
  };
}

/** True of the marks that a wait does not see: its own, and those that its agent's earlier waits have left. */
export function isHidden({ agent_id, token, over }: WaitInProgress, { self, wait }: Viewpoint): boolean {
  return wait !== undefined && (token === wait || over && agent_id === self);
}

/** The newest wait in progress of each waiting agent. */
export type Newest = ReadonlyMap<string, WaitInProgress>;

/** Finds each agent's newest wait; `waits` are in progress, oldest first. */
export function newestOf(waits: WaitInProgress[]): Newest {
  return new Map(waits.map((wait) => [wait.agent_id, wait]));
}

/** Reads rows of `newestWaitsOf`. */
export function toNewest(rows: Row[]): Newest {
  return newestOf(rows.map(toWait));
}

const RECIPIENTS = `
  SELECT asked.key AS n, status, last_heartbeat, waiting_on,
         waiting_on IS NOT NULL OR ${isRecent("last_heartbeat")} AS alive
    FROM (
      SELECT asked.key, agents.status, agents.last_heartbeat, (
          SELECT waiting_on FROM waits
           WHERE waits.room_id = agents.room_id AND agent_id = agents.id AND +until > ${NOW}
           ORDER BY waits.revision DESC LIMIT 1) AS waiting_on
        FROM json_each(:asked) AS asked
        CROSS JOIN agents ON agents.room_id = asked.value ->> 0 AND agents.id = asked.value ->> 1) AS asked`;

/** An agent that is written to; null where it is not registered. */
export interface Recipient {
  registered: boolean;
  alive: boolean | null;
  status: Status | null;
  waiting_on: string | null;
  last_heartbeat: string | null;
}

/** Columns of a row of `selectRecipients`. */
export const RECIPIENT = ["n", "status", "last_heartbeat", "waiting_on", "alive"];

/** Selects those of these agents that are registered, each with its index `n`. */
export function selectRecipients(asked: Array<[room: string, agent: string] | null>): Statement {
  return { sql: RECIPIENTS, args: { asked: JSON.stringify(asked) } };
}

/** Reads a row of `selectRecipients`. */
export function toRecipient(row: Row | undefined): Recipient {
  if (row === undefined) {
    return { registered: false, alive: null, status: null, waiting_on: null, last_heartbeat: null };
  }
  const waiting_on = row.waiting_on as string | null;
  return {
    registered: true,
    alive: Boolean(row.alive),
    status: waiting_on === null ? row.status as Status : "waiting",
    waiting_on,
    last_heartbeat: row.last_heartbeat as string,
  };
}

/** Shows an agent as `waiting` on its newest wait's condition while one is in progress, else with its own status. */
export function present(
  agent: string,
  status: Status,
  newest: Newest,
): { status: Status; waiting_on: string | null } {
  const wait = newest.get(agent);
  return wait ? { status: "waiting", waiting_on: wait.waiting_on } : { status, waiting_on: null };
}

/** Tells whether an agent is alive at a time of the database's clock: it waits, or had a heartbeat not long ago. */
export function isAlive(agent: string, lastHeartbeat: string, newest: Newest, now: Date): boolean {
  return newest.has(agent) || now.getTime() - Date.parse(lastHeartbeat) <= ALIVE_MS;
}

/** Records a heartbeat without a write, coalesced with others. */
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

/**
 * Marks that an agent waits, for at most `lasts` milliseconds by the database's clock. It is a sign of life too. Where
 * the same wait has left its mark, it takes that over.
 */
export async function markWaiting(
  database: Database,
  by: WriteAs,
  { room, agent, token }: WaitMark,
  { waitingOn, lasts }: { waitingOn: string; lasts: number },
): Promise<void> {
  const [own, same] = [{ room, agent, token }, { room, agent, waiting_on: waitingOn }];
  const where = [REGISTERED, `NOT ${IS_MARKED}`, `NOT EXISTS (${LEFT})`];
  const write = { room, admission: { where, args: { ...own, ...same } } };
  const { sql: may, args: viewer } = mayActIn(by.viewer, by.acts) ?? { sql: "TRUE", args: {} };
  await commitMark(database, by, write, (nonce, now): Statement[] => {
    const args = { ...own, ...same, from: now.getTime(), lasts };
    return [
      { sql: `${TAKE_OVER} AND ${may}`, args: { ...args, ...viewer } },
      { sql: MARK, args: { ...args, nonce } },
      {
        sql: `${MOVE_AND_BEAT} AND ${may}`,
        args: { room, nonce, agent, now: now.toISOString(), ...viewer },
      },
    ];
  });
}

/** Clears the mark of this wait alone. */
export async function clearWaiting(database: Database, { room, agent, token }: WaitMark): Promise<void> {
  const admission = { where: [IS_MARKED], args: { agent, token }, byAnyRelease: true };
  await commitMark(database, BY_SERVICE, { room, admission }, (nonce): Statement[] => [
    { sql: CLEAR, args: { room, agent, token } },
    { sql: MOVE, args: { room, nonce, agent } },
  ]);
}

/** Sets or clears a mark. The agent gets the write's revision, since what it shows changes. */
async function commitMark(
  database: Database,
  by: WriteAs,
  { room, admission }: { room: string; admission: Admission },
  effects: (nonce: string, now: Date) => Statement[],
): Promise<void> {
  const [nonce, now] = [database.newId(), await database.time()];
  const write = { room, part: "agents" as const, nonce, now, admission, reads: [GUARDED(room)] };
  await commit(database, by, { ...write, effects: effects(nonce, now) });
}
