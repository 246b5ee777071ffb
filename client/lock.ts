import type { Actor, Call } from "./connection.ts";
import { badAnswer, ConveneError } from "./errors.ts";
import { Lease } from "./lease.ts";
import { LINGER, lingering } from "./linger.ts";
import { Pace } from "./pace.ts";
import type { Entry, State } from "./state.ts";
import { until } from "./until.ts";

export interface LockOptions extends Actor {
  /** Whole seconds after which others get the lock if its holder dies. Default: 60. */
  ttl?: number;
}

const TTL = 60;
/** Milliseconds within which others get a lock again and again, and the longest pause before it is asked for then. */
const SOON = 1_000;
const LATER = 250;

/** A lock that the caller holds. It is renewed until it is released. */
export class Lock {
  /** The version with which it began, higher than all of earlier holders: a fencing token. */
  readonly fence: number;
  readonly #state: State;
  readonly #agent: string | undefined;
  readonly #lost = new AbortController();
  readonly #lease: Lease;
  #version: number;

  constructor(
    state: State,
    readonly key: string,
    begun: { version: number; since: number; ttl: number; agent?: string },
  ) {
    const { version, since, ttl, agent } = begun;
    this.fence = version;
    this.#state = state;
    this.#agent = agent;
    this.#version = version;
    this.#lease = new Lease({
      ttl,
      since,
      // Not aborted when it is released: the version has to be known by then.
      renew: async ({ within, patience }: Call) => {
        const options = { if_version: this.#version, ttl, agent, within, patience };
        this.#version = versionIn(await state.put(key, holderOf(agent), options));
      },
      lost: (error) => this.#lost.abort(error),
    });
  }

  /** Aborts when the lock is lost: another has deleted it, or it could not be renewed in time. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Gives the lock back. Returns whether it was still held. */
  async release(): Promise<boolean> {
    await this.#lease.end();
    try {
      return await this.#state.delete(this.key, { if_version: this.#version, agent: this.#agent });
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** Waits until a key is absent, and writes it. If the holder dies, the key is deleted `ttl` seconds later. */
export async function acquire(
  state: State,
  room: string,
  key: string,
  { ttl = TTL, signal, agent = state.agent }: LockOptions,
): Promise<Lock> {
  const pace = new Pace();
  for (let lost = false;; lost = true) {
    signal?.throwIfAborted();
    const since = performance.now();
    const version = await lingering(signal, LINGER, (late) => {
      const options = { if_version: 0, ttl, agent, signal: late };
      return state.put(key, holderOf(agent), options).then(versionIn, unlessConflict);
    });
    if (version !== undefined) {
      const lock = new Lock(state, key, { version, since, ttl, agent });
      if (!signal?.aborted) return lock;
      await lock.release().catch(() => {}); // it ends by itself
      throw signal.reason;
    }
    // Only after a race for it was lost: who waits for its holder alone is not delayed.
    if (lost) await pace.next(LATER, signal);
    pace.sends(SOON);
    await until(state.connection, room, `!(${JSON.stringify(key)} in state._shared)`, { agent, signal });
  }
}

/** The value of a lock's key. */
const holderOf = (agent: string | undefined) => agent ?? true;

function versionIn({ version }: Entry): number {
  if (typeof version === "number") return version;
  throw badAnswer("The answer has no version, and is not one of Convene.");
}

const isConflict = (error: unknown) => error instanceof ConveneError && error.code === "version_conflict";

function unlessConflict(error: unknown): undefined {
  if (!isConflict(error)) throw error;
}
