import { type Row, type Statement, type Value, weightOf } from "../driver/statement.ts";
import type { Source } from "./changed.ts";

/** A query of a room whose rows may be many or large. `readConsistent` reads it in pages. */
export interface Listing {
  table: "state" | "agents" | "messages" | "reservations";
  columns: string[];
  /** A recursive CTE for `where`, and a query of one value that comes as `beside`. */
  with?: string;
  beside?: string;
  /** Restricts the listing to the messages of a thread (thread.ts). `filtered`: some of them may not match. */
  thread?: { root: number; filtered: boolean };
  /** Conditions that no change of a row affects. Begins with WHERE. */
  where: string;
  /** A condition that a change may make false. */
  live?: string;
  args: Record<string, Value>;
  /** Columns that order the rows. Together they are unique. */
  order: string[];
  /** Disjoint parts of the table, each read by an index of its own. */
  parts?: ListingPart[];
  /** The order of reading where rows are found by their last change. Begins with `revision`. */
  readBy?: string[];
  /** Whether it has only what changed after the revision `:since`, one of `args`. Needs `readBy`. */
  isSince?: boolean;
  through?: Through;
  /**
   * Where few rows may match: a condition of all rows that are passed in search of them. A page passes a limited
   * number.
   */
  passed?: string;
  /**
   * Selects the agents whose private scopes the listing has, if it has any: its parts join them as `home`, and it is read
   * by `room_id` first. A page passes a limited number of rows of them.
   */
  homes?: string;
  descending?: boolean;
  limit?: number;
  /** Columns that the table lacks, in SQL. */
  values?: Record<string, string>;
  /** The bytes of such values, in SQL. */
  bytes?: string;
  /** The sources of what changed, by default those of the table. */
  moved?: Source[];
  /** Cuts a column to `at` characters. The column `size` tells how many it has. */
  cut?: { column: string; at: number; size: string };
}

export interface ListingPart {
  /** The FROM of its rows, by default the table. */
  from?: string;
  where?: string;
}

/** A table that leads to the rows of a listing, in the listing's order. */
export interface Through {
  /** The table, joined to the listing's. */
  from: string;
  /** Its column that rises with the listing's order. */
  order: string;
  /** The value of that column at a position in the listing's order. */
  at(position: string): string;
}

/** Reads a query step by step, each step in one transaction. */
export interface Reading {
  /**
   * Makes the statements of the next step. `seen`: the room's revision at the step before, undefined for the first;
   * `last`: whether the step may be the last; `bytes`: the size of the next page, 0 for none.
   */
  statements(seen: number | undefined, last: boolean, bytes: number): Statement[];
  take(results: Row[][]): void;
  isComplete(): boolean;
  rows(): Row[] | Promise<Row[]>;
}

/**
 * Bytes of a page. A file blocks some 3 ms for them. Escaped as JSON twice, they fit into a server's answer of 10 MiB.
 */
export const PAGE_BYTES = 2 ** 19;
/** Bytes of a listing's first page: few, so that many fit into a batch. Most lists are no longer. */
export const FIRST_PAGE_BYTES = 2 ** 17;
export const FIRST_PAGE_WEIGHT = weightOf(FIRST_PAGE_BYTES);
/** Bytes of a page after which the client asks for the next one. Its rows come as cells, so it weighs twice as much. */
export const SHORT_PAGE_BYTES = 2 ** 18;
export const SHORT_PAGE_WEIGHT = weightOf(2 * SHORT_PAGE_BYTES);

const KEY = { state: ["scope", "key"], agents: ["id"], messages: ["id"], reservations: ["id"] };

/** Rows that a page brings in reserve, where known ones may stop matching before all is read. */
const SPARE = 16;

/**
 * Returns how many rows the next page is to add to the `known` ones, -1 for all. `again`: changes are read as well. A
 * page then brings some in reserve, so that a list ends even if rows stop matching as fast as they are read.
 */
export function wantedOf({ limit, live }: Listing, known: number, again: boolean): number {
  if (limit === undefined) return -1;
  return again && live ? limit + SPARE : Math.max(0, limit - known);
}

/** Reads the rows of a page or of `selectMoved`, each with whether it is live. */
export function rowsOfPage({ columns }: Listing, [result]: Row[]): Array<{ row: Row; live: boolean }> {
  return JSON.parse(result!.page as string).map((cells: unknown[]) => ({
    row: rowOf(columns, cells),
    live: cells.length === columns.length || Boolean(cells.at(-1)),
  }));
}

/**
 * Reads the rows of a column that holds a JSON array of the cells of each; none where it is null or missing. A coalesced
 * read has parsed it already, with the JSON of all its rows.
 */
export function rowsOfCells(columns: readonly string[], value: unknown): Row[] {
  const all = typeof value === "string" ? JSON.parse(value) : value ?? [];
  return all.map((cells: unknown[]) => rowOf(columns, cells));
}

function rowOf(columns: readonly string[], cells: unknown[]): Row {
  const row: Row = {};
  for (let n = 0; n < columns.length; n++) row[columns[n]!] = cells[n];
  return row;
}

/** Returns the position of a row, in the order of reading. */
export function positionOf({ order, readBy }: Listing, row: Row): Value[] {
  return (readBy ?? order).map((column) => row[column] as Value);
}

/** Identifies a row across its versions. */
export function identityOf({ table }: Listing, row: Row): string {
  return KEY[table].map((column) => row[column]).join("\0");
}

export function compareBy(
  { order, descending }: { order: readonly string[]; descending?: boolean },
): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const column of order) {
      const difference = compare(a[column], b[column]);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  };
}

/** Compares numbers, or texts by code points, as the database does. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a !== "string" || typeof b !== "string") return Number(a) - Number(b);
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return (a.codePointAt(n) ?? -1) - (b.codePointAt(n) ?? -1);
}
