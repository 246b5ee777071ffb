import { selectGone } from "../write/departed.ts";
import { CHANGED, type Source } from "./changed.ts";
import { type Row, type Statement, type Value, weightOf } from "../driver/statement.ts";

/** A query of a room whose rows may be many or large; `readConsistent` reads it in pages. */
export interface Listing {
  table: "state" | "agents" | "messages" | "reservations";
  columns: string[];
  /** A recursive CTE for `where`, and a query of one value that comes as `beside`. */
  with?: string;
  beside?: string;
  /** Restricts it to a thread's messages (thread.ts); `filtered`: some may not match. */
  thread?: { root: number; filtered: boolean };
  /** Conditions that no change of a row affects, beginning with WHERE. */
  where: string;
  /** A condition that a change may end. */
  live?: string;
  args: Record<string, Value>;
  /** Columns that order the rows. Together they are unique. */
  order: string[];
  /** Disjoint parts of the table, each read by an index of its own. */
  parts?: ListingPart[];
  /** The order of reading where rows are found by their last change; begins with `revision`. */
  readBy?: string[];
  /** Another table by which the rows are found. */
  through?: Through;
  /** Where few rows may match: the condition of all rows that are passed, of which a page passes a limited number. */
  passed?: string;
  descending?: boolean;
  limit?: number;
  /** Columns that the table lacks, in SQL. */
  values?: Record<string, string>;
  /** Sources of what changed, by default those of the table. */
  moved?: Source[];
  /** Cuts a column to `at` characters; the column `size` brings how many it has. */
  cut?: { column: string; at: number; size: string };
}

interface ListingPart {
  /** The FROM of its rows, by default the table. */
  from?: string;
  where?: string;
}

/** A table whose rows lead to those of a listing, in the listing's order. */
export interface Through {
  /** That table, joined to the listing's. */
  from: string;
  /** Its column that rises with the listing's order. */
  order: string;
  /** The value of that column at a position in the listing's order. */
  at(position: string): string;
}

/** How far a listing was read: the position of the last row, and how many more rows are wanted, -1 for all. */
interface Progress {
  last?: Value[];
  left: number;
  /** The size of the next page. */
  bytes: number;
}

/**
 * Bytes of a page. A file blocks some 3 ms for them; escaped as JSON twice, they fit into a server's answer of 10 MiB.
 */
export const PAGE_BYTES = 2 ** 19;
/** Bytes of a listing's first page, so few that many fit into a batch. Most lists are no longer. */
export const FIRST_PAGE_BYTES = 2 ** 17;
/** Bytes of a page after which the client asks for the next. It comes as cells, and weighs twice as much. */
export const SHORT_PAGE_BYTES = 2 ** 18;
export const SHORT_PAGE_WEIGHT = weightOf(2 * SHORT_PAGE_BYTES);
/** Bytes that take as long as passing a row: 4,096 rows take as long as a page. */
const PASSED_BYTES = 128;
/** Bytes that a row costs beside its longest columns. */
const ROW_BYTES = 160;
const REACHED = `(SELECT reached FROM span)`;
const LONGEST = {
  state: ["key", "value"],
  agents: ["name", "meta"],
  messages: ["body"],
  reservations: ["paths", "note"],
};
const KEY = { state: ["scope", "key"], agents: ["id"], messages: ["id"], reservations: ["id"] };

/**
 * Selects the page of rows after a position as one JSON text: cells cost ten times as much. `edge` is null where the
 * page holds all that is left, up to the row `reached` if that is not null.
 */
export function selectPage(listing: Listing, { last, left, bytes }: Progress): Statement {
  const { table, columns, args, readBy, through, passed } = listing;
  const by = readBy ?? listing.order;
  const source = through?.from ?? (readBy ? `${table} INDEXED BY ${table}_changed` : table);
  const conditions = conditionsOf(listing, last).join(" AND ");
  const parts = (listing.parts ?? [{}]).map(({ from = source, where }: ListingPart) =>
    ["FROM", from, conditions, where && `AND ${where}`].filter(Boolean).join(" ")
  );
  const order = inOrder(listing, [...(through ? [through.order] : []), ...by]);
  const select = (selected: string) =>
    `${parts.map((part) => `SELECT ${selected} ${part}`).join(" UNION ALL ")} ${order}`;
  const size = LONGEST[table].filter((column) => columns.includes(column))
    .map((column) => sizeOf(listing, column)).join(" + ");
  const selected = columns.map((column) => {
    const value = valueOf(listing, column);
    return value === column ? column : `${value} AS ${column}`;
  }).join(", ");
  const edge = edgeOf(`${select(`${size} + ${ROW_BYTES} AS size, ${by.join(", ")}`)} LIMIT :left`);
  const begin = listing.with ? `WITH RECURSIVE ${listing.with},` : "WITH";
  const span = passed ? `span (reached) AS MATERIALIZED (${spanOf(listing, passed, last)}),` : "";
  return {
    sql: `${begin} ${span} edge (position) AS MATERIALIZED (${edge})
      SELECT json_group_array(json_array(${columns.join(", ")})) AS page, (SELECT position FROM edge) AS edge,
             ${passed ? REACHED : "NULL"} AS reached${listing.beside ? `, (${listing.beside}) AS beside` : ""}
        FROM (${select(selected)} LIMIT COALESCE((SELECT position FROM edge), :left))`,
    args: { ...args, left, bytes, ...lastArgs(last) },
    single: true,
    // Walking a thread from message to message takes longer than a page.
    weight: weightOf(listing.with ? PAGE_BYTES : bytes),
  };
}

