/** Runs `task` again and again, `pause()` milliseconds after it last ended, between `start` and `stop`. */
export function createInterval(pause: () => number, task: () => Promise<void>) {
  let running = false;
  let stopped = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wake = () => {};

  async function run() {
    running = true;
    while (!stopped) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, pause());
      });
      if (!stopped) await task();
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
