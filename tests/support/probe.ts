import type { Subject } from "./backends.ts";

/** Milliseconds between two looks of a probe. */
const EACH_MS = 10;

export interface Probe {
  /** How long each look took, in milliseconds; ends the probe. */
  stop(): Promise<number[]>;
}

/**
 * Looks at a room of its own all the time: how long others are held up by what goes on meanwhile, by a clock in
 * milliseconds.
 */
export async function startProbe(t: Subject, clock = () => performance.now()): Promise<Probe> {
  const room = await t.room();
  const took: number[] = [];
  let ended = false;
  const looking = (async () => {
    while (!ended) {
      const from = clock();
      const reply = await t.get(`/rooms/${room}`);
      if (reply.status !== 200) throw new Error(`The probe was answered ${reply.status}: ${reply.text}`);
      took.push(clock() - from);
      await new Promise((resolve) => setTimeout(resolve, EACH_MS));
    }
  })();
  // Told when it is stopped; a test that fails before that has a reason of its own.
  looking.catch(() => {});
  return {
    async stop() {
      ended = true;
      await looking;
      return took;
    },
  };
}

/**
 * Milliseconds for which this thread has worked: what other processes do makes no difference. Where
 * the system does not tell, the time that has passed.
 */
export function workingTime(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** What 99 of 100 looks took at the most: a machine that others use stops any process now and then. */
export function mostOf(took: number[]): number {
  return took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? 0;
}
