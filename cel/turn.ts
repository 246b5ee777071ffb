const MOST_BUSY_MS = 8;

/** A pause to be awaited between pieces of work: it lets other requests run once the work has taken long enough. */
export function createTurn(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < MOST_BUSY_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
}
