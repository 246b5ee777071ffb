import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";
import { SERVED } from "../release.ts";
import { type Admission, admit, ADMITTED, FROM_ADMITTED } from "./admission.ts";
import type { Outcome, WriteAs } from "./context.ts";
import { BEAT } from "./heartbeat.ts";
import { commitOnce, held, type Step, storeRevision } from "./idempotency.ts";

/**
 * One change of a room. All of it travels in one atomic batch, and the database decides: the `admission` names every
 * precondition; each effect is conditional on ADMITTED. The `reads` run last and show what the answer or the refusal
 * needs. The answer is made of the steps that have `answer`.
 */
export interface Write {
  room: string;
  /** What it changes; the admission advances this part's revision too. */
  part: Part;
  /** Unique. */
  nonce: string;
  now: Date;
  admission: Admission;
  effects: Step[];
  reads: Step[];
  /** Whose heartbeat it is where it succeeds. It comes after all that looks: a gate may have read the one before. */
  heartbeatOf?: string;
  /** When a write that was not admitted is answered with success all the same, after the effects. */
  granted?: Condition;
  /** The oldest release that may serve the room from this write on, where it brings what older ones would break. */
  requires?: number;
}

export interface Committed {
  /** What was told; its `revision` is undefined where the write was not admitted. */
  outcome: Outcome;
  /** The rows of the reads as the room stands, for a refusal. */
  reads: Row[][];
}

const RAISE = `UPDATE rooms SET requires = MAX(requires, :requires) WHERE id = :room AND admitted = :nonce`;

/**
 * Commits one write and, when it was admitted, announces it. Where an earlier request holds the idempotency key, nothing
 * is changed and its outcome is given. Errors: `DatabaseUnavailable`, `idempotency_mismatch`.
 */
export async function commit(database: Database, by: WriteAs, write: Write): Promise<Committed> {
  const { room, part, nonce, now, effects, reads, requires } = write;
  const [own, key] = [{ room, nonce }, by.idempotencyKey];
  const { sql, args } = succeeded(write);
  const { rows, answers, stored } = await commitOnce(database, by, {
    steps: [admit(write, key && held(key)), ...effects, ...reads],
    last: [
      ...heartbeats(write, key && held(key)),
      ...(requires === undefined ? [] : [{ sql: RAISE, args: { ...own, requires } }]),
      ...(key ? [storeRevision(key, { sql: `SELECT revision ${FROM_ADMITTED}`, args: own })] : []),
    ],
    refused: { sql: `NOT (${sql})`, args },
  });
  const [admitted] = rows[0]!;
  const revision = admitted && Number(admitted.revision);
  if (revision !== undefined) database.announce({ room, part, revision });
  return {
    outcome: stored ?? { now, revision, rows: answers },
    reads: rows.slice(1 + effects.length, 1 + effects.length + reads.length),
  };
}

/** True where the write was admitted or is granted. */
function succeeded({ room, nonce, granted }: Write): Condition {
  if (granted === undefined) return { sql: ADMITTED, args: { room, nonce } };
  const served = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED})`;
  return { sql: `${ADMITTED} OR (${granted.sql}) AND ${served}`, args: { ...granted.args, room, nonce } };
}

function heartbeats(write: Write, held?: Condition): Statement[] {
  const { room, heartbeatOf: agent, now } = write;
  if (agent === undefined) return [];
  const { sql, args } = succeeded(write);
  const conditions = [BEAT, `(${sql})`, ...(held ? [held.sql] : [])].join(" AND ");
  return [{ sql: conditions, args: { ...args, ...held?.args, room, agent, now: now.toISOString() } }];
}
