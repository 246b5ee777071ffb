/** A moment as its distance from now; the page's script lets it tick. The exact one is its title. */
export function Ago({ at, now }: { at: string; now: Date }) {
  return <time datetime={at} title={at} data-ago>{ago(at, now)}</time>;
}

/** A distance in time in its largest unit; the page's script says it in the same way. */
export function ago(at: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(at)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
