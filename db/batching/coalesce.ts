import type { Coalescer } from "./sender.ts";
import type { Row } from "../driver/statement.ts";

/**
 * Coalesces reads of a kind, each of which finds one row or none, into one query. `from` reads from
 * `json_each(:asked) AS asked`, whose `value` is one request's arguments as an array; `columns` names what a row
 * holds, and where it comes from. All rows travel as one JSON text: as cells they cost both ends more than all else.
 */
export function createCoalescedRead(
  columns: Record<string, string>,
  from: string,
): Coalescer<Array<string | number>, Row | undefined> {
  const names = Object.keys(columns);
  const values = Object.values(columns).join(", ");
  const sql = `SELECT json_group_array(json_array(asked.key, ${values})) AS found ${from}`;
  return {
    statements: (asked) => [{ sql, args: { asked: JSON.stringify(asked) }, single: true }],
    results(asked, [rows]) {
      const results: Array<Row | undefined> = asked.map(() => undefined);
      for (const [n, ...cells] of JSON.parse(rows![0]!.found as string)) {
        const row: Row = results[n] = {};
        for (let column = 0; column < names.length; column++) row[names[column]!] = cells[column];
      }
      return results;
    },
  };
}

/** The columns of a table under their own names, for `createCoalescedRead`. */
export function columnsOf(table: string, names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${table}.${name}`]));
}

/** A large value counts for more of a batch: 4 KiB of JSON for as much as a write. */
export function weightOf(json: string): number {
  return 1 + Math.floor(json.length / 4_096);
}
