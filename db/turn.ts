/** Work of all requests together between two looks at what else has come. A request passes several such looks. */
const MOST_BUSY_MS = 4;
/** Milliseconds that are left to others in between: a request may pass several turns in them. */
const PAUSE_MS = 1;

/** When the work of this pass of the event loop began. */
let since: number | undefined;
/** Work that waits to go on, one piece a pass: however much there is, others wait for one piece only. */
const waiting: Array<() => void> = [];

function busyMs(): number {
  const now = performance.now();
  if (since === undefined) {
    since = now;
    setImmediate(() => since = undefined);
  }
  return now - since;
}

function goOn() {
  busyMs();
  waiting.shift()!();
  if (waiting.length > 0) setTimeout(goOn, PAUSE_MS);
}

/** A pause for others. */
export function giveWay(): Promise<void> {
  if (waiting.length === 0) setTimeout(goOn, PAUSE_MS);
  return new Promise((resolve) => waiting.push(resolve));
}

/** To be awaited between pieces of work: it lets other requests run once work has taken long enough. */
export async function turn(): Promise<void> {
  if (busyMs() >= MOST_BUSY_MS) await giveWay();
}

/** Maps what may be many, and lets other requests run in between. */
export async function mapInTurns<Item, Result>(
  items: Item[],
  map: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let n = 0; n < items.length; n++) {
    if (n > 0) await turn();
    results.push(map(items[n]!));
  }
  return results;
}
