import { Hono } from "hono";
import { mountAgents } from "./agents.ts";
import { limitBody } from "./bodies.ts";
import { mountChanges } from "./changes.ts";
import { answeredInTime } from "./deadline.ts";
import { errorResponse } from "./errors.ts";
import { mountEval } from "./eval.ts";
import { mountEvents } from "./events.ts";
import { baseHeaders } from "./headers.ts";
import { mountMcp } from "./mcp.ts";
import { mountMessages } from "./messages.ts";
import { mountHealth } from "./health.ts";
import { answerAtPlainPath } from "./paths.ts";
import { createPreflight } from "./preflight.ts";
import { mountReading } from "./reading.ts";
import { mountRooms } from "./rooms.ts";
import type { Services } from "./services.ts";
import { mountState } from "./state.ts";
import { mountWait } from "./wait.ts";

/** The service as a fetch handler. */
export function createApp(services: Services): Hono {
  const app = new Hono();
  app.use(baseHeaders((c) => answerAtPlainPath(c, app.fetch)));
  app.use(services.admit);
  app.on("OPTIONS", "*", createPreflight(app));
  app.use(services.fairUse.admit);
  app.use(limitBody);
  mountWait(app, services);
  mountMcp(app);
  app.use((_, next) => answeredInTime(services.database.working(next)));
  mountRooms(app, services);
  mountAgents(app, services);
  mountMessages(app, services);
  mountState(app, services);
  mountEval(app, services);
  mountChanges(app, services);
  mountEvents(app, services);
  mountHealth(app, services);
  mountReading(app, services);
  app.onError(errorResponse);
  return app;
}
