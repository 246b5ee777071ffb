import type { Database, Part } from "./database.ts";
import type { Row, Statement } from "./lane.ts";

/** True, inside an effect, exactly when its own write was admitted. */
export const ADMITTED = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND admitted = :nonce)`;

/** How an effect selects the room row of its own admitted write, whose `revision` is the write's. */
export const FROM_ADMITTED = `FROM rooms WHERE id = :room AND admitted = :nonce`;

/**
 * One change of a room. All of it travels in one atomic batch, and the database decides: the `admission` is an
 * UPDATE of the room's row that advances `revision`, sets `admitted = :nonce` and names every precondition;
 * each effect is conditional on ADMITTED. The `reads` run last and show what the answer or the refusal needs.
 */
export interface Write {
  room: string;
  /** What it changes; the admission advances this part's revision too. */
  part: Part;
  admission: Statement;
  effects: Statement[];
  reads: Statement[];
}

export interface Outcome {
  /** The revision that the write was given, or undefined where it was refused. */
  revision: number | undefined;
  effects: Row[][];
  reads: Row[][];
}

/** Commits one write and, when it was admitted, announces it. Errors: `DatabaseUnavailable`. */
export async function commit(database: Database, write: Write): Promise<Outcome> {
  const [admitted, ...rows] = await database.commit([write.admission, ...write.effects, ...write.reads]);
  const revision = admitted!.length === 1 ? Number(admitted![0]!.revision) : undefined;
  if (revision !== undefined) database.announce({ room: write.room, part: write.part, revision });
  return { revision, effects: rows.slice(0, write.effects.length), reads: rows.slice(write.effects.length) };
}
