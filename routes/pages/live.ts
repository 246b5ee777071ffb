import { shownRoom } from "../../db/access/locked.ts";
import { pause } from "../../db/pause.ts";
import type { Hono } from "hono";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import type { Changes } from "../../db/snapshots/changes.ts";
import { selectAnswered, selectNeeded, selectOlder, selectWindow } from "../../db/snapshots/page_queries.ts";
import type { Viewer } from "../../db/viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../db/yield.ts";
import { Evaluation } from "../../views/panels/console/console.tsx";
import { Message, type MessageView } from "../../views/panels/messages/message.tsx";
import { Entry } from "../../views/panels/state/state.tsx";
import { fragmentsOf } from "../../views/room/room_page.tsx";
import { sendPieces } from "./headers.ts";
import { evaluationOf } from "./console.ts";
import { createDrawings } from "./drawings.ts";
import { follow } from "../events.ts";
import { textOf } from "../http/large_bodies.ts";
import { LIMITS } from "../http/limits.ts";
import { large, resource } from "../http/methods.ts";
import { queryNumber, queryOf } from "../http/input/queries.ts";
import { roomOf } from "../http/requests.ts";
import { changed } from "./panel_data.ts";
import { loadRoom } from "./room_view.ts";
import { messageViews, needView, scopesOf } from "./shown.ts";
import type { Services } from "../services.ts";
import { event, type Script, streamOf } from "../http/stream.ts";
import type { WaitLog } from "./wait_log.ts";

const OLDER = 100;
const KEYS = 200;
/** Minimum milliseconds between two updates of a page, which combine the changes in between. */
const PACE_MS = 100;
const RESET = event(0, "reset", "reset");

/** Mounts what a room's page requests after loading: fragments, drawn by the page's own views. */
export function mountLive(app: Hono, services: Services, log: WaitLog): void {
  const { reader, viewerOf } = services;
  const drawings = createDrawings(async (viewer: Viewer, room: string, changes?: Changes) =>
    fragmentsOf(await loadRoom(services, log, viewer, room, changed(changes)))
  );

  resource(app, "/rooms/:room/live", {
    async GET(c) {
      const room = roomOf(c);
      const { follower, left, sending } = await follow(c, services);
      const page = drawings.open(viewerOf(c), room);
      let next = 0;
      const script: Script = {
        left() {
          page.close();
          left();
        },
        async pace() {
          await pause(Math.max(0, next - performance.now()));
          next = performance.now() + PACE_MS;
        },
        // Makes the page reload, since its room may have been another one.
        changed: (changes) => changes.reset ? RESET : page.changed(changes),
        // Heartbeats move no revision: a beat looks for them.
        beat: () => page.beat(follower.revision),
      };
      return streamOf(c, follower, script, sending);
    },
  }, { GET: ["after"] });

  resource(app, "/rooms/:room/live/messages", {
    GET: large(async (c) => {
      const [viewer, room] = [viewerOf(c), roomOf(c)];
      const before = queryNumber(c, "before") ?? Number.MAX_SAFE_INTEGER;
      const limit = Math.min(queryNumber(c, "limit", 1) ?? OLDER, LIMITS.listLength);
      const { snapshot } = await reader.load(viewer, room, NOTHING, selectOlder(room, before, limit));
      const [rows, counts] = snapshot.extra;
      const messages = await messageViews(rows!.reverse());
      const further = [selectAnswered(room, messages), ...selectNeeded(room, messages)];
      const [answered, needed = []] = (await reader.load(viewer, room, NOTHING, further)).snapshot.extra;
      const known = { answered: await messageViews(answered!), needed: needed.map(needView) };
      const { now } = snapshot;
      c.header("Convene-Older", String(Number(counts![0]!.count) - messages.length));
      const draw = (message: MessageView) => textOf(Message({ message, now, room: shownRoom(room), known }));
      return await sendPieces(c, await mapYielding(messages, draw));
    }),
  }, { GET: ["before", "limit"] });

  resource(app, "/rooms/:room/live/entries", {
    GET: large(async (c) => {
      const [viewer, room] = [viewerOf(c), roomOf(c)];
      const from = queryNumber(c, "from") ?? 0;
      const window = selectWindow(viewer, room, {
        scope: queryOf(c).scope ?? "",
        from,
        max: KEYS,
        limit: KEYS,
      });
      const { snapshot } = await reader.load(viewer, room, NOTHING, [window]);
      const [scope] = await scopesOf(snapshot.extra[0]!);
      const entries = scope?.entries ?? [];
      const { now } = snapshot;
      c.header("Convene-Older", String(Math.max(0, (scope?.total ?? 0) - from - entries.length)));
      return await sendPieces(
        c,
        await mapYielding(entries, (entry) => textOf(Entry({ entry, room: shownRoom(room), now }))),
      );
    }),
  }, { GET: ["scope", "from"] });

  resource(app, "/rooms/:room/live/evaluation", {
    async GET(c) {
      const room = roomOf(c);
      const { expr = "", agent } = queryOf(c);
      const evaluation = await evaluationOf(c, services, room, expr, agent);
      if (isBusy()) await yieldToOthers();
      const drawn = Evaluation({
        evaluation,
        address: services.addressOf(c),
        room: shownRoom(room),
        needsToken: viewerOf(c).token !== undefined,
      });
      return await sendPieces(c, [String(drawn)]);
    },
  }, { GET: ["expr", "agent"] });
}
