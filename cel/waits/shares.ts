import { isBusy, yieldToOthers } from "../../db/yield.ts";

/** What the waits of a room have cost this instance of late, in milliseconds of its thread. */
export interface Account {
  spent: number;
  at: number;
}

/** Divides an instance's time among the rooms whose waits are judged. */
export interface Shares {
  /** Runs a piece of work of a room, which takes some milliseconds at the most, when its turn comes. */
  work<T>(account: Account, piece: () => T): Promise<T>;
  /**
   * Runs a read of a room when there is place for its weight, `later` milliseconds behind those that are asked for
   * now. Others' reads pass between the few that are under way.
   */
  load<T>(account: Account, weight: number, task: () => Promise<T>, later?: number): Promise<T>;
}

/** After this time half of what a room has cost is forgotten. */
const HALF_LIFE_MS = 1_000;
/** A room that has cost much comes so much later than one that has cost nothing, at the most. */
const MOST_SET_BACK_MS = 200;
/** What is under way at once: a batch of reads has room for as much beside it (database.ts). */
const MOST_WEIGHT = 128;
/** A read that takes longer keeps no other from beginning: its answer may never come. */
const OVERDUE_MS = 1_000;

/** A read under way, begun by `elapsed`. */
interface Load {
  weight: number;
  began: number;
}

export function createShares(elapsed = () => performance.now()): Shares {
  const pieces = createQueue<() => void>();
  const loads = createQueue<{ weight: number; start(load: Load): void }>();
  const underWay = new Set<Load>();
  let working = false;
  let later: ReturnType<typeof setTimeout> | undefined;

  function spentBy(account: Account): number {
    const now = elapsed();
    account.spent *= 2 ** ((account.at - now) / HALF_LIFE_MS);
    account.at = now;
    return account.spent;
  }

  /** The place of a room in a queue: what has cost more comes later, but not for ever. */
  function placeOf(account: Account, later = 0): number {
    return elapsed() + later + Math.min(spentBy(account), MOST_SET_BACK_MS);
  }

  async function goThrough() {
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
    for (const load of underWay) if (load.began > since) sum += load.weight;
    return sum === 0 || sum + weight <= MOST_WEIGHT;
  }

  function begin(weight: number) {
    const load = { weight, began: elapsed() };
    underWay.add(load);
    return load;
  }

  /** Starts those for which there is place, and looks again for the others when what is under way is overdue. */
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
        pieces.add(placeOf(account), () => {
          const from = elapsed();
          try {
            resolve(piece());
          } catch (error) {
            reject(error);
          }
          account.spent = spentBy(account) + elapsed() - from;
        });
        if (!working) goThrough();
      }),
    async load(account, weight, task, later = 0) {
      const own = loads.isEmpty() && fits(weight) ? begin(weight) : await new Promise<Load>((start) => {
        loads.add(placeOf(account, later), { weight, start });
        startLoads();
      });
      try {
        return await task();
      } finally {
        underWay.delete(own);
        if (!loads.isEmpty()) startLoads();
      }
    },
  };
}

/** Items in the order of their places, which are numbers. */
function createQueue<Item>() {
  const waiting: Array<{ place: number; item: Item }> = [];

  function first(): number {
    let least = 0;
    for (let n = 1; n < waiting.length; n++) if (waiting[n]!.place < waiting[least]!.place) least = n;
    return least;
  }

  return {
    isEmpty: () => waiting.length === 0,
    add: (place: number, item: Item) => void waiting.push({ place, item }),
    peek: (): Item | undefined => waiting[first()]?.item,
    take(): Item | undefined {
      return waiting.splice(first(), 1)[0]?.item;
    },
  };
}
