import type { Hono } from "hono";
import { ping } from "../db/rooms.ts";
import { VERSION } from "../version.ts";
import { document } from "./http/methods.ts";
import type { Services } from "./services.ts";

/** Says that the database answers, and which version of the service does. Errors: `unavailable`. */
export function mountHealth(app: Hono, { database }: Services): void {
  document(app, "/healthz", {
    async GET(c) {
      await ping(database);
      return c.json({ ok: true, version: VERSION });
    },
  });
}
