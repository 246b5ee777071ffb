import type { Hono } from "hono";
import { readChanges } from "../db/snapshots/changes.ts";
import { LIMITS } from "./http/limits.ts";
import { large, resource } from "./http/methods.ts";
import { queryCount, queryNumber } from "./http/input/queries.ts";
import { linkNext, replyLarge, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

export function mountChanges(app: Hono, { database, viewerOf }: Services): void {
  resource(app, "/rooms/:room/changes", {
    GET: large(async (c) => {
      const after = queryNumber(c, "after") ?? 0;
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const changes = await readChanges(database, viewerOf(c), roomOf(c), { after, limit });
      const next = changes.more ? linkNext(c, { after: String(changes.revision) }) : undefined;
      return await replyLarge(changes.revision, changes, next);
    }),
  }, { GET: ["after", "limit"] });
}
