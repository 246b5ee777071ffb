import { NOW } from "../clock.ts";
import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { SERVED } from "../release.ts";
import type { Row, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { ADMITTED, advance, FROM_ADMITTED } from "./admission.ts";

/**
 * A kind of thing that ends by itself. A new kind needs triggers on its table that maintain `rooms.due`, the first end
 * of all kinds (db/driver/schema.ts), and its migration replaces the triggers of the others: each takes the next end
 * from its own table alone. A release that does not know the kind would set `due` back, so the write that first uses
 * it in a room raises `requires` (db/release.ts).
 */
interface Ending {
  part: Part;
  table: string;
  /** The column of a thing's end, in milliseconds of the database's clock. */
  until: string;
  /**
   * Makes the SQL that ends due things, with `:room`, `:moment` and `:nonce`. `dueFirst` selects a column of the things
   * that one revision ends, by their ends: each statement finds the same until they are gone. Each must be conditional
   * on its admission (admission.ts). A thing that shows when it ended shows its `until`.
   */
  effects(dueFirst: (column: string) => string): string[];
}

/** Ends marks of waits (db/presence.ts) whose instance died: their agents show their own status again. */
const MARKS: Ending = {
  part: "agents",
  table: "waits",
  until: "until",
  effects: (dueFirst) => [
    `UPDATE agents SET revision = (SELECT revision ${FROM_ADMITTED})
      WHERE room_id = :room AND id IN (${dueFirst("agent_id")}) AND ${ADMITTED}`,
    `DELETE FROM waits WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
  ],
};

const ENDINGS: Ending[] = [MARKS];

/** Maximum of things that end in one revision, and of revisions in one round trip. */
const [THINGS, REVISIONS] = [100, 10];
/** Endings that weigh as much as a small statement, so that many have a batch of their own (db/batching/queue.ts). */
const THINGS_OF_WEIGHT = 16;

const isDue = ({ table, until }: Ending, room: string, moment: string) =>
  `SELECT 1 FROM ${table} WHERE room_id = ${room} AND ${until} <= ${moment}`;

const COUNTS = ENDINGS.map((ending) =>
  `(SELECT COUNT(*) FROM (${isDue(ending, "rooms.id", NOW)} LIMIT ${THINGS * REVISIONS}))`
);

/**
 * Column of a room's row: the database's time and how much is due, null where nothing is. It is short, since a server
 * prepares it again for each read, which takes longer than running it.
 */
export const DUE = `CASE WHEN due <= ${NOW} AND ${SERVED} THEN json_array(${NOW}, MAX(${
  COUNTS.join(", ")
}, 0)) END AS due`;

/** True for a room in which nothing is due. */
export const NOTHING_DUE = `(due IS NULL OR due > ${NOW})`;

/** What is due in a room. */
export interface Due {
  room: string;
  /** By the database's clock; whatever ends until then is due. */
  moment: number;
  /** The number of due things of the most frequent kind, as far as one round trip goes. */
  count: number;
}

/** Reads a row with `DUE`. */
export function dueOf(room: string, row: Row | undefined): Due | undefined {
  if (typeof row?.due !== "string") return undefined;
  const [moment, count] = JSON.parse(row.due);
  return { room, moment, count };
}

/** Admits a revision where something of a kind is due. */
const ADMIT = (ending: Ending) => `
  ${advance(ending.part)}
   WHERE id = :room AND ${SERVED} AND EXISTS (${isDue(ending, ":room", ":moment")})
  RETURNING revision`;

const DUE_FIRST = ({ table, until }: Ending) => (column: string) => `
  SELECT ${column} FROM ${table}
   WHERE room_id = :room AND ${until} <= :moment ORDER BY ${until}, rowid LIMIT ${THINGS}`;

/** The revision of each kind that ends its first due things. */
const REVISION_OF = ENDINGS.map((ending) => ({
  part: ending.part,
  admit: ADMIT(ending),
  effects: ending.effects(DUE_FIRST(ending)),
}));

const FIRST_LEFT = ENDINGS.map(({ table, until }) =>
  `SELECT MIN(${until}) AS until FROM ${table} WHERE room_id = :room`
).join(" UNION ALL ");

/** Corrects `due` where nothing is due: other means than this service may change rows past the triggers. */
const SETTLE = `
  UPDATE rooms SET due = (SELECT MIN(until) FROM (${FIRST_LEFT})) WHERE id = :room AND due <= :moment`;

/**
 * Ends what is due, as ordinary changes of the room, then runs `statements`, all in one round trip. A thing ends once,
 * however many instances try. Errors: `DatabaseUnavailable`.
 */
export async function makeEndings(
  database: Database,
  viewer: Viewer,
  { room, moment, count }: Due,
  statements: Statement[] = [],
): Promise<Row[][]> {
  const revisions = Array.from({ length: Math.ceil(count / THINGS) }, () => REVISION_OF).flat();
  const weight = 1 + Math.floor(Math.min(count, THINGS) / THINGS_OF_WEIGHT);
  const groups = revisions.map(({ admit, effects }) => {
    const args = { room, moment, nonce: database.newId() };
    return [{ sql: admit, args, single: true }, ...effects.map((sql) => ({ sql, args, weight }))];
  });
  const settled = count > 0 ? [] : [{ sql: SETTLE, args: { room, moment } }];
  const rows = await database.commit(viewer, [...groups.flat(), ...settled, ...statements]);
  for (const [n, { part }] of revisions.entries()) {
    const [admitted] = rows.splice(0, groups[n]!.length)[0]!;
    if (admitted) database.announce({ room, part, revision: Number(admitted.revision) });
  }
  return rows.slice(settled.length);
}

/**
 * Reads as `database.read` does, where the first statement selects a room's row with `DUE`. Where something is due, it
 * ends that and reads again in the same round trip. A database that takes no writes (its disk is full) goes on showing
 * what is due, since each end is a revision.
 */
export async function readCurrent(
  database: Database,
  viewer: Viewer,
  statements: Statement[],
): Promise<Row[][]> {
  const room = statements[0]!.args.room as string;
  let rows = await database.read(viewer, statements);
  for (let due = dueOf(room, rows[0]![0]); due; due = dueOf(room, rows[0]![0])) {
    try {
      rows = await makeEndings(database, viewer, due, statements);
    } catch (error) {
      if (error instanceof DatabaseUnavailable) break;
      throw error;
    }
  }
  return rows;
}
