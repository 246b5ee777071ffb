import type { Pace, Rooms } from "./pace.ts";

/** Runs `look` repeatedly between `start` and `stop`, at the times of a pace. Looks never overlap. */
export interface Looks {
  start(): void;
  stop(): void;
  /** Reads the pace again, whose next look may come sooner. */
  hasten(): void;
}

export function createLooks(
  pace: Pace,
  look: (rooms: Rooms) => Promise<void>,
  elapsed = () => performance.now(),
): Looks {
  let running = false;
  let stopped = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wake = () => {};

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, ms);
    });
  }

  function hasten() {
    clearTimeout(timer);
    wake();
  }

  async function run() {
    running = true;
    pace.start(elapsed());
    while (!stopped) {
      const ms = pace.next() - elapsed();
      if (ms > 0) await rest(ms);
      else {
        await look(pace.begin(elapsed()));
        pace.end(elapsed());
      }
    }
    running = false;
  }

  return {
    start() {
      stopped = false;
      if (!running) run();
    },
    stop() {
      stopped = true;
      hasten();
    },
    hasten,
  };
}
