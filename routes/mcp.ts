import type { Hono } from "hono";
import { arrivesInTime } from "./bodies.ts";
import { resource } from "./methods.ts";

/**
 * The Model Context Protocol over streamable HTTP, without sessions, on `POST /mcp`. Its tools call the API of this
 * same app. The protocol's library is loaded with the first request, since few instances are ever asked.
 */
export function mountMcp(app: Hono): void {
  const loading = () =>
    import("./mcp/server.ts").then(({ createHandler }) =>
      createHandler((request, env) => Promise.resolve(app.fetch(request, env)))
    );
  let handler: ReturnType<typeof loading> | undefined;

  resource(app, "/mcp", {
    async POST(c) {
      handler ??= loading();
      const { signal } = c.req.raw; // before anything is awaited: a client that leaves earlier would be missed
      const body = await arrivesInTime(c.req.arrayBuffer());
      const { answer } = await handler;
      return await answer(new Request(c.req.raw, { body, signal }), c.env);
    },
  });
}
