import type { Submission } from "./groups.ts";

/** Turns of the event loop before a batch is sent, in which requests that have arrived may join it. */
const MIN_TURNS = 2;
const MAX_TURNS = 6;
/** Milliseconds after which slow turns show that requests work on what they read, and submit nothing soon. */
const GATHER_MS = 4;

/** Milliseconds without a submission after which those that are still expected do not keep coming. */
const BETWEEN_MS = 2;

/**
 * Creates what waits, before a batch is sent, for submissions that are about to come: those of requests that are at work
 * already, since a file answers without a pause in which they could arrive. Just after a slow batch it waits for as many
 * as were there before: without them two halves would alternate, each waiting for the other's round trip. `atWork`
 * returns how many requests may submit soon.
 */
export function createGathering(waiting: Submission[], atWork: () => number, elapsed: () => number) {
  let expected = { count: 0, until: 0, latest: 0 };
  let cameAt = -Infinity;
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

  async function untilComplete(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      complete = resolve;
      let seen = -Infinity;
      const wait = (ms: number) => timer = setTimeout(goOn, ms);
      const goOn = () => {
        const left = Math.min(cameAt + BETWEEN_MS, expected.latest) - elapsed();
        if (cameAt === seen || left < 1) return resolve();
        seen = cameAt;
        wait(left);
      };
      wait(Math.max(0, expected.until - elapsed()));
    });
    complete = undefined;
    clearTimeout(timer);
  }

  return {
    /** Waits until no further submission is expected, or `maxSize` are waiting. */
    async gather(maxSize: number): Promise<void> {
      await turns(maxSize);
      if (waiting.length < expected.count && expected.latest - elapsed() >= 1) await untilComplete();
    },
    /**
     * Expects so many submissions within `ms` milliseconds, or twice as many while they keep coming: clients that were
     * answered tend to come back at once.
     */
    expect(count: number, ms: number) {
      const until = elapsed() + ms;
      expected = { count, until, latest: until + ms };
    },
    /** Notes that a submission has joined those that wait. */
    joined() {
      cameAt = elapsed();
      if (waiting.length >= expected.count) complete?.();
    },
  };
}
