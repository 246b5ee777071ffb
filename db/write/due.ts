import { NOW } from "../clock.ts";
import { SERVED } from "../release.ts";
import type { Part } from "../bus.ts";
import type { Row } from "../driver/statement.ts";

/** The kinds of things that end by themselves, each with its bit in `rooms.ends`. Marks of waits need none. */
export const ENDS = { leases: 1, entries: 2, reservations: 4, departures: 8, private: 16 } as const;
export type Ends = keyof typeof ENDS;

/** True for a room in which nothing is due. */
const NOTHING_DUE = `(due IS NULL OR due > ${NOW})`;

/** True of the row of a room to which this release may write now. What is due ends before a write (write.ts). */
export const WRITABLE = `${SERVED} AND ${NOTHING_DUE}`;

/** True of the row of a room to which anybody may write now, as any agent: in a guarded room writers are judged. */
export const OPEN_TO_ALL = `NOT rooms.guarded AND ${WRITABLE}`;

/**
 * Value of the column `due` of a room's row: the database's time and the kinds that may be due, null where nothing is.
 * It is short, since a server prepares it again for each read, which takes longer than running it.
 */
export const DUE_NOW = `CASE WHEN due <= ${NOW} AND ${SERVED} THEN json_array(${NOW}, ends) END`;
/** The same as a column, with `guarded`: whether the room has tokens or secure agents (db/access/acts.ts). */
export const DUE = `${DUE_NOW} AS due, rooms.guarded`;

/**
 * Makes the assignments, to a room's row in the admission of a write, that something of a kind ends at `end`,
 * milliseconds in SQL. `due` may be before the first end of all, as where that is put off or dropped: `makeEndings`
 * then corrects it. `kinds`: the bits of several kinds, in SQL.
 */
export function endsAt(kind: Ends, end: string, kinds = String(ENDS[kind])): string[] {
  return [`due = MIN(COALESCE(due, ${end}), ${end})`, `ends = ends | ${kinds}`];
}

/** Formats, in SQL, milliseconds since 1970 as ISO 8601, as times are stored and shown. */
export const timeOf = (milliseconds: string) =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${milliseconds} / 1000.0, 'unixepoch')`;

/**
 * A kind of thing that ends by itself. The write that brings such a thing assigns `endsAt` to its room. For a kind that
 * earlier releases do not know, it also raises `requires` (db/release.ts), since they would set `due` back.
 */
export interface Ending {
  part: Part;
  /** Undefined for marks of waits, which any room may have. */
  kind?: Ends;
  table: string;
  /**
   * The column of a thing's end, in milliseconds of the database's clock; or what is true of all that is due.
   * `inAnyOrder`: things of a kind that one statement ends are not sorted.
   */
  until: string | { where: string; inAnyOrder?: true };
  /**
   * True of a thing whose end may change a thousand others. A batch has one such thing at most, since the next would
   * take too long.
   */
  heavy?: string;
  /** Makes the assignments of the room's counts. */
  counts?(dueFirst: (column: string) => string): string[];
  /**
   * Makes the statements that end due things, over `:room`, `:moment` and `:nonce`. Each must be conditional on the
   * admission (admission.ts). `dueFirst` selects columns of the things that one revision ends, in the order of their
   * ends: each statement finds the same things until they are gone. A thing that shows when it ended shows its `until`.
   */
  effects(dueFirst: (columns: string) => string): string[];
}

export interface Due {
  room: string;
  /** Milliseconds by the database's clock. Whatever ends until then is due. */
  moment: number;
  /** The bits of the kinds of which something may be due. */
  ends: number;
}

/** Reads a row with `DUE`; undefined where nothing is due. */
export function dueOf(room: string, row: Row | undefined): Due | undefined {
  const due = row?.due ?? null;
  if (due === null) return undefined;
  // A coalesced read has parsed it already, with the JSON of all rows.
  const [moment, ends] = typeof due === "string" ? JSON.parse(due) : due as number[];
  return { room, moment, ends };
}
