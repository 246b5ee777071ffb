import { AsyncLocalStorage } from "node:async_hooks";

/** Work of all requests together between two looks at what else has come. A request passes several such looks. */
const MOST_BUSY_MS = 4;
/** Milliseconds that are left to others in between: a request may pass several turns in them. */
const PAUSE_MS = 1;

/** When the work of this pass of the event loop began. */
let since: number | undefined;
/** Work that waits to go on: however much there is, others wait for some milliseconds of it only. */
const waiting: Array<() => void> = [];
/** The same of what has had many turns: the oldest first, and one of these after each of the others. */
const large: Array<{ work: Work; goOn(): void }> = [];
let going = false;

/** Work that may take many turns. */
interface Work {
  /** Earlier work has a lower one. */
  number: number;
  turns: number;
}

const works = new AsyncLocalStorage<Work>();
let begun = 0;
/** Turns after which work counts as large. */
const FEW_TURNS = 4;

/**
 * Runs work whose answer may be large. Where many such are at work at once, the one that was begun first is finished
 * first: if all went on alike, what each has read and made would be kept until the last is done, and collecting the
 * garbage among it would take longer than the work.
 */
export function asWork<T>(run: () => T): T {
  return works.run({ number: ++begun, turns: 0 }, run);
}

/** The same of what is left of work that others have begun: it goes on before all of theirs. */
export function asRestOfWork<T>(run: () => T): T {
  return works.run({ number: 0, turns: 0 }, run);
}

/**
 * True once the work of this pass has taken long enough. To be asked right before a piece of work, with nothing
 * awaited in between: `if (isBusy()) await giveWay()`. Of many that ask before the first has worked, none would wait.
 */
export function isBusy(): boolean {
  const now = performance.now();
  if (since === undefined) {
    since = now;
    setImmediate(() => since = undefined);
  }
  return now - since >= MOST_BUSY_MS;
}

/** UTF-16 code units of JSON that are read and written in no time. */
const SHORT = 4_096;

/** `isBusy` right before work on a JSON text: many short ones are not worth a pause. */
export function isBusyFor(json: unknown): boolean {
  return typeof json === "string" && json.length > SHORT && isBusy();
}

/** Lets one after the other go on, until this pass has had its share of work too. */
async function goOn() {
  for (let n = 0; n === 0 || areWaiting() && !isBusy(); n++) {
    isBusy(); // the share counts from the first
    const next = n % 2 === 0 || large.length === 0 ? waiting.shift() : undefined;
    (next ?? large.shift()!.goOn)();
    await undefined; // it is at work now
  }
  if (areWaiting()) setTimeout(goOn, PAUSE_MS);
  else going = false;
}

function areWaiting(): boolean {
  return waiting.length > 0 || large.length > 0;
}

/** A pause for others, and for the runtime to look at what has arrived from the network. */
export function giveWay(): Promise<void> {
  goOnSoon();
  const work = works.getStore();
  return new Promise((resolve) => {
    if (work === undefined || ++work.turns <= FEW_TURNS) return waiting.push(resolve);
    const younger = large.findIndex((other) => other.work.number > work.number);
    large.splice(younger < 0 ? large.length : younger, 0, { work, goOn: resolve });
  });
}

/** The same of work that others wait for: it goes on before theirs. */
export function giveWayToNetwork(): Promise<void> {
  goOnSoon();
  return new Promise((resolve) => waiting.unshift(resolve));
}

function goOnSoon() {
  if (!going) setTimeout(goOn, PAUSE_MS);
  going = true;
}

/** Items that are sorted, or merged, in one go. */
const SORTED_AT_ONCE = 4_096;

/** Sorts what may be many, and lets other requests run in between. */
export async function sortInTurns<Item>(
  items: Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += SORTED_AT_ONCE) {
    if (isBusy()) await giveWay();
    runs.push(items.slice(from, from + SORTED_AT_ONCE).sort(compare));
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let n = 0; n < runs.length; n += 2) {
      merged.push(await mergeInTurns(runs[n]!, runs[n + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeInTurns<Item>(some: Item[], others: Item[], compare: (a: Item, b: Item) => number) {
  const all: Item[] = [];
  for (let a = 0, b = 0; a < some.length || b < others.length;) {
    if (all.length % SORTED_AT_ONCE === 0 && isBusy()) await giveWay();
    const isFirst = b === others.length || a < some.length && compare(some[a]!, others[b]!) <= 0;
    all.push(isFirst ? some[a++]! : others[b++]!);
  }
  return all;
}

/** Maps what may be many, and lets other requests run in between. */
export async function mapInTurns<Item, Result>(
  items: Item[],
  map: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let n = 0; n < items.length; n++) {
    if (isBusy()) await giveWay();
    results.push(map(items[n]!));
  }
  return results;
}
