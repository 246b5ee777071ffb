import { pause } from "./db/pause.ts";
import { createDatabase } from "./db/database.ts";
import { connect } from "./db/driver/open.ts";
import { createApp } from "./routes/app.ts";
import { endRequestsIn } from "./routes/http/deadline.ts";
import { HELD_FOR_MS, onEnd } from "./routes/process/ending.ts";
import { createServices } from "./routes/services.ts";
import { channelOf } from "./routes/process/channel.ts";
import { databaseOf, settingsOf } from "./routes/process/settings.ts";
import { starting } from "./routes/process/starting.ts";
import { createUnderWay } from "./routes/process/under_way.ts";

const env = (name: string) => Deno.env.get(name);
const { url, authToken, settings } = starting(() => ({
  url: databaseOf(env),
  authToken: env("TURSO_AUTH_TOKEN"),
  settings: settingsOf(env),
}));

export const database = createDatabase({ connect: () => connect(url, authToken) });
const services = createServices(database, { ...settings, channel: channelOf(url) });
const app = createApp(services);

/** Answers all waits now, and requests that the database holds in time, so that shutting down drops no request. */
export function drain(): Promise<void> {
  endRequestsIn(HELD_FOR_MS);
  return services.drain();
}

// `info` is optional: not every server tells where a request came from.
type Handler = (request: Request, info?: Partial<Deno.ServeHandlerInfo>) => Response | Promise<Response>;
let handler: Handler = (request, info) => app.fetch(request, info);

// start.ts shuts down its own server. The servers of `deno serve` and Deno Deploy cannot be awaited: their answers are
// counted until they are made, and have a moment more to be sent.
const FLUSH_MS = 100;
if (!Deno.mainModule.endsWith("/start.ts")) {
  const { counted, idle } = createUnderWay();
  handler = (request, info) => counted(() => app.fetch(request, info));
  onEnd(() => drain().then(idle).then(() => pause(FLUSH_MS)), database.close);
}

// `deno serve` and Deno Deploy call `fetch` of the object, Val Town calls the function.
export default Object.assign(handler, { fetch: handler }) satisfies Deno.ServeDefaultExport;
