import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { nanoseconds, timestampOf } from "./durations.ts";
import { DURATION, type Duration, TIMESTAMP } from "../engine.ts";
import type { Functions } from "./functions.ts";

const PARSING = 25;
const LOOKING_UP = 100;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** The fields of a timestamp, read from a date whose UTC fields show the wall clock of its zone. */
const FIELDS: Record<string, (wall: Date) => number> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: (wall) => {
    const newYear = new Date(0);
    newYear.setUTCFullYear(wall.getUTCFullYear(), 0, 1);
    return Math.floor((wall.getTime() - newYear.getTime()) / DAY);
  },
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
};

/**
 * The fields of timestamps and the units of durations. They replace cel-js's, which use the server's time zone.
 */
export const TIME: Functions = {
  ...Object.fromEntries(
    Object.entries(FIELDS).flatMap(([name, field]) => [
      [`${TIMESTAMP}.${name}(): int`, (moment: Date) => BigInt(field(moment))],
      [
        `${TIMESTAMP}.${name}(string): int`,
        (moment: Date, zone: string) => BigInt(field(inZone(moment, zone))),
      ],
    ]),
  ),
  [`${DURATION}.getHours(): int`]: (duration: Duration) => nanoseconds(duration) / 3_600_000_000_000n,
  [`${DURATION}.getMinutes(): int`]: (duration: Duration) => nanoseconds(duration) / 60_000_000_000n,
  [`${DURATION}.getSeconds(): int`]: (duration: Duration) => duration.seconds,
  [`${DURATION}.getMilliseconds(): int`]: (duration: Duration) => nanoseconds(duration) / 1_000_000n,
};

const DATE = "\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])";
const CLOCK = "(?:[01]\\d|2[0-3]):[0-5]\\d";
const RFC_3339 = new RegExp(`^${DATE}T${CLOCK}:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[-+]${CLOCK})$`);

/** Parses RFC 3339 with a zone, and truncates to milliseconds. Throws `invalid_timestamp`. */
export function parseTimestamp(text: string): Date {
  charge(PARSING);
  const canonical = text.toUpperCase();
  const day = Number(canonical.slice(8, 10));
  // JavaScript parses the 30th of February as a day in March.
  const isDay = day <= 28 || new Date(canonical.slice(0, 10)).getUTCDate() === day;
  if (!isDay || !RFC_3339.test(canonical)) {
    throw new EvaluationFailed(
      "invalid_timestamp",
      "timestamp() takes a moment with its zone",
      undefined,
      'Write it like "2026-11-22T04:20:00Z".',
    );
  }
  return timestampOf(Date.parse(canonical));
}

/** Shifts a moment so that its UTC fields show the clock in `zone`: `UTC`, `+02:00`, `Europe/Zurich`. */
function inZone(moment: Date, zone: string): Date {
  const offset = /^([-+]?)(\d\d):(\d\d)$/.exec(zone);
  if (!offset) return new Date(moment.getTime() + offsetOf(moment, zone));
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  return new Date(moment.getTime() + (offset[1] === "-" ? -1 : 1) * minutes * MINUTE);
}

/** A zone by its name or as `+0200`. Temporal also takes a moment with a zone, which begins otherwise. */
const ZONE = /^(?:[A-Za-z]|[-+]\d\d(?:\d\d)?$)/;

function offsetOf(moment: Date, zone: string): number {
  charge(LOOKING_UP);
  try {
    if (ZONE.test(zone)) return moment.toTemporalInstant().toZonedDateTimeISO(zone).offsetNanoseconds / 1e6;
  } catch {
    // there is none of this name
  }
  throw new EvaluationFailed(
    "invalid_argument",
    `Unknown time zone: ${zone.slice(0, 50)}`,
    undefined,
    'Write "UTC", "+02:00" or a name like "Europe/Zurich".',
  );
}
