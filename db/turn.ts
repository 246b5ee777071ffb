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

/** Maps what may be many, and lets other requests run in between. */
export async function mapInTurns<Item, Result>(
  items: Item[],
  map: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  const turn = createTurn();
  for (let n = 0; n < items.length; n++) {
    if (n > 0) await turn();
    results.push(map(items[n]!));
  }
  return results;
}
