import { mayActIn } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import type { Statement } from "../driver/statement.ts";
import { SERVED, THERE } from "../release.ts";
import { type Admission, ADMITTED, FROM_ADMITTED, NEW_REVISION } from "../write/admission.ts";
import { BY_SERVICE, type WriteAs } from "../write/context.ts";
import { beatAt } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";
import { REGISTERED } from "./registration.ts";
import { IS_OVER } from "./waits.ts";

/**
 * Shows that an agent has a wait in progress. A mark is a lease, which expires when its instance dies
 * (db/write/endings.ts). One that is not cleared when its wait is over stays until the lease expires or the agent does
 * anything: the trigger `agents_acted` (db/driver/schema.ts) makes it due with the agent's next heartbeat.
 */
interface WaitMark {
  room: string;
  agent: string;
  /** Unique among the agent's waits. */
  token: string;
}

const MARK = `
  INSERT INTO waits (room_id, agent_id, token, waiting_on, until, revision)
  SELECT :room, :agent, :token, :waiting_on, :from + :lasts, revision ${FROM_ADMITTED}
  ON CONFLICT DO NOTHING`; // a restored copy may have it

/** Selects the room's row without `due`: a write of a mark is made whatever is due, and ends nothing. */
const GUARDED = "SELECT guarded FROM rooms WHERE id = :room";

const OWN_MARK = "room_id = :room AND agent_id = :agent AND token = :token";
const IS_MARKED = `EXISTS (SELECT 1 FROM waits WHERE ${OWN_MARK})`;

/** Selects the marks that earlier waits of the agent on the same condition have left. */
const LEFT = `
  SELECT rowid FROM waits
   WHERE room_id = :room AND agent_id = :agent AND waiting_on = :waiting_on AND +until > ${NOW} AND ${IS_OVER}`;

/** Makes a mark that was left the mark of this wait. Nobody sees a difference, so it takes no revision. */
const TAKE_OVER = `
  UPDATE waits SET token = :token, until = :from + :lasts WHERE rowid = (${LEFT} LIMIT 1) AND NOT ${IS_MARKED}`;

const CLEAR = `DELETE FROM waits WHERE ${OWN_MARK}`;

const MOVE = `
  UPDATE agents SET revision = ${NEW_REVISION}
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/**
 * Records the agent's heartbeat, and the write's revision if it has one. It makes due what its other waits have left.
 */
const MOVE_AND_BEAT = `
  UPDATE agents SET
    revision = COALESCE(${NEW_REVISION}, revision),
    ${beatAt(":now")}
   WHERE room_id = :room AND id = :agent`;

/**
 * Marks that an agent waits, for at most `lasts` milliseconds by the database's clock, and records its heartbeat. Takes
 * over the mark that an earlier wait on the same condition has left. What is due in the room ends after it, before
 * anybody reads the room. Leaves alone the key under which the agent waits.
 */
export async function markWaiting(
  database: Database,
  by: WriteAs,
  { room, agent, token }: WaitMark,
  { waitingOn, lasts }: { waitingOn: string; lasts: number },
): Promise<void> {
  const [own, same] = [{ room, agent, token }, { room, agent, waiting_on: waitingOn }];
  const where = [REGISTERED, `NOT ${IS_MARKED}`, `NOT EXISTS (${LEFT})`];
  const write = { room, admission: { where, args: { ...own, ...same }, writable: SERVED } };
  const { sql: may, args: viewer } = mayActIn(by.viewer, by.acts) ?? { sql: "TRUE", args: {} };
  const unkeyed = { ...by, idempotencyKey: undefined };
  await commitMark(database, unkeyed, write, (nonce, now): Statement[] => {
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
  const admission = { where: [IS_MARKED], args: { agent, token }, writable: THERE };
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
  const reads = [{ sql: GUARDED, args: { room }, single: true }];
  const write = { room, part: "agents" as const, nonce, now, admission, reads };
  await commit(database, by, { ...write, effects: effects(nonce, now) });
}
