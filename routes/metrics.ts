import type { Hono } from "hono";
import { inTime } from "../cel/waits/in_time.ts";
import { ROUND_TRIP_BOUNDS } from "../db/batching/load.ts";
import { countRooms } from "../db/rooms/read.ts";
import { VERSION } from "../version.ts";
import { type Family, histogram, PROMETHEUS, textOf } from "./http/prometheus.ts";
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

/** Milliseconds for which the rooms are not counted again. */
const COUNTED_MS = 60_000;

/** Milliseconds for which an answer waits for the count: its other figures matter most while the database is slow. */
const PATIENCE_MS = 500;

/**
 * Shows the operator figures of this instance, whatever the database does. No label names a room, an agent or a caller.
 * Errors: `not_found`, `unauthenticated`, `forbidden`.
 */
export function mountMetrics(app: Hono, services: Services): void {
  const rooms = createRoomCount(services);
  serve(app, services, METRICS, "/metrics", {
    async GET(c) {
      const families = [
        ...ofRequests(services),
        ...ofRooms(await rooms()),
        ...ofDatabase(services),
        ...ofProcess(),
      ];
      return c.body(textOf(families), 200, { "Content-Type": PROMETHEUS });
    },
  });
}

/** Counts the rooms once a minute. Gives the last count where the next one takes long, undefined before the first. */
function createRoomCount({ database }: Services): () => Promise<number | undefined> {
  let counted: number | undefined;
  let dueAt = -Infinity;

  async function count(): Promise<void> {
    dueAt = database.elapsed() + COUNTED_MS;
    try {
      counted = await countRooms(database);
    } catch {
      dueAt = -Infinity; // the log says why
    }
  }

  return async function roomCount() {
    if (database.elapsed() < dueAt) return counted;
    await inTime(count(), PATIENCE_MS);
    return counted;
  };
}

function ofRequests({ figures, watch }: Services): Family[] {
  const { waits, streams } = watch.counts();
  return [
    {
      name: "convene_requests_total",
      help: "Answers, by status. A call of an MCP tool counts with the requests that it makes.",
      type: "counter",
      samples: figures.answers().map(([status, value]) => ({ labels: { status: String(status) }, value })),
    },
    {
      name: "convene_limited_total",
      help: "Refusals with 429, by what there was too much of.",
      type: "counter",
      samples: Object.entries(figures.refusals()).map(([limit, value]) => ({ labels: { limit }, value })),
    },
    gauge("convene_waits_open", "Waits under way at this instance.", waits),
    gauge("convene_streams_open", "Streams under way at this instance.", streams),
  ];
}

function ofRooms(count: number | undefined): Family[] {
  return count === undefined
    ? []
    : [gauge("convene_rooms", "Rooms in the database, counted once a minute.", count)];
}

function ofDatabase({ database }: Services): Family[] {
  const load = Object.entries(database.load());
  return [
    {
      name: "convene_database_seconds",
      help: "Round trips of batches to the database, each of many requests, by mode.",
      type: "histogram",
      samples: load.flatMap(([mode, { roundTrips: { counts, seconds } }]) =>
        histogram({ mode }, ROUND_TRIP_BOUNDS, counts, seconds)
      ),
    },
    {
      name: "convene_database_failures_total",
      help: "Batches that the database refused or did not answer. Some are sent again.",
      type: "counter",
      samples: load.map(([mode, { roundTrips }]) => ({ labels: { mode }, value: roundTrips.failed })),
    },
    {
      name: "convene_database_queued",
      help: "Reads and writes that wait for a batch.",
      type: "gauge",
      samples: load.map(([mode, { queued }]) => ({ labels: { mode }, value: queued })),
    },
  ];
}

function ofProcess(): Family[] {
  const { rss, heapTotal } = Deno.memoryUsage();
  return [
    gauge("convene_build_info", "The release that runs.", 1, { version: VERSION }),
    gauge("process_resident_memory_bytes", "Memory of the process.", rss),
    gauge("process_heap_bytes", "Memory of its heap.", heapTotal),
    gauge(
      "process_start_time_seconds",
      "When the process began, by its machine.",
      performance.timeOrigin / 1_000,
    ),
  ];
}

function gauge(name: string, help: string, value: number, labels: Record<string, string> = {}): Family {
  return { name, help, type: "gauge", samples: [{ labels, value }] };
}
