import type { Part } from "../../../db/bus.ts";
import { isBusy } from "../../../db/yield.ts";
import { stepsTaken } from "../../language/budget.ts";
import type { Reads } from "../../language/dependencies.ts";
import type { Context, Expression, Judgement } from "../../rooms/expression.ts";
import { type Lookups, trackLookups } from "../../language/lookups.ts";
import type { Viewpoint } from "../../../db/agents/waits.ts";
import { createContext } from "../../rooms/context.ts";
import { readsViews, withViews } from "../../rooms/definitions.ts";
import { lacks } from "../../rooms/judging.ts";
import type { RoomData } from "../../rooms/reader.ts";
import { createIncluded, type Included } from "./include.ts";
import type { Length } from "./shares.ts";
import { byUrgency, hasMoved, isAlone, partsOf, type Waiter } from "./waiter.ts";

/** The maximum milliseconds of evaluations over one snapshot. The rest waits for a new one, since this one is stale. */
const MAX_COST_MS = 100;

/** Steps up to which an evaluation counts as short: some 2 ms. */
const SHORT_STEPS = 12_000;
/** Steps of the first evaluation of a condition in a room. What needs more is evaluated again. */
const FIRST_STEPS = 2_000;

/** What a condition reads, the views that it reads included. */
interface Dependence {
  reads: Reads;
  parts: readonly Part[];
}

/** The share of a room whose waiters are judged. */
export interface Turns {
  /** Runs a piece of work once the room's share allows it. */
  run<T>(length: Length, piece: () => T): Promise<T>;
  /** The steps that evaluations of each condition took lately, which the judge notes. */
  steps: WeakMap<Expression, number>;
}

/**
 * Judges waiters over one snapshot, and settles those that are true or final. Evaluates equal conditions over an equal
 * context once, and again only after a change. Takes the final ones first, then those judged longest ago. `answerable`
 * are those whose answers this snapshot can make: one that became final while it was loaded waits for the next. `now`
 * is by `elapsed`. Returns the milliseconds of the evaluations, and the waiters that were not judged.
 */
export async function judgeAll(
  ...[looked, ...over]: Parameters<typeof judgeEach>
): ReturnType<typeof judgeEach> {
  for (const waiter of looked.answerable) waiter.isLoaded = true;
  try {
    return await judgeEach(looked, ...over);
  } finally {
    for (const waiter of looked.answerable) waiter.isLoaded = false;
  }
}

async function judgeEach(
  { waiters, answerable }: { waiters: Waiter[]; answerable: ReadonlySet<Waiter> },
  data: RoomData,
  now: number,
  { run, steps }: Turns,
): Promise<{ cost: number; left: Set<Waiter> }> {
  const room = createContext(data);
  const dependences = new Map<Expression, Dependence>();
  const judgements = new Map<string, Judged>();
  let included: Included | undefined;
  const left = new Set<Waiter>();
  let cost = 0;

  function judgeOnce(condition: Expression, context: Context, budget?: number): Judged {
    const from = performance.now();
    const { result: judgement, lookups } = trackLookups(() => condition.judge(context, budget));
    cost += performance.now() - from;
    const isWhole = budget === undefined || !isExceeded(judgement);
    if (isWhole && !lookups.missing) {
      steps.set(condition, ((steps.get(condition) ?? stepsTaken()) + stepsTaken()) / 2);
    }
    return { judgement, lookups };
  }

  /** Judges with few steps a condition that was not judged before in the room. Undefined if it takes more, or may. */
  async function judgeFirst(condition: Expression, reads: Reads, context: Context) {
    if (readsViews(reads)) return undefined; // they keep the result of their evaluation
    const judged = await run("short", () => judgeOnce(condition, context, FIRST_STEPS));
    return isExceeded(judged.judgement) ? undefined : judged;
  }

  /** Judges a condition as its cost allows. Returns undefined where its waiter is over. */
  async function judgeByCost(waiter: Waiter, { reads }: Dependence, context: Context) {
    const { condition } = waiter.request;
    const first = steps.has(condition) ? undefined : await judgeFirst(condition, reads, context);
    if (first) return first;
    const length = (steps.get(condition) ?? Infinity) <= SHORT_STEPS ? "short" : "long";
    return await run(length, () => waiter.over ? undefined : judgeOnce(condition, context));
  }

  /** Makes what an answer includes, which is the same for all waiters that a snapshot answers. */
  function include({ request: { include }, viewpoint }: Waiter): Promise<Record<string, unknown>> {
    included ??= createIncluded(include, data, room);
    return included(viewpoint);
  }

  for (const waiter of waiters.toSorted(byUrgency)) {
    if (waiter.over) continue;
    const { condition } = waiter.request;
    const dependence = dependences.get(condition) ?? dependenceOf(condition, data);
    dependences.set(condition, dependence);
    const { context, key } = room.from(seenBy(waiter, dependence));
    const id = JSON.stringify([condition.source, key, condition.reads.self && waiter.viewpoint.self]);
    let judged = stillUntrue(waiter, data) ?? judgements.get(id);
    if (judged === undefined && cost >= MAX_COST_MS) {
      left.add(waiter);
      continue;
    }
    if (judged === undefined) {
      judged = await judgeByCost(waiter, dependence, context);
      if (judged === undefined) continue;
      judgements.set(id, judged);
    } else if (!isAlone(waiter) && isBusy()) {
      await run("short", () => {}); // an answer that includes something yields by itself where it is encoded
    }
    const { judgement, lookups } = judged;
    if (lookups && lacks(waiter, condition, waiter.viewpoint.self, lookups)) {
      left.add(waiter);
      continue;
    }
    note(waiter, judgement, { data, dependence, now });
    await conclude(waiter, judgement, answerable.has(waiter) ? include : undefined, now);
  }
  return { cost, left };
}

