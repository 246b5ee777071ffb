import type { Coalescer } from "./groups.ts";
import type { Row } from "../driver/statement.ts";

/**
 * Coalesces reads of at most one row each into one query. `from` joins `json_each(:asked) AS asked`, whose `value` is
 * an array of one read's arguments; `columns` maps the names of a row to SQL. All rows come as one JSON text, since
 * cells cost both ends more than all else.
 */
export function createCoalescedRead(
  columns: Record<string, string>,
  from: string,
): Coalescer<Array<string | number>, Row | undefined> {
  const names = Object.keys(columns);
  const values = Object.values(columns).join(", ");
  const sql = `SELECT json_group_array(json_array(asked.key, ${values})) AS found ${from}`;
  return {
    scalar: true,
    statements: (asked) => [{ sql, args: { asked: JSON.stringify(asked) }, single: true }],
    results(asked, [rows]) {
      const results: Array<Row | undefined> = asked.map(() => undefined);
      for (const cells of JSON.parse(rows![0]!.found as string)) {
        const row: Row = results[cells[0]] = {};
        for (let column = 0; column < names.length; column++) row[names[column]!] = cells[column + 1];
      }
      return results;
    },
  };
}

/** Names a table's columns for `createCoalescedRead`. */
export function columnsOf(table: string, names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${table}.${name}`]));
}

/** Weighs a JSON text: 4 KiB of it weigh as much as a small write. */
export function weightOfJson(json: string): number {
  return 1 + Math.floor(json.length / 4_096);
}
