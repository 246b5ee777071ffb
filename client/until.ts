import type { Agent } from "./agents.ts";
import type { CallOptions, Connection } from "./connection.ts";
import type { Changes } from "./follow.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Message } from "./message.ts";
import { retried } from "./retry.ts";
import type { Failure } from "./state.ts";

/** What may come with the answer to a wait, all of the one moment that the answer speaks of. */
export type Include =
  | "state"
  | `state.${string}`
  | "agents"
  | "messages"
  | `messages:after:${number}`
  | `changes:after:${number}`;

export interface UntilOptions extends CallOptions {
  /** A registered agent: all see that it waits, and for what. The room's own agent unless told. */
  agent?: string;
  include?: Include[];
  /** Milliseconds after which to give up. Without it, the wait lasts until the condition is true. */
  timeout?: number;
}

/** What was asked for with `include`. */
export interface Included {
  state?: Record<string, JsonObject>;
  agents?: Record<string, Agent>;
  messages?: { count: number; unclaimed: number };
  messages_since?: Message[];
  /** `messages_since` was cut: there are more after its last id. */
  messages_more?: true;
  changes?: Changes;
}

/** What every answer of a wait may have. */
interface Outcome extends Included {
  /** `agent` is not registered: it waited without being shown as `waiting`. */
  notice?: "agent_not_registered";
}

export interface Triggered<T = Json> extends Outcome {
  triggered: true;
  condition: string;
  /** What the condition gave: anything but `false`, `null`, `0` and `""`. */
  value: T;
}

export interface TimedOut extends Outcome {
  triggered: false;
  timeout: true;
  /** Of the whole wait. */
  elapsed_ms: number;
  /** Why the condition was not even false, when it was looked at last: a key that nobody wrote, say. */
  last_error?: Failure;
}

/** Milliseconds: the longest wait of one request, and how much later its answer may come. */
const LONGEST = 25_000;
const MARGIN = 10_000;

/**
 * Waits for a condition by as many requests as it takes. While the service is away it is tried again: for the
 * usual patience until it has answered once, after that for as long as the wait lasts. Errors: those of the
 * service (`invalid_expression`, `room_not_found`, ...), and `no_answer` or `unavailable` at the end.
 */
export async function until(
  connection: Connection,
  room: string,
  condition: string,
  { agent, include, timeout = Infinity, signal }: UntilOptions,
): Promise<Triggered | TimedOut> {
  const start = performance.now();
  const left = () => Math.max(0, start + timeout - performance.now());

  function ask(): Promise<{ body: Triggered | TimedOut }> {
    const ms = Math.ceil(Math.min(LONGEST, left()));
    const body = { condition, agent, include, timeout: ms };
    return connection.ask(`${room}/wait`, body, {
      signal,
      within: ms + MARGIN,
      patience: 0,
    });
  }

  for (let { patience } = connection;; patience = left()) {
    const { body } = await retried(ask, { patience, signal });
    if (body.triggered) return body;
    if (left() === 0) {
      return { ...body, elapsed_ms: Math.round(performance.now() - start) };
    }
  }
}
