import { type Context, Hono } from "hono";
import { raw } from "hono/html";
import { selectAnswered, selectNewest, selectWindow } from "../../db/snapshots/page_queries.ts";
import { Refusal } from "../../db/refusal.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { isBusy, mapYielding, runAsTask, yieldToOthers } from "../../db/yield.ts";
import { frontPage } from "../../views/front/front_page.tsx";
import { type Markup, page } from "../../views/shared/layout.tsx";
import type { RoomView } from "../../views/model.ts";
import { Agent, AGENTS_SHOWN } from "../../views/panels/agents/agents.tsx";
import { Message } from "../../views/panels/messages/messages.tsx";
import { Entry, Scope } from "../../views/panels/state/state.tsx";
import { Timeline } from "../../views/panels/timeline/timeline.tsx";
import { type Drawn, roomPage, unknownRoomPage } from "../../views/room/room_page.tsx";
import { ASSETS, mountAssets, sendPage } from "./assets.ts";
import { evaluationOf } from "./console.ts";
import { GUIDE, mountDocs } from "./docs.ts";
import { createDocuments, type Documents } from "./documents.ts";
import { errorResponse, RequestError } from "../http/errors.ts";
import { withLength } from "../http/headers.ts";
import { existingId } from "../http/ids.ts";
import { textOf } from "../http/large_bodies.ts";
import { mountLive } from "./live.ts";
import { document } from "../http/methods.ts";
import { nearPath, pathOf, templatesOf } from "../http/paths.ts";
import { queryText } from "../http/input/queries.ts";
import { loadLive, messageViews, scopesOf } from "./room_view.ts";
import type { Services } from "../services.ts";
import { createWaitLog, type WaitLog } from "./wait_log.ts";

/** What a page shows at first; more is loaded when it is asked for. */
export const SHOWN = { messages: 100, keys: 100, keysInAll: 1_000 } as const;

/** All that there is to be read, as an app behind the API, `api`: its pages, the guide, the documents. */
export function createPages(services: Services, api: Hono): Hono {
  const app = new Hono();
  app.use(withLength);
  const documents = createDocuments(services);
  mountPages(app, services, documents);
  mountDocs(app, documents);
  const known = [...templatesOf(api), ...templatesOf(app)];
  app.all("*", (c) => {
    throw new RequestError("not_found", "There is nothing at this path.", {
      hint: nearPath(pathOf(c), c.req.method, known) ?? "GET / explains the API.",
    });
  });
  app.onError(errorResponse);
  return app;
}

function mountPages(app: Hono, services: Services, documents: Documents): void {
  const log = createWaitLog();
  mountAssets(app);
  mountLive(app, services, log);

  document(app, "/", {
    async GET(c) {
      const room = queryText(c, "room");
      if (room !== undefined) return await runAsTask(() => sendRoom(c, services, log, room));
      if (documents.typeFor(c) !== "text/html") return await documents.sendText(c, GUIDE);
      const front = (address: string) => page(frontPage(address, ASSETS, services.source));
      return await documents.send(c, "front", "text/html", front);
    },
  }, ["room", "expr", "agent"]);
}

async function sendRoom(c: Context, services: Services, log: WaitLog, id: string): Promise<Response> {
  try {
    const room = await loadRoom(services, log, existingId(id), services.addressOf(c));
    const expr = queryText(c, "expr");
    const evaluation = expr
      ? await evaluationOf(services, room.id, expr, c.req.url, queryText(c, "agent"))
      : undefined;
    const drawn = await draw(room);
    if (isBusy()) await yieldToOthers();
    return await sendPage(c, page(roomPage({ ...room, evaluation }, drawn, ASSETS)));
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "room_not_found")) throw error;
    return await sendPage(c, page(unknownRoomPage(id, services.addressOf(c), ASSETS)), false);
  }
}

async function loadRoom(services: Services, log: WaitLog, id: string, address: string): Promise<RoomView> {
  const live = await loadLive(services, log, id, [
    selectNewest(id, SHOWN.messages),
    selectWindow(id, { max: SHOWN.keys, limit: SHOWN.keysInAll }),
    selectAnswered(id, { newest: SHOWN.messages }),
  ]);
  const [messages, entries, answered] = live.extra;
  const shown = await messageViews(messages!.reverse());
  const scopes = (await scopesOf(entries!)).filter(({ scope }) => scope !== VIEW_SCOPE);
  const views = { scope: VIEW_SCOPE, entries: live.views, total: live.views.length };
  return {
    ...live,
    id,
    address,
    messages: shown,
    answered: await messageViews(answered!),
    older: live.counts.count - shown.length,
    scopes: [...scopes, ...(views.total > 0 ? [views] : [])].sort(byScope),
  };
}

/** Draws what there may be much of, and lets other requests run in between. */
async function draw({ id, now, agents, messages, answered, scopes, timeline }: RoomView): Promise<Drawn> {
  const room = id;
  return {
    agents: await drawEach(agents.slice(0, AGENTS_SHOWN), (agent) => Agent({ agent, now })),
    messages: await drawEach(messages, (message) => Message({ message, now, room, known: answered })),
    scopes: await Promise.all(scopes.map(async (scope) => {
      const entries = await drawEach(scope.entries, (entry) => Entry({ entry, now, room }));
      if (isBusy()) await yieldToOthers();
      return drawn(Scope({ scope, drawn: entries }));
    })),
    timeline: (await drawEach([timeline], (view) => Timeline({ view, now })))[0]!,
  };
}

function drawEach<T>(items: T[], view: (item: T) => Markup): Promise<Markup[]> {
  return mapYielding(items, (item) => drawn(view(item)));
}

function drawn(markup: Markup): Markup {
  return raw(textOf(markup));
}

/** Shared things first, then computed ones, then those of agents. */
function byScope(a: { scope: string }, b: { scope: string }): number {
  const rank = (scope: string) => scope.startsWith("_") ? 0 : 1;
  return rank(a.scope) - rank(b.scope) || (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0);
}
