import { NOW } from "./clock.ts";
import type { Database } from "./database.ts";
import type { Row, Statement } from "./driver/statement.ts";
import { type Admission, ADMITTED, FROM_ADMITTED } from "./write/admission.ts";
import { COALESCED_HEARTBEATS } from "./write/coalesced_write.ts";
import { SERVICE } from "./viewer.ts";
import { commit } from "./write/write.ts";

export const STATUSES = ["active", "idle", "busy", "waiting"] as const;
export type Status = typeof STATUSES[number];

/** A wait in progress, as all see it: a lease that ends by itself when its instance dies (db/write/endings.ts). */
export interface WaitMark {
  room: string;
  agent: string;
  /** Tells this wait from the agent's others. */
  token: string;
}

const WAITS = `SELECT agent_id, token, waiting_on FROM waits WHERE room_id = :room`;
const OLDEST_FIRST = `ORDER BY revision`;

/** The two newest of each agent, found by their numbers alone: what they wait for may be long. */
const newestTwo = (whose: string) => `
  SELECT agent_id, token, waiting_on FROM waits WHERE rowid IN (
    SELECT id FROM (
      SELECT rowid AS id, ROW_NUMBER() OVER (PARTITION BY agent_id ORDER BY revision DESC) AS position
        FROM waits WHERE ${whose})
     WHERE position <= 2)
  ${OLDEST_FIRST}`;
const NEWEST_TWO = newestTwo("room_id = :room");
const NEWEST_TWO_OF = newestTwo("room_id = :room AND agent_id = :agent");
// Of each group the other columns are of the row that has the greatest revision.
const NEWEST = `SELECT agent_id, token, waiting_on, MAX(revision) FROM waits WHERE room_id = :room`;
// The plus keeps the index by time from being taken: an agent has few waits, a room may have thousands.
const IN_PROGRESS_NOW = `${WAITS} AND agent_id = :agent AND +until > ${NOW} ${OLDEST_FIRST}`;

/** Whether `:agent` is registered in `:room`. */
export const REGISTERED = "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent)";

const MARK = `
  INSERT INTO waits (room_id, agent_id, token, waiting_on, until, revision)
  SELECT :room, :agent, :token, :waiting_on, ${NOW} + :lasts, revision ${FROM_ADMITTED}
  ON CONFLICT DO NOTHING`; // of a restored copy that has it

const OWN_MARK = "room_id = :room AND agent_id = :agent AND token = :token";
const CLEAR = `DELETE FROM waits WHERE ${OWN_MARK}`;

const MOVE_AGENT = `
  UPDATE agents SET revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/**
 * Reads the two newest waits in progress of one agent, or of each, oldest first, after a look at what is due
 * (`readCurrent`): a wait sees its agent without itself, and an agent may have thousands.
 */
export function newestTwoWaitsOf(room: string, agent: string | null): Statement {
  return agent === null ? { sql: NEWEST_TWO, args: { room } } : { sql: NEWEST_TWO_OF, args: { room, agent } };
}

/** Reads the newest wait in progress of one agent, or of each: an agent may have thousands. Else as `newestTwoWaitsOf`. */
export function newestWaitsOf(room: string, agent: string | null): Statement {
  return agent === null
    ? { sql: `${NEWEST} GROUP BY agent_id`, args: { room } }
    : { sql: `${NEWEST} AND agent_id = :agent GROUP BY agent_id`, args: { room, agent } };
}

/** Reads an agent's waits in progress along with a write, which leaves what is due to the next look. */
export function waitsNow(room: string, agent: string): Statement {
  return { sql: IN_PROGRESS_NOW, args: { room, agent } };
}

/** A wait in progress, from a row of `newestTwoWaitsOf`. */
export interface WaitInProgress {
  agent_id: string;
  token: string;
  waiting_on: string;
}

export function toWait(row: Row): WaitInProgress {
  return {
    agent_id: row.agent_id as string,
    token: row.token as string,
    waiting_on: row.waiting_on as string,
  };
}

/** The newest wait in progress of each agent that waits. */
export type Newest = ReadonlyMap<string, WaitInProgress>;

/** Finds each agent's newest wait among waits in progress, oldest first. */
export function newestOf(waits: WaitInProgress[]): Newest {
  return new Map(waits.map((wait) => [wait.agent_id, wait]));
}

/** The newest waits, from rows of `newestWaitsOf`. */
export function toNewest(rows: Row[]): Newest {
  return newestOf(rows.map(toWait));
}

/** What an agent shows: `waiting` while a wait of its is in progress (the newest one's condition), else its status. */
export function present(
  agent: string,
  status: Status,
  newest: Newest,
): { status: Status; waiting_on: string | null } {
  const wait = newest.get(agent);
  return wait ? { status: "waiting", waiting_on: wait.waiting_on } : { status, waiting_on: null };
}

/** Records a heartbeat that goes with no write; together with others that come at once. */
export async function recordHeartbeat(database: Database, room: string, agent: string): Promise<void> {
  const now = (await database.time()).toISOString();
  await database.commitCoalesced(SERVICE, COALESCED_HEARTBEATS, [room, agent, now]);
}

/** Shows that an agent waits, for `lasts` milliseconds by the database's clock at the longest. */
export async function markWaiting(
  database: Database,
  { room, agent, token }: WaitMark,
  { waitingOn, lasts }: { waitingOn: string; lasts: number },
): Promise<void> {
  const admission = { where: [REGISTERED], args: { agent } };
  const args = { room, agent, token, waiting_on: waitingOn, lasts };
  await moveAgent(database, room, agent, admission, (nonce) => ({ sql: MARK, args: { ...args, nonce } }));
}

/** Clears this wait's mark and no other. */
export async function clearWaiting(database: Database, { room, agent, token }: WaitMark): Promise<void> {
  const where = [`EXISTS (SELECT 1 FROM waits WHERE ${OWN_MARK})`];
  const admission = { where, args: { agent, token }, byAnyRelease: true };
  await moveAgent(database, room, agent, admission, () => ({ sql: CLEAR, args: { room, agent, token } }));
}

/** Changes something of an agent that is not of its row, with which the agent changes. */
async function moveAgent(
  database: Database,
  room: string,
  agent: string,
  admission: Admission,
  effect: (nonce: string) => Statement,
): Promise<void> {
  const [nonce, now] = [database.newId(), await database.time()];
  const moved = { sql: MOVE_AGENT, args: { room, nonce, agent } };
  const write = { room, part: "agents" as const, nonce, now, admission, reads: [] };
  await commit(database, { viewer: SERVICE }, { ...write, effects: [effect(nonce), moved] });
}
