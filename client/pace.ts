import { pause } from "./retry.ts";

/** The maximum of the first pause in milliseconds, which doubles with each early answer up to LONGEST. */
const SHORTEST = 20;
const LONGEST = 5_000;
/** The part of its time after which an answer is not early: timers of the service may be ahead of the client's. */
const IN_TIME = 0.9;

/**
 * Paces a wait that takes several requests. An instance that shuts down answers waits before their time: the next
 * request follows almost at once. Whatever else answers so again and again is asked ever later.
 */
export class Pace {
  #early = 0;
  #due = 0;

  /** Notes a request that is sent now, and is to be answered within `ms` or with a result. */
  sends(ms: number): void {
    this.#due = performance.now() + ms * IN_TIME;
  }

  /** Pauses, for at most `max` milliseconds, if the last request was answered early and without a result. */
  async next(max: number, signal?: AbortSignal): Promise<void> {
    if (performance.now() >= this.#due) this.#early = 0;
    else await pause(Math.min(max, pauseAfterEarly(++this.#early)), signal);
  }
}

/** The milliseconds to pause after so many early answers in a row, with jitter. */
function pauseAfterEarly(answers: number): number {
  return Math.min(LONGEST, SHORTEST * 2 ** (answers - 1)) * (0.5 + Math.random() / 2);
}
