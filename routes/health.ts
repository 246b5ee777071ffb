import type { Hono } from "hono";
import { ping } from "../db/rooms.ts";
import { document } from "./methods.ts";
import type { Services } from "./services.ts";

/** Says that the database answers. Errors: `unavailable`. */
export function mountHealth(app: Hono, { database }: Services): void {
  document(app, "/healthz", {
    async GET(c) {
      await ping(database);
      return c.json({ ok: true });
    },
  });
}
