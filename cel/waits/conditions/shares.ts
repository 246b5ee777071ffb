import { createLru } from "../../../db/lru.ts";
import { pause } from "../../../db/pause.ts";
import { keyFor, type Viewer } from "../../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import type { Expression } from "../../rooms/expression.ts";

/** The recent cost of a room's waits to this instance, in milliseconds of its thread; `at`: when it was last updated. */
export interface Account {
  spent: number;
  at: number;
  /** The steps that evaluations of each condition took lately. */
  readonly steps: WeakMap<Expression, number>;
  /** The last read of lists was large. */
  isLarge: boolean;
}

/** Whether work is sure to take little of the time. */
export type Length = "short" | "long";

/** Divides an instance's time among the rooms whose waits are judged. */
export type Shares = ReturnType<typeof createShares>;

/** The accounts that an instance remembers, at most. */
const ACCOUNTS = 10_000;
/** The half-life of a room's recorded cost. */
const HALF_LIFE_MS = 1_000;
/** The maximum delay of an expensive room behind one that has cost nothing. */
const MAX_SET_BACK_MS = 200;
/** Work that takes at least this long is followed by a pause of the same length, up to the maximum. */
export const MIN_COST_MS = 10;
/** The maximum pause: added to the longest time between two polls it stays within the promised polling interval. */
export const MAX_REST_MS = 25;
/** The maximum weight of each kind of reads in flight, two batches of reads (db/store.ts): others find room in the next. */
const MAX_WEIGHT = 128;
/** A read that takes longer no longer counts as in flight, since its answer may never come. */
const OVERDUE_MS = 1_000;
/** The same for a read of lists that are not known to be large, which they then probably are. */
const UNKNOWN_OVERDUE_MS = 250;

/** What a read weighs in the batch queue, and how many of its parts are lists. */
export interface Weight {
  weight: number;
  lists: number;
}

/** A read in flight; `began` is by `elapsed`. */
interface Load {
  weight: number;
  began: number;
}

/** Creates the accounts, which outlast the waits: one for each viewer of a room, so that none tells another anything. */
export function createAccounts(): (viewer: Viewer, room: string) => Account {
  const accounts = createLru<Account>(ACCOUNTS);
  return (viewer, room) => {
    const name = keyFor(viewer, room);
    const account = accounts.get(name) ?? { spent: 0, at: 0, steps: new WeakMap(), isLarge: false };
    accounts.set(name, account);
    return account;
  };
}

export function createShares(elapsed = () => performance.now()) {
  const workers = {
    short: createWorker(elapsed, { rests: false }),
    long: createWorker(elapsed, { rests: true }),
  };
  const light = createLoads(elapsed);
  const heavy = createLoads(elapsed, UNKNOWN_OVERDUE_MS);
  const large = createLoads(elapsed);

  function spentBy(account: Account): number {
    const now = elapsed();
    account.spent *= 2 ** ((account.at - now) / HALF_LIFE_MS);
    account.at = now;
    return account.spent;
  }

  /** A room's priority, lowest first. Cost delays a room by a bounded time, so that none starves. */
  function priorityOf(account: Account, later = 0): number {
    return elapsed() + later + Math.min(spentBy(account), MAX_SET_BACK_MS);
  }

  return {
    /**
     * Runs some of a room's work when the room's share allows it: a few milliseconds of it, or less than two if short.
     * What is long, however much of it waits, takes a third of the time and delays what is short by one piece.
     */
    work: <T>(account: Account, length: Length, piece: () => T) =>
      new Promise<T>((resolve, reject) => {
        workers[length](priorityOf(account), () => {
          const from = elapsed();
          try {
            resolve(piece());
          } catch (error) {
            reject(error);
          }
          account.spent = spentBy(account) + elapsed() - from;
        });
      }),
    /**
     * Runs a read of a room when its weight fits among those in flight, queued `later` milliseconds behind reads of
     * now. The bound leaves room for other requests' reads. Those of a room whose lists are large delay no others, and
     * none with lists delay those without.
     */
    load<T>(account: Account, { weight, lists }: Weight, task: () => Promise<T>, later = 0): Promise<T> {
      const loads = lists === 0 ? light : account.isLarge ? large : heavy;
      return loads.run(priorityOf(account, later), weight, task);
    },
  };
}

/** Creates a queue of reads, which run while they fit among those in flight. */
function createLoads(elapsed: () => number, overdue = OVERDUE_MS) {
  const waiting = createPriorityQueue<{ weight: number; start(load: Load): void }>();
  const inFlight = new Set<Load>();
  let later: ReturnType<typeof setTimeout> | undefined;

  function fits(weight: number): boolean {
    const since = elapsed() - overdue;
    let sum = 0;
    for (const load of inFlight) if (load.began > since) sum += load.weight;
    return sum === 0 || sum + weight <= MAX_WEIGHT;
  }

  function begin(weight: number) {
    const load = { weight, began: elapsed() };
    inFlight.add(load);
    return load;
  }

  /** Starts the loads that fit. Tries the rest again when those in flight are overdue. */
  function startAll() {
    later = void clearTimeout(later);
    for (let next = waiting.peek(); next !== undefined; next = waiting.peek()) {
      if (!fits(next.weight)) {
        later = setTimeout(startAll, overdue);
        return;
      }
      waiting.take()!.start(begin(next.weight));
    }
  }

  return {
    async run<T>(priority: number, weight: number, task: () => Promise<T>): Promise<T> {
      const own = waiting.isEmpty() && fits(weight) ? begin(weight) : await new Promise<Load>((start) => {
        waiting.add(priority, { weight, start });
        startAll();
      });
      try {
        return await task();
      } finally {
        inFlight.delete(own);
        if (!waiting.isEmpty()) startAll();
      }
    },
  };
}

/** Creates a queue of pieces of work, which yields in between. `rests`: for twice as long as a costly piece took. */
function createWorker(elapsed: () => number, { rests }: { rests: boolean }) {
  const waiting = createPriorityQueue<() => void>();
  let working = false;

  async function workThrough() {
    working = true;
    while (!waiting.isEmpty()) {
      if (isBusy()) await yieldToOthers();
      const from = elapsed();
      waiting.take()!();
      const took = elapsed() - from;
      if (rests && took >= MIN_COST_MS) await pause(2 * Math.min(took, MAX_REST_MS));
    }
    working = false;
  }

  return function add(priority: number, piece: () => void) {
    waiting.add(priority, piece);
    if (!working) workThrough();
  };
}

/** A queue that gives the item of the lowest priority first. */
function createPriorityQueue<Item>() {
  const waiting: Array<{ priority: number; item: Item }> = [];

  function firstIndex(): number {
    let first = 0;
    for (let n = 1; n < waiting.length; n++) if (waiting[n]!.priority < waiting[first]!.priority) first = n;
    return first;
  }

  return {
    isEmpty: () => waiting.length === 0,
    add: (priority: number, item: Item) => void waiting.push({ priority, item }),
    peek: (): Item | undefined => waiting[firstIndex()]?.item,
    take(): Item | undefined {
      return waiting.splice(firstIndex(), 1)[0]?.item;
    },
  };
}
