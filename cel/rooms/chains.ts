import { pause } from "../../db/pause.ts";
import { MAX_WAIT_MS } from "../../db/serialize.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";

/** What waits to be decided in a chain: a gated write, or a take. */
export interface Chained {
  /** How often another writer has preceded it. */
  attempts: number;
  /** When it is given up, in milliseconds of the clock of its chains. */
  giveUp: number;
}

/** How the chains of a room are decided. */
interface Deciding<One> {
  /** The number of the first in a queue that form a chain, at most `MAX_CHAIN`. */
  lengthOf(queue: One[]): number;
  /** Decides a chain. Returns those to try again, ahead of those that came later. */
  decide(room: string, chain: One[]): Promise<One[]>;
  /** Those that come in the same turn of the event loop join the first chain. */
  gathers?: boolean;
}

const MAX_ATTEMPTS = 30;
const MAX_PAUSE_MS = 50;
const PAUSE_MS_PER_ATTEMPT = 5;

/** The maximum length of a chain: with entries of common size its writes fit into one batch (db/store.ts). */
export const MAX_CHAIN = 32;

/** Creates chains: what comes while one is being decided forms the next one. `elapsed`: the clock, in milliseconds. */
export function createChains<One extends Chained>(
  elapsed: () => number,
  { lengthOf, decide, gathers = false }: Deciding<One>,
) {
  const waiting = new Map<string, One[]>();

  async function work(name: string, room: string, queue: One[]): Promise<void> {
    while (queue.length > 0) queue.unshift(...await decide(room, queue.splice(0, lengthOf(queue))));
    waiting.delete(name);
  }

  return {
    /** Queues one behind those that wait in its room for the same viewer. */
    add(viewer: Viewer, room: string, one: Omit<One, keyof Chained>): void {
      const name = keyFor(viewer, room);
      const own = { ...one, attempts: 0, giveUp: elapsed() + MAX_WAIT_MS } as One;
      const queue = waiting.get(name);
      if (queue) return void queue.push(own);
      const first = [own];
      waiting.set(name, first);
      if (gathers) queueMicrotask(() => work(name, room, first));
      else work(name, room, first);
    },
    /** Counts an attempt that another writer has preceded. False where none may follow. */
    mayTryAgain: (one: One) => ++one.attempts < MAX_ATTEMPTS && elapsed() < one.giveUp,
    /** Pauses before the next attempt, since other instances try too. */
    backOff: (one: One) => pause(Math.random() * Math.min(one.attempts * PAUSE_MS_PER_ATTEMPT, MAX_PAUSE_MS)),
  };
}