/** Estimates the bytes shown of a column: `octet_length` need not read a long value. */
function sizeOf({ cut }: Listing, column: string): string {
  return column === cut?.column ? `MIN(octet_length(${column}), ${cut.at})` : `octet_length(${column})`;
}

/** Selects what a listing shows of a column. */
function valueOf({ cut, values = {} }: Listing, column: string): string {
  if (Object.hasOwn(values, column)) return values[column]!;
  if (column === cut?.size) return `LENGTH(${cut.column})`;
  return column === cut?.column ? `SUBSTR(${column}, 1, ${cut.at})` : column;
}

/** Makes the conditions of a page, the first beginning with WHERE. */
function conditionsOf(listing: Listing, last: Value[] | undefined): string[] {
  const { where, live, order, readBy, through, passed, descending } = listing;
  const [on, back] = descending ? ["<", ">"] : [">", "<"];
  const conditions = [where];
  if (live) conditions.push(live);
  if (last) conditions.push(beyond(readBy ?? order, on));
  if (last && through) conditions.push(`${through.order} ${on}= ${through.at(":last_0")}`);
  if (passed) {
    const reached = `COALESCE(${REACHED}, ${descending ? 0 : Number.MAX_SAFE_INTEGER})`;
    conditions.push(`${order[0]} ${back}= ${reached}`);
    if (through) conditions.push(`${through.order} ${back}= ${through.at(reached)}`);
  }
  return conditions;
}

/** Selects the last row that a page may pass; none where it may pass all that are left. */
function spanOf(listing: Listing, passed: string, last: Value[] | undefined): string {
  const { table, order, descending } = listing;
  const rest = last ? ` AND ${beyond(order, descending ? "<" : ">")}` : "";
  return `SELECT ${order[0]} FROM ${table} WHERE ${passed}${rest} ${inOrder(listing, order)}
    LIMIT 1 OFFSET :bytes / ${PASSED_BYTES} - 1`;
}

function inOrder({ descending }: Listing, columns: string[]): string {
  return `ORDER BY ${columns.map((column) => descending ? `${column} DESC` : column).join(", ")}`;
}

/** Selects the number of the row that fills a page of `:bytes`, if any. `rows` selects each `size` in order. */
export function edgeOf(rows: string): string {
  return `SELECT position FROM (
      SELECT ROW_NUMBER() OVER passed AS position, SUM(size) OVER passed AS bytes FROM (${rows})
      WINDOW passed AS (ROWS UNBOUNDED PRECEDING))
     WHERE bytes > :bytes LIMIT 1`;
}

/** Selects what changed after the revision `seen`, up to a position or at all, and whether it is still live. */
export function selectMoved(listing: Listing, last: Value[] | undefined, seen: number): Statement {
  const { table, columns, where, live, args, descending, order, readBy } = listing;
  const within = last ? ` AND ${beyond(readBy ?? order, descending ? ">=" : "<=")}` : "";
  const moved = (listing.moved ?? CHANGED[table]).map(({ from, revision }) =>
    `SELECT * FROM ${from} AND ${revision} > :seen`
  )
    .join(" UNION ALL ");
  const shown = columns.map((column) => valueOf(listing, column)).join(", ");
  return {
    sql: `SELECT json_group_array(json_array(${shown}, ${live ?? "TRUE"})) AS page
        FROM (${moved}) AS ${table} ${where}${within}`,
    args: { ...args, seen, ...lastArgs(last) },
    single: true,
  };
}

/** Selects the `id` of each row that is gone since the revision `seen`; nothing of tables whose rows stay. */
export function selectGoneSince({ table, args: { room } }: Listing, seen: number): Statement[] {
  if (table !== "agents" && table !== "reservations") return [];
  return [{ sql: selectGone(table), args: { room: room!, seen } }];
}

/** Rows that a page brings in reserve where known ones may stop matching before all is read. */
const SPARE = 16;

/**
 * Returns how many rows the next page is to add to the `known` ones, -1 for all. `again`: changes are read as well.
 * Then a page asks for more, so that a list ends even if rows stop matching as fast as they are read.
 */
export function wantedOf({ limit, live }: Listing, known: number, again: boolean): number {
  if (limit === undefined) return -1;
  return again && live ? limit + SPARE : Math.max(0, limit - known);
}

/** Reads the rows of a page, and those of `selectMoved`, each with whether it is live. */
export function rowsOfPage({ columns }: Listing, [result]: Row[]): Array<{ row: Row; live: boolean }> {
  return JSON.parse(result!.page as string).map((cells: unknown[]) => {
    const row: Row = {};
    for (let n = 0; n < columns.length; n++) row[columns[n]!] = cells[n];
    return { row, live: cells.length === columns.length || Boolean(cells.at(-1)) };
  });
}

/** Returns the position of a row in the order of reading. */
export function positionOf({ order, readBy }: Listing, row: Row): Value[] {
  return (readBy ?? order).map((column) => row[column] as Value);
}

/** Identifies a row across its versions. */
export function identityOf({ table }: Listing, row: Row): string {
  return KEY[table].map((column) => row[column]).join("\0");
}

/** Compares rows by the listing's order; texts by code points, as the database does. */
export function compareBy({ order, descending }: Listing): (a: Row, b: Row) => number {
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

function beyond(columns: string[], comparison: string): string {
  return `(${columns.join(", ")}) ${comparison} (${columns.map((_, n) => `:last_${n}`).join(", ")})`;
}

function lastArgs(last: Value[] = []): Record<string, Value> {
  return Object.fromEntries(last.map((value, n) => [`last_${n}`, value]));
}
