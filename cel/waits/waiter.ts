import { type Part, PARTS } from "../../db/bus.ts";
import type { Json } from "../../db/json.ts";
import { createContext, type Viewpoint } from "../rooms/context.ts";
import { type Context, EvaluationFailed, type Expression } from "../language/expression.ts";
import { type Include, included, includesAnything, readsOfInclude } from "./include.ts";
import { withViews } from "../rooms/definitions.ts";
import type { RoomData } from "../rooms/reader.ts";
import { type Reads, unionReads } from "../language/dependencies.ts";
import type { Viewer } from "../../db/viewer.ts";
import { isBusy } from "../../db/yield.ts";

export interface WaitRequest {
  viewer: Viewer;
  room: string;
  condition: Expression;
  /** Who waits, shown as `waiting` meanwhile. */
  agent?: string;
  /** Milliseconds; 0 evaluates once. */
  timeout: number;
  include: Include;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

export interface Failure {
  code: string;
  message: string;
  hint?: string;
}

export type WaitResult =
  & { included: Record<string, unknown>; revision: number; notice?: "agent_not_registered" }
  & (
    | { triggered: true; value: Json }
    | { triggered: false; elapsed_ms: number; last_error?: Failure }
  );

/** A wait in progress, with what is known of its condition. */
export interface Waiter {
  readonly request: WaitRequest;
  readonly viewpoint: Viewpoint;
  /** When it began, by `elapsed` of the database. */
  readonly began: number;
  /** The first look has been taken. */
  begun: boolean;
  /** Its agent was not registered at the first look: it waits without a mark, and its answer says so. */
  unregistered: boolean;
  /** What the last look depends on: parts of the room at `revision`, the time. */
  parts: readonly Part[];
  revision: number;
  judgedAt: number;
  readsTime: boolean;
  /** What the last look found, where that was no truth. */
  untrue?: Judgement;
  /** Answer now, whatever the condition is. */
  final: boolean;
  /** Judged in the next round with what is to be included: at its first look, once true, and in a rewound room. */
  dueAtOnce: boolean;
  /** Ends the wait, once. Undefined: the client has left. */
  settle(result: WaitResult | Error | undefined): void;
}

/** True when something that the waiter's condition reads has changed since it was judged, `latest` being when each part last did. */
export function hasMoved({ parts, revision }: Waiter, latest: Record<Part, number>): boolean {
  return parts.some((part) => latest[part] > revision);
}

/** The parts of a room whose change may change what is read. */
function partsOf({ state, agents, messages }: Reads): Part[] {
  const scopes = state === "all" ? [] : [...state.scopes, ...state.keys.map(({ scope }) => scope)];
  // A scope of an agent begins to exist when the agent registers.
  const readsAgents = agents === "all" || agents.length > 0 || scopes.some((scope) => !scope.startsWith("_"));
  const read = {
    state: state === "all" || scopes.length > 0,
    agents: state === "all" || readsAgents,
    messages,
  };
  return PARTS.filter((part) => read[part]);
}

/** What must be loaded to judge a waiter, and to answer it when it is about to be answered. */
export function readsOf(waiter: Waiter): Reads {
  const { condition, include } = waiter.request;
  return isAlone(waiter) ? unionReads([condition.reads, readsOfInclude(include)]) : condition.reads;
}

/** True for a waiter that needs a snapshot of its own, with what its answer includes. */
export function isAlone({ request: { include }, final, dueAtOnce }: Waiter): boolean {
  return (final || dueAtOnce) && includesAnything(include);
}

/** True for a waiter that a load which begins now brings all that its answer includes. */
export function isAnswerable(waiter: Waiter): boolean {
  return isAlone(waiter) || !includesAnything(waiter.request.include);
}

/** Milliseconds of evaluations, after which what is left is judged over a new snapshot: it is no longer as of now. */
const MAX_COST_MS = 100;

/** What a condition depends on, with the views that it reads. */
interface Dependence {
  reads: Reads;
  parts: readonly Part[];
}

/** How a piece of work is run when it is due. */
type Run = <T>(piece: () => T) => Promise<T>;

/**
 * Judges waiters over one snapshot: those that are true, or final, are settled. Conditions that are equal and see
 * the same are evaluated once, and again only where something has changed. Those whose time is over come first, then
 * those that were judged longest ago. `answerable` are those of which the snapshot holds all that their answers include:
 * one whose time ended since it was begun to be read waits for the next. `now` is by `elapsed`. Gives the milliseconds that it took, and the
 * waiters that are left.
 */
export async function judgeAll(
  { waiters, answerable }: { waiters: Waiter[]; answerable: ReadonlySet<Waiter> },
  data: RoomData,
  now: number,
  run: Run,
): Promise<{ cost: number; left: Set<Waiter> }> {
  const room = createContext(data);
  const dependences = new Map<Expression, Dependence>();
  const judgements = new Map<string, Judgement>();
  const answers = new Map<string, Promise<Record<string, unknown>>>();
  const left = new Set<Waiter>();
  let cost = 0;

  function judgeOnce(id: string, condition: Expression, context: Context): Judgement {
    const from = performance.now();
    const judgement = judge(condition, context);
    judgements.set(id, judgement);
    cost += performance.now() - from;
    return judgement;
  }

  /** What an answer includes; the same for all that see the same. */
  function include({ request: { include }, viewpoint }: Waiter): Promise<Record<string, unknown>> {
    const seen = include.changesAfter ? viewpoint.wait! : room.from(viewpoint).key;
    const known = answers.get(seen) ?? included(include, data, room, viewpoint);
    answers.set(seen, known);
    return known;
  }

  for (const waiter of waiters.toSorted(byUrgency)) {
    const { condition } = waiter.request;
    const dependence = dependences.get(condition) ?? dependenceOf(condition, data);
    dependences.set(condition, dependence);
    const { context, key } = room.from(seenBy(waiter, dependence));
    const id = JSON.stringify([condition.source, key, condition.reads.self && waiter.viewpoint.self]);
    let judgement = stillUntrue(waiter, data) ?? judgements.get(id);
    if (judgement === undefined && cost >= MAX_COST_MS) {
      left.add(waiter);
      continue;
    }
    // An answer that includes something yields by itself where it is encoded.
    if (judgement === undefined || !isAlone(waiter) && isBusy()) {
      judgement = await run(() => judgement ?? judgeOnce(id, condition, context));
    }
    note(waiter, judgement, { data, dependence, now });
    await conclude(waiter, judgement, answerable.has(waiter) ? include : undefined, now);
  }
  return { cost, left };
}

function byUrgency(a: Waiter, b: Waiter): number {
  return Number(b.final) - Number(a.final) || a.judgedAt - b.judgedAt;
}

function dependenceOf({ reads }: Expression, { definitions }: RoomData): Dependence {
  const all = withViews(reads, definitions);
  return { reads: all, parts: partsOf(all) };
}

/** The waiter's viewpoint: its own wait matters only where its own agent's presence is read. */
function seenBy({ viewpoint }: Waiter, { reads: { agents, presence } }: Dependence): Viewpoint {
  const { self } = viewpoint;
  const readsOwn = presence && self !== null && (agents === "all" || agents.includes(self));
  return readsOwn ? viewpoint : { self };
}

/** What the last look found, where this one can find nothing else. */
function stillUntrue(
  waiter: Waiter,
  { snapshot: { revisions } }: RoomData,
): Judgement | undefined {
  const changed = waiter.readsTime || hasMoved(waiter, revisions);
  return changed ? undefined : waiter.untrue;
}

function note(
  waiter: Waiter,
  judgement: Judgement,
  { data, dependence, now }: { data: RoomData; dependence: Dependence; now: number },
): void {
  const { reads, parts } = dependence;
  waiter.parts = parts;
  waiter.readsTime = reads.now || reads.heartbeats;
  waiter.revision = data.snapshot.revisions.revision;
  waiter.judgedAt = now;
  waiter.untrue = isTrue(judgement) ? undefined : judgement;
}

type Judgement = { truthy: boolean; value: Json } | { error: Failure };

function isTrue(judgement: Judgement): judgement is { truthy: boolean; value: Json } {
  return "truthy" in judgement && judgement.truthy;
}

function judge(condition: Expression, context: Context): Judgement {
  try {
    return condition.judge(context);
  } catch (error) {
    if (!(error instanceof EvaluationFailed)) throw error;
    const { code, message, hint } = error;
    return { error: { code, message, ...(hint && { hint }) } };
  }
}

/** Settles a waiter that is true, or final. Without `include` its answer is not loaded yet. */
async function conclude(
  waiter: Waiter,
  judgement: Judgement,
  include: ((waiter: Waiter) => Promise<Record<string, unknown>>) | undefined,
  now: number,
): Promise<void> {
  const { revision, unregistered } = waiter;
  const notice = unregistered ? { notice: "agent_not_registered" as const } : {};
  const triggered = isTrue(judgement);
  waiter.dueAtOnce = triggered && include === undefined;
  if (include === undefined) return;
  if (triggered) {
    const { value } = judgement;
    waiter.settle({ triggered: true, value, ...notice, included: await include(waiter), revision });
  } else if (waiter.final) {
    const error = "error" in judgement ? { last_error: judgement.error } : {};
    const elapsed_ms = Math.max(0, Math.round(now - waiter.began));
    const outcome = { triggered: false as const, elapsed_ms, ...error, ...notice };
    waiter.settle({ ...outcome, included: await include(waiter), revision });
  }
}
