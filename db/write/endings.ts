import { NOW } from "../clock.ts";
import type { Part } from "../bus.ts";
import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { SERVED } from "../release.ts";
import type { Row, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { ADMITTED, advance, FROM_ADMITTED } from "./admission.ts";

/**
 * One kind of what ends by itself. Whoever adds one keeps `rooms.due`, the first end of all kinds, by triggers on its
 * table (db/driver/schema.ts).
 */
export interface Ending {
  part: Part;
  table: string;
  /** The column that says when a thing ends, in milliseconds of the database's clock. */
  until: string;
  /**
   * Ends what is due, as SQL with `:room`, `:moment` and `:nonce`. `dueFirst` selects a column of the things that one
   * revision ends, the first to end first: until they are gone, each statement finds the same. Each acts only where
   * its admission did (admission.ts). Where a thing shows when it ended, that is its `until`.
   */
  effects(dueFirst: (column: string) => string): string[];
}

/** The marks of waits (db/presence.ts) whose instance died: their agents show what they were before. */
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

/** Things that end in one revision, and revisions that are made in one round trip. */
const [THINGS, REVISIONS] = [100, 10];
/**
 * Things whose ending weighs as much as a small statement: what ends most goes in a batch of its own
 * (db/batching/queue.ts).
 */
const THINGS_OF_WEIGHT = 16;

const isDue = ({ table, until }: Ending, room: string, moment: string) =>
  `SELECT 1 FROM ${table} WHERE room_id = ${room} AND ${until} <= ${moment}`;

const COUNTS = ENDINGS.map((ending) =>
  `(SELECT COUNT(*) FROM (${isDue(ending, "rooms.id", NOW)} LIMIT ${THINGS * REVISIONS}))`
);

/**
 * Column of a room's row: the database's time and how much is due, where something is. Short: a server prepares it anew for
 * each read, which takes it longer than to run it.
 */
export const DUE = `CASE WHEN due <= ${NOW} AND ${SERVED} THEN json_array(${NOW}, MAX(${
  COUNTS.join(", ")
}, 0)) END AS due`;

/** True for a room in which nothing is due. */
export const NOTHING_DUE = `(due IS NULL OR due > ${NOW})`;

/** What is due in a room, as a row with `DUE` told. */
export interface Due {
  room: string;
  /** By the database's clock: whatever was to end by then ends. */
  moment: number;
  /** How many things, of that kind of which there are most, as far as one round trip goes. */
  count: number;
}

export function dueOf(room: string, row: Row | undefined): Due | undefined {
  if (typeof row?.due !== "string") return undefined;
  const [moment, count] = JSON.parse(row.due);
  return { room, moment, count };
}

/** Begins a revision where something of a kind is due. */
const ADMIT = (ending: Ending) => `
  ${advance(ending.part)}
   WHERE id = :room AND ${SERVED} AND EXISTS (${isDue(ending, ":room", ":moment")})
  RETURNING revision`;

const DUE_FIRST = ({ table, until }: Ending) => (column: string) => `
  SELECT ${column} FROM ${table}
   WHERE room_id = :room AND ${until} <= :moment ORDER BY ${until}, rowid LIMIT ${THINGS}`;

/** What ends the first of what is due, of each kind. */
const REVISION_OF = ENDINGS.map((ending) => ({
  part: ending.part,
  admit: ADMIT(ending),
  effects: ending.effects(DUE_FIRST(ending)),
}));

const FIRST_LEFT = ENDINGS.map(({ table, until }) =>
  `SELECT MIN(${until}) AS until FROM ${table} WHERE room_id = :room`
).join(" UNION ALL ");

/** Where nothing is due after all: the triggers were passed by, as rows were changed by other means. */
const SETTLE = `
  UPDATE rooms SET due = (SELECT MIN(until) FROM (${FIRST_LEFT})) WHERE id = :room AND due <= :moment`;

/**
 * Ends what is due, as changes of the room like any other, and then runs `statements`, all in one round trip. A thing
 * ends once, however many look at the same time. Errors: `DatabaseUnavailable`.
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
 * Reads in one snapshot and one round trip, as `database.read` does, where the first statement finds a room's row with
 * `DUE`. Where something is due, its ending is made first: then all is read once more, in the round trip that makes it.
 * Where the database takes no writes (its disk is full), what is due goes on being shown: the end would be a revision.
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
