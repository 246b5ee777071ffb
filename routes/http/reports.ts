/**
 * Tells the operator of what may happen often, at most once in `everyMs` milliseconds. `say` makes the line, of how
 * many times it has happened since the line before and of the latest.
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
