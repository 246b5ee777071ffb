/** Milliseconds for which a write in flight may still be answered after its caller has aborted. */
export const LINGER = 500;

/**
 * Runs `act` with a signal that aborts `ms` milliseconds after the caller's, so that a claim that was made when the
 * caller aborted is still answered and can be released. Errors: once the caller has aborted, the reason of its signal.
 */
export async function lingering<T>(
  signal: AbortSignal | undefined,
  ms: number,
  act: (late: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = () => {
    timer = setTimeout(() => late.abort(signal!.reason), ms);
  };
  if (signal?.aborted) leave();
  else signal?.addEventListener("abort", leave);
  try {
    return await act(late.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}
