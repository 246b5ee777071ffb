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

/** Words the end of what lasts until a time: "for 15 minutes, until 14:35". */
export function endOf(moment) {
  const [end, now] = [new Date(moment), new Date()];
  const until = `until ${local(end, now)}`;
  return end > now ? `for ${left(end - now)}, ${until}` : `${until}, which is over`;
}
