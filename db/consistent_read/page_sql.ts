import { HOMES, isHomeOf, LAST } from "../access/private.ts";
import { type Statement, type Value, weightOf } from "../driver/statement.ts";
import { selectGone } from "../write/departed.ts";
import { CHANGED } from "./changed.ts";
import { type Listing, type ListingPart, PAGE_BYTES } from "./listing.ts";

/** How far a listing was read: the position of the last row, and how many more rows are wanted, -1 for all. */
interface Progress {
  last?: Value[];
  left: number;
  /** The size of the next page. */
  bytes: number;
}

/** Bytes of a page that take as long as passing a row: 4,096 rows take as long as a page. */
const PASSED_BYTES = 128;
/** Bytes that a row costs besides its longest columns. */
const ROW_BYTES = 160;
const REACHED = `(SELECT reached FROM span)`;
const LONGEST = {
  state: ["key", "value"],
  agents: ["name", "meta"],
  messages: ["body"],
  reservations: ["paths", "note"],
};

/**
 * Selects the page of rows after a position, as one JSON text: cells cost ten times as much. `edge` is null where the
 * page has all that is left, up to the row `reached` unless that is null.
 */
export function selectPage(listing: Listing, { last, left, bytes }: Progress): Statement {
  const { table, columns, args, readBy, through, passed, homes, bytes: further = [] } = listing;
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
    .map((column) => sizeOf(listing, column)).concat(further).join(" + ");
  const selected = selectedOf(listing, columns);
  const edge = edgeOf(`${select(`${size} + ${ROW_BYTES} AS size, ${selectedOf(listing, by)}`)} LIMIT :left`);
  const begin = listing.with ? `WITH RECURSIVE ${listing.with},` : "WITH";
  const upTo = passed ? spanOf(listing, passed, last) : homes && spanOfHomes(homes, last);
  const span = upTo ? `span (reached) AS MATERIALIZED (${upTo}),` : "";
  return {
    sql: `${begin} ${span} edge (position) AS MATERIALIZED (${edge})
      SELECT json_group_array(json_array(${columns.join(", ")})) AS page, (SELECT position FROM edge) AS edge,
             ${upTo ? REACHED : "NULL"} AS reached${listing.beside ? `, (${listing.beside}) AS beside` : ""}
        FROM (${select(selected)} LIMIT COALESCE((SELECT position FROM edge), :left))`,
    args: { ...args, left, bytes, ...lastArgs(last) },
    single: true,
    // To walk a thread from message to message takes longer than a page.
    weight: weightOf(listing.with ? PAGE_BYTES : bytes),
  };
}

/** Selects columns. What joins private scopes is in order of these, not of their entries' `room_id`. */
function selectedOf(listing: Listing, columns: string[]): string {
  return columns.map((column) => {
    const value = listing.homes && column === "room_id" ? "home.id" : valueOf(listing, column);
    return value === column ? column : `${value} AS ${column}`;
  }).join(", ");
}

/** Estimates the bytes of a column that are shown. `octet_length` does not read a long value. */
function sizeOf({ cut }: Listing, column: string): string {
  return column === cut?.column ? `MIN(octet_length(${column}), ${cut.at})` : `octet_length(${column})`;
}

/** Makes the SQL of what a listing shows of a column. */
function valueOf({ cut, values = {} }: Listing, column: string): string {
  if (Object.hasOwn(values, column)) return values[column]!;
  if (column === cut?.size) return `LENGTH(${cut.column})`;
  return column === cut?.column ? `SUBSTR(${column}, 1, ${cut.at})` : column;
}

/** Makes the conditions of a page. The first one begins with WHERE. */
function conditionsOf(listing: Listing, last: Value[] | undefined): string[] {
  const { where, live, order, readBy, isSince, through, passed, homes, descending } = listing;
  const [on, back] = descending ? ["<", ">"] : [">", "<"];
  const conditions = [where];
  if (isSince) conditions.push(`revision > ${firstSeen(listing, last)}`);
  if (live) conditions.push(live);
  if (last) conditions.push(homes ? beyondHome(readBy ?? order) : beyond(readBy ?? order, on));
  if (last && through) conditions.push(`${through.order} ${on}= ${through.at(":last_0")}`);
  if (homes) conditions.push(`home.id <= COALESCE(${REACHED}, ${LAST})`);
  if (homes && last) conditions.push("home.id >= :last_0");
  if (passed) {
    const reached = `COALESCE(${REACHED}, ${descending ? 0 : Number.MAX_SAFE_INTEGER})`;
    conditions.push(`${order[0]} ${back}= ${reached}`);
    if (through) conditions.push(`${through.order} ${back}= ${through.at(reached)}`);
  }
  return conditions;
}

