import { language } from "../../cel/rooms/expression.ts";
import { loadDriver } from "../../db/driver/open.ts";

/** Milliseconds after the start, so that preloading does not slow down the first request. */
const AFTER_MS = 1_000;

/**
 * Loads the modules that requests load on first use: Deno panics if it loads one while connections use every
 * descriptor. Ignores errors; the request that needs the module gets them. `database`: its URL.
 */
export function preloadSoon(database: string): void {
  setTimeout(() => preload(database).catch(() => {}), AFTER_MS);
}

async function preload(database: string): Promise<void> {
  language();
  await Promise.all([
    import("../http/input/schema_parts.ts"),
    import("../http/gzip.ts"),
    import("../pages/pages.ts"),
    import("../pages/join.ts"),
    import("../mcp/server.ts"),
    loadDriver(database),
  ]);
}
