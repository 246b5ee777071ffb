/** The minimum pause after a run, as a fraction of the interval: a slow task may itself be what overloads the instance. */
const MIN_REST = 0.5;

/**
 * Runs `task` repeatedly between `start` and `stop`, each time `interval()` milliseconds after its last start. Runs
 * never overlap.
 */
export function createInterval(interval: () => number, task: () => Promise<void>) {
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

  async function run() {
    running = true;
    for (let took = 0; !stopped;) {
      const ms = interval();
      await rest(Math.max(ms - took, ms * MIN_REST));
      const began = performance.now();
      if (!stopped) await task();
      took = performance.now() - began;
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
      clearTimeout(timer);
      wake();
    },
  };
}
