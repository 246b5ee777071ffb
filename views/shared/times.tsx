/** A time as its distance from now, which the page's script updates. Its title is the exact time. */
export function Ago({ at, now }: { at: string; now: Date }) {
  return <time datetime={at} title={at} data-ago>{ago(at, now)}</time>;
}

/** What is left until a time, which the page's script counts down. */
export function Left({ at, now }: { at: string; now: Date }) {
  const ms = Date.parse(at) - now.getTime();
  return (
    <span class="remaining">
      <time datetime={at} title={`until ${at}`} data-left>{words(Math.ceil(ms / 1000))}</time> left
    </span>
  );
}

/** Words a distance in time in its largest unit, like the page's script (clock.js). */
export function ago(at: string, now: Date): string {
  return words(Math.floor((now.getTime() - Date.parse(at)) / 1000));
}

function words(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
