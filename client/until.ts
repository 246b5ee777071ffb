import type { Agent } from "./agents.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { badAnswer } from "./errors.ts";
import type { Changes } from "./follow.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Message } from "./message.ts";
import { Pace } from "./pace.ts";
import { retried } from "./retry.ts";
import type { Failure } from "./state.ts";

/** What the answer to a wait can include, all of the revision at which the condition was judged. */
export type Include =
  | "state"
  | `state.${string}`
  | "agents"
  | "messages"
  | `messages:after:${number}`
  | `changes:after:${number}`;

export interface UntilOptions extends CallOptions {
  /** A registered agent: its status shows that it waits, and for what. Default: the `Room`'s agent. */
  agent?: string;
  include?: Include[];
  /** Milliseconds after which to give up. Without it, the wait lasts until the condition is true. */
  timeout?: number;
}

/** The members that `include` asked for. */
export interface Included {
  state?: Record<string, JsonObject>;
  agents?: Record<string, Agent>;
  messages?: { count: number; unclaimed: number };
  messages_since?: Message[];
  /** `messages_since` is incomplete: there are more after its last id. */
  messages_more?: true;
  changes?: Changes;
}

/** Members of every answer to a wait. */
interface Outcome extends Included {
  /** `agent` is not registered, so it was not shown as `waiting`. */
  notice?: "agent_not_registered";
}

export interface Triggered<T = Json> extends Outcome {
  triggered: true;
  condition: string;
  /** The condition's value: anything but `false`, `null`, `0` and `""`. */
  value: T;
}

export interface TimedOut extends Outcome {
  triggered: false;
  timeout: true;
  /** Milliseconds of the whole wait. */
  elapsed_ms: number;
  /** Why the condition's last evaluation failed, such as a missing key. */
  last_error?: Failure;
}

/** The maximum milliseconds of one request's wait, and how much later its answer may come. */
const LONGEST = 25_000;
export const MARGIN = 10_000;

/**
 * Milliseconds of the next request's wait: what is left, in equal parts. A short last one would leave no mark, which
 * the same wait takes over without a change of the room.
 */
export function nextPart(left: number): number {
  return left === Infinity ? LONGEST : Math.ceil(left / Math.max(1, Math.ceil(left / LONGEST)));
}

/**
 * Waits for a condition, in as many requests as it takes. Retries while the service is away: for the usual patience
 * before its first answer, afterwards as long as the wait lasts. Errors: those of the service (`invalid_expression`,
 * `room_not_found`, ...), `bad_answer`, and `no_answer` or `unavailable` after the last retry.
 */
export async function until(
  connection: Connection,
  room: string,
  condition: string,
  { agent, include, timeout = Infinity, signal }: UntilOptions,
): Promise<Triggered | TimedOut> {
  const start = performance.now();
  const left = () => Math.max(0, start + timeout - performance.now());
  const pace = new Pace();

  function ask(): Promise<{ body: Triggered | TimedOut }> {
    const ms = nextPart(left());
    pace.sends(ms);
    const body = { condition, agent, include, timeout: ms };
    return connection.ask(`${room}/wait`, body, { signal, within: ms + MARGIN, patience: 0 });
  }

  for (let { patience } = connection;; patience = left()) {
    const { body } = await retried(ask, { patience, signal });
    if (typeof body.triggered !== "boolean") throw badAnswer("The answer is none to a wait.");
    if (body.triggered) return body;
    if (left() === 0) {
      return { ...body, elapsed_ms: Math.round(performance.now() - start) };
    }
    await pace.next(left(), signal);
  }
}
