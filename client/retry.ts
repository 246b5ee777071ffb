import { ConveneError } from "./errors.ts";

/** The maximum of the first pause in milliseconds, which doubles with each pause up to LONGEST. */
const SHORTEST = 250;
const LONGEST = 10_000;

/**
 * Runs `act`, and retries it for `patience` milliseconds while its error may pass. Rejects with the signal's reason if it
 * is aborted in a pause.
 */
export async function retried<T>(
  act: () => Promise<T>,
  { patience, signal }: { patience: number; signal?: AbortSignal },
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
 * The milliseconds to pause after so many failures in a row: exponential backoff with jitter, so that clients do not
 * return at once, on top of `retryAfter`.
 */
export function pauseAfter(failures: number, retryAfter = 0): number {
  const max = Math.min(LONGEST, SHORTEST * 2 ** (failures - 1));
  return retryAfter + max * (0.5 + Math.random() / 2);
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
