import type { Context, Hono } from "hono";
import { invalidMember } from "./errors.ts";
import { refuseMethod, resource } from "./methods.ts";
import { queryNumber } from "./queries.ts";
import { roomOf } from "./requests.ts";
import type { Services } from "./services.ts";
import { event, streamOf } from "./stream.ts";

export function mountEvents(app: Hono, services: Services): void {
  resource(app, "/rooms/:room/events", {
    async GET(c) {
      if (c.req.raw.method === "HEAD") refuseMethod(c, ["GET", "OPTIONS"]);
      const { follower, left } = await follow(c, services);
      return streamOf(c, follower, {
        left,
        changed: (changes) => event(changes.revision, JSON.stringify(changes)),
        beat: () => "",
      });
    },
  }, { GET: ["after"] });
}

/** Follows the path's room; `left` is to be called once the reader is gone. Errors: `rate_limited`, those of `follow`. */
export async function follow(c: Context, { watch, fairUse }: Services) {
  const room = roomOf(c);
  const place = placeOf(c);
  const left = fairUse.hold(c, "stream", room);
  try {
    return { follower: await watch.follow(room, place), left };
  } catch (error) {
    left();
    throw error;
  }
}

/** Where a stream begins: behind what the reader got last, else where it asks to. Errors: `invalid_request`. */
function placeOf(c: Context): number | undefined {
  const last = c.req.header("Last-Event-ID")?.trim();
  if (!last) return queryNumber(c, "after");
  if (!/^\d+$/.test(last)) throw invalidMember(["Last-Event-ID"], "Last-Event-ID must be a revision.");
  return Math.min(Number(last), Number.MAX_SAFE_INTEGER);
}
