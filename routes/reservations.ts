import type { Context, Hono } from "hono";
import type { Json } from "../db/json.ts";
import { InvalidGlob, parseGlob } from "../db/reservations/glob_syntax.ts";
import { listReservations, MODES } from "../db/reservations/read.ts";
import { releaseReservation, renewReservation } from "../db/reservations/write.ts";
import { ownMember } from "./http/callers/own_agent.ts";
import { answeredInTime, lookedInTime } from "./http/deadline.ts";
import { invalidMember } from "./http/errors.ts";
import { answerOnce, answerWaiting } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { queryNumber, queryOf } from "./http/input/queries.ts";
import type { Parts } from "./http/input/schemas.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { checkSize, readBody, reply, replyAll, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { KEY, number, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const TTL = "Seconds until it ends by itself";
const TIMEOUT =
  `Milliseconds to wait until the paths are free; 0 tries once; a value above ${LIMITS.waitMs} counts as that`;

/** Says what is wrong with a glob and where; undefined where nothing is. */
function globFault(glob: string): string | undefined {
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
  const tooLong = `must have at most ${LIMITS.globsLength} characters in all`;
  return z.array(glob).min(1).max(LIMITS.globs)
    .refine((globs) => globs.join("").length <= LIMITS.globsLength, tooLong)
    .describe(
      `Globs of paths, ${LIMITS.globsLength} characters in all: \`*\`, \`?\`, \`[a-z]\`, \`[!a]\` and \`{a,b}\` ` +
        "within a segment, `**` for any number of segments",
    );
}

const shown = {
  id: "7f1c24c3-64f8-4f7a-9d0b-0d8d3b2b5b0e",
  room_id: "demo",
  agent: "alice",
  paths: ["src/**", "docs/*.md"],
  mode: "exclusive",
  note: null,
  fence: 7,
  created_at: EXAMPLE_TIME,
  expires_at: "2026-11-22T04:35:00.000Z",
};

export const RESERVATIONS = describe({
  bodies(parts) {
    const { z, absent, defaulting, id, milliseconds, secondsUpTo } = parts;
    const seconds = secondsUpTo(LIMITS.maxReservationSeconds);
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
        timeout: defaulting(milliseconds, 0).describe(TIMEOUT),
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
  },
  answers({ z, time, json, revision, notice }) {
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
    return {
      Reservation,
      NewReservation: Reservation.extend({ notice }),
      ReservationConflict: Reservation.omit({ room_id: true, fence: true, created_at: true }),
      ReservationList: z.array(Reservation),
      ReservationReleased: z.object({
        released: z.boolean().describe("`false`: it had ended before"),
      }),
    };
  },
  operations: {
    "/rooms/{room}/reservations": {
      get: {
        id: "listReservations",
        summary: "List the reservations in force, oldest first",
        description: "Shows who works on which paths.",
        parameters: [
          query("agent", "Only reservations of this agent"),
          query("path", "Only reservations that cover this path, or a path that this glob covers"),
        ],
        answers: { 200: "ReservationList" },
        shown: [shown],
      },
      post: {
        id: "reservePaths",
        summary: "Reserve paths, all or none, at once or when they are free",
        description:
          "Two reservations conflict if they belong to different agents, at least one is exclusive, and both cover " +
          "some path.",
        parameters: [KEY],
        body: "ReservationRequest",
        example: { agent: "alice", paths: ["src/**", "docs/*.md"] },
        answers: { 201: "NewReservation" },
        shown,
        errors: ["agent_not_found", "reserved", "limit_reached"],
      },
    },
    "/rooms/{room}/reservations/{reservation}": {
      delete: {
        id: "releaseReservation",
        summary: "Release a reservation",
        description: "An agent that waits for its paths gets them.",
        parameters: [
          KEY,
          query("agent", "The agent that holds it, if the body does not name it", ({ id }) => id),
          query("fence", "Only if this is its `fence`", number(1)),
        ],
        body: "ReservationRelease",
        example: { agent: "alice", fence: 7 },
        answers: { 200: "ReservationReleased" },
        shown: { released: true },
        errors: ["reservation_not_found", "lease_lost"],
      },
    },
    "/rooms/{room}/reservations/{reservation}/renew": {
      post: {
        id: "renewReservation",
        summary: "Renew a reservation: it ends `ttl` seconds from now",
        description: "A reservation that has ended cannot be renewed: reserve the paths again.",
        parameters: [KEY],
        body: "ReservationRenewal",
        example: { agent: "alice", fence: 7, ttl: 900 },
        answers: { 200: "Reservation" },
        shown,
        errors: ["reservation_not_found", "lease_lost"],
      },
    },
  },
});

