import type { Context, Hono } from "hono";
import { type Changes, isEmpty } from "../db/snapshots/changes.ts";
import { keyFor } from "../db/viewer.ts";
import { invalidMember } from "./http/errors.ts";
import { queryNumber } from "./http/input/queries.ts";
import type { Pieces } from "./http/outbox.ts";
import { packingFor } from "./http/packing.ts";
import { roomOf } from "./http/requests.ts";
import { COMMENT, event, readOf, streamOf } from "./http/stream.ts";
import { describe, serve } from "./openapi/operation.ts";
import { header, number, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

export const EVENTS = describe({
  operations: {
    "/rooms/{room}/events": {
      get: {
        id: "followEvents",
        summary: "Follow the changes as Server-Sent Events",
        description:
          "The data of each event is a `Changes`; its id is the revision to continue from. After the database was " +
          "restored from a copy, a reader that is ahead of it gets the event `reset`, then everything from the start.",
        parameters: [
          query("after", "Start after this revision; by default with what happens from now on", number(0)),
          header(
            "Last-Event-ID",
            "Where a reader continues when it reconnects; overrides `after`",
            number(0),
          ),
        ],
        answers: { 200: ["text/event-stream"] },
      },
    },
  },
});

const plainly = (changes: Changes) => event(changes.revision, JSON.stringify(changes));

/** Tells a reader to drop what it holds, then sends all there is, which also reaches readers that ignore `reset`. */
function resetOf({ reset, ...changes }: Changes): Pieces {
  const more = !isEmpty(changes);
  const nothing = { revision: 0, state: [], agents: [], messages: [], reservations: [], more, reset };
  return [...event(0, JSON.stringify(nothing), "reset"), ...(more ? plainly(changes) : [])];
}

export function mountEvents(app: Hono, services: Services): void {
  const made = new WeakMap<Changes, Pieces>();

  /** Encodes changes once for all readers of a room. */
  function eventOf(changes: Changes): Pieces {
    const pieces = made.get(changes) ?? (changes.reset ? resetOf(changes) : plainly(changes));
    made.set(changes, pieces);
    return pieces;
  }

  serve(app, services, EVENTS, "/rooms/{room}/events", {
    async GET(c) {
      const { follower, left, sending } = await follow(c, services);
      return streamOf(c, follower, { left, changed: eventOf, beat: () => COMMENT }, sending);
    },
  });
}

/** Follows the path's room. Call `left` when the reader is gone. Errors: `rate_limited`, those of `watch.follow`. */
export async function follow(c: Context, { watch, fairUse, outbox, viewerOf }: Services) {
  const [viewer, room] = [viewerOf(c), roomOf(c)];
  const seen = keyFor(viewer, room);
  const after = startOf(c);
  const packing = await packingFor(c);
  const left = fairUse.hold(c, "stream", room);
  const share = after === undefined ? undefined : outbox.take(readOf(seen, after));
  try {
    const follower = await watch.follow(viewer, room, after, share?.bytes);
    return { follower, left, sending: { outbox, seen, share, packing } };
  } catch (error) {
    share?.end();
    left();
    throw error;
  }
}

/** Returns the revision that a stream starts after: `Last-Event-ID`, else `after`. Errors: `invalid_request`. */
function startOf(c: Context): number | undefined {
  const last = c.req.header("last-event-id")?.trim();
  if (!last) return queryNumber(c, "after");
  if (!/^\d+$/.test(last)) {
    throw invalidMember(
      ["Last-Event-ID"],
      "Last-Event-ID must be a revision.",
      "Send the id of the last event that you read; or leave it out and send `after`.",
    );
  }
  return Math.min(Number(last), Number.MAX_SAFE_INTEGER);
}
