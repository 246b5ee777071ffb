/** Milliseconds of work at once. A request passes several turns of the event loop, and may be held up in each. */
const MOST_BUSY_MS = 4;
/** Milliseconds that are left to others in between: a request may pass several turns in them. */
const PAUSE_MS = 1;

let last: Promise<void> = Promise.resolve();

/** A pause for others. Of those who pause, one at a time goes on: however many work, others come in between. */
export function giveWay(): Promise<void> {
  return last = last.then(() => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)));
}

/** A pause to be awaited between pieces of work: it lets other requests run once the work has taken long enough. */
export function createTurn(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < MOST_BUSY_MS) return;
    await giveWay();
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
