import type { Actor, Call } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import type { Json, JsonOf } from "./json.ts";
import type { Message, TaskStatus } from "./message.ts";

/** A claim that the caller holds. */
export interface Held {
  claimed: true;
  claimed_by: string;
  message_id: number;
  claimed_at: string;
  /** When it ends unless it is renewed; null without `ttl`. */
  claimed_until: string | null;
  /** Its number, which rises over all claims of the room: a fencing token. */
  fence: number;
  attempts: number;
  /** The agent is not registered. */
  notice?: "agent_not_registered";
}

/** Why the caller does not hold it. */
export type NotHeld =
  | {
    claimed: false;
    code: "already_claimed";
    claimed_by: string;
    claimed_at: string;
    claimed_until: string | null;
  }
  | { claimed: false; code: "task_over"; claimed_by: string | null; status: TaskStatus; done_at: string }
  | { claimed: false; code: "task_blocked"; claimed_by: null; blocked_by: number[] };

export type Claim = Held | NotHeld;

/** Options of the calls about a claim. */
export interface Holder extends Call, Actor {}

export interface ClaimOptions extends Holder {
  /** Whole seconds after which it ends unless it is renewed. Without it, it does not end. */
  ttl?: number;
}

export interface Renewal extends Holder {
  fence: number;
  /** Whole seconds from now. */
  ttl: number;
}

export interface Release extends Holder {
  /** The claim's number: required for one with a `ttl`. */
  fence?: number;
  /** Why, at most 4 KiB: kept with the attempt. */
  error?: Json;
}

export interface Completion<T = Json> extends Holder {
  /** The claim's number: required for one with a `ttl`. */
  fence?: number;
  /** Posted in the same write as a reply of kind `result`. Without it, or with undefined, nothing is posted. */
  result?: T & JsonOf<T>;
}

export interface Released {
  released: true;
  message_id: number;
  /** `open`, or `failed` after the last of its attempts. */
  status: TaskStatus;
}

export interface Completed {
  completed: true;
  message_id: number;
  done_at: string;
  result: Message | null;
}

export interface Failed {
  failed: true;
  message_id: number;
  status: TaskStatus;
  done_at: string;
}

/** One claim of a task. */
export interface TaskAttempt {
  fence: number;
  agent: string;
  claimed_at: string;
  ended_at: string | null;
  /** Null while it lasts. */
  ended: "completed" | "released" | "failed" | "expired" | null;
  error: Json;
}

const REFUSALS = ["already_claimed", "task_over", "task_blocked"];

/** A refused claim as a value. Errors: all others are thrown again. */
export function refusedClaim(error: unknown): NotHeld {
  if (!(error instanceof ConveneError && REFUSALS.includes(error.code))) throw error;
  const { error: code, message: _, hint: __, ...facts } = error.body;
  return { claimed_by: null, ...facts, claimed: false, code } as NotHeld;
}
