import { type Part, PARTS } from "../db/database.ts";
import type { Json } from "../db/json.ts";
import { createContext, type Viewpoint } from "./context.ts";
import { EvaluationFailed, type Expression } from "./expression.ts";
import { type Include, included, includesAnything, readsOfInclude } from "./include.ts";
import { withViews } from "./definitions.ts";
import type { RoomData } from "./reader.ts";
import { type Reads, unionReads } from "./reads.ts";
import { giveWay, isBusy } from "../db/turn.ts";

export interface WaitRequest {
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
  & { included: Record<string, unknown>; revision: number }
  & (
    | { triggered: true; value: Json }
    | { triggered: false; elapsed_ms: number; last_error?: Failure }
  );

/** A wait in progress, with what is known of its condition. */
export interface Waiter {
  readonly request: WaitRequest;
  readonly viewpoint: Viewpoint;
  /** When it began, in milliseconds. */
  readonly began: number;
  /** The first look has been taken. */
  begun: boolean;
  /** What the last look depends on: parts of the room at `revision`, the time, the end of somebody's lease. */
  parts: readonly Part[];
  revision: number;
  judgedAt: number;
  readsTime: boolean;
  validUntil: number;
  /** Answer now, whatever the condition is. */
  final: boolean;
  /** The condition was true; what is to be included is not loaded yet. */
  ripe: boolean;
  /** Ends the wait, once. Undefined: the client has left. */
  settle(result: WaitResult | Error | undefined): void;
}

const JUDGED_AGAIN_AFTER_MS = 1_000;

/** True when the waiter is to be judged again, `latest` being the known revision of each part, `tick` the time to the next look. */
export function isDue(waiter: Waiter, latest: Record<Part, number>, now: number, tick: number): boolean {
  if (!waiter.begun) return false;
  if (waiter.final || waiter.ripe || waiter.validUntil <= now) return true;
  if (waiter.readsTime && now + tick >= waiter.judgedAt + JUDGED_AGAIN_AFTER_MS) return true;
  return waiter.parts.some((part) => latest[part] > waiter.revision);
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
export function readsOf({ request: { condition, include }, final, ripe }: Waiter): Reads {
  return final || ripe ? unionReads([condition.reads, readsOfInclude(include)]) : condition.reads;
}

/** True for a waiter that needs a snapshot of its own, with what its answer includes. */
export function isAlone({ request: { include }, final, ripe }: Waiter): boolean {
  return (final || ripe) && includesAnything(include);
}

/**
 * Judges waiters over one snapshot: those that are true, or final, are settled. Equal conditions that see the
 * same are evaluated once. Gives way to other requests in between.
 */
export async function judgeAll(waiters: Waiter[], data: RoomData, now: Date): Promise<void> {
  const room = createContext(data, now);
  const judgements = new Map<string, Judgement>();
  for (const waiter of waiters) {
    if (isBusy()) await giveWay();
    const { condition } = waiter.request;
    const { context, key } = room.from(waiter.viewpoint);
    const id = JSON.stringify([condition.source, key, condition.reads.self && waiter.viewpoint.self]);
    const judgement = judgements.get(id) ?? judge(condition, context);
    judgements.set(id, judgement);
    note(waiter, data, now);
    await conclude(
      waiter,
      judgement,
      () => included(waiter.request.include, data, room, waiter.viewpoint),
      now,
    );
  }
}

function note(waiter: Waiter, { snapshot, definitions }: RoomData, now: Date): void {
  const reads = withViews(waiter.request.condition.reads, definitions);
  waiter.parts = partsOf(reads);
  waiter.readsTime = reads.now || reads.heartbeats;
  waiter.revision = snapshot.revisions.revision;
  waiter.judgedAt = now.getTime();
  waiter.validUntil = waiter.parts.includes("agents")
    ? Math.min(...snapshot.waits.map(({ until }) => until))
    : Infinity;
}

type Judgement = { truthy: boolean; value: Json } | { error: Failure };

function judge(condition: Expression, context: Parameters<Expression["judge"]>[0]): Judgement {
  try {
    return condition.judge(context);
  } catch (error) {
    if (!(error instanceof EvaluationFailed)) throw error;
    const { code, message, hint } = error;
    return { error: { code, message, ...(hint && { hint }) } };
  }
}

async function conclude(
  waiter: Waiter,
  judgement: Judgement,
  include: () => Promise<Record<string, unknown>>,
  now: Date,
): Promise<void> {
  const { revision } = waiter;
  const triggered = "truthy" in judgement && judgement.truthy;
  const complete = isAlone(waiter) || !includesAnything(waiter.request.include);
  waiter.ripe = triggered && !complete;
  if (triggered && complete) {
    waiter.settle({ triggered: true, value: judgement.value, included: await include(), revision });
  } else if (!triggered && waiter.final) {
    const error = "error" in judgement ? { last_error: judgement.error } : {};
    const elapsed_ms = Math.max(0, now.getTime() - waiter.began);
    waiter.settle({ triggered: false, elapsed_ms, ...error, included: await include(), revision });
  }
}
