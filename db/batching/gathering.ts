import type { Submission } from "./groups.ts";

/** Turns of the event loop before a batch is sent, in which requests that have arrived may join it. */
const MIN_TURNS = 2;
const MAX_TURNS = 6;
/** Milliseconds after which slow turns show that requests work on what they read, and submit nothing soon. */
const GATHER_MS = 4;

/** Waits, before a batch is sent, for submissions that are about to come. */
export interface Gathering {
  /** Waits until no further submission is expected, or `maxSize` are waiting. */
  gather(maxSize: number): Promise<void>;
  /** Expects so many submissions until a time by `elapsed`: clients that were answered tend to come back at once. */
  expect(count: number, until: number): void;
  /** Notes that a submission has joined those that wait. */
  joined(): void;
}

/**
 * Creates the gathering of a queue. It waits for requests that are at work already, since a file answers without a
 * pause in which they could arrive. Just after a slow batch it waits for as many as were there before: without them two
 * halves would alternate, each waiting for the other's round trip. `atWork` returns how many requests may submit soon.
 */
export function createGathering(
  waiting: Submission[],
  atWork: () => number,
  elapsed: () => number,
): Gathering {
  let expected = { count: 0, until: 0 };
  let complete: (() => void) | undefined;

  async function turns(maxSize: number): Promise<void> {
    const until = elapsed() + GATHER_MS;
    for (let turn = 1, before = 0; turn <= MAX_TURNS && waiting.length < maxSize; turn++) {
      if (turn > 1 && elapsed() >= until) break;
      if (turn > MIN_TURNS && waiting.length === before && waiting.length >= atWork()) break;
      before = waiting.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function untilComplete(left: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      complete = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    complete = undefined;
  }

  return {
    async gather(maxSize) {
      await turns(maxSize);
      const left = expected.until - elapsed();
      if (left >= 1 && waiting.length < expected.count) await untilComplete(left);
    },
    expect: (count, until) => void (expected = { count, until }),
    joined() {
      if (waiting.length >= expected.count) complete?.();
    },
  };
}
