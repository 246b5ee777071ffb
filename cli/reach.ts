import { remark } from "./print.ts";

/** Milliseconds for which a request is retried before the service has answered once. */
export const PATIENCE = 5_000;
/** Milliseconds without an answer after which the service is asked whether it is there, and those that it then has. */
const QUIET = 2_000;
const THERE = 3_000;

/**
 * Makes the `fetch` of a command. Until the service has answered once, it says on stderr that it cannot reach it and
 * tries again. A request without an answer, such as a wait, is aborted if the service answers no health check either.
 */
export function reachingFetch(
  url: string,
  { send = fetch, quiet = QUIET, there = THERE } = {},
): typeof fetch {
  let answered = false;
  let told = false;

  async function checkThere(absent: AbortController): Promise<void> {
    try {
      const response = await send(`${url}/healthz`, { signal: AbortSignal.timeout(there) });
      await response.body?.cancel();
      answered = true;
    } catch {
      absent.abort(new Error(`nothing came from ${url} within ${(quiet + there) / 1_000} seconds`));
    }
  }

  return async (input, init) => {
    if (answered) return await send(input, init);
    const absent = new AbortController();
    const timer = setTimeout(checkThere, quiet, absent);
    const signals = [absent.signal, ...(init?.signal ? [init.signal] : [])];
    try {
      const response = await send(input, { ...init, signal: AbortSignal.any(signals) });
      answered = true;
      return response;
    } catch (error) {
      if (!told && !absent.signal.aborted && !init?.signal?.aborted) {
        told = true;
        remark(`convene: No answer from ${url}. It is tried for ${PATIENCE / 1_000} seconds.`);
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Says on stderr what a command waits for, if it waits longer than a moment. */
export async function toldWaiting<T>(what: string, work: Promise<T>, quiet = QUIET): Promise<T> {
  const timer = setTimeout(() => remark(`convene: Waiting for ${what}. Ctrl-C ends it.`), quiet);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
