import { since } from "./clock.js";

const UNITS = [[60, "minute"], [60, "hour"], [24, "day"]];

/** Words what is left until a time, in its largest unit: "15 minutes". */
function left(ms) {
  let [count, unit] = [ms / 1_000, "second"];
  for (const [size, larger] of UNITS) {
    if (Math.round(count) < size) break;
    [count, unit] = [count / size, larger];
  }
  const whole = Math.max(0, Math.round(count));
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}

/** Tells a time by the reader's clock, with its day where that is another one. */
function local(end, now) {
  const time = { hour: "2-digit", minute: "2-digit" };
  const isToday = end.toDateString() === now.toDateString();
  return isToday
    ? end.toLocaleTimeString([], time)
    : end.toLocaleString([], { weekday: "short", day: "numeric", month: "short", ...time });
}

/**
 * Words the end of what lasts until a time of the service: "for 15 minutes, until 14:35". The reader's clock, by which it
 * is told, may be apart from the service's.
 */
export function endOf(moment) {
  const now = new Date();
  const ms = -since(Date.parse(moment));
  const until = `until ${local(new Date(now.getTime() + ms), now)}`;
  return ms > 0 ? `for ${left(ms)}, ${until}` : `${until}, which is over`;
}
