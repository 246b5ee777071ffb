import type { Pace, Rooms } from "./pace.ts";

/** Runs `look` repeatedly between `start` and `stop`, at the times of a pace. Looks never overlap. */
export function createLooks(
  pace: Pace,
  look: (rooms: Rooms) => Promise<void>,
  elapsed = () => performance.now(),
) {
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

  /** Reads the pace again, whose next look may come sooner. */
  function hasten(): void {
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
    start(): void {
      stopped = false;
      if (!running) run();
    },
    stop(): void {
      stopped = true;
      hasten();
    },
    hasten,
  };
}
