import type { Call } from "./connection.ts";
import { pause } from "./retry.ts";

/** Bounds of the milliseconds of one attempt to renew. */
const SHORTEST = 500;
const LONGEST = 15_000;

interface LeaseOptions {
  /** Seconds after which the lease ends unless it is renewed. */
  ttl: number;
  /** When it began, by `performance.now()`. */
  since: number;
  /** Renews it with these options of a call; its signal is that of the lease's end. */
  renew: (call: Required<Call>) => Promise<unknown>;
  /** Called once if the lease is lost: a renewal was refused, or its time passed without an answer. */
  lost: (error: unknown) => void;
}

/** Renews a lease every third of its time, until `end` is called. */
export class Lease {
  readonly #over = new AbortController();
  readonly #kept: Promise<void>;

  constructor(options: LeaseOptions) {
    this.#kept = this.#keep(options);
  }

  /** Ends the renewals. Resolves when none is in flight. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#kept;
  }

  async #keep({ ttl, since, renew, lost }: LeaseOptions): Promise<void> {
    const { signal } = this.#over;
    const whole = ttl * 1_000;
    try {
      for (let began = since;;) {
        await pause(began + whole / 3 - performance.now(), signal);
        const sent = performance.now();
        const left = began + whole - sent;
        // The last attempt ends when the lease does.
        const within = Math.min(LONGEST, Math.max(SHORTEST, left / 2));
        await renew({ signal, within, patience: Math.max(0, left - within) });
        began = sent;
      }
    } catch (error) {
      if (!signal.aborted) lost(error);
    }
  }
}
