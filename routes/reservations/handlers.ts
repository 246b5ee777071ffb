import type { Context, Hono } from "hono";
import type { Json } from "../../db/json.ts";
import { listReservations } from "../../db/reservations/read.ts";
import { releaseReservation, renewReservation } from "../../db/reservations/write.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { answeredInTime, lookedInTime } from "../http/deadline.ts";
import { invalidMember } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingId } from "../http/ids.ts";
import { queryNumber, queryOf } from "../http/input/queries.ts";
import { LIMITS } from "../http/limits.ts";
import { answerWaiting } from "../http/may_wait.ts";
import { large } from "../http/methods.ts";
import { checkSize, readBody, reply, replyAll, replyLarge, roomOf } from "../http/requests.ts";
import { serve } from "../openapi/operation.ts";
import type { Services } from "../services.ts";
import { RESERVATIONS } from "./operations.ts";
import { globFault } from "./schemas.ts";

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
