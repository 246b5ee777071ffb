import { type Coalescer, createBatchSender, type Submission } from "./sender.ts";
import type { Row, Send, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { isBusy, yieldToNetwork } from "../yield.ts";
import { createSharedReads, createVerbatim } from "./verbatim.ts";

interface BatchLimits {
  /** Batches in flight at once. */
  inFlight: number;
  /** Milliseconds for which a batch in flight holds up the next: near databases answer within them. */
  apart: number;
  /** The maximum weight of a batch. A single submission may exceed it. */
  weight: number;
  /** Whether batches only read, and may be sent again whatever became of them. */
  readOnly: boolean;
  /** Returns how many requests are at work and may submit soon. */
  expected: () => number;
  /** Milliseconds after which an unsent submission expires. */
  patience: number;
}

export interface BatchQueue {
  submit(viewer: Viewer, statements: Statement[]): Promise<Row[][]>;
  /** Submits one item, to be coalesced with others of the same coalescer; a small one weighs 1. */
  submitCoalesced<Item, Result>(
    viewer: Viewer,
    coalescer: Coalescer<Item, Result>,
    item: Item,
    weight?: number,
  ): Promise<Result>;
}

/** Turns of the event loop before a batch is sent, in which requests that have arrived may join it. */
const MIN_TURNS = 2;
const MAX_TURNS = 6;
/** Milliseconds after which slow turns show that requests work on what they read, and submit nothing soon. */
const GATHER_MS = 4;
/**
 * Milliseconds from which on a batch is slow enough to let the next one linger for those it answers: that gives 1.6
 * times the writes at 10 ms. Near databases are kept busy instead.
 */
const FAR_MS = 12;
const LINGER_MS = 4;
/** Milliseconds after which a batch in flight holds up no other: its answer may never come. */
const OVERDUE_MS = 1_000;
/**
 * Milliseconds of a file database's blocking after which the queue yields before the next batch, as after a heavy one.
 * Then the rows are worked on and the network is read, which the runtime seldom does while work follows work.
 */
const BLOCKED_MS = 8;
/** A submission is light up to this share of a batch. */
const LIGHT_SHARE = 1 / 2;
/** Half a batch has at least so many submissions. */
const MIN_HALF = 16;

interface Batch {
  light: boolean;
  /** By `elapsed`. */
  began: number;
}

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
  const inFlight = new Set<Batch>();
  let heldUntil = 0;
  let later: { timer: ReturnType<typeof setTimeout>; at: number } | undefined;
  let blocked = false;
  let gathering = false;
  let hoped = { count: 0, until: 0 };
  let maxSize = Infinity; // submissions of the next batch
  let complete: (() => void) | undefined;

  /** Sends what waits, once requests that are about to submit could join it. */
  async function pump() {
    if (gathering || waiting.length === 0) return;
    if (!isFree()) return pumpLater();
    gathering = true;
    await gather();
    gathering = false;
    while (isFree() && waiting.length > 0) {
      const busy = isBusy(); // in any case, so that a file's work counts into this turn's slice
      if (blocked && busy) {
        gathering = true;
        await yieldToNetwork();
        gathering = false;
        continue;
      }
      const submissions = nextBatch();
      if (submissions.length === 0) break;
      const began = elapsed();
      const batch = { light: isLight(submissions[0]!), began };
      inFlight.add(batch);
      heldUntil = began + limits.apart;
      const left = waiting.length;
      sendBatch(submissions).finally(() => {
        const ended = elapsed();
        if (heldUntil === began + limits.apart) heldUntil = 0; // unless a later batch has set it
        const linger = ended - began < FAR_MS ? 0 : LINGER_MS;
        const all = submissions.length + waiting.length;
        hoped = { count: all, until: ended + linger };
        const halve = limits.inFlight === 1 && linger === 0 && waiting.length > left;
        maxSize = halve ? Math.max(MIN_HALF, Math.ceil(all / 2)) : Infinity;
        inFlight.delete(batch);
        if (waiting.length === 0) later = void clearTimeout(later?.timer);
        pump();
      });
      blocked = !batch.light || elapsed() - began >= BLOCKED_MS;
    }
    if (waiting.length > 0) pumpLater();
  }

  /** The batches in flight that hold up others. */
  function batchesInTime(): Batch[] {
    if (inFlight.size === 0) return [];
    const now = elapsed();
    return [...inFlight].filter(({ began }) => now - began < OVERDUE_MS);
  }

  function isFree(): boolean {
    const { length } = batchesInTime();
    return length === 0 || length < limits.inFlight && elapsed() >= heldUntil;
  }

  /** Pumps again when time alone frees the next batch. Only then: a timer costs 1 % of a wake-up. */
  function pumpLater() {
    const now = elapsed();
    const overdue = batchesInTime().map(({ began }) => began + OVERDUE_MS);
    const at = Math.min(heldUntil > now ? heldUntil : Infinity, ...overdue);
    if (at >= (later?.at ?? Infinity)) return;
    clearTimeout(later?.timer);
    later = { timer: setTimeout(releaseHeld, at - now, at), at };
  }

  /** Ends all holds up to `at`, since timers may be a little early. */
  function releaseHeld(at: number) {
    later = undefined;
    if (heldUntil <= at) heldUntil = 0;
    for (const batch of inFlight) if (batch.began + OVERDUE_MS <= at) inFlight.delete(batch);
    pump();
  }

  /**
   * Waits for requests that are at work already, since a file answers without a pause in which they could arrive. Just
   * after a slow batch it waits for as many as were there before: answered clients tend to come back at once, and
   * without them two halves would alternate, each waiting for the other's round trip.
   */
  async function gather() {
    const until = elapsed() + GATHER_MS;
    for (let turn = 1, before = 0; turn <= MAX_TURNS && waiting.length < maxSize; turn++) {
      if (turn > 1 && elapsed() >= until) break;
      if (turn > MIN_TURNS && waiting.length === before && waiting.length >= limits.expected()) break;
      before = waiting.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const left = hoped.until - elapsed();
    if (left < 1 || waiting.length >= hoped.count) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      complete = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    complete = undefined;
  }

  const isLight = ({ weight }: Submission) => weight <= limits.weight * LIGHT_SHARE;

  /** Takes the submissions of the next batch; none where all must wait longer. */
  function nextBatch(): Submission[] {
    if (waiting.length <= maxSize && areFewAndLight()) return waiting.splice(0);
    const chosen = fitting(limits.inFlight > 1 ? ofOneKind() : waiting);
    waiting.splice(0, Infinity, ...waiting.filter((submission) => !chosen.has(submission)));
    return [...chosen];
  }

  /** True where all waiting submissions are light and fit into one batch, as nearly always. */
  function areFewAndLight(): boolean {
    let weight = 0;
    for (const next of waiting) {
      weight += next.weight;
      if (weight > limits.weight || !isLight(next)) return false;
    }
    return true;
  }

  /**
   * Keeps light submissions apart from heavy ones where several batches may be in flight, so that light ones need not
   * wait for the rows of heavy ones. While both wait, one batch of each is in flight.
   */
  function ofOneKind(): Submission[] {
    const light = waiting.filter(isLight);
    const heavy = waiting.filter((submission) => !isLight(submission));
    const batches = batchesInTime();
    if (light.length > 0 && (heavy.length === 0 || !batches.some((batch) => batch.light))) return light;
    return batches.every((batch) => batch.light) ? heavy : [];
  }

  /**
   * Chooses the first candidate and all that fit beside it; light ones overtake heavy ones that do not. Where some
   * arrive during the only batch of a near database, `maxSize` is half of all: the database works on one half while the
   * other is answered and comes back. Left to chance, the halves were 60 and 4 of 64, each cost a commit, and a server
   * took 0.88 of the puts.
   */
  function fitting(candidates: Submission[]): Set<Submission> {
    const chosen = new Set<Submission>();
    let weight = 0;
    for (const next of candidates) {
      if (chosen.size > 0 && (chosen.size >= maxSize || weight + next.weight > limits.weight)) continue;
      weight += next.weight;
      chosen.add(next);
    }
    return chosen;
  }

  const submitCoalesced: BatchQueue["submitCoalesced"] = (viewer, coalescer, item, weight = 1) =>
    new Promise((resolve, reject) => {
      const expires = elapsed() + limits.patience;
      waiting.push({ viewer, coalescer, item, weight, expires, resolve, reject } as Submission);
      if (waiting.length >= hoped.count) complete?.();
      pump();
    });

  function submit(viewer: Viewer, statements: Statement[], verbatim = createVerbatim()): Promise<Row[][]> {
    const total = statements.reduce((sum, { weight = 1 }) => sum + weight, 0);
    return submitCoalesced(viewer, verbatim, statements, total);
  }

  return { submitCoalesced, submit: limits.readOnly ? createSharedReads(submit) : submit };
}
