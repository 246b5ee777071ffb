import type { Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { createContext } from "../cel/context.ts";
import { NOTHING } from "../cel/definitions.ts";
import { selectMessages, toMessage } from "../db/messages.ts";
import { present, type Status } from "../db/presence.ts";
import { Refusal } from "../db/refusal.ts";
import { ping } from "../db/rooms.ts";
import { selectEntries, toEntry } from "../db/state.ts";
import guide from "../views/guide.md" with { type: "text" };
import { guidePage } from "../views/guide_page.ts";
import { roomPage, unknownRoomPage } from "../views/room_page.ts";
import { existingId } from "./ids.ts";
import { resource } from "./methods.ts";
import type { Services } from "./services.ts";

const MESSAGES_SHOWN = 100;

export function mountPages(app: Hono, { database, reader }: Services): void {
  async function room(c: Context, id: string): Promise<Response> {
    const wanted = {
      ...NOTHING,
      state: { scopes: ["_view"], keys: [] },
      agents: "all" as const,
      messages: true,
    };
    const extra = [selectMessages(id, { newest: true, limit: MESSAGES_SHOWN }), selectEntries(id, {})];
    const data = await reader.load(id, wanted, extra);
    const { snapshot } = data;
    const context = createContext(data, database.now());
    return c.html(roomPage({
      id,
      revision: snapshot.revisions.revision,
      counts: snapshot.counts,
      agents: snapshot.agents.map((agent) => ({
        ...agent,
        ...present(agent.id, agent.status as Status, snapshot.waits),
      })),
      messages: snapshot.extra[0]!.slice(0, MESSAGES_SHOWN).map(toMessage),
      entries: snapshot.extra[1]!.map(toEntry),
      views: await context.views(data.definitions.keys()),
      now: database.now(),
    }));
  }

  resource(app, "/", {
    async GET(c) {
      const id = c.req.query("room");
      if (id !== undefined) {
        return await room(c, existingId(id)).catch((error) => {
          if (error instanceof Refusal && error.code === "room_not_found") {
            return c.html(unknownRoomPage(id, addressOf(c)), 404);
          }
          throw error;
        });
      }
      c.header("Vary", "Accept");
      const type = accepts(c, {
        header: "Accept",
        supports: ["text/markdown", "text/plain", "text/html"],
        default: "text/markdown",
      });
      const text = guide.replaceAll("$CONVENE", addressOf(c));
      if (type === "text/html") return c.html(guidePage(text));
      return c.text(text, 200, { "Content-Type": `${type}; charset=utf-8` });
    },
  });

  resource(app, "/healthz", {
    async GET(c) {
      await ping(database);
      return c.json({ ok: true });
    },
  });
}

/** Where the caller reached the service; a proxy in front of it says whether that was by TLS. */
function addressOf(c: Context): string {
  const { protocol, host } = new URL(c.req.url);
  return `${c.req.header("X-Forwarded-Proto") === "https" ? "https:" : protocol}//${host}`;
}
