import { giveWay, isBusy } from "../../db/yield.ts";

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
/** What is under way at once: a batch of the lane has place for as much beside it (database.ts). */
const MOST_WEIGHT = 128;
/** A read that takes longer keeps no other from beginning: its answer may never come. */
const OVERDUE_MS = 1_000;

export function createShares(elapsed = () => performance.now()): Shares {
  const pieces = createQueue<() => void>();
  const loads = createQueue<{ weight: number; start(): void }>();
  let working = false;
  let weightUnderWay = 0;

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
      if (isBusy()) await giveWay();
      pieces.take()!();
    }
    working = false;
  }

  function startLoads() {
    for (let next = loads.peek(); next !== undefined; next = loads.peek()) {
      if (weightUnderWay > 0 && weightUnderWay + next.weight > MOST_WEIGHT) return;
      loads.take();
      weightUnderWay += next.weight;
      next.start();
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
      await new Promise<void>((start) => {
        loads.add(placeOf(account, later), { weight, start });
        startLoads();
      });
      let underWay = true;
      const makeWay = () => {
        if (underWay) weightUnderWay -= weight;
        underWay = false;
        startLoads();
      };
      const overdue = setTimeout(makeWay, OVERDUE_MS);
      try {
        return await task();
      } finally {
        clearTimeout(overdue);
        makeWay();
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
    add: (place: number, item: Item) => void waiting.push({ place, item }),
    peek: (): Item | undefined => waiting[first()]?.item,
    take(): Item | undefined {
      return waiting.splice(first(), 1)[0]?.item;
    },
  };
}
