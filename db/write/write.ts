import { type Admission, admit, ADMITTED, FROM_ADMITTED } from "./admission.ts";
import { BEAT } from "./heartbeat.ts";
import type { Database, Part } from "../database.ts";
import type { Once } from "../keyed_request.ts";
import {
  checkTaken,
  find,
  held,
  keepRevision,
  keepRows,
  letGo,
  type Step,
  storedRows,
  takeKey,
  used,
} from "./idempotency.ts";
import { SERVED } from "../release.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";

/**
 * One change of a room. All of it travels in one atomic batch, and the database decides: the `admission`
 * names every precondition; each effect is conditional on ADMITTED. The `reads` run last and show what the answer or
 * the refusal needs. What a successful answer is made of has `kept`, for replays.
 */
export interface Write {
  room: string;
  /** What it changes; the admission advances this part's revision too. */
  part: Part;
  admission: Admission;
  effects: Step[];
  reads: Step[];
  /** Who makes it; it counts as a heartbeat where the write succeeds. It comes last: a gate may have read the one before. */
  heartbeat?: { agent?: string; now: Date };
  /** When a write that was not admitted is answered with success all the same, after the effects. */
  granted?: Condition;
  /** The oldest release that may serve the room from this write on, where it brings what older ones would break. */
  requires?: number;
}

export interface Outcome {
  /** The revision that the write was given, or undefined where it was refused. */
  revision: number | undefined;
  effects: Row[][];
  reads: Row[][];
}

/** Commits one write and, when it was admitted, announces it. Errors: `DatabaseUnavailable`. */
export async function commit(database: Database, write: Write): Promise<Outcome> {
  if (database.once) return await commitOnce(database, database.once, write);
  const { effects, reads } = write;
  const beats = beatOf(write).map((beat) => whereDone(write, beat));
  const [admitted, ...rows] = await database.commit([
    admit(write.room, write.part, write.admission),
    ...effects,
    ...reads,
    ...beats,
    ...raiseOf(write),
  ]);
  const revision = admitted!.length === 1 ? Number(admitted![0]!.revision) : undefined;
  if (revision !== undefined) database.announce({ room: write.room, part: write.part, revision });
  return { revision, effects: rows.slice(0, effects.length), reads: rows.slice(effects.length) };
}

/** The same under a key, which is taken before the admission and given back where the write is refused. */
async function commitOnce(database: Database, once: Once, write: Write): Promise<Outcome> {
  const { room, part, admission, effects } = write;
  const granted = grantedOf(write);
  const steps = [...effects, ...write.reads];
  const outcome = (revision: number | undefined, rows: Row[][]): Outcome => {
    return { revision, effects: rows.slice(0, effects.length), reads: rows.slice(effects.length) };
  };
  if (once.stored) return outcome(once.stored.revision ?? undefined, storedRows(steps, once.stored));

  const batch = takeKey(once);
  const own = held(once);
  const place = batch.push(admit(room, part, {
    ...admission,
    where: [...admission.where, own.sql],
    args: { ...admission.args, ...own.args },
  })) - 1;
  const places = steps.map((step) => batch.push(step, ...keepRows(once, step)) - 1 - (step.kept ? 1 : 0));
  const admitted = { room, nonce: admission.args.nonce };
  const refused = `NOT ${ADMITTED} AND NOT (${granted?.sql ?? "FALSE"})`;
  batch.push(
    keepRevision(once, `SELECT revision ${FROM_ADMITTED}`, admitted),
    letGo(once, refused, { ...granted?.args, ...admitted }),
    ...beatOf(write).map(({ sql, args }) => ({
      sql: `${sql} AND ${own.sql}`,
      args: { ...args, ...own.args },
    })),
    ...raiseOf(write),
    find(once),
  );
  const rows = await database.commit(batch);
  checkTaken(once, rows.at(-1)!);
  const [row] = rows[place]!;
  const revision = row && Number(row.revision);
  if (revision !== undefined) database.announce({ room, part, revision });
  return outcome(revision, places.map((place) => rows[place]!));
}

/** Still to be bound to the success of the write. */
function beatOf({ room, heartbeat }: Write): Statement[] {
  if (heartbeat?.agent === undefined) return [];
  return [{ sql: BEAT, args: { room, agent: heartbeat.agent, now: heartbeat.now.toISOString() } }];
}

const RAISE = `UPDATE rooms SET requires = MAX(requires, :requires) WHERE id = :room AND admitted = :nonce`;

/** Leaves the room, with the write, to the releases that may serve it. */
function raiseOf({ room, admission, requires }: Write): Statement[] {
  if (requires === undefined) return [];
  return [{ sql: RAISE, args: { room, nonce: admission.args.nonce, requires } }];
}

/** `granted`, where this release may serve the room. */
function grantedOf({ room, granted }: Write): Condition | undefined {
  if (granted === undefined) return undefined;
  const sql = `(${granted.sql}) AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED})`;
  return { sql, args: { ...granted.args, room } };
}

/** A statement that ends in its condition, made to act only where the write succeeded. */
function whereDone(write: Write, { sql, args }: Statement): Statement {
  const { admission } = write;
  const granted = grantedOf(write);
  const bound = `${sql} AND (${ADMITTED} OR ${granted?.sql ?? "FALSE"})`;
  return { sql: bound, args: used(bound, { ...granted?.args, nonce: admission.args.nonce, ...args }) };
}
