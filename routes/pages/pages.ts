import { type Context, Hono } from "hono";
import { raw } from "hono/html";
import { isLocked } from "../../db/access/locked.ts";
import { knownFacts } from "../../db/access/token.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { isRefusal } from "../../db/refusal.ts";
import { isBusy, mapYielding, runAsTask, yieldToOthers } from "../../db/yield.ts";
import { ERRORS } from "../../errors.ts";
import { frontPage } from "../../views/front/front_page.tsx";
import { type Markup, page } from "../../views/shared/layout.tsx";
import { roomPage, unavailablePage, unknownRoomPage } from "../../views/room/room_page.tsx";
import { ASSETS, mountAssets } from "./assets.ts";
import { evaluationOf } from "./console.ts";
import { GUIDE, mountDocs } from "./docs.ts";
import { createDocuments, type Documents } from "./documents.ts";
import { asksForPage } from "../http/callers/browsers.ts";
import { storedRoom } from "../http/callers/credentials.ts";
import { errorResponse, RequestError } from "../http/errors.ts";
import { withLength } from "../http/headers.ts";
import { LIMITS } from "../http/limits.ts";
import { textOf } from "../http/large_bodies.ts";
import { mountLive } from "./live.ts";
import { document } from "../http/methods.ts";
import { nearPath, pathOf, templatesOf } from "../http/paths.ts";
import { queryOf } from "../http/input/queries.ts";
import { queryNames } from "../openapi/operation.ts";
import { FRONT } from "./guide.ts";
import { sendPieces, textTypeFor } from "./headers.ts";
import { FIRST } from "./panel_data.ts";
import { loadRoom } from "./room_view.ts";
import type { Services } from "../services.ts";
import { createWaitLog, type WaitLog } from "./wait_log.ts";

/** Where clients look for a server of tokens, even those that show one: a plain 404 tells them that there is none. */
const OAUTH = /^\/\.well-known\/(?:oauth|openid)-/;
const NO_OAUTH = "There is no OAuth here: a token of a room comes as Authorization: Bearer <token>.";

/** Seconds after which a page that could not be drawn asks again. */
const AGAIN_SECONDS = 5;

/** Makes the app of pages, guide and documents, which answers what `api` does not. */
export function createPages(services: Services, api: Hono): Hono {
  const app = new Hono();
  app.use(withLength);
  app.use(async (c, next) => {
    await services.takeCredentials(c);
    await next();
  });
  const documents = createDocuments(services);
  mountPages(app, services, documents);
  mountDocs(app, documents);
  const known = [...templatesOf(api), ...templatesOf(app)];
  app.all("*", (c) => {
    throw new RequestError("not_found", "There is nothing at this path.", {
      hint: OAUTH.test(pathOf(c))
        ? NO_OAUTH
        : nearPath(pathOf(c), c.req.method, known) ?? "GET / explains the API.",
    });
  });
  app.onError(errorResponse);
  return app;
}

function mountPages(app: Hono, services: Services, documents: Documents): void {
  const log = createWaitLog();
  const locked = !services.rules.openRooms;
  mountAssets(app);
  mountLive(app, services, log);

  document(app, "/", {
    async GET(c) {
      const { room } = queryOf(c);
      if (room !== undefined) return await runAsTask(() => sendRoom(c, services, log, room));
      if (textTypeFor(c) !== "text/html") return await documents.sendText(c, GUIDE);
      const front = (address: string) => page(frontPage(address, ASSETS, locked, services.source));
      return await documents.send(c, "front", "text/html", front);
    },
  }, queryNames(FRONT.operations["/"].get));
}

async function sendRoom(c: Context, services: Services, log: WaitLog, id: string): Promise<Response> {
  try {
    const [viewer, stored] = [services.viewerOf(c), storedRoom(c, id)];
    const room = await loadRoom(services, log, viewer, stored, FIRST);
    const { expr, agent } = queryOf(c);
    const evaluation = expr ? await evaluationOf(c, services, stored, expr, agent) : undefined;
    const access = { locked: isLocked(stored), you: knownFacts(viewer) };
    const shown = { ...room, ...access, address: services.addressOf(c), evaluation };
    const markup = await roomPage(shown, ASSETS, drawEach);
    if (isBusy()) await yieldToOthers();
    return await sendPieces(c, [page(markup)]);
  } catch (error) {
    const isAway = error instanceof DatabaseUnavailable || isRefusal(error, "unavailable");
    if (isAway && asksForPage(c.req)) return await sendUnavailable(c, id);
    if (!isRefusal(error, "room_not_found")) throw error;
    return await sendPieces(c, [
      page(unknownRoomPage(id, services.addressOf(c), ASSETS, !services.rules.openRooms)),
    ], 404);
  }
}

/** Sends whoever opens the page in a browser one that asks again, rather than JSON. */
function sendUnavailable(c: Context, id: string): Promise<Response> {
  c.header("Retry-After", String(LIMITS.retryAfterSeconds));
  // Without the address, or with a fragment of it, a browser would stay on this page.
  c.header("Refresh", `${AGAIN_SECONDS}; url=/${new URL(c.req.url).search}`);
  return sendPieces(c, [page(unavailablePage(id, ASSETS, AGAIN_SECONDS))], ERRORS.unavailable.status);
}

/** Draws a list's items, yielding in between. */
function drawEach<Item>(items: Item[], draw: (item: Item) => Markup): Promise<Markup[]> {
  return mapYielding(items, (item) => raw(textOf(draw(item))));
}
