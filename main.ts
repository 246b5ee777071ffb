import { createDatabase } from "./db/database.ts";
import { connect } from "./db/open.ts";
import { createApp } from "./routes/app.ts";
import { onEnd } from "./routes/ending.ts";
import { createServices } from "./routes/services.ts";

const url = Deno.env.get("TURSO_DATABASE_URL") || "file:data/convene.db";
const authToken = Deno.env.get("TURSO_AUTH_TOKEN");
const poll = Number(Deno.env.get("WAIT_POLL_MS")) || undefined;

export const database = createDatabase({ connect: () => connect(url, authToken) });
const services = createServices(database, { poll });
const app = createApp(services);

/** Answers all waits, so that the instance can end without cutting anybody. */
export const drain = (): Promise<void> => services.watch.drain();

// start.ts has a server of its own to shut down; `deno serve` and Deno Deploy have theirs, which we cannot await.
const FLUSH_MS = 100;
if (!Deno.mainModule.endsWith("/start.ts")) {
  onEnd(() => drain().then(() => new Promise((resolve) => setTimeout(resolve, FLUSH_MS))));
}

const handler = (request: Request): Response | Promise<Response> => app.fetch(request);

// `deno serve` and Deno Deploy take the object's `fetch`, Val Town the function itself.
export default Object.assign(handler, { fetch: handler }) satisfies Deno.ServeDefaultExport;
