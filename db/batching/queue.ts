import type { Row, Send, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { isBusy, turn, yieldToNetwork } from "../yield.ts";
import { createGathering } from "./gathering.ts";
import { type Batch, isLight, takeBatch, type Turns } from "./next_batch.ts";
import type { Coalescer, Submission, SubmissionOptions } from "./groups.ts";
import { createBatchSender } from "./sender.ts";
import { createSharedItems, type SubmitItem } from "./shared_items.ts";
import { createSharedReads, createVerbatim } from "./verbatim.ts";

interface BatchLimits {
  /** The maximum number of batches in flight. */
  inFlight: number;
  /** Milliseconds for which a batch in flight holds up the next one: a near database answers within them. */
  apart: number;
  /** The maximum weight of a batch. A single submission may exceed it. */
  weight: number;
  /** Whether batches only read, so that they may be sent again whatever became of them. */
  readOnly: boolean;
  /** Returns how many requests are at work and may submit soon. */
  expected: () => number;
  /** Milliseconds after which an unsent submission expires. */
  patience: number;
}

export interface BatchQueue {
  submit(
    viewer: Viewer,
    statements: Statement[],
    options?: Pick<SubmissionOptions, "first">,
  ): Promise<Row[][]>;
  /** Submits one item, to be coalesced with others of the same coalescer. A small item weighs 1. */
  submitCoalesced<Item, Result>(
    viewer: Viewer,
    coalescer: Coalescer<Item, Result>,
    item: Item,
    weight?: number,
  ): Promise<Result>;
  waiting(): number;
}

/**
 * Milliseconds from which on a batch is slow, so that the next one lingers for the clients that it answers: with round
 * trips of 10 ms that gives 1.6 times the writes. Near databases are kept busy instead.
 */
const FAR_MS = 12;
const LINGER_MS = 4;
/** Milliseconds after which a batch in flight holds up no other: its answer may never come. */
const OVERDUE_MS = 1_000;
/**
 * Milliseconds of a file database's blocking after which the queue yields before the next batch, as after a heavy one.
 * Meanwhile the rows are processed and the network is read, which the runtime seldom does while work follows work.
 */
const BLOCKED_MS = 8;
/** Milliseconds without a heavy batch after which the next one follows none. */
const APART_MS = 4;
/** Milliseconds for which light submissions overtake a heavy one, of whose kind then every other batch may be. */
const OVERTAKEN_MS = 400;
/** The minimum number of submissions of a halved batch (`ended`). */
const MIN_HALF = 16;

/**
 * Queues submissions while a batch is in flight and sends them as the next batch: group commit for writes, shared round
 * trips for reads. A submission is answered once its batch is acknowledged. `elapsed` gives monotonic milliseconds.
 * Errors: `DatabaseUnavailable`, or the database's error of the submission's own statement.
 */
export function createBatchQueue(
  send: Send,
  limits: BatchLimits,
  elapsed = () => performance.now(),
): BatchQueue {
  const sendBatch = createBatchSender(send, limits.readOnly, elapsed);
  const waiting: Submission[] = [];
  const gathering = createGathering(waiting, limits.expected, elapsed);
  const inFlight = new Set<Batch>();
  let heldUntil = 0;
  let later: { timer: ReturnType<typeof setTimeout>; at: number } | undefined;
  let blocked = false;
  /** Milliseconds of the heavy batches, each in one turn of the event loop, that followed each other until `until`. */
  const heavy = { blocked: 0, until: -Infinity };
  let wasLight = true; // the last batch
  let isGathering = false;
  let maxSize = Infinity; // submissions of the next batch
  let firstOnes = false; // whether it takes those that go before others

  const turns: Turns = {
    inFlight: batchesInTime,
    isOverdue: ({ expires }) => wasLight && expires - elapsed() <= limits.patience - OVERTAKEN_MS,
  };

  /** Sends the waiting submissions, once requests that are about to submit could join them. */
  async function pump() {
    if (isGathering || waiting.length === 0) return;
    if (!isFree()) return pumpLater();
    isGathering = true;
    await gathering.gather(maxSize);
    isGathering = false;
    while (isFree() && waiting.length > 0) {
      const busy = isBusy(); // in any case, so that a file's work counts into this turn's slice
      if (blocked && busy || heavy.blocked >= BLOCKED_MS && !isApart(elapsed())) {
        isGathering = true;
        await yieldToNetwork();
        isGathering = false;
        heavy.blocked = 0;
        continue;
      }
      firstOnes = !firstOnes;
      const bounds = { weight: limits.weight, size: maxSize, firstOnes };
      const submissions = takeBatch(waiting, bounds, limits.inFlight > 1 ? turns : undefined);
      if (submissions.length === 0) break;
      sendNow(submissions);
    }
    if (waiting.length > 0) pumpLater();
  }

  function sendNow(submissions: Submission[]) {
    const began = elapsed();
    const batch = { light: isLight(submissions[0]!, limits.weight), began, turn: turn() };
    inFlight.add(batch);
    wasLight = batch.light;
    heldUntil = began + limits.apart;
    const left = waiting.length;
    for (const { taken } of submissions) taken?.();
    sendBatch(submissions).finally(() => ended(batch, submissions.length, left));
    blocked = !batch.light || elapsed() - began >= BLOCKED_MS;
  }

  /**
   * Sends the next batch after one of `size` submissions, which left `left` others waiting when it began. Where more
   * came during the only batch of a near database, the next batch takes half of all: the database works on one half
   * while the other is answered and comes back. Left to chance, the halves were 60 and 4 of 64, each cost a commit, and
   * a server took 0.88 of the puts.
   */
  function ended(batch: Batch, size: number, left: number) {
    const now = elapsed();
    if (heldUntil === batch.began + limits.apart) heldUntil = 0; // unless a later batch has set it
    const linger = now - batch.began < FAR_MS ? 0 : LINGER_MS;
    const all = size + waiting.length;
    gathering.expect(all, linger);
    const halve = limits.inFlight === 1 && linger === 0 && waiting.length > left;
    maxSize = halve ? Math.max(MIN_HALF, Math.ceil(all / 2)) : Infinity;
    inFlight.delete(batch);
    if (!batch.light && batch.turn === turn()) {
      heavy.blocked = now - batch.began + (isApart(batch.began) ? 0 : heavy.blocked);
      heavy.until = now;
    }
    if (waiting.length === 0) later = void clearTimeout(later?.timer);
    pump();
  }

  /** Whether heavy batches have ceased at a time by `elapsed`. */
  function isApart(at: number): boolean {
    return at - heavy.until >= APART_MS;
  }

  /** Lists the batches in flight that hold up others. */
  function batchesInTime(): Batch[] {
    if (inFlight.size === 0) return [];
    const now = elapsed();
    return [...inFlight].filter(({ began }) => now - began < OVERDUE_MS);
  }

  function isFree(): boolean {
    const { length } = batchesInTime();
    return length === 0 || length < limits.inFlight && elapsed() >= heldUntil;
  }

  /** Pumps again when time alone frees the next batch. Else it sets no timer, which costs 1 % of a wake-up. */
  function pumpLater() {
    const now = elapsed();
    const overdue = batchesInTime().map(({ began }) => began + OVERDUE_MS);
    const at = Math.min(heldUntil > now ? heldUntil : Infinity, ...overdue);
    if (at >= (later?.at ?? Infinity)) return;
    clearTimeout(later?.timer);
    later = { timer: setTimeout(releaseHeld, at - now, at), at };
  }

  /** Releases what is held up to `at`, since timers may be a little early. */
  function releaseHeld(at: number) {
    later = undefined;
    if (heldUntil <= at) heldUntil = 0;
    for (const batch of inFlight) if (batch.began + OVERDUE_MS <= at) inFlight.delete(batch);
    pump();
  }

  const submitCoalesced: SubmitItem = (
    viewer,
    coalescer,
    item,
    weight = 1,
    options,
  ) =>
    new Promise((resolve, reject) => {
      const expires = elapsed() + limits.patience;
      waiting.push({ viewer, coalescer, item, weight, expires, ...options, resolve, reject } as Submission);
      gathering.joined();
      pump();
    });

  function submit(viewer: Viewer, statements: Statement[], options?: SubmissionOptions): Promise<Row[][]> {
    const total = statements.reduce((sum, { weight = 1 }) => sum + weight, 0);
    return submitCoalesced(viewer, createVerbatim(), statements, total, options);
  }

  return {
    submitCoalesced: limits.readOnly ? createSharedItems(submitCoalesced) : submitCoalesced,
    submit: limits.readOnly ? createSharedReads(submit) : submit,
    waiting: () => waiting.length,
  };
}
