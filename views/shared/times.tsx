/** A time as its distance from now, which the page's script updates. Its title is the exact time. */
export function Ago({ at, now }: { at: string; now: Date }) {
  return <time datetime={at} title={at} data-ago>{ago(at, now)}</time>;
}

/** Words a distance in time in its largest unit, like the page's script (clock.js). */
export function ago(at: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(at)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
