import type { Database } from "../database.ts";
import { readCurrent } from "../write/current.ts";
import {
  compareBy,
  FIRST_PAGE_BYTES,
  identityOf,
  type Listing,
  PAGE_BYTES,
  positionOf,
  type Reading,
  rowsOfPage,
  wantedOf,
} from "./listing.ts";
import { selectGoneSince, selectMoved, selectPage } from "./page_sql.ts";
import { lengthOf, type Row, type Statement, type Value } from "../driver/statement.ts";
import { readInLanes } from "./lanes.ts";
import { createThread } from "./thread.ts";
import type { Viewer } from "../viewer.ts";
import { isBusy, sortYielding, yieldToOthers } from "../yield.ts";

export type Query = Statement | Listing;

/**
 * Reads any amount of a room at one revision, and yields in between. The first query selects the room's `revision`.
 * Statements must be small; listings need not be. One round trip reads what fits into a first page, two read a page
 * more. Each further step reads, in one transaction, the next page of one listing and what has changed in all pages
 * since the step before: together these are the pages as of this step. So a read never starts over, however fast the
 * room changes. What is long is read in lanes (lanes.ts), and given up where that takes too long.
 * Errors: `DatabaseUnavailable`, `unauthenticated`, `too_large`, `unavailable`.
 */
export async function readConsistent(database: Database, viewer: Viewer, queries: Query[]): Promise<Row[][]> {
  const readings = queries.map((query, n) =>
    "sql" in query ? createPlain(query, n === 0) : query.thread ? createThread(query) : createPaged(query)
  );
  let length = 0;
  const revision = () => Number((readings[0]!.rows() as Row[])[0]?.revision);
  /** Whether the room does not exist, or this release may not serve it: the read ends. */
  const isRefused = () => !(revision() >= 0);
  const areComplete = () => readings.every((reading) => reading.isComplete());

  /** Runs a step; `last`: with the statements, since it may be the last. Returns whether it has read the rest. */
  async function step(
    bytesOf: (reading: Reading) => number,
    seen?: number,
    last = areComplete(),
  ): Promise<boolean> {
    const wanted = readings.map((reading) => reading.statements(seen, last, bytesOf(reading)));
    const results = await readCurrent(database, viewer, wanted.flat());
    length += lengthOf(results);
    for (const [n, reading] of readings.entries()) {
      if (isBusy()) await yieldToOthers();
      reading.take(results.splice(0, wanted[n]!.length));
    }
    return isRefused() || last && areComplete();
  }

  async function next(last?: boolean): Promise<boolean> {
    await yieldToOthers();
    const first = readings.find((reading) => !reading.isComplete());
    return await step((reading) => reading === first ? PAGE_BYTES : 0, revision(), last);
  }

  // The second step suffices for what is little longer than a first page. So that need not wait for large reads.
  if (!await step(() => FIRST_PAGE_BYTES, undefined, true) && !await next(true)) {
    await readInLanes(database, String(queries[0]!.args.room ?? ""), next, () => length);
  }
  const all: Row[][] = [];
  for (const reading of readings) {
    if (isBusy()) await yieldToOthers();
    all.push(await reading.rows());
  }
  return all;
}

/** Reads a statement in each step that may be the last; `always`: in every step. */
function createPlain(statement: Statement, always: boolean): Reading {
  let rows: Row[] = [];
  return {
    statements: (_seen, last) => always || last ? [statement] : [],
    take: ([result]) => void (rows = result ?? rows),
    isComplete: () => true,
    rows: () => rows,
  };
}

/** Sorts after all scopes and keys: these have at most 256 UTF-16 units. */
const LAST_TEXT = "\u{10FFFF}".repeat(129);

const isAt = (a: Value[], b: Value[]) => a.every((value, n) => value === b[n]);

function createPaged(listing: Listing): Reading {
  const { limit, readBy, order } = listing;
  const by = readBy ?? order;
  const rows = new Map<string, Row>();
  let last: Value[] | undefined;
  let exhausted = false;
  let inOrder = readBy === undefined;
  let asked = { gone: false, moved: false, left: 0 };
  const isComplete = () => exhausted || rows.size >= (limit ?? Infinity);

  function takeMoved(result: Row[]) {
    for (const { row, live } of rowsOfPage(listing, result)) {
      const identity = identityOf(listing, row);
      const known = rows.get(identity);
      // What left and came back is another row, at another position.
      inOrder &&= !live || known !== undefined && isAt(positionOf(listing, known), positionOf(listing, row));
      if (live) rows.set(identity, row);
      else rows.delete(identity);
    }
  }

  function takePage(result: Row[]) {
    const page = rowsOfPage(listing, result);
    for (const { row } of page) {
      const identity = identityOf(listing, row);
      rows.delete(identity);
      rows.set(identity, row);
    }
    const { edge, reached } = result[0]!;
    const full = edge !== null || page.length === asked.left;
    exhausted = !full && reached === null;
    if (!full && reached !== null) {
      last = [
        listing.homes ? reached as string : Number(reached),
        ...by.slice(1).map(() => LAST_TEXT),
      ];
    } else if (page.length > 0) last = positionOf(listing, page.at(-1)!.row);
  }

  return {
    statements(seen, _last, bytes) {
      const wanted = wantedOf(listing, rows.size, seen !== undefined);
      const gone = seen === undefined ? [] : selectGoneSince(listing, seen);
      const left = isComplete() || bytes === 0 ? 0 : wanted;
      asked = { gone: gone.length > 0, moved: seen !== undefined, left };
      return [
        ...gone,
        ...seen === undefined ? [] : [selectMoved(listing, exhausted ? undefined : last, seen)],
        ...asked.left === 0 ? [] : [selectPage(listing, { last, left: asked.left, bytes })],
      ];
    },
    take(results) {
      if (asked.gone) { for (const row of results.shift()!) rows.delete(identityOf(listing, row)); }
      if (asked.moved) takeMoved(results.shift()!);
      if (asked.left !== 0) takePage(results.shift()!);
    },
    isComplete,
    rows() {
      const all = [...rows.values()];
      return inOrder
        ? all.slice(0, limit)
        : sortYielding(all, compareBy(listing)).then((sorted) => sorted.slice(0, limit));
    },
  };
}
