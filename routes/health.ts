import type { Hono } from "hono";
import { ping } from "../db/rooms/look.ts";
import { VERSION } from "../version.ts";
import { document } from "./http/methods.ts";
import { describe } from "./openapi/operation.ts";
import type { Services } from "./services.ts";

export const HEALTH = describe({
  answers: ({ z }) => ({ Health: z.object({ ok: z.literal(true), version: z.string() }) }),
  operations: {
    "/healthz": {
      get: {
        id: "health",
        summary: "Check that the service and its database answer",
        description: "Does not count against rate limits.",
        answers: { 200: "Health" },
        shown: { ok: true, version: VERSION },
      },
    },
  },
});

/** Reports that the database answers, and the service's version. Errors: `unavailable`. */
export function mountHealth(app: Hono, { database }: Services): void {
  document(app, "/healthz", {
    async GET(c) {
      await ping(database);
      return c.json({ ok: true, version: VERSION });
    },
  });
}
