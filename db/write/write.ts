import { mayAct, selectSecured, toSecured } from "../access/acts.ts";
import { foundGuarded, isKnownGuarded } from "../access/guarded.ts";
import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";
import { refusalOf, unprovenActors } from "./acts.ts";
import { type Admission, admit, ADMITTED, FROM_ADMITTED } from "./admission.ts";
import type { Outcome, Step, WriteAs } from "./context.ts";
import { dueOf, WRITABLE } from "./due.ts";
import { endBeforeWrite } from "./current.ts";
import { BEAT } from "./heartbeat.ts";
import { commitOnce, held } from "./commit_once.ts";

/** A change of a room, in one atomic batch. The answer is made of the rows of the steps with `answer`. */
export interface Write {
  room: string;
  /** The part that it changes, whose revision the admission advances with the room's. */
  part: Part;
  /** A further part that it may change. */
  also?: Part;
  /** Unique. */
  nonce: string;
  now: Date;
  /** Has all preconditions. */
  admission: Admission;
  /** Each is conditional on `ADMITTED`. */
  effects: Step[];
  /**
   * What the answer or the refusal needs, after the effects. The first one selects the room's row with `DUE` (due.ts).
   */
  reads: Step[];
  /**
   * The agent that gets a heartbeat if the write succeeds: after all steps, since a gate may have read the one before.
   */
  heartbeatOf?: string;
  /** True, after the effects, where a write that was not admitted has nothing to do, and so succeeds. */
  granted?: Condition;
}

interface Committed {
  /** Its `revision` is undefined where the write was not admitted. */
  outcome: Outcome;
  /** The rows of the reads, of which a refusal is made. */
  reads: Row[][];
  /** The unproven agents (`unprovenActors`) that are secure, where the room may be guarded. */
  secured?: string[];
}

/**
 * Commits a write and, if it was admitted, announces it. Where something is due in the room, it ends that in a further
 * round trip and tries again. Where an earlier request holds the idempotency key, it changes nothing and returns the
 * outcome of that request. Errors: `DatabaseUnavailable`, `unauthenticated`, `forbidden`, `idempotency_mismatch`.
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
    await endBeforeWrite(database, due);
  }
}

async function tryCommit(database: Database, by: WriteAs, write: Write): Promise<Committed> {
  const { room, part, also, nonce, now, effects, reads } = write;
  const [own, key] = [{ room, nonce }, by.idempotencyKey];
  const may = mayAct(by.viewer, by.acts);
  const success = succeeded(write, may);
  const asks = by.viewer.token !== undefined || isKnownGuarded(room);
  const unproven = asks ? unprovenActors(by) : [];
  const { rows, answers, stored, key: storedUnder } = await commitOnce(database, by, {
    steps: [
      admit(write, [...may ? [may] : [], ...key ? [held(key)] : []]),
      ...effects,
      ...reads,
      ...unproven.length > 0 ? [selectSecured(room, unproven)] : [],
    ],
    revision: { sql: `SELECT revision ${FROM_ADMITTED}`, args: own },
    last: heartbeats(write, success, key && held(key)),
    refused: { sql: `NOT (${success.sql})`, args: success.args },
  });
  const [admitted] = rows[0]!;
  const revision = admitted && Number(admitted.revision);
  if (admitted?.guarded) foundGuarded(room);
  if (revision !== undefined) database.announce({ room, part, revision });
  if (revision !== undefined && also) database.announce({ room, part: also, revision });
  const outcome = stored ?? { now, revision, rows: answers, key: storedUnder };
  const secured = unproven.length > 0 ? toSecured(rows.at(-1)![0]!) : undefined;
  return { outcome, reads: rows.slice(1 + effects.length), secured };
}

/** Makes the condition that the write was admitted or granted. `may`: that its writer may act so. */
function succeeded({ room, nonce, granted }: Write, may: Condition | undefined): Condition {
  if (granted === undefined) return { sql: ADMITTED, args: { room, nonce } };
  const conditions = ["id = :room", WRITABLE, ...may ? [may.sql] : []].join(" AND ");
  const sql = `${ADMITTED} OR (${granted.sql}) AND EXISTS (SELECT 1 FROM rooms WHERE ${conditions})`;
  return { sql, args: { ...granted.args, ...may?.args, room, nonce } };
}

function heartbeats(
  { room, heartbeatOf: agent, now }: Write,
  success: Condition,
  held?: Condition,
): Statement[] {
  if (agent === undefined) return [];
  const sql = [BEAT, `(${success.sql})`, ...(held ? [held.sql] : [])].join(" AND ");
  return [{ sql, args: { ...success.args, ...held?.args, room, agent, now: now.toISOString() } }];
}
