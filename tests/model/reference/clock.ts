import { ANY } from "./comparison.ts";

/** The time of the service where the test holds it, in milliseconds; elsewhere it stands still, and none is compared. */
export interface Clock {
  now: number;
  held: boolean;
}

/** A time as answers show it, or ANY. */
export type Time = string | typeof ANY;

export function timeOf({ now, held }: Clock, time = now): Time {
  return held && Number.isFinite(time) ? new Date(time).toISOString() : ANY;
}
