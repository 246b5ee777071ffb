import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";
import { type Admission, admit, ADMITTED, FROM_ADMITTED } from "./admission.ts";
import type { Outcome, WriteAs } from "./context.ts";
import { dueOf, WRITABLE } from "./due.ts";
import { makeEndings } from "./endings.ts";
import { BEAT } from "./heartbeat.ts";
import { commitOnce, held, type Step, storeRevision } from "./idempotency.ts";

/**
 * A change of a room, in one atomic batch that the database decides. The `admission` holds every precondition; each
 * effect is conditional on ADMITTED. The `reads` run last and bring what the answer or the refusal needs; the first of
 * them selects a row of the room with `DUE` (due.ts). The answer is made of the steps with `answer`.
 */
export interface Write {
  room: string;
  /** The part that it changes, whose revision the admission advances too. */
  part: Part;
  /** Unique. */
  nonce: string;
  now: Date;
  admission: Admission;
  effects: Step[];
  reads: Step[];
  /** Gets a heartbeat if the write succeeds, after all steps, since a gate may have read the one before. */
  heartbeatOf?: string;
  /** True, after the effects, where a write that was not admitted succeeds all the same. */
  granted?: Condition;
}

interface Committed {
  /** Its `revision` is undefined where the write was not admitted. */
  outcome: Outcome;
  /** The rows of the reads, for a refusal. */
  reads: Row[][];
}

/**
 * Commits a write and, if admitted, announces it. Where something was due in the room, it ends that first, in a further
 * round trip. Where an earlier request holds the idempotency key, it changes nothing and returns that outcome.
 * Errors: `DatabaseUnavailable`, `idempotency_mismatch`.
 */
export async function commit(database: Database, by: WriteAs, write: Write): Promise<Committed> {
  for (;;) {
    const committed = await tryCommit(database, by, write);
    const { outcome, reads: [rooms] } = committed;
    const due = outcome.revision === undefined && !outcome.replayed && dueOf(write.room, rooms?.[0]);
    if (!due) return committed;
    await makeEndings(database, by.viewer, due);
  }
}

async function tryCommit(database: Database, by: WriteAs, write: Write): Promise<Committed> {
  const { room, part, nonce, now, effects, reads } = write;
  const [own, key] = [{ room, nonce }, by.idempotencyKey];
  const { sql, args } = succeeded(write);
  const { rows, answers, stored } = await commitOnce(database, by, {
    steps: [admit(write, key && held(key)), ...effects, ...reads],
    last: [
      ...heartbeats(write, key && held(key)),
      ...(key ? [storeRevision(key, { sql: `SELECT revision ${FROM_ADMITTED}`, args: own })] : []),
    ],
    refused: { sql: `NOT (${sql})`, args },
  });
  const [admitted] = rows[0]!;
  const revision = admitted && Number(admitted.revision);
  if (revision !== undefined) database.announce({ room, part, revision });
  return { outcome: stored ?? { now, revision, rows: answers }, reads: rows.slice(1 + effects.length) };
}

/** True where the write was admitted or granted. */
function succeeded({ room, nonce, granted }: Write): Condition {
  if (granted === undefined) return { sql: ADMITTED, args: { room, nonce } };
  const writable = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${WRITABLE})`;
  return { sql: `${ADMITTED} OR (${granted.sql}) AND ${writable}`, args: { ...granted.args, room, nonce } };
}

function heartbeats(write: Write, held?: Condition): Statement[] {
  const { room, heartbeatOf: agent, now } = write;
  if (agent === undefined) return [];
  const { sql, args } = succeeded(write);
  const conditions = [BEAT, `(${sql})`, ...(held ? [held.sql] : [])].join(" AND ");
  return [{ sql: conditions, args: { ...args, ...held?.args, room, agent, now: now.toISOString() } }];
}
