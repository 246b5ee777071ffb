import { isBusy, yieldToOthers } from "../../../db/yield.ts";

/** The recent cost of a room's waits to this instance, in milliseconds of its thread; `at`: when it was last updated. */
export interface Account {
  spent: number;
  at: number;
}

/** Divides an instance's time among the rooms whose waits are judged. */
export interface Shares {
  /** Runs a few milliseconds of a room's work when the room's share allows it. */
  work<T>(account: Account, piece: () => T): Promise<T>;
  /**
   * Runs a read of a room when its weight fits among those in flight, queued `later` milliseconds behind reads of
   * now. The bound leaves room for other requests' reads.
   */
  load<T>(account: Account, weight: number, task: () => Promise<T>, later?: number): Promise<T>;
}

/** The half-life of a room's recorded cost. */
const HALF_LIFE_MS = 1_000;
/** The maximum delay of an expensive room behind one that has cost nothing. */
const MAX_SET_BACK_MS = 200;
/** The maximum weight of reads in flight: a batch of reads has room for as much again (db/store.ts). */
const MAX_WEIGHT = 128;
/** A read that takes longer no longer counts as in flight, since its answer may never come. */
const OVERDUE_MS = 1_000;

/** A read in flight; `began` is by `elapsed`. */
interface Load {
  weight: number;
  began: number;
}

export function createShares(elapsed = () => performance.now()): Shares {
  const pieces = createPriorityQueue<() => void>();
  const loads = createPriorityQueue<{ weight: number; start(load: Load): void }>();
  const inFlight = new Set<Load>();
  let working = false;
  let later: ReturnType<typeof setTimeout> | undefined;

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

  async function workThrough() {
    working = true;
    for (let piece = pieces.peek(); piece !== undefined; piece = pieces.peek()) {
      if (isBusy()) await yieldToOthers();
      pieces.take()!();
    }
    working = false;
  }

  function fits(weight: number): boolean {
    const since = elapsed() - OVERDUE_MS;
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
  function startLoads() {
    later = void clearTimeout(later);
    for (let next = loads.peek(); next !== undefined; next = loads.peek()) {
      if (!fits(next.weight)) {
        later = setTimeout(startLoads, OVERDUE_MS);
        return;
      }
      loads.take()!.start(begin(next.weight));
    }
  }

  return {
    work: (account, piece) =>
      new Promise((resolve, reject) => {
        pieces.add(priorityOf(account), () => {
          const from = elapsed();
          try {
            resolve(piece());
          } catch (error) {
            reject(error);
          }
          account.spent = spentBy(account) + elapsed() - from;
        });
        if (!working) workThrough();
      }),
    async load(account, weight, task, later = 0) {
      const own = loads.isEmpty() && fits(weight) ? begin(weight) : await new Promise<Load>((start) => {
        loads.add(priorityOf(account, later), { weight, start });
        startLoads();
      });
      try {
        return await task();
      } finally {
        inFlight.delete(own);
        if (!loads.isEmpty()) startLoads();
      }
    },
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
