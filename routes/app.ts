import { type Context, Hono, type Next } from "hono";
import { mountAgents } from "./agents.ts";
import { limitBody } from "./http/input/bodies.ts";
import { mountChanges } from "./changes.ts";
import { answeredInTime, lookedInTime } from "./http/deadline.ts";
import { errorResponse } from "./http/errors.ts";
import { mountEval } from "./eval.ts";
import { mountEvents } from "./events.ts";
import { baseHeaders } from "./http/headers.ts";
import { mountInvites } from "./invites.ts";
import { mountJoin } from "./join.ts";
import { mountMcp } from "./mcp.ts";
import { mountMetrics } from "./metrics.ts";
import { mountMessages } from "./messages/messages.ts";
import { mountTake } from "./messages/take.ts";
import { mountTasks } from "./messages/tasks.ts";
import { mountHealth } from "./health.ts";
import { answerAtPlainPath } from "./http/paths.ts";
import { createPreflight } from "./http/preflight.ts";
import { createRouter } from "./http/router.ts";
import { mountReading } from "./pages/reading.ts";
import { mountReservations } from "./reservations.ts";
import { mountRooms } from "./rooms.ts";
import type { Services } from "./services.ts";
import { mountState } from "./state/handlers.ts";
import { mountTokens } from "./tokens.ts";
import { mountWait } from "./wait.ts";

/** The service as a fetch handler. */
export function createApp(services: Services): Hono {
  const app = new Hono({ router: createRouter() });
  app.use(
    baseHeaders((c) => answerAtPlainPath(c, app.fetch), services.figures.answered, services.isEnding),
  );
  const preflight = createPreflight(app);
  // One middleware, since each costs a small read some 2 %.
  app.use((c, next) => {
    const taking = services.takeCredentials(c);
    return taking === undefined ? admit(c, next) : lookedInTime(taking, c).then(() => admit(c, next));
  });
  function admit(c: Context, next: Next): Promise<Response | void> {
    services.admit(c);
    if (c.req.method === "OPTIONS") return Promise.resolve(preflight(c));
    return services.fairUse.admit(c, () => limitBody(c, next));
  }
  mountWait(app, services);
  mountTake(app, services);
  mountReservations(app, services);
  mountMcp(app, services);
  app.use((c, next) => answeredInTime(services.database.working(next), c));
  mountRooms(app, services);
  mountAgents(app, services);
  mountMessages(app, services);
  mountTasks(app, services);
  mountState(app, services);
  mountTokens(app, services);
  mountInvites(app, services);
  mountJoin(app, services);
  mountEval(app, services);
  mountChanges(app, services);
  mountEvents(app, services);
  mountHealth(app, services);
  mountMetrics(app, services);
  mountReading(app, services);
  app.onError(errorResponse);
  return app;
}
