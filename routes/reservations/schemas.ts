import { MODES } from "../../db/reservations/read.ts";
import { InvalidGlob, parseGlob } from "../../db/reservations/glob_syntax.ts";
import type { Parts } from "../http/input/schemas.ts";
import { LIMITS } from "../http/limits.ts";
import { noticeOf } from "../messages/schemas.ts";

const TTL = "Seconds until it ends by itself";
const TIMEOUT =
  `Milliseconds to wait until the paths are free; 0 tries once; a value above ${LIMITS.waitMs} counts as that`;

/** Says what is wrong with a glob and where; undefined where nothing is. */
export function globFault(glob: string): string | undefined {
  if (glob.length > LIMITS.globLength) return `must have at most ${LIMITS.globLength} characters`;
  try {
    parseGlob(glob);
  } catch (error) {
    if (!(error instanceof InvalidGlob)) throw error;
    const { message, position, hint } = error;
    return `${message} (position ${position}).${hint ? ` ${hint}` : ""}`;
  }
}

function pathsOf({ z }: Parts) {
  const glob = z.string().superRefine((text, context) => {
    const message = globFault(text);
    if (message) context.addIssue({ code: "custom", message });
  }).meta({ minLength: 1, maxLength: LIMITS.globLength });
  const most = `must have at most ${LIMITS.globsLength} characters in all`;
  return z.array(glob).min(1).max(LIMITS.globs)
    .refine((globs) => globs.join("").length <= LIMITS.globsLength, most)
    .describe(
      `Globs of paths, ${LIMITS.globsLength} characters in all: \`*\`, \`?\`, \`[a-z]\`, \`[!a]\` and \`{a,b}\` ` +
        "within a segment, `**` for any number of segments",
    );
}

export function reservationBodies(parts: Parts) {
  const { z, absent, defaulting, id } = parts;
  const seconds = parts.secondsUpTo(LIMITS.mostReservationSeconds);
  const fence = z.int("must be a fence, a whole number from 1 on").min(1);
  return {
    ReservationRequest: z.strictObject({
      agent: id.describe("The agent that reserves; need not be registered"),
      paths: pathsOf(parts),
      mode: defaulting(z.enum(MODES), "exclusive").describe("`shared` conflicts only with `exclusive`"),
      ttl: defaulting(seconds, LIMITS.reservationSeconds).describe(TTL),
      note: z.unknown().optional().describe(
        `Any JSON of at most ${LIMITS.noteBytes} bytes, for others to see`,
      ),
      timeout: defaulting(z.int("must be milliseconds, a whole number from 0 on").min(0), 0)
        .describe(TIMEOUT),
    }),
    ReservationRenewal: z.strictObject({
      agent: id.describe("The agent that holds it"),
      fence: fence.describe("The `fence` of the reservation"),
      ttl: seconds.describe(TTL),
    }),
    ReservationRelease: z.strictObject({
      agent: id.describe("The agent that holds it"),
      fence: absent(fence).describe("Only if this is the `fence` of the reservation"),
    }),
  };
}

export function reservationAnswers(parts: Parts) {
  const { z, time, json, revision } = parts;
  const Reservation = z.object({
    id: z.string(),
    room_id: z.string(),
    agent: z.string(),
    paths: z.array(z.string()),
    mode: z.enum(MODES),
    note: json,
    fence: revision.describe("The revision at which it began: a fencing token"),
    created_at: time,
    expires_at: time,
  });
  const notice = noticeOf(parts);
  return {
    Reservation,
    NewReservation: Reservation.extend({ notice }),
    ReservationConflict: Reservation.omit({ room_id: true, fence: true, created_at: true }),
    ReservationList: z.array(Reservation),
    ReservationReleased: z.object({
      released: z.boolean().describe("`false`: it had ended before"),
    }),
  };
}
