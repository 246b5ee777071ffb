import { type Context, Hono, type Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { DatabaseUnavailable } from "../db/faults.ts";
import { mountAgents } from "./agents.ts";
import { errorResponse, RequestError, tooLarge } from "./errors.ts";
import { mountEval } from "./eval.ts";
import { LIMITS } from "./limits.ts";
import { mountMessages } from "./messages.ts";
import { mountPages } from "./pages.ts";
import { mountRooms } from "./rooms.ts";
import type { Services } from "./services.ts";
import { mountState } from "./state.ts";
import { mountWait } from "./wait.ts";

const EXPOSED = ["Convene-Revision", "Link", "Allow", "Retry-After"];

/** The service as a fetch handler. */
export function createApp(services: Services): Hono {
  const app = new Hono();
  app.use(cors({ origin: "*", exposeHeaders: EXPOSED, maxAge: 86_400 }));
  app.use(neverStored);
  app.use(bodyLimit({
    maxSize: LIMITS.bodyBytes,
    onError: () => {
      throw tooLarge("The body", LIMITS.bodyBytes);
    },
  }));
  mountWait(app, services);
  app.use(answeredInTime);
  mountRooms(app, services);
  mountAgents(app, services);
  mountMessages(app, services);
  mountState(app, services);
  mountEval(app, services);
  mountPages(app, services);
  app.notFound(() => {
    throw new RequestError("not_found", "There is nothing at this path.", {
      hint: "GET / explains the API.",
    });
  });
  app.onError(errorResponse);
  return app;
}

/** No cache may keep what is true only now. A page sets its own rule. */
async function neverStored(c: Context, next: Next) {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
}

/** Every request ends, whatever the database does; a wait has a deadline of its own. */
async function answeredInTime(_c: Context, next: Next) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseUnavailable("The request took too long.", true)),
      LIMITS.requestMs,
    );
  });
  try {
    await Promise.race([next(), late]);
  } finally {
    clearTimeout(timer);
  }
}
