import type { Database } from "./database.ts";
import {
  compareBy,
  identityOf,
  type Listing,
  placeOf,
  rowsOfPage,
  selectMoved,
  selectPage,
} from "./listing.ts";
import { Refusal } from "./refusal.ts";
import type { Row, Statement, Value } from "./statement.ts";
import { giveWay, isBusy } from "./turn.ts";

export type Query = Statement | Listing;

/** A query that is being read, step by step. What a step brings is of one transaction. */
interface Reading {
  /** What to read next. `seen`: the room's revision at the step before; `last`: this step may be the last one. */
  statements(seen: number | undefined, last: boolean): Statement[];
  take(results: Row[][]): void;
  isComplete(): boolean;
  rows(): Row[];
}

/** Of pages a batch of the lane holds two, since each takes some 5 ms of a file, and has room for lighter reads. */
const PAGE_WEIGHT = 100;
/** Of first pages, which are seldom full, it holds 16. */
const FIRST_WEIGHT = 16;
/** What large reads take turns under, one at a time for the sake of others and of memory; no room is called so. */
const LARGE = "";
/** More than the largest room takes: 10,000 keys of 64 KiB. */
const MOST_STEPS = 1_000;

/**
 * Reads any amount of a room as it was at one revision, and lets other requests run in between. The first query
 * gives the room's `revision`; statements are small, listings need not be. What fits into a page comes in one
 * round trip. Else each further one brings, in one transaction, the next page and what has changed since the step
 * before in those that were read: together they are what was read so far, as it is at that step. So nothing has to
 * be begun again, however fast the room changes. `weight` is what the first step weighs. Errors: `DatabaseUnavailable`, `unavailable`.
 */
export async function readWhole(
  database: Database,
  queries: Query[],
  weight = weightOf(queries),
): Promise<Row[][]> {
  const readings = queries.map((query, n) =>
    "sql" in query ? createPlain(query, n === 0) : createPaged(query)
  );
  const areComplete = () => readings.every((reading) => reading.isComplete());

  /** True where this step has brought the rest. */
  async function step(seen: number | undefined, weight: number | undefined): Promise<boolean> {
    const last = seen === undefined || areComplete();
    const wanted = readings.map((reading) => reading.statements(seen, last));
    const results = await database.read(wanted.flat(), weight);
    if (isBusy()) await giveWay();
    readings.forEach((reading, n) => reading.take(results.splice(0, wanted[n]!.length)));
    return last && areComplete();
  }

  if (!await step(undefined, weight)) {
    await database.inTurn(LARGE, async () => {
      for (let steps = 1; steps < MOST_STEPS; steps++) {
        await giveWay();
        if (await step(Number(readings[0]!.rows()[0]?.revision), PAGE_WEIGHT)) return;
      }
      throw new Refusal(
        "unavailable",
        "The room is too large, or changed faster than all of it could be read.",
      );
    });
  }
  return readings.map((reading) => reading.rows());
}

/** What the first step weighs. A thread is followed from message to message, which takes longer than a page. */
function weightOf(queries: Query[]): number | undefined {
  const listings = queries.flatMap((query) => "sql" in query ? [] : [query]);
  if (listings.length === 0) return undefined;
  return listings.some((listing) => listing.with) ? PAGE_WEIGHT : FIRST_WEIGHT;
}

/** Read in what may be the last step, or in each. */
function createPlain(statement: Statement, always: boolean): Reading {
  let rows: Row[] = [];
  return {
    statements: (_seen, last) => always || last ? [statement] : [],
    take: ([result]) => void (rows = result ?? rows),
    isComplete: () => true,
    rows: () => rows,
  };
}

function createPaged(listing: Listing): Reading {
  const { limit, readBy, live } = listing;
  const rows = new Map<string, Row>();
  let last: Value[] | undefined;
  let exhausted = false;
  let inOrder = readBy === undefined;
  let asked = { moved: false, left: 0 };
  const left = () => limit === undefined ? -1 : Math.max(0, limit - rows.size);
  const isComplete = () => exhausted || left() === 0;

  function takeMoved(result: Row[]) {
    for (const { row, live } of rowsOfPage(listing, result)) {
      const identity = identityOf(listing, row);
      inOrder &&= !live || rows.has(identity);
      if (live) rows.set(identity, row);
      else rows.delete(identity);
    }
  }

  function takePage(result: Row[]) {
    const page = rowsOfPage(listing, result);
    for (const { row } of page) rows.set(identityOf(listing, row), row);
    const { edge, reached } = result[0]!;
    const full = edge !== null || page.length === asked.left;
    exhausted = !full && reached === null;
    if (!full && reached !== null) last = [Number(reached)];
    else if (page.length > 0) last = placeOf(listing, page.at(-1)!.row);
  }

  return {
    statements(seen) {
      // Rows that stop to match as fast as they are read must not keep it from ending: more are asked for.
      const wanted = seen !== undefined && live ? limit ?? -1 : left();
      asked = { moved: seen !== undefined, left: isComplete() ? 0 : wanted };
      return [
        ...seen === undefined ? [] : [selectMoved(listing, exhausted ? undefined : last, seen)],
        ...asked.left === 0 ? [] : [selectPage(listing, { last, left: asked.left })],
      ];
    },
    take(results) {
      if (asked.moved) takeMoved(results.shift()!);
      if (asked.left !== 0) takePage(results.shift()!);
    },
    isComplete,
    rows() {
      const all = [...rows.values()];
      return (inOrder ? all : all.sort(compareBy(listing))).slice(0, limit);
    },
  };
}
