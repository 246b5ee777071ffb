import type { Hono } from "hono";
import type { Services } from "../services.ts";

/**
 * Passes what the API does not answer to the pages and documents. Loads them with the first such request, so that an
 * instance started by an agent's call answers sooner.
 */
export function mountReading(app: Hono, services: Services): void {
  const load = () => import("./pages.ts").then(({ createPages }) => createPages(services, app));
  let loading: ReturnType<typeof load> | undefined;

  app.all("*", async (c) => {
    const { raw } = c.req;
    void raw.signal; // before any await, else the runtime misses a client that leaves meanwhile
    const pages = await (loading ??= load());
    return await pages.fetch(raw, c.env);
  });
}
