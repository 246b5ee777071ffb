/**
 * Logs a frequent event at most once in `everyMs` milliseconds. `say` makes the line from the number of events since
 * the last line, and the latest event.
 */
export function createReport<Latest>(
  everyMs: number,
  say: (times: number, latest: Latest) => string,
  now: () => number = () => performance.now(),
): (latest: Latest) => void {
  let times = 0;
  let reportedAt = -Infinity;
  return (latest) => {
    times++;
    if (now() - reportedAt < everyMs) return;
    reportedAt = now();
    console.error(say(times, latest));
    times = 0;
  };
}
