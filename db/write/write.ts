import { mayAct, selectSecured, toSecured } from "../access/acts.ts";
import { foundGuarded } from "../access/guarded.ts";
import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";
import { refusalOf, unprovenActors } from "./acts.ts";
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
  /** A further part that it may change. */
  also?: Part;
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
  /** Which of the agents that the token of its viewer does not entitle it to are secure, where it shows one. */
  secured?: string[];
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
    if (outcome.revision !== undefined || outcome.replayed) return committed;
    const room = rooms?.[0];
    if (room?.guarded) {
      foundGuarded(write.room);
      const refusal = await refusalOf(database, by, write.room, { writes: true, secured: committed.secured });
      if (refusal) throw refusal;
    }
    const due = dueOf(write.room, room);
    if (!due) return committed;
    await makeEndings(database, by.viewer, due);
  }
}

async function tryCommit(database: Database, by: WriteAs, write: Write): Promise<Committed> {
  const { room, part, also, nonce, now, effects, reads } = write;
  const [own, key] = [{ room, nonce }, by.idempotencyKey];
  const { sql, args } = succeeded(by, write);
  const may = mayAct(by.viewer, by.acts);
  const unproven = by.viewer.token === undefined ? [] : unprovenActors(by);
  const { rows, answers, stored } = await commitOnce(database, by, {
    steps: [
      admit(write, [...may ? [may] : [], ...key ? [held(key)] : []]),
      ...effects,
      ...reads,
      ...unproven.length > 0 ? [selectSecured(room, unproven)] : [],
    ],
    last: [
      ...heartbeats(by, write, key && held(key)),
      ...(key ? [storeRevision(key, { sql: `SELECT revision ${FROM_ADMITTED}`, args: own })] : []),
    ],
    refused: { sql: `NOT (${sql})`, args },
  });
  const [admitted] = rows[0]!;
  const revision = admitted && Number(admitted.revision);
  if (revision !== undefined) database.announce({ room, part, revision });
  if (revision !== undefined && also) database.announce({ room, part: also, revision });
  const outcome = stored ?? { now, revision, rows: answers };
  const secured = unproven.length > 0 ? toSecured(rows.at(-1)![0]!) : undefined;
  return { outcome, reads: rows.slice(1 + effects.length), secured };
}

/** True where the write was admitted or granted. */
function succeeded({ viewer, acts }: WriteAs, { room, nonce, granted }: Write): Condition {
  if (granted === undefined) return { sql: ADMITTED, args: { room, nonce } };
  const may = mayAct(viewer, acts);
  const conditions = ["id = :room", WRITABLE, ...may ? [may.sql] : []].join(" AND ");
  const sql = `${ADMITTED} OR (${granted.sql}) AND EXISTS (SELECT 1 FROM rooms WHERE ${conditions})`;
  return { sql, args: { ...granted.args, ...may?.args, room, nonce } };
}

function heartbeats(by: WriteAs, write: Write, held?: Condition): Statement[] {
  const { room, heartbeatOf: agent, now } = write;
  if (agent === undefined) return [];
  const { sql, args } = succeeded(by, write);
  const conditions = [BEAT, `(${sql})`, ...(held ? [held.sql] : [])].join(" AND ");
  return [{ sql: conditions, args: { ...args, ...held?.args, room, agent, now: now.toISOString() } }];
}
