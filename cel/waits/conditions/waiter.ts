import { isOfAgent } from "../../../db/access/private.ts";
import { type Part, PARTS } from "../../../db/bus.ts";
import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import type { Json } from "../../../db/json.ts";
import type { Viewpoint } from "../../../db/agents/waits.ts";
import { isRefusal, Refusal } from "../../../db/refusal.ts";
import type { Viewer } from "../../../db/viewer.ts";
import { type Reads, readsFrom, unionReads } from "../../language/dependencies.ts";
import type { Expression, Failure, Judgement } from "../../rooms/expression.ts";
import { MAX_WEIGHT, weightOf } from "../../language/message_reads.ts";
import type { Registration } from "../departures.ts";
import { type Include, includesAnything, readsOfInclude } from "./include.ts";

export interface WaitRequest {
  viewer: Viewer;
  room: string;
  condition: Expression;
  /** The agent that waits, shown as `waiting` meanwhile. */
  agent?: string;
  /** Milliseconds; 0 evaluates once. */
  timeout: number;
  include: Include;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

export type WaitResult =
  & { included: Record<string, unknown>; revision: number; notice?: "agent_not_registered" }
  & (
    | { triggered: true; value: Json }
    | { triggered: false; elapsed_ms: number; last_error?: Failure }
  );

/** A wait in progress, with the result of its last look. */
export interface Waiter {
  readonly request: WaitRequest;
  readonly viewpoint: Viewpoint;
  /** What its condition read at the last look; before the first, what its source tells. */
  reads: Reads;
  /** The number of looks in a row that lacked something that the condition looked up. */
  misses: number;
  /** Its start, by the database's `elapsed`. */
  readonly began: number;
  /** The first look has been taken. */
  begun: boolean;
  /**
   * The registration of its agent at the first look; null if it had none: then it has no mark, and its answer a notice.
   */
  registration?: Registration | null;
  /** Called when it ends. */
  ended?(): void;
  /** What the last judgement depends on: parts of the room at `revision`, and the time if `readsTime`. */
  parts: readonly Part[];
  revision: number;
  judgedAt: number;
  readsTime: boolean;
  /** The last judgement, unless it was true. */
  untrue?: Judgement;
  /** The next round answers it, whatever the condition is. */
  final: boolean;
  /**
   * The next round judges it and loads what it includes: at its first look, once true, and after its room went back.
   */
  dueAtOnce: boolean;
  /** A round judges it over a snapshot that has all that its answer needs. */
  isLoaded: boolean;
  /** It has been settled: nobody waits for its answer. */
  over: boolean;
  /** Ends the wait with a result; undefined if the client has left. Later calls do nothing. */
  settle(result: WaitResult | Error | undefined): void;
}

/** Creates a wait that has not been judged. `wait`: its id, by which its agent's mark is told from others. */
export function createWaiter(
  request: WaitRequest,
  { wait, ...begins }: Pick<Waiter, "began" | "final" | "settle"> & { wait: string },
): Waiter {
  const self = request.agent ?? null;
  return {
    ...begins,
    request,
    viewpoint: { self, wait },
    reads: readsFrom(request.condition.reads, self),
    misses: 0,
    begun: false,
    parts: [],
    revision: 0,
    judgedAt: 0,
    readsTime: false,
    dueAtOnce: false,
    isLoaded: false,
    over: false,
  };
}

/** True if a part that the condition reads has changed since it was judged. `latest`: the latest revision of each. */
export function hasMoved({ parts, revision }: Waiter, latest: Partial<Record<Part, number>>): boolean {
  return parts.some((part) => latest[part]! > revision);
}

/** The parts of a room whose changes may affect what is read. `hidden`: private scopes may be among it. */
export function partsOf({ state, agents, messages }: Reads, hidden: boolean): Part[] {
  const scopes = state === "all" ? [] : [...state.scopes, ...state.keys.map(({ scope }) => scope)];
  // An agent's scope begins to exist when the agent registers.
  const ofAgents = state === "all" || scopes.some(isOfAgent);
  const readsAgents = agents === "all" || agents.length > 0 || ofAgents;
  const read: Partial<Record<Part, boolean>> = {
    state: state === "all" || scopes.length > 0,
    private: hidden && ofAgents,
    agents: readsAgents,
    messages,
  };
  return PARTS.filter((part) => read[part]);
}

/** What to load to judge a waiter, and to answer it if the next round may. */
export function readsOf(waiter: Waiter): Reads {
  const { reads, request: { include } } = waiter;
  return isAlone(waiter) ? unionReads([reads, readsOfInclude(include)]) : reads;
}

/** The most urgent waiters that one load can serve, at least one. The others take the next load. */
export function loadable(waiters: Waiter[]): Waiter[] {
  let weight = 0;
  return waiters.toSorted(byUrgency).filter(({ reads: { facts } }, n) => {
    weight += weightOf(facts);
    return n === 0 || weight <= MAX_WEIGHT;
  });
}

/** True for a waiter that the next round may answer with included parts: it needs its own snapshot. */
export function isAlone({ request: { include }, final, dueAtOnce }: Waiter): boolean {
  return (final || dueAtOnce) && includesAnything(include);
}

/** True for a waiter whose answer needs nothing beyond a load that begins now. */
export function isAnswerable(waiter: Waiter): boolean {
  return isAlone(waiter) || !includesAnything(waiter.request.include);
}

/** Orders waiters that are final first, then those judged longest ago. */
export function byUrgency(a: Waiter, b: Waiter): number {
  return Number(b.final) - Number(a.final) || a.judgedAt - b.judgedAt;
}

/** Ends waits with a failure: all if it does not pass by itself, else the final ones, which have no further attempt. */
export function failAll(
  waits: Iterable<{ readonly final: boolean; settle(error: Error): unknown }>,
  error: unknown,
): void {
  const passing = error instanceof DatabaseUnavailable ||
    error instanceof Refusal && !isRefusal(error, "room_not_found");
  for (const wait of waits) if (wait.final || !passing) wait.settle(error as Error);
}
