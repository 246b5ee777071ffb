import type { Hono } from "hono";
import { readChanges } from "../db/snapshots/changes.ts";
import { AGENTS } from "./agents.ts";
import { queryCount, queryNumber } from "./http/input/queries.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { linkNext, replyLarge, roomOf } from "./http/requests.ts";
import { MESSAGES } from "./messages/messages.ts";
import { describe, serve } from "./openapi/operation.ts";
import { LIMIT, number, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";
import { RESERVATIONS } from "./reservations.ts";
import { ROOMS } from "./rooms.ts";
import { STATE } from "./state/operations.ts";

export const CHANGES = describe({
  answers(parts) {
    const { z, revision } = parts;
    const { Entry, View, DeletedEntry } = STATE.answers(parts);
    const { Agent } = AGENTS.answers(parts);
    const { Message } = MESSAGES.answers(parts);
    const { Reservation } = RESERVATIONS.answers(parts);
    const { Room } = ROOMS.answers(parts);
    const changed = { revision };
    const left = z.object({ id: z.string(), left: z.literal(true), ...changed });
    const ended = z.object({ id: z.string(), ended: z.literal(true), ...changed });
    const Changes = z.object({
      revision: revision.describe("The revision to continue from"),
      state: z.array(z.union([Entry.extend(changed), View.extend(changed), DeletedEntry.extend(changed)])),
      agents: z.array(z.union([Agent.extend(changed), left])),
      messages: z.array(Message.extend(changed)),
      reservations: z.array(z.union([Reservation.extend(changed), ended])),
      room: Room.extend(changed).optional().describe("The room, if its `meta` changed"),
      more: z.boolean().describe("There is more: continue at once"),
      began: revision.optional().describe(
        "Of a walk from the start of a room that has forgotten departures: send it with `revision`",
      ),
      reset: z.literal(true).optional().describe(
        "`after` cannot be continued: this is everything from the start, discard what you have",
      ),
    });
    return { Changes };
  },
  operations: {
    "/rooms/{room}/changes": {
      get: {
        id: "readChanges",
        summary: "Read what changed after a revision",
        description: "Continue from the `revision` of the answer; at once by its `Link` if it has `more`.",
        parameters: [
          query(
            "after",
            "What changed after this revision; everything, with `reset`, if the room is at an earlier one, or no longer " +
              "knows what has left it since",
            number(0, { default: 0 }),
          ),
          query(
            "began",
            "The room's revision when a walk from the start began; as the answer before has it, and its `Link`",
            number(0),
          ),
          LIMIT,
        ],
        answers: { 200: "Changes" },
        shown: { revision: 5, state: [], agents: [], messages: [], reservations: [], more: false },
        headers: ["Link"],
      },
    },
  },
});

export function mountChanges(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  serve(app, services, CHANGES, "/rooms/{room}/changes", {
    GET: large(async (c) => {
      const after = queryNumber(c, "after") ?? 0;
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const walk = { after, began: queryNumber(c, "began"), limit };
      const { changes, began, forgets } = await readChanges(database, viewerOf(c), roomOf(c), walk);
      const further = {
        after: String(changes.revision),
        ...(began !== undefined && { began: String(began) }),
      };
      const next = changes.more ? linkNext(c, further) : undefined;
      const answer = changes.more && forgets && began !== undefined ? { ...changes, began } : changes;
      return await replyLarge(c, changes.revision, answer, next);
    }),
  });
}
