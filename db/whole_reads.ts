import type { Database } from "./database.ts";
import { AnswerTooLarge } from "./faults.ts";
import type { Row, Statement } from "./lane.ts";
import { Refusal } from "./refusal.ts";
import { ROOM_REVISION } from "./rooms.ts";

/** Rows of one page: the largest values, 64 KiB each, fit into an answer of 10 MiB. */
const PAGE = 100;
const MOST_ATTEMPTS = 5;

/**
 * Reads what may be more than one answer of the database holds. It comes in one round trip where it fits, else
 * in pages, all of the same revision of the room.
 * Errors: `DatabaseUnavailable`; `unavailable` where the room changed between the pages every time.
 */
export async function readWhole(database: Database, room: string, statements: Statement[]): Promise<Row[][]> {
  try {
    return await database.read(statements);
  } catch (error) {
    if (!(error instanceof AnswerTooLarge)) throw error;
  }
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const results = await readPaged(database, room, statements);
    if (results) return results;
  }
  throw new Refusal("unavailable", "The room changed faster than all of it could be read.");
}

/** Undefined where the room changed meanwhile. */
async function readPaged(
  database: Database,
  room: string,
  statements: Statement[],
): Promise<Row[][] | undefined> {
  const revisions = new Set<unknown>();
  const results: Row[][] = [];
  for (const { sql, args } of statements) {
    const rows: Row[] = [];
    while (rows.length % PAGE === 0) {
      const paged = {
        sql: `SELECT * FROM (${sql}) LIMIT :page OFFSET :from`,
        args: { ...args, page: PAGE, from: rows.length },
      };
      const [rooms, page] = await database.read([{ sql: ROOM_REVISION, args: { room } }, paged]);
      revisions.add(rooms![0]?.revision);
      if (revisions.size > 1) return undefined;
      if (page!.length === 0) break;
      rows.push(...page!);
    }
    results.push(rows);
  }
  return results;
}
