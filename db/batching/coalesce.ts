import type { Merger } from "./sender.ts";
import type { Row, Statement } from "../driver/statement.ts";

/**
 * One read for any number of requests of a kind, each of which finds one row or none. `from` reads from
 * `json_each(:asked) AS asked`, whose `value` is one request's arguments as an array; `columns` names what a row
 * holds, and where it comes from. All rows travel as one JSON text: as cells they cost both ends more than all else.
 */
export function createRead(
  columns: Record<string, string>,
  from: string,
): Merger<Array<string | number>, Row | undefined> {
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

/** The columns of a table under their own names, for `createRead`. */
export function columnsOf(table: string, names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${table}.${name}`]));
}

/** One of several writes of a kind that are admitted together. `key`: what it writes, to count what is new. */
export interface Plain {
  room: string;
  key?: string;
  agent?: string;
  now: string;
  /** Unique; the first one's admits them all. */
  nonce: string;
}

/** What a plain write was given; undefined where it was not admitted: no such room, or one that cannot take them all. */
export type PlainResult = { revision: number; version: number | undefined } | undefined;

/**
 * The SQL of a kind of plain write, over `json_each(:writes)`, whose values are what `asRow` makes. A returned row is
 * one text, a number and what it is of, since each cell costs both ends.
 */
export interface PlainKind<Item extends Plain> {
  /** Advances each room by the number of its writes and sets `admitted = :nonce`; returns `<revision> <room>`. */
  admission(items: Item[]): Statement;
  /** Inserts all whose room was admitted; returns `<version> <revision> <room>` where there are versions. */
  effect: string;
  /** `later`: how many writes of the same room follow. */
  asRow(item: Item, later: number): unknown[];
}

const TOUCH = `
  UPDATE agents SET last_heartbeat = MAX(last_heartbeat, touched.value ->> 2)
    FROM json_each(:touched) AS touched
   WHERE agents.room_id = touched.value ->> 0 AND agents.id = touched.value ->> 1`;

/** Signs of life of agents, each with its time: `[room, agent, now]`. */
export const SIGNS: Merger<[room: string, agent: string, now: string], void> = {
  statements: (signs) => [{ sql: TOUCH, args: { touched: JSON.stringify(signs) } }],
  results: (signs) => signs.map(() => undefined),
};

/**
 * Writes without preconditions of their own, of any rooms, as a few statements: each room's are admitted by one
 * step of its row, with consecutive revisions, and inserted one after the other. Where a room does not take them
 * all, none of its writes is made: they are to be tried one by one, which tells why.
 */
export function createPlainWrites<Item extends Plain>(kind: PlainKind<Item>): Merger<Item, PlainResult> {
  return {
    statements(items) {
      const nonce = items[0]!.nonce;
      const writes = JSON.stringify([...laterOf(items)].map(([item, later]) => kind.asRow(item, later)));
      const single = items.length === 1;
      const statements: Statement[] = [
        { ...kind.admission(items), single },
        { sql: kind.effect, args: { writes, nonce }, single },
      ];
      const touched = items.filter(({ agent }) => agent !== undefined)
        .map(({ room, agent, now }) => [room, agent, now]);
      if (touched.length > 0) statements.push({ sql: TOUCH, args: { touched: JSON.stringify(touched) } });
      return statements;
    },
    results(items, [admitted, effects]) {
      const revisions = numbersOf(admitted!);
      const versions = numbersOf(effects!);
      const later = laterOf(items);
      return items.map((item) => {
        const last = revisions.get(item.room);
        if (last === undefined) return undefined;
        const revision = last - later.get(item)!;
        return { revision, version: versions.get(`${revision} ${item.room}`) };
      });
    },
  };
}

/** The number with which each returned text begins, by the rest. */
function numbersOf(rows: Row[]): Map<string, number> {
  return new Map(rows.map(({ returned }) => {
    const text = returned as string;
    const end = text.indexOf(" ");
    return [text.slice(end + 1), Number(text.slice(0, end))];
  }));
}

/** A large value counts for more of a batch: 4 KiB of JSON for as much as a write. */
export function weightOf(json: string): number {
  return 1 + Math.floor(json.length / 4_096);
}

/** How many writes a room gets, by room. */
export function countByRoom(items: Plain[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { room } of items) counts.set(room, (counts.get(room) ?? 0) + 1);
  return counts;
}

/** The items by room, and how many of the same room follow each. */
function laterOf<Item extends Plain>(items: Item[]): Map<Item, number> {
  const rooms = Map.groupBy(items, ({ room }) => room);
  return new Map(
    [...rooms.values()].flatMap((own) => own.map((item, n): [Item, number] => [item, own.length - 1 - n])),
  );
}
