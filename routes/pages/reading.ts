import type { Hono } from "hono";
import type { Services } from "../services.ts";

/**
 * Passes what the API does not answer to the pages and documents. They are loaded with the first such request: an
 * instance that is started by an agent's call answers it sooner.
 */
export function mountReading(app: Hono, services: Services): void {
  const load = () => import("./pages.ts").then(({ createPages }) => createPages(services, app));
  let loading: ReturnType<typeof load> | undefined;

  app.all("*", async (c) => {
    const { raw } = c.req;
    void raw.signal; // before anything is awaited: a client that leaves earlier would be missed
    const pages = await (loading ??= load());
    return await pages.fetch(raw, c.env);
  });
}
