/** A task that takes long is begun again no sooner than after this part of its interval: it may be what is busy. */
const MIN_REST = 0.5;

/**
 * Runs `task` again and again between `start` and `stop`, each time `interval()` milliseconds after it last began;
 * never twice at once.
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
