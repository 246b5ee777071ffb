import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { Duration } from "../engine.ts";
import { createLru } from "../../../db/lru.ts";

const SECOND = 1_000_000_000n;
const MAX_SECONDS = 315_576_000_000n;

/** The range of timestamps, years 1 to 9999, in milliseconds since 1970. */
const EARLIEST = -62_135_596_800_000;
const LATEST = 253_402_300_799_999;

/** A duration's length in nanoseconds. Both its parts have its sign. */
export function nanoseconds(duration: Duration): bigint {
  return duration.seconds * SECOND + BigInt(duration.nanos);
}

/** A duration of so many nanoseconds. Throws `numeric_overflow` beyond ten thousand years. */
export function durationOf(length: bigint): Duration {
  const seconds = length / SECOND;
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS) {
    throw new EvaluationFailed("numeric_overflow", "Duration out of range");
  }
  return new Duration(seconds, Number(length % SECOND));
}

/** A duration as results show it, in protobuf's JSON form: `90s`, `-1.5s`. */
export function formatDuration(duration: Duration): string {
  const length = nanoseconds(duration);
  const size = length < 0n ? -length : length;
  const fraction = (size % SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  return `${length < 0n ? "-" : ""}${size / SECOND}${fraction && `.${fraction}`}s`;
}

const UNITS: Record<string, bigint> = {
  h: 3_600n * SECOND,
  m: 60n * SECOND,
  s: SECOND,
  ms: 1_000_000n,
  us: 1_000n,
  "µs": 1_000n,
  ns: 1n,
};

/** Parsed durations by text: most are literals, which every evaluation parses again. */
const parsed = createLru<Duration>(100);
const READING = 10;

/** Parses `1h30m`, `-1.5s` or `250ms`, as Go's time.ParseDuration does. Throws `invalid_duration`. */
export function parseDuration(text: string): Duration {
  const known = parsed.get(text);
  if (known) return known;
  charge(READING);
  const duration = readDuration(text);
  parsed.set(text, duration);
  return duration;
}

/** Digits can be matched in one way alone: with two for each number, a text that is none would take 2^66 steps. */
const DURATION = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns))+|0)$/;

function readDuration(text: string): Duration {
  const match = DURATION.exec(text.slice(0, 200));
  if (!match || text.length > 200) {
    throw new EvaluationFailed(
      "invalid_duration",
      "duration() takes a number with a unit",
      undefined,
      'Write it like "90s", "1.5h", "250ms" or "1h30m".',
    );
  }
  let length = 0n;
  for (const [, whole = "", fraction = "", unit] of match[2]!.matchAll(/(\d*)\.?(\d*)(h|ms|m|s|us|µs|ns)/g)) {
    const digits = fraction.slice(0, 18);
    length += BigInt(whole || 0) * UNITS[unit!]!;
    length += (BigInt(digits || 0) * UNITS[unit!]!) / 10n ** BigInt(digits.length);
  }
  return durationOf(match[1] === "-" ? -length : length);
}

/** A timestamp from milliseconds since 1970. Throws `numeric_overflow` outside the years 1 to 9999. */
export function timestampOf(milliseconds: number): Date {
  if (!(milliseconds >= EARLIEST && milliseconds <= LATEST)) {
    throw new EvaluationFailed("numeric_overflow", "Timestamp out of range: years 1 to 9999");
  }
  return new Date(milliseconds);
}

/** A moment plus (1) or minus (-1) a duration, rounded down to a millisecond. */
export function shift(moment: Date, by: Duration, direction: 1 | -1): Date {
  const milliseconds = direction * Number(by.seconds) * 1_000 + Math.floor(direction * by.nanos / 1e6);
  return timestampOf(moment.getTime() + milliseconds);
}
