import type { Release } from "./claim.ts";
import { isOver, type Taken, takeNext, type TaskFilter } from "./take.ts";
import type { Actor } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import { type Json, textOf } from "./json.ts";
import { Lease } from "./lease.ts";
import { lingering } from "./linger.ts";
import type { Message } from "./message.ts";
import type { Messages } from "./messages.ts";
import { pause, pauseAfter } from "./retry.ts";

export interface WorkerOptions extends TaskFilter, Actor {
  /** How many tasks at once. Default: 1. */
  concurrency?: number;
  /** Whole seconds after which others get a task if this worker dies. Default: 60. */
  ttl?: number;
}

/** A worker's claim on its task. */
export interface TaskLease {
  /** Aborts when the task is no longer this worker's, and when the worker stops. */
  signal: AbortSignal;
  /** The claim's number, which rises over all claims of the room. */
  fence: number;
  /** How often the task was claimed, this time included. */
  attempts: number;
}

/** Does a task. Its return value is the result, in JSON; undefined for none. A thrown error releases the task. */
export type Handler<T = Json> = (message: Message<T>, lease: TaskLease) => unknown;

const TTL = 60;
/** Milliseconds for which to retry completing or releasing a task after the worker was told to stop. */
const SETTLE = 5_000;
/** The characters of an error that are kept: at most 4 KiB, even if JSON escapes each. */
const TOLD = 600;

/**
 * Takes tasks and does them until the signal is aborted, then resolves when the running ones have ended. After the
 * service's first answer no outage ends it. Errors: those that do not pass (`room_not_found`, `invalid_expression`).
 */
export async function runWorker<T>(
  messages: Messages,
  handler: Handler<T>,
  { concurrency = 1, ttl = TTL, signal, agent = messages.agent, ...filter }: WorkerOptions,
): Promise<void> {
  if (!(concurrency >= 1)) throw new TypeError(`concurrency is at least 1, not ${concurrency}.`);
  const stop = new AbortController();
  const leave = () => stop.abort(signal!.reason);
  signal?.addEventListener("abort", leave);
  const running = new Set<Promise<void>>();
  let failures = 0;

  async function run(taken: Taken<T>): Promise<void> {
    const well = await runTask(messages, taken, handler, { ttl, stop: stop.signal });
    failures = well ? 0 : failures + 1;
    // A task that fails each time would come back at once.
    if (!well) await pause(pauseAfter(failures), stop.signal).catch(() => {});
  }

  try {
    for (let patience: number | undefined;; patience = Infinity) {
      const taken = await takeNext<T>(messages, { ...filter, ttl, agent, signal }, patience);
      if (!taken.claimed) continue;
      const one = run(taken).finally(() => running.delete(one));
      running.add(one);
      while (running.size >= concurrency) await Promise.race(running);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    stop.abort();
    await Promise.all(running);
    signal?.removeEventListener("abort", leave);
  }
}

/** Does one task. Returns false if it failed. A lost one has not failed: another worker has it. */
async function runTask<T>(
  messages: Messages,
  { message, fence, attempts, claimed_by: agent }: Taken<T>,
  handler: Handler<T>,
  { ttl, stop }: { ttl: number; stop: AbortSignal },
): Promise<boolean> {
  const own = new AbortController();
  let refused = false;
  const lease = new Lease({
    ttl,
    since: performance.now(),
    renew: (call) => messages.renew(message.id, { agent, fence, ttl, ...call }),
    lost(error) {
      refused = !(error instanceof ConveneError && error.passing);
      own.abort(error);
    },
  });
  const leave = () => own.abort(stop.reason);
  if (stop.aborted) leave();
  else stop.addEventListener("abort", leave);
  const outcome = await outcomeOf(() => handler(message, { signal: own.signal, fence, attempts }));
  stop.removeEventListener("abort", leave);
  await lease.end();
  if (refused) return true;
  return await lingering(stop, SETTLE, (signal) => {
    return settle(messages, message.id, { agent, fence, signal, patience: Infinity }, outcome);
  }).catch(() => false); // it ends by itself: this was told to stop, or the service refuses
}

type Outcome = { result: unknown } | { error: unknown };

async function outcomeOf(act: () => unknown): Promise<Outcome> {
  try {
    return { result: await act() };
  } catch (error) {
    return { error };
  }
}

/** Completes the task, or gives it back with the error. Returns whether it was completed, or lost. */
async function settle(
  messages: Messages,
  id: number,
  call: Release & { signal: AbortSignal },
  outcome: Outcome,
): Promise<boolean> {
  if ("error" in outcome) {
    await messages.release(id, { ...call, error: told(outcome.error) });
    return false;
  }
  try {
    await messages.complete<Json>(id, { ...call, result: outcome.result as Json });
    return true;
  } catch (error) {
    if (call.signal.aborted || isOver(error)) return true;
    return await settle(messages, id, call, { error }); // a result that is no JSON, or too large
  }
}

/** What is kept of an error: its name and message, or what its `toJSON` gives; other values as they are. */
function told(error: unknown): Json {
  if (error instanceof Error && !("toJSON" in error)) {
    return { name: cut(error.name, 60), message: cut(error.message, TOLD) };
  }
  try {
    const text = textOf(error);
    return new TextEncoder().encode(text).length <= 4_096 ? JSON.parse(text) : cut(text, TOLD);
  } catch {
    return cut(String(error), TOLD);
  }
}

const cut = (text: string, max: number) => text.slice(0, max).toWellFormed();
