import { ConveneError } from "./errors.ts";

/** Milliseconds: the first pause is at most SHORTEST, each later one at most twice the last, up to LONGEST. */
const SHORTEST = 250;
const LONGEST = 10_000;

export interface RetryOptions {
  /** Milliseconds after which what fails is no longer tried again. */
  patience: number;
  /** Ends it: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Does `act`, and again while it fails for a reason that passes. */
export async function retried<T>(
  act: () => Promise<T>,
  { patience, signal }: RetryOptions,
): Promise<T> {
  const giveUp = performance.now() + patience;
  for (let failures = 1;; failures++) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ConveneError && error.passing)) throw error;
      const ms = pauseAfter(failures, error.retryAfter);
      if (performance.now() + ms > giveUp) throw error;
      await pause(ms, signal);
    }
  }
}

/**
 * How long to pause after so many failures in a row: a random part of what doubles (those who lost the service
 * together do not come back together), on top of what the service asks for.
 */
export function pauseAfter(
  failures: number,
  retryAfter = 0,
  random = Math.random,
): number {
  const most = Math.min(LONGEST, SHORTEST * 2 ** (failures - 1));
  return retryAfter + most * (0.5 + random() / 2);
}

/** Resolves after `ms`. Rejects with the signal's reason once it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", leave);
    function end() {
      signal?.removeEventListener("abort", leave);
      resolve();
    }
    function leave() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      reject(signal!.reason);
    }
  });
}
