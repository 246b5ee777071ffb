import { createCarrier, type Job, type Merger } from "./sender.ts";
import type { Row, Send, Statement } from "../driver/statement.ts";
import { isBusy, yieldToNetwork } from "../yield.ts";

export interface LaneLimits {
  /** Batches under way at once. */
  inFlight: number;
  /** Milliseconds for which a batch under way holds up the next: near databases are done with it by then. */
  apart: number;
  /** The weight of a batch at the most: statements, or merged items. A single job may exceed it. */
  weight: number;
  /** Statements that only read may be sent again whatever became of them. */
  readOnly: boolean;
  /** Requests that are at work and may submit a job at once. */
  expected: () => number;
  /** Milliseconds from `submit` after which a job that was not sent is given up. */
  patience: number;
}

export interface Lane {
  /** Submits statements, which weigh what each of them does. */
  submit(statements: Statement[]): Promise<Row[][]>;
  /** Submits one item, to be merged with others of its kind; `weight` is 1 for a small one. */
  submitOne<Item, Result>(merger: Merger<Item, Result>, item: Item, weight?: number): Promise<Result>;
}

/** Turns of the event loop in which requests that have arrived are taken in before a batch is sent. */
const LEAST_TURNS = 2;
const MOST_TURNS = 6;
/** Where turns take longer than this, requests are at work on what they have read, and submit nothing soon. */
const GATHER_MS = 4;
/** A batch that takes this long is worth waiting for with the next one; near databases are kept busy instead. */
const FAR_MS = 12;
const LINGER_MS = 4;
/** A batch under way for longer holds up no other: its answer may never come. */
const OVERDUE_MS = 1_000;
/**
 * A file works in this thread. Batches that keep it for so long, heavy ones, and what is made of their rows take turns,
 * one pass of the event loop after the other: while passes follow each other at once, the runtime looks at the network
 * seldom.
 */
const BLOCKED_MS = 8;
/** A job that takes no more of a batch than this is a light one. */
const LIGHT_SHARE = 1 / 2;
/** Fewer jobs are not worth a batch of their own. */
const LEAST_HALF = 16;

interface Batch {
  light: boolean;
  /** By `elapsed`. */
  began: number;
}

/**
 * Collects the jobs that arrive while a batch is under way and sends them as the next one: group commit for
 * writes, shared round trips for reads. A job is answered when its batch is acknowledged, never before. Times are
 * measured by `elapsed`, in milliseconds: it never jumps.
 * Errors: `DatabaseUnavailable`, or what the database said of the job's own statement.
 */
