import { AsyncLocalStorage } from "node:async_hooks";

/** The time slice: milliseconds that the work of all requests together may run before it yields. */
const SLICE_MS = 4;
/** Milliseconds between two slices, in which other requests may take several turns of the event loop. */
const PAUSE_MS = 1;

/** When the work of the current turn of the event loop began. */
let since: number | undefined;
/** Resumes work that has yielded, by arrival. Other requests wait for one slice of it, however much there is. */
const waiting: Array<() => void> = [];
/** Resumes tasks that have yielded often, the oldest first, alternating with `waiting`. */
const large: Array<{ task: Task; resume(): void }> = [];
let isRunning = false;

/** Work that may yield often. */
interface Task {
  /** Lower for earlier tasks. */
  number: number;
  yields: number;
}

const tasks = new AsyncLocalStorage<Task>();
let started = 0;
/** Yields after which a task counts as large. */
const MAX_SMALL_YIELDS = 4;

/**
 * Runs a task whose answer may be large. Of several, the oldest finishes first: if all advanced alike, each would keep
 * its rows until the last is done, and collecting that garbage would take longer than the work.
 */
export function runAsTask<T>(run: () => T): T {
  return tasks.run({ number: ++started, yields: 0 }, run);
}

/** Runs the rest of work that has proved to be large, ahead of all tasks. */
export function runAsUrgentTask<T>(run: () => T): T {
  return tasks.run({ number: 0, yields: 0 }, run);
}

/**
 * Whether the current slice is used up. Ask right before a piece of work: `if (isBusy()) await yieldToOthers()`. One
 * function that does both would not do: all of many callers that ask at once would go on.
 */
export function isBusy(): boolean {
  const now = performance.now();
  if (since === undefined) {
    since = now;
    setImmediate(() => since = undefined);
  }
  return now - since >= SLICE_MS;
}

/** Returns when the work of this turn of the event loop began; undefined where nothing has asked `isBusy` in it. */
export function turn(): number | undefined {
  return since;
}

/** UTF-16 code units of JSON that take next to no time to parse. */
const SHORT = 4_096;

/** Asks `isBusy` before work on a JSON text; false of a short one, which is not worth yielding. */
export function isBusyFor(json: unknown): boolean {
  return typeof json === "string" && json.length > SHORT && isBusy();
}

/** Resumes yielded work until this slice is used up. */
async function resumeAll() {
  for (let n = 0; n === 0 || areWaiting() && !isBusy(); n++) {
    isBusy(); // begins the slice
    const next = n % 2 === 0 || large.length === 0 ? waiting.shift() : undefined;
    (next ?? large.shift()!.resume)();
    await undefined; // it runs now
  }
  if (areWaiting()) setTimeout(resumeAll, PAUSE_MS);
  else isRunning = false;
}

function areWaiting(): boolean {
  return waiting.length > 0 || large.length > 0;
}

/** Yields so that other requests can run and the runtime can read from the network. */
export function yieldToOthers(): Promise<void> {
  resumeSoon();
  const task = tasks.getStore();
  return new Promise((resolve) => {
    if (task === undefined || ++task.yields <= MAX_SMALL_YIELDS) return waiting.push(resolve);
    const younger = large.findIndex((other) => other.task.number > task.number);
    large.splice(younger < 0 ? large.length : younger, 0, { task, resume: resolve });
  });
}

/** Yields within work that other requests wait for. It resumes before theirs. */
export function yieldToNetwork(): Promise<void> {
  resumeSoon();
  return new Promise((resolve) => waiting.unshift(resolve));
}

function resumeSoon() {
  if (!isRunning) setTimeout(resumeAll, PAUSE_MS);
  isRunning = true;
}

/** The maximum number of items that are sorted or merged without yielding. */
const SORTED_AT_ONCE = 4_096;

/** Sorts any number of items, and yields in between. */
export async function sortYielding<Item>(
  items: Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += SORTED_AT_ONCE) {
    if (isBusy()) await yieldToOthers();
    runs.push(items.slice(from, from + SORTED_AT_ONCE).sort(compare));
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let n = 0; n < runs.length; n += 2) {
      merged.push(await mergeYielding(runs[n]!, runs[n + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Merges two sorted lists, and yields in between. Of equal items those of `some` come first. */
export async function mergeYielding<Item>(
  some: Item[],
  others: Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let a = 0, b = 0; a < some.length || b < others.length;) {
    if (all.length % SORTED_AT_ONCE === 0 && isBusy()) await yieldToOthers();
    const isFirst = b === others.length || a < some.length && compare(some[a]!, others[b]!) <= 0;
    all.push(isFirst ? some[a++]! : others[b++]!);
  }
  return all;
}

/** Maps any number of items, and yields in between. */
export async function mapYielding<Item, Result>(
  items: Item[],
  map: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let n = 0; n < items.length; n++) {
    if (isBusy()) await yieldToOthers();
    results.push(map(items[n]!));
  }
  return results;
}
