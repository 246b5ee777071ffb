import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { timestampOf } from "./durations.ts";
import type { Duration } from "../engine.ts";
import { nanoseconds } from "./durations.ts";
import type { Functions } from "./functions.ts";

const TIMESTAMP = "google.protobuf.Timestamp";
const DURATION = "google.protobuf.Duration";
const PARSING = 25;
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

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:[Zz]|([-+])(\d\d):(\d\d))$/;

/** The form that this service writes, by far the most frequent: it has a faster parser. */
const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Parses RFC 3339 with a zone, and truncates to milliseconds. Throws `invalid_timestamp`. */
export function parseTimestamp(text: string): Date {
  charge(PARSING);
  if (CANONICAL.test(text)) {
    const moment = new Date(text);
    // JavaScript parses the 30th of February as a day in March.
    if (moment.getUTCDate() === Number(text.slice(8, 10))) return timestampOf(moment.getTime());
  }
  const parts = text.length <= 40 ? RFC_3339.exec(text) : null;
  if (!parts) refuse();
  const [, year, month, day, hour, minute, second, fraction = ".0", sign, hours = 0, minutes = 0] = parts;
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDay = moment.getUTCMonth() === Number(month) - 1 && moment.getUTCDate() === Number(day);
  if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) refuse();
  if (Number(hours) > 23 || Number(minutes) > 59) refuse();
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE;
  moment.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.slice(1, 4).padEnd(3, "0")),
  );
  return timestampOf(moment.getTime() - offset);
}

function refuse(): never {
  throw new EvaluationFailed(
    "invalid_timestamp",
    "timestamp() takes a moment with its zone",
    undefined,
    'Write it like "2026-11-22T04:20:00Z".',
  );
}

/** Shifts a moment so that its UTC fields show the clock in `zone`: `UTC`, `+02:00`, `Europe/Zurich`. */
function inZone(moment: Date, zone: string): Date {
  const offset = /^([-+]?)(\d\d):(\d\d)$/.exec(zone);
  if (!offset) return new Date(moment.getTime() + offsetOf(moment, zone));
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  return new Date(moment.getTime() + (offset[1] === "-" ? -1 : 1) * minutes * MINUTE);
}

/** Formatters by zone: they are expensive to create, and few zones are in use. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const FORMATTERS_KEPT = 50;
const MAKING_A_FORMATTER = 4_000;
const FORMATTING = 100;

function offsetOf(moment: Date, zone: string): number {
  charge(FORMATTING);
  const parts = formatterOf(zone).formatToParts(moment);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const isBeforeChrist = parts.some((part) => part.type === "era" && part.value.startsWith("B"));
  const wall = new Date(0);
  wall.setUTCFullYear(isBeforeChrist ? 1 - read("year") : read("year"), read("month") - 1, read("day"));
  wall.setUTCHours(read("hour") % 24, read("minute"), read("second"), moment.getUTCMilliseconds());
  return wall.getTime() - moment.getTime();
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  charge(MAKING_A_FORMATTER);
  const formatter = makeFormatter(zone);
  if (formatters.size >= FORMATTERS_KEPT) formatters.clear();
  formatters.set(zone, formatter);
  return formatter;
}

function makeFormatter(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
  } catch {
    throw new EvaluationFailed(
      "invalid_argument",
      `Unknown time zone: ${timeZone.slice(0, 50)}`,
      undefined,
      'Write "UTC", "+02:00" or a name like "Europe/Zurich".',
    );
  }
}
