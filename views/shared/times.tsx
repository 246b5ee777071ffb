import { words } from "./clock.js";

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

/** Words the distance of a time from now, in its largest unit. */
export function ago(at: string, now: Date): string {
  return words(Math.floor((now.getTime() - Date.parse(at)) / 1000));
}