/** Mounts them before the deadline of requests, since one may wait longer; the others keep to it. */
export function mountReservations(app: Hono, services: Services): void {
  const { database, reserving, viewerOf } = services;
  const inTime = (handle: (c: Context) => Promise<Response>) => (c: Context) =>
    answeredInTime(database.working(() => handle(c)), c);

  const bodyOf = async <Name extends "ReservationRequest" | "ReservationRelease" | "ReservationRenewal">(
    c: Context,
    name: Name,
    named?: Record<string, string | number>,
  ) => await readBody(c, RESERVATIONS, name, { named, filled: ownMember(c, services) });

  serve(app, services, RESERVATIONS, "/rooms/{room}/reservations", {
    /** Reads `signal` before it awaits anything, else the runtime misses a client that leaves meanwhile. */
    async POST(c) {
      const { signal } = c.req.raw;
      const room = roomOf(c);
      const body = await lookedInTime(bodyOf(c, "ReservationRequest"), c);
      const { agent, paths, mode = "exclusive", ttl = LIMITS.reservationSeconds, note = null } = body;
      checkSize(note as Json, "note", LIMITS.noteBytes);
      const timeout = Math.min(body.timeout ?? 0, LIMITS.waitMs);
      const asked = { agent, paths, mode, ttl, note: note as Json };
      const operation = reserving.reserve(room, asked, { timeout, signal });
      return await answerWaiting(c, services, room, timeout, operation, (answer) => {
        const { reservation, revision, ...noticed } = answer;
        return reply(revision, { ...reservation, ...noticed }, 201);
      });
    },
    GET: large(inTime(async (c) => {
      const { agent, path } = queryOf(c);
      const fault = path && globFault(path);
      if (fault) throw invalidMember(["path"], `path: ${fault}`);
      const filter = { agent: agent && existingId(agent), path };
      const { reservations, revision } = await listReservations(database, viewerOf(c), roomOf(c), filter);
      return await replyLarge(c, revision, reservations);
    })),
  });

  serve(app, services, RESERVATIONS, "/rooms/{room}/reservations/{reservation}", {
    DELETE: inTime(async (c) => {
      const room = roomOf(c);
      const id = existingId(c.req.param("reservation")!);
      const fence = queryNumber(c, "fence", 1);
      const named = { ...queryOf(c), ...(fence !== undefined && { fence }) };
      const held = await bodyOf(c, "ReservationRelease", named);
      const operation = releaseReservation(database, room, { id, ...held });
      return await answerOnce(c, services, room, operation, replyAll);
    }),
  });

  serve(app, services, RESERVATIONS, "/rooms/{room}/reservations/{reservation}/renew", {
    POST: inTime(async (c) => {
      const room = roomOf(c);
      const id = existingId(c.req.param("reservation")!);
      const { ttl, ...held } = await bodyOf(c, "ReservationRenewal");
      const operation = renewReservation(database, room, { id, ...held }, ttl);
      return await answerOnce(c, services, room, operation, ({ reservation, revision }) => {
        return reply(revision, reservation);
      });
    }),
  });
}
