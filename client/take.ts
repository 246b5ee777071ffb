import type { Held } from "./claim.ts";
import type { Actor, Call } from "./connection.ts";
import { badAnswer, ConveneError } from "./errors.ts";
import type { Json } from "./json.ts";
import { LINGER, lingering } from "./linger.ts";
import type { Message } from "./message.ts";
import type { Messages } from "./messages.ts";
import { Pace } from "./pace.ts";
import type { Failure } from "./state.ts";
import { MARGIN, nextPart } from "./until.ts";

/** Which tasks fit. */
export interface TaskFilter {
  /** Default: every kind but `message`, `result` and `ask`. */
  kind?: string;
  from?: string;
  /** Default: what is addressed to nobody or to the agent. */
  to?: string;
  /** A message and every reply below it. */
  thread?: number;
  /** A CEL condition over the room and `message`. */
  where?: string;
  /** Ids greater than this. */
  after?: number;
}

export interface NextOptions extends TaskFilter, Actor {
  /** Whole seconds after which the claim ends unless it is renewed. Default: 300. */
  ttl?: number;
  /** Milliseconds after which to give up; 0 looks once. Without it, there is no limit. */
  timeout?: number;
}

/** A task that the caller holds now. */
export interface Taken<T = Json> extends Held {
  message: Message<T>;
}

export interface NoneTaken {
  claimed: false;
  timeout: true;
  /** Milliseconds of the whole call. */
  elapsed_ms: number;
  /** The agent is not registered. */
  notice?: "agent_not_registered";
  /** That no message of the `kind` was ever posted. */
  hint?: string;
  /** Why the last failed evaluation of `where` failed. */
  last_error?: Failure;
}

const TTL = 300;
/** Milliseconds for which to retry releasing a task that arrived after its caller had aborted. */
const GIVE_BACK = 5_000;

/**
 * Takes the oldest open task that fits, in as many requests as it takes. A request looks at 1,000 tasks at most, and
 * says that there are more only when its time is over: so each waits only where the one before found the last tasks.
 * Retries while the service is away: for `patience` before its first answer, afterwards as long as it lasts. If an
 * answer is lost, the repeated request returns it, and the claim is renewed. A task that arrives after the caller has
 * aborted is released.
 */
export async function takeNext<T>(
  messages: Messages,
  { timeout = Infinity, signal, agent = messages.agent, ...filter }: NextOptions,
  patience?: number,
): Promise<Taken<T> | NoneTaken> {
  const start = performance.now();
  const left = () => Math.max(0, start + timeout - performance.now());
  const pace = new Pace();
  const looks = [filter.where, filter.from, filter.thread].some((each) => each !== undefined);

  for (let after = filter.after, waits = !looks;; patience = left()) {
    signal?.throwIfAborted();
    const ms = waits ? nextPart(left()) : 0;
    // Repetitions of a request share one idempotency key, so they must be identical, the timeout included.
    const sent = { ...filter, agent, after, timeout: ms };
    const call = { within: ms + MARGIN, patience };
    pace.sends(ms);
    const body = await lingering(signal, LINGER, (late) => ask<T>(messages, sent, { ...call, signal: late }));
    if (body === undefined) {
      await pace.next(left(), signal);
      continue;
    }
    if (signal?.aborted) {
      if (body.claimed) await giveBack(messages, body);
      throw signal.reason;
    }
    if (body.claimed) return body;
    const { more, next, ...none } = body;
    if (!more && left() === 0) {
      return { ...none, timeout: true, elapsed_ms: Math.round(performance.now() - start) };
    }
    if (!more && waits) await pace.next(left(), signal);
    if (more) [after, waits] = [next, false];
    else if (!waits || after === filter.after) waits = true;
    else [after, waits] = [filter.after, false];
  }
}

/** A request looks at most at 1,000 tasks; `next` is where the rest begins. */
type Looked<T> = Taken<T> | NoneTaken & { more?: true; next?: number };

/** Whether it has what taking goes on with. `next` rises, so that looking ends. */
function isAnswer(body: { [Name in "claimed" | "message" | "more" | "next"]?: unknown }, after = 0): boolean {
  const { claimed, message, more, next } = body;
  if (claimed === true) return typeof message === "object" && message !== null;
  return claimed === false && (!more || typeof next === "number" && next > after);
}

/** Returns undefined if the answer to an earlier attempt was lost and its claim has ended since. */
async function ask<T>(messages: Messages, sent: NextOptions, call: Call): Promise<Looked<T> | undefined> {
  const path = `${messages.room}/messages/claim`;
  const { body, headers } = await messages.connection.write<Looked<T>>("POST", path, sent, call);
  if (!isAnswer(body, sent.after)) throw badAnswer("The answer is none to the taking of a task.");
  if (!body.claimed || !headers.has("Idempotency-Replayed")) return body;
  const { message, fence } = body;
  const { agent, ttl = TTL } = sent;
  try {
    const held = await messages.renew(message.id, { agent, fence, ttl, ...call, within: undefined });
    return { ...body, ...held, message: { ...message, claimed_until: held.claimed_until } };
  } catch (error) {
    if (!isOver(error)) throw error;
  }
}

/** True if another worker has the task, or it has ended. */
export function isOver(error: unknown): boolean {
  return error instanceof ConveneError && (error.status === 404 || error.code === "lease_lost");
}

/** Releases a task whose caller has aborted. If that fails, its lease ends by itself. */
async function giveBack(messages: Messages, { message_id, fence, claimed_by }: Held): Promise<void> {
  await messages.release(message_id, { fence, agent: claimed_by, patience: GIVE_BACK }).catch(() => {});
}