export function createLane(
  send: Send,
  limits: LaneLimits,
  elapsed = () => performance.now(),
): Lane {
  const carry = createCarrier(send, limits.readOnly, elapsed);
  const waiting: Job[] = [];
  const underWay = new Set<Batch>();
  let heldUntil = 0;
  let later: { timer: ReturnType<typeof setTimeout>; at: number } | undefined;
  let blocked = false;
  let gathering = false;
  let hoped = { jobs: 0, until: 0 };
  let most = Infinity; // jobs of the next batch
  let complete: (() => void) | undefined;

  /** Sends what waits, once those who are about to submit have had their chance to join it. */
  async function pump() {
    if (gathering || waiting.length === 0) return;
    if (!isFree()) return pumpLater();
    gathering = true;
    await gather();
    gathering = false;
    while (isFree() && waiting.length > 0) {
      const busy = isBusy(); // asked in any case: a file's work counts as this pass's
      if (blocked && busy) {
        gathering = true;
        await yieldToNetwork();
        gathering = false;
        continue;
      }
      const jobs = nextBatch();
      if (jobs.length === 0) break;
      const began = elapsed();
      const batch = { light: isLight(jobs[0]!), began };
      underWay.add(batch);
      heldUntil = began + limits.apart;
      const left = waiting.length;
      carry(jobs).finally(() => {
        const ended = elapsed();
        if (heldUntil === began + limits.apart) heldUntil = 0; // whoever is still under way holds up nobody by that
        const linger = ended - began < FAR_MS ? 0 : LINGER_MS;
        const all = jobs.length + waiting.length;
        hoped = { jobs: all, until: ended + linger };
        const halve = limits.inFlight === 1 && linger === 0 && waiting.length > left;
        most = halve ? Math.max(LEAST_HALF, Math.ceil(all / 2)) : Infinity;
        underWay.delete(batch);
        if (waiting.length === 0) later = void clearTimeout(later?.timer);
        pump();
      });
      blocked = !batch.light || elapsed() - began >= BLOCKED_MS;
    }
    if (waiting.length > 0) pumpLater();
  }

  /** The batches under way that hold up others. */
  function batchesInTime(): Batch[] {
    if (underWay.size === 0) return [];
    const now = elapsed();
    return [...underWay].filter(({ began }) => now - began < OVERDUE_MS);
  }

  function isFree(): boolean {
    const { length } = batchesInTime();
    return length === 0 || length < limits.inFlight && elapsed() >= heldUntil;
  }

  /** Looks again when time alone lets the next batch go. Only where jobs wait: a timer for each batch costs 1 % of a wake-up. */
  function pumpLater() {
    const now = elapsed();
    const overdue = batchesInTime().map(({ began }) => began + OVERDUE_MS);
    const at = Math.min(heldUntil > now ? heldUntil : Infinity, ...overdue);
    if (at >= (later?.at ?? Infinity)) return;
    clearTimeout(later?.timer);
    later = { timer: setTimeout(letGo, at - now, at), at };
  }

  /** What holds up others until `at` does so no more: timers may be a little early. */
  function letGo(at: number) {
    later = undefined;
    if (heldUntil <= at) heldUntil = 0;
    for (const batch of underWay) if (batch.began + OVERDUE_MS <= at) underWay.delete(batch);
    pump();
  }

  /**
   * Waits for requests that are at work already: a file answers without a pause in which they could arrive. And,
   * just after a batch, for as many as were there before it: those who were answered tend to come back at once,
   * and without them two halves would take turns, each waiting for the other's round trip.
   */
  async function gather() {
    const until = elapsed() + GATHER_MS;
    for (let turn = 1, before = 0; turn <= MOST_TURNS && waiting.length < most; turn++) {
      if (turn > 1 && elapsed() >= until) break;
      if (turn > LEAST_TURNS && waiting.length === before && waiting.length >= limits.expected()) break;
      before = waiting.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const left = hoped.until - elapsed();
    if (left < 1 || waiting.length >= hoped.jobs) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      complete = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    complete = undefined;
  }

  const isLight = (job: Job) => job.weight <= limits.weight * LIGHT_SHARE;

  /** The jobs of the next batch; none where those that wait are not to go yet. */
  function nextBatch(): Job[] {
    if (waiting.length <= most && areFewAndLight()) return waiting.splice(0);
    const jobs = fitting(limits.inFlight > 1 ? ofOneKind() : waiting);
    const left = waiting.filter((job) => !jobs.has(job));
    waiting.splice(0, Infinity, ...left);
    return [...jobs];
  }

  /** True where all that wait is light and fits into one batch, as nearly always. */
  function areFewAndLight(): boolean {
    let weight = 0;
    for (const job of waiting) {
      weight += job.weight;
      if (weight > limits.weight || !isLight(job)) return false;
    }
    return true;
  }

  /**
   * Where several batches go at once, light jobs are not to wait for what heavy ones bring: these go by themselves,
   * one batch at a time, and so do the light ones while heavy ones wait.
   */
  function ofOneKind(): Job[] {
    const light = waiting.filter(isLight);
    const heavy = waiting.filter((job) => !isLight(job));
    const batches = batchesInTime();
    if (light.length > 0 && (heavy.length === 0 || !batches.some((batch) => batch.light))) return light;
    return batches.every((batch) => batch.light) ? heavy : [];
  }

  /**
   * The first of these, and those that fit in beside it: light ones pass heavy ones that do not. Where jobs arrive while
   * a near database is at work at the only batch, no more than half of all: it then works at one half while the other
   * is answered and comes back. Left to chance, the halves were 60 and 4 of 64, and each cost a commit.
   */
  function fitting(some: Job[]): Set<Job> {
    const jobs = new Set<Job>();
    let weight = 0;
    for (const job of some) {
      if (jobs.size > 0 && (jobs.size >= most || weight + job.weight > limits.weight)) continue;
      weight += job.weight;
      jobs.add(job);
    }
    return jobs;
  }

  function submitOne<Item, Result>(merger: Merger<Item, Result>, item: Item, weight = 1): Promise<Result> {
    return new Promise((resolve, reject) => {
      const expires = elapsed() + limits.patience;
      waiting.push({ merger, item, weight, expires, resolve, reject } as Job);
      if (waiting.length >= hoped.jobs) complete?.();
      pump();
    });
  }

  return {
    submitOne,
    submit: (statements) => submitOne(createVerbatim(), statements, weightOfAll(statements)),
  };
}

/** Statements that are sent as they are; each job has a merger of its own, hence is merged with no other. */
function createVerbatim(): Merger<Statement[], Row[][]> {
  return { statements: ([statements]) => statements!, results: (_, rows) => [rows] };
}

function weightOfAll(statements: Statement[]): number {
  return statements.reduce((sum, { weight = 1 }) => sum + weight, 0);
}
