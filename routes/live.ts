import type { Hono } from "hono";
import { NOTHING } from "../cel/definitions.ts";
import type { Follower } from "../cel/follow.ts";
import type { Changes } from "../db/changes.ts";
import { selectAnswered, selectOlder, selectWindow } from "../db/overview.ts";
import { VIEW_SCOPE } from "../db/state.ts";
import { mapInTurns } from "../db/turn.ts";
import { type Fragment, fragmentsOf } from "../views/room/fragments.tsx";
import { Evaluation } from "../views/room/console.tsx";
import { Message } from "../views/room/messages.tsx";
import { Entry } from "../views/room/state.tsx";
import { evaluationOf } from "./console.ts";
import { follow } from "./events.ts";
import { LIMITS } from "./limits.ts";
import { refuseMethod, resource } from "./methods.ts";
import { addressOf } from "./address.ts";
import { queryNumber, queryText } from "./queries.ts";
import { roomOf } from "./requests.ts";
import { entryView, loadLive, messageView, messageViews, scopesOf } from "./room_view.ts";
import type { Services } from "./services.ts";
import { event, streamOf } from "./stream.ts";
import type { WaitLog } from "./wait_log.ts";

const OLDER = 100;
const KEYS = 200;
/** Milliseconds between two updates of a page at the least: quick changes come as one. */
const PACE_MS = 100;

/** What the page of a room asks for once it is there: its pieces, drawn by the same views. */
export function mountLive(app: Hono, services: Services, log: WaitLog): void {
  const { database, reader } = services;
  const drawn = new WeakMap<Changes, Promise<Fragment[]>>();

  async function draw(room: string, changes?: Changes): Promise<Fragment[]> {
    const messages = changes?.messages ?? [];
    const live = await loadLive(services, log, room, [selectAnswered(room, messages)]);
    const state = (changes?.state ?? []).filter(({ scope }) => scope !== VIEW_SCOPE);
    return fragmentsOf(room, live, {
      messages: await mapInTurns(messages, messageView),
      answered: await messageViews(live.extra[0]!),
      entries: state.flatMap((entry) => "deleted" in entry ? [] : [entryView(entry)]),
      gone: (changes?.state ?? []).filter((entry) => "deleted" in entry),
    });
  }

  /** Those who look at one room at the same time are drawn for once. */
  function drawnFor(room: string, changes: Changes): Promise<Fragment[]> {
    const known = drawn.get(changes) ?? draw(room, changes);
    drawn.set(changes, known);
    return known;
  }

  resource(app, "/rooms/:room/live", {
    async GET(c) {
      if (c.req.raw.method === "HEAD") refuseMethod(c, ["GET", "OPTIONS"]);
      const room = roomOf(c);
      const { follower, left } = await follow(c, services);
      const news = createNews(follower);
      let next = 0;
      return streamOf(c, follower, {
        left,
        async changed(changes) {
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
          next = performance.now() + PACE_MS;
          return news(await drawnFor(room, changes), changes.revision);
        },
        // Signs of life and the ends of leases move no revision: they are looked for.
        beat: async () => news(await draw(room), follower.revision),
      });
    },
  }, { GET: ["after"] });

  resource(app, "/rooms/:room/live/messages", {
    async GET(c) {
      const room = roomOf(c);
      const before = queryNumber(c, "before") ?? Number.MAX_SAFE_INTEGER;
      const limit = Math.min(queryNumber(c, "limit", 1) ?? OLDER, LIMITS.listLength);
      const { snapshot } = await reader.load(room, NOTHING, selectOlder(room, before, limit));
      const [rows, counts] = snapshot.extra;
      const messages = await messageViews(rows!.reverse());
      const [answered] = (await reader.load(room, NOTHING, [selectAnswered(room, messages)])).snapshot.extra;
      const known = await messageViews(answered!);
      const now = database.now();
      c.header("Convene-Older", String(Number(counts![0]!.count) - messages.length));
      return c.html(messages.map((message) => Message({ message, now, room, known })).join(""));
    },
  }, { GET: ["before", "limit"] });

  resource(app, "/rooms/:room/live/entries", {
    async GET(c) {
      const room = roomOf(c);
      const from = queryNumber(c, "from") ?? 0;
      const window = selectWindow(room, {
        scope: queryText(c, "scope") ?? "",
        from,
        most: KEYS,
        limit: KEYS,
      });
      const { snapshot } = await reader.load(room, NOTHING, [window]);
      const [scope] = scopesOf(snapshot.extra[0]!);
      const entries = scope?.entries ?? [];
      const now = database.now();
      c.header("Convene-Older", String(Math.max(0, (scope?.total ?? 0) - from - entries.length)));
      return c.html(entries.map((entry) => Entry({ entry, room, now })).join(""));
    },
  }, { GET: ["scope", "from"] });

  resource(app, "/rooms/:room/live/evaluation", {
    async GET(c) {
      const room = roomOf(c);
      const expr = queryText(c, "expr") ?? "";
      const evaluation = await evaluationOf(services, room, expr, queryText(c, "agent"));
      return c.html(String(Evaluation({ evaluation, address: addressOf(c), room })));
    },
  }, { GET: ["expr", "agent"] });
}

/** Says of what is drawn only what is new to this reader; times tick by themselves. */
function createNews(follower: Follower) {
  const said = new Map<string, string>();
  return function news(fragments: Fragment[], revision: number): string {
    const fresh = fragments.filter(({ id, html, once }) => {
      if (once) return true;
      const lasting = html.replaceAll(/(<time[^>]*>)[^<]*/g, "$1");
      if (said.get(id) === lasting) return false;
      said.set(id, lasting);
      return true;
    });
    const html = fresh.map((fragment) => fragment.html).join("\n");
    return event(Math.max(revision, follower.revision), html, "room");
  };
}
