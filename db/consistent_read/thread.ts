import { compareBy, identityOf, type Listing, type Reading, rowsOfPage, wantedOf } from "./listing.ts";
import { selectMoved, selectPage } from "./page_sql.ts";
import { createMinHeap } from "./min_heap.ts";
import type { Row, Statement } from "../driver/statement.ts";

/** The maximum number of a thread's messages that a step passes, which takes a file some 5 ms. */
const MAX_PASSED = 1_024;

/** A message of a thread, and the message that it answers: 0 for the thread's root. */
type Member = [id: number, parent: number];

const replyAfter = (parent: string, after: string) =>
  `(SELECT id FROM messages WHERE room_id = :room AND reply_to = ${parent} AND id > ${after} ORDER BY id LIMIT 1)`;
const nextOf = (id: string, parent: string) => `${replyAfter(id, id)}, ${replyAfter(parent, id)}`;

// Walks on from the pending messages by ascending id, since a reply has a higher id than its parent. Each message
// brings its first reply and its next sibling. Where some stay pending, no more come out than went in, hence none
// beyond those that stay. Messages posted since, from `:bound` on, come later.
const WALK = `
  thread (id, parent, reply, sibling) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, ${nextOf("(value ->> 0)", "(value ->> 1)")} FROM json_each(:pending)
    UNION ALL
    SELECT reply, id, ${nextOf("thread.reply", "thread.id")} FROM thread WHERE reply < :bound
    UNION ALL
    SELECT sibling, parent, ${nextOf("thread.sibling", "thread.parent")} FROM thread WHERE sibling < :bound
    ORDER BY 1 LIMIT :pass)`;
const WALKED = `SELECT json_group_array(json_array(id, parent, reply, sibling)) FROM thread`;

const NEW_REPLIES = `
  SELECT id, reply_to FROM messages
   WHERE room_id = :room AND id > :seen AND reply_to IS NOT NULL ORDER BY id`;

/**
 * Creates the reading of a thread's matching messages. A step passes a bounded number of its messages by id, and reads
 * those that match. A search for the newest begins once all are known. Each step also reads the replies posted
 * meanwhile: they have the highest ids, and are added once the others are known.
 */
export function createThread(listing: Listing): Reading {
  const { root, filtered } = listing.thread!;
  const { descending = false } = listing;
  const limit = listing.limit!;
  const rows = new Map<string, Row>();
  const known: number[] = [];
  /** How many of the known messages were searched, from the end at which the list begins. */
  let looked = 0;
  const pending = createMinHeap();
  pending.add(root, 0);
  let late: Member[] = [];
  let horizon = Number.MAX_SAFE_INTEGER;
  let asked: {
    moved?: boolean;
    first?: boolean;
    pass?: number;
    look?: number[];
    sent?: Member[];
    left: number;
    bytes: number;
  } = { left: 0, bytes: 0 };

  const isFull = () => rows.size >= limit;
  const isWalked = () => pending.min() === undefined && !asked.sent;
  const isComplete = () => isWalked() ? isFull() || looked === known.length : !descending && isFull();

  function walk(): Statement {
    const pass = filtered || descending ? MAX_PASSED : Math.min(MAX_PASSED, limit);
    asked.pass = pass;
    asked.sent = pending.take(pass);
    // The newest are known only at the end of the walk, which the first step may reach.
    const shown = !descending ? "" : ` AND ${asked.first} AND (SELECT COUNT(*) FROM thread) < :pass`;
    const where = `${listing.where} AND id IN (SELECT id FROM thread)${shown}`;
    const args = { ...listing.args, pending: JSON.stringify(asked.sent), bound: horizon, pass };
    return selectPage({ ...listing, with: WALK, beside: WALKED, where, args }, asked);
  }

  function look(): Statement {
    const end = descending ? known.length - looked : looked + MAX_PASSED;
    asked.look = known.slice(descending ? Math.max(0, end - MAX_PASSED) : looked, end);
    const where = `${listing.where} AND id IN (SELECT value FROM json_each(:ids))`;
    const args = { ...listing.args, ids: JSON.stringify(asked.look) };
    return selectPage({ ...listing, where, args }, asked);
  }

  /**
   * Adds what a walk passed to the known messages, and what it left to the pending ones; returns the ids that it
   * passed.
   */
  function takeWalk(passed: Array<[...Member, reply: number | null, sibling: number | null]>): number[] {
    const reached = passed.at(-1)![0];
    for (const [id, parent] of asked.sent!) if (id > reached) pending.add(id, parent);
    asked.sent = undefined;
    for (const [id, parent, reply, sibling] of passed) {
      known.push(id);
      if (reply! > reached && reply! < horizon) pending.add(reply!, id);
      if (sibling! > reached && sibling! < horizon) pending.add(sibling!, parent);
    }
    return passed.map(([id]) => id);
  }

  function takePage(result: Row[], ids: number[]) {
    const page = rowsOfPage(listing, result);
    for (const { row } of page) rows.set(identityOf(listing, row), row);
    const cut = result[0]!.edge !== null || page.length === asked.left;
    const last = cut ? ids.indexOf(Number(page.at(-1)!.row.id)) : descending ? 0 : ids.length - 1;
    looked += descending ? ids.length - last : last + 1;
  }

  /** Adds late replies to the known messages. `current`: all are of this step, hence among what has changed in it. */
  function takeLate(current: boolean) {
    if (!isWalked()) return;
    const atEnd = current && (descending ? looked > 0 : looked === known.length);
    for (const [id, parent] of late) {
      if (indexIn(known, parent) < 0) continue;
      known.push(id);
      if (atEnd) looked++;
    }
    late = [];
  }

  function takeMoved(result: Row[]) {
    for (const { row, live } of rowsOfPage(listing, result)) {
      const index = indexIn(known, Number(row.id));
      if (index < 0 || (descending ? index < known.length - looked : index >= looked)) continue;
      if (live) rows.set(identityOf(listing, row), row);
      else rows.delete(identityOf(listing, row));
    }
  }

  return {
    statements(seen, _last, bytes) {
      const done = bytes === 0 || isComplete();
      asked = {
        moved: seen !== undefined,
        first: seen === undefined,
        left: wantedOf(listing, rows.size, seen !== undefined),
        bytes,
      };
      if (seen !== undefined) horizon = Math.min(horizon, seen + 1);
      return [
        ...seen === undefined ? [] : [
          { sql: NEW_REPLIES, args: { room: listing.args.room!, seen } },
          selectMoved(listing, undefined, seen),
        ],
        ...done ? [] : [!isWalked() && (descending || looked === known.length) ? walk() : look()],
      ];
    },
    take(results) {
      const [replies, moved] = asked.moved ? results.splice(0, 2) : [];
      const [page] = results;
      if (page && asked.look) takePage(page, asked.look);
      else if (page) {
        const ids = takeWalk(JSON.parse(page[0]!.beside as string));
        if (!descending || asked.first && ids.length < asked.pass!) takePage(page, ids);
      }
      const current = late.length === 0;
      late.push(...(replies ?? []).map((row): Member => [Number(row.id), Number(row.reply_to)]));
      takeLate(current);
      if (moved) takeMoved(moved);
    },
    isComplete,
    rows: () => [...rows.values()].sort(compareBy(listing)).slice(0, limit),
  };
}

/** Finds the index of a number among ascending ones, or -1. */
function indexIn(numbers: number[], wanted: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (numbers[middle]! < wanted) from = middle + 1;
    else to = middle;
  }
  return numbers[from] === wanted ? from : -1;
}
