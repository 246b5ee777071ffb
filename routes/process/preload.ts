import { language } from "../../cel/language/expression.ts";
import { loadDriver } from "../../db/driver/open.ts";

/** Milliseconds after the start: the first request does not share the processor with what later ones need. */
const AFTER_MS = 1_000;

/**
 * Loads, a moment after the start, what requests load when they first need it. Deno panics where a module is first
 * loaded while connections have taken every descriptor. A failure is left to the request that needs the module.
 * `database` is its address.
 */
export function preloadSoon(database: string): void {
  setTimeout(() => preload(database).catch(() => {}), AFTER_MS);
}

async function preload(database: string): Promise<void> {
  language();
  await Promise.all([
    import("../http/input/schema_parts.ts"),
    import("../pages/pages.ts"),
    import("../mcp/server.ts"),
    loadDriver(database),
  ]);
}
