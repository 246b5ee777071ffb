import { createDatabase } from "./db/database.ts";
import { connect } from "./db/open.ts";
import { createApp } from "./routes/app.ts";
import { createServices } from "./routes/services.ts";

const url = Deno.env.get("TURSO_DATABASE_URL") || "file:data/convene.db";
const authToken = Deno.env.get("TURSO_AUTH_TOKEN");
const poll = Number(Deno.env.get("WAIT_POLL_MS")) || undefined;

const database = createDatabase({ connect: () => connect(url, authToken) });
const services = createServices(database, { poll });
const app = createApp(services);

/** Answers all waits, so that the instance can end without cutting anybody. */
export const drain = () => services.watch.drain();

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, drain);

const handler = (request: Request) => app.fetch(request);

// `deno serve` and Deno Deploy take the object's `fetch`, Val Town the function itself.
export default Object.assign(handler, { fetch: handler }) satisfies Deno.ServeDefaultExport;
