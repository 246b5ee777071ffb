import type { Hono } from "hono";
import { countRooms } from "../db/rooms/read.ts";
import { VERSION } from "../version.ts";
import { describe, serve } from "./openapi/operation.ts";
import type { Services } from "./services.ts";

export const METRICS = describe({
  operations: {
    "/metrics": {
      get: {
        id: "metrics",
        summary: "Read figures of this instance, as the operator",
        description:
          "In the text format of Prometheus. Without `OPERATOR_TOKEN` there is nothing at this path.",
        answers: { 200: ["text/plain"] },
        errors: ["not_found", "unauthenticated", "forbidden"],
      },
    },
  },
});

/** Prometheus, version 0.0.4. */
const FORMAT = "text/plain; version=0.0.4; charset=utf-8";

/** Milliseconds for which the rooms are not counted again. */
const COUNTED_MS = 60_000;

/** Shows the operator figures of this instance. Errors: `not_found`, `unauthenticated`, `forbidden`, `unavailable`. */
export function mountMetrics(app: Hono, services: Services): void {
  const { database, watch } = services;
  let counted: { at: number; rooms: number } | undefined;

  async function rooms(): Promise<number> {
    const now = database.elapsed();
    if (counted === undefined || now - counted.at >= COUNTED_MS) {
      counted = { at: now, rooms: await countRooms(database) };
    }
    return counted.rooms;
  }

  serve(app, services, METRICS, "/metrics", {
    async GET(c) {
      const { waits, streams } = watch.counts();
      const figures: Array<[name: string, about: string, value: number, labels?: string]> = [
        ["convene_build_info", "The release that runs.", 1, `{version="${VERSION}"}`],
        ["convene_rooms", "Rooms in the database, counted once a minute.", await rooms()],
        ["convene_waits_open", "Waits under way at this instance.", waits],
        ["convene_streams_open", "Streams under way at this instance.", streams],
        ["process_resident_memory_bytes", "Memory of the process.", Deno.memoryUsage().rss],
        [
          "process_start_time_seconds",
          "When the process began, by its machine.",
          performance.timeOrigin / 1_000,
        ],
      ];
      const text = figures.map(([name, about, value, labels = ""]) =>
        `# HELP ${name} ${about}\n# TYPE ${name} gauge\n${name}${labels} ${value}\n`
      ).join("");
      return c.body(text, 200, { "Content-Type": FORMAT });
    },
  });
}