/**
 * The revision, in SQL, after which a page of what changed looks for rows. SQLite bounds a search by one condition: with
 * `:since` each page passed all that were read before it, tombstones of all times among them.
 */
function firstSeen({ homes }: Listing, last: Value[] | undefined): string {
  if (last === undefined) return ":since";
  return homes ? "IIF(home.id = :last_0, MAX(:since, :last_1 - 1), :since)" : "MAX(:since, :last_0 - 1)";
}

/** Selects the last row that a page may pass; none where it may pass all that are left. */
function spanOf(listing: Listing, passed: string, last: Value[] | undefined): string {
  const { table, order, descending } = listing;
  const rest = last ? ` AND ${beyond(order, descending ? "<" : ">")}` : "";
  return `SELECT ${order[0]} FROM ${table} WHERE ${passed}${rest} ${inOrder(listing, order)}
    LIMIT 1 OFFSET :bytes / ${PASSED_BYTES} - 1`;
}

/** Rows that a private scope may have without a table of its living keys: 1,000 keys, and 999 tombstones. */
const HOME_ROWS = 1_999;

/** Selects the last private scope that a page may pass, after that of the position; none where it may pass all. */
function spanOfHomes(homes: string, last: Value[] | undefined): string {
  const rows = `SELECT COUNT(*) FROM (SELECT 1 FROM state WHERE room_id = home.id LIMIT ${HOME_ROWS})`;
  return `SELECT id FROM (
      SELECT id, SUM(passed) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS passed
        FROM (SELECT home.id, (${rows}) AS passed FROM ${HOMES} WHERE ${isHomeOf(homes)}${
    last ? " AND home.id > :last_0" : ""
  }))
     WHERE passed >= :bytes / ${PASSED_BYTES} LIMIT 1`;
}

function inOrder({ descending }: Listing, columns: string[]): string {
  return `ORDER BY ${columns.map((column) => descending ? `${column} DESC` : column).join(", ")}`;
}

/**
 * Selects the number of the row that fills a page of `:bytes`, if any. `rows` selects the `size` of each row, in order.
 */
export function edgeOf(rows: string): string {
  return `SELECT position FROM (
      SELECT ROW_NUMBER() OVER passed AS position, SUM(size) OVER passed AS bytes FROM (${rows})
      WINDOW passed AS (ROWS UNBOUNDED PRECEDING))
     WHERE bytes > :bytes LIMIT 1`;
}

/**
 * Selects what changed after the revision `seen`, up to a position if there is one, each row with whether it is live.
 */
export function selectMoved(listing: Listing, last: Value[] | undefined, seen: number): Statement {
  const { table, columns, where, live, args, descending, order, readBy, isSince } = listing;
  const since = isSince ? " AND +revision > :since" : "";
  const within = last ? ` AND ${beyond(readBy ?? order, descending ? ">=" : "<=")}` : "";
  const moved = (listing.moved ?? CHANGED[table]).map(({ from, revision }) =>
    `SELECT * FROM ${from} AND ${revision} > :seen`
  )
    .join(" UNION ALL ");
  const shown = columns.map((column) => valueOf(listing, column)).join(", ");
  return {
    sql: `SELECT json_group_array(json_array(${shown}, ${live ?? "TRUE"})) AS page
        FROM (${moved}) AS ${table} ${where}${since}${within}`,
    args: { ...args, seen, ...lastArgs(last) },
    single: true,
  };
}

/** Selects the `id` of each row that has gone since the revision `seen`. Makes no query for tables whose rows stay. */
export function selectGoneSince({ table, args: { room } }: Listing, seen: number): Statement[] {
  if (table !== "agents" && table !== "reservations") return [];
  return [{ sql: selectGone(table), args: { room: room!, seen } }];
}

function beyond(columns: string[], comparison: string): string {
  return `(${columns.join(", ")}) ${comparison} (${columns.map((_, n) => `:last_${n}`).join(", ")})`;
}

/** The same of what joins private scopes: only the entries of the first one are compared. */
function beyondHome([, ...columns]: string[]): string {
  const position = columns.map((_, n) => `:last_${n + 1}`).join(", ");
  return `(home.id > :last_0 OR (${columns.join(", ")}) > (${position}))`;
}

function lastArgs(last: Value[] = []): Record<string, Value> {
  return Object.fromEntries(last.map((value, n) => [`last_${n}`, value]));
}