function dependenceOf({ reads }: Expression, { definitions, snapshot: { hidden } }: RoomData): Dependence {
  const all = withViews(reads, definitions);
  return { reads: all, parts: partsOf(all, hidden) };
}

/** The waiter's viewpoint, without its own wait unless its own agent's presence is read: then fewer contexts differ. */
function seenBy({ viewpoint }: Waiter, { reads: { agents, presence } }: Dependence): Viewpoint {
  const { self } = viewpoint;
  const readsOwn = presence && self !== null && (agents === "all" || agents.includes(self));
  return readsOwn ? viewpoint : { self };
}

/** The last judgement, if nothing that it read has changed since. */
function stillUntrue(waiter: Waiter, { snapshot: { revisions } }: RoomData): Judged | undefined {
  const changed = waiter.readsTime || hasMoved(waiter, revisions);
  return changed || waiter.untrue === undefined ? undefined : { judgement: waiter.untrue };
}

function note(
  waiter: Waiter,
  judgement: Judgement,
  { data, dependence, now }: { data: RoomData; dependence: Dependence; now: number },
): void {
  const { reads, parts } = dependence;
  waiter.parts = parts;
  waiter.readsTime = reads.now || reads.heartbeats || reads.alive;
  waiter.revision = data.snapshot.revisions.revision;
  waiter.judgedAt = now;
  waiter.untrue = judgement.truthy ? undefined : judgement;
}

/** A judgement, and what its evaluation looked up if it was made now. */
interface Judged {
  judgement: Judgement;
  lookups?: Lookups;
}

function isExceeded({ failure }: Judgement): boolean {
  return failure?.code === "budget_exceeded";
}

/** Settles a waiter that is true or final. Without `include` its answer is not loaded: a true waiter is due at once. */
async function conclude(
  waiter: Waiter,
  { truthy: triggered, value, failure }: Judgement,
  include: ((waiter: Waiter) => Promise<Record<string, unknown>>) | undefined,
  now: number,
): Promise<void> {
  const { revision, registration } = waiter;
  const notice = registration === null ? { notice: "agent_not_registered" as const } : {};
  waiter.dueAtOnce = triggered && include === undefined;
  if (include === undefined) return;
  if (triggered) {
    waiter.settle({ triggered, value, ...notice, included: await include(waiter), revision });
  } else if (waiter.final) {
    const error = failure && { last_error: failure };
    const elapsed_ms = Math.max(0, Math.round(now - waiter.began));
    const outcome = { triggered, elapsed_ms, ...error, ...notice };
    waiter.settle({ ...outcome, included: await include(waiter), revision });
  }
}
