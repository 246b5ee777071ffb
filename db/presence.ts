import type { Database } from "./database.ts";
import { SERVED } from "./release.ts";
import type { Row, Statement } from "./statement.ts";
import { SIGNS } from "./together.ts";
import { ADMITTED, commit, FROM_ADMITTED, SIGN } from "./write.ts";

export const STATUSES = ["active", "idle", "busy", "waiting"] as const;
export type Status = typeof STATUSES[number];

/** A wait in progress, as all see it: a lease that ends by itself when its instance dies. */
export interface WaitMark {
  room: string;
  agent: string;
  /** Tells this wait from the agent's others. */
  token: string;
}

const TOUCH = `${SIGN} RETURNING id`;

const IN_PROGRESS = `
  SELECT agent_id, token, waiting_on, until FROM waits
   WHERE room_id = :room AND until > :now ORDER BY revision`;

const IN_PROGRESS_OF = `
  SELECT agent_id, token, waiting_on, until FROM waits
   WHERE room_id = :room AND agent_id = :agent AND until > :now ORDER BY revision`;

const ADMIT_MARK = `
  UPDATE rooms SET revision = revision + 1, agents_revision = revision + 1, admitted = :nonce
   WHERE id = :room AND ${SERVED} AND EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent)
  RETURNING revision`;

const MARK = `
  INSERT INTO waits (room_id, agent_id, token, waiting_on, until, revision)
  SELECT :room, :agent, :token, :waiting_on, :until, revision ${FROM_ADMITTED}`;

const FORGET_EXPIRED = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND until <= :now`;

const ADMIT_CLEAR = `
  UPDATE rooms SET revision = revision + 1, agents_revision = revision + 1, admitted = :nonce
   WHERE id = :room AND EXISTS (SELECT 1 FROM waits WHERE room_id = :room AND agent_id = :agent AND token = :token)
  RETURNING revision`;

const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND token = :token`;

const MOVE_AGENT = `
  UPDATE agents SET revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/** A sign of life of whoever acts; nothing happens where no such agent is registered. */
export function touch(room: string, agent: string | undefined, now: Date): Statement[] {
  if (agent === undefined) return [];
  return [{ sql: TOUCH, args: { room, agent, now: now.toISOString() }, single: true }];
}

/** Reads the waits in progress of one agent, or of all, oldest first. */
export function waitsOf(room: string, agent: string | null, now: Date): Statement {
  return agent === null
    ? { sql: IN_PROGRESS, args: { room, now: now.getTime() } }
    : { sql: IN_PROGRESS_OF, args: { room, agent, now: now.getTime() } };
}

/** A wait in progress, from a row of `waitsOf`. */
export interface WaitInProgress {
  agent_id: string;
  token: string;
  waiting_on: string;
  /** When the lease ends, in milliseconds. */
  until: number;
}

export function toWait(row: Row): WaitInProgress {
  return {
    agent_id: row.agent_id as string,
    token: row.token as string,
    waiting_on: row.waiting_on as string,
    until: Number(row.until),
  };
}

/** The newest wait in progress of each agent that waits. */
export type Newest = ReadonlyMap<string, WaitInProgress>;

/** Finds each agent's newest wait among waits in progress, oldest first. */
export function newestOf(waits: WaitInProgress[]): Newest {
  return new Map(waits.map((wait) => [wait.agent_id, wait]));
}

/** The newest waits, from rows of `waitsOf`. */
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

/** Records a sign of life that goes with no write; together with others that come at once. */
export async function signOfLife(database: Database, room: string, agent: string): Promise<void> {
  await database.commitOne(SIGNS, [room, agent, database.now().toISOString()]);
}

/** Shows that an agent waits, until `until` at the latest. */
export async function markWaiting(
  database: Database,
  { room, agent, token }: WaitMark,
  { waitingOn, until }: { waitingOn: string; until: Date },
): Promise<void> {
  const [nonce, now] = [database.unique(), database.now()];
  const mark = { token, waiting_on: waitingOn, until: until.getTime() };
  await commit(database, {
    room,
    part: "agents",
    admission: { sql: ADMIT_MARK, args: { room, nonce, agent } },
    effects: [
      { sql: FORGET_EXPIRED, args: { room, agent, now: now.getTime() } },
      { sql: MARK, args: { room, nonce, agent, ...mark } },
      { sql: MOVE_AGENT, args: { room, nonce, agent } },
    ],
    reads: [],
  });
}

/** Clears this wait's mark and no other. */
export async function clearWaiting(database: Database, { room, agent, token }: WaitMark): Promise<void> {
  const nonce = database.unique();
  await commit(database, {
    room,
    part: "agents",
    admission: { sql: ADMIT_CLEAR, args: { room, nonce, agent, token } },
    effects: [
      { sql: CLEAR, args: { room, agent, token } },
      { sql: MOVE_AGENT, args: { room, nonce, agent } },
    ],
    reads: [],
  });
}
