import type { Query } from "../../db/consistent_read/read.ts";
import type { Row } from "../../db/driver/statement.ts";
import type { Changes } from "../../db/snapshots/changes.ts";
import {
  selectAnswered,
  selectNeeded,
  selectNewest,
  selectRecent,
  selectReserved,
  selectViews,
  selectWindow,
} from "../../db/snapshots/page_queries.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import type { Viewer } from "../../db/viewer.ts";
import { mapYielding } from "../../db/yield.ts";
import type { Access, RoomLook } from "../../views/panels/panel.ts";
import type { LiveRoom, RoomUpdate, RoomView } from "../../views/panels/panels.ts";
import { RESERVATIONS_SHOWN } from "../../views/panels/reservations/reservations.tsx";
import { EVENTS_SHOWN, type TimelineWait } from "../../views/panels/timeline/timeline_layout.ts";
import { type computeViews, viewEntries, withComputed } from "./computed_views.ts";
import { entryView, messageView, messageViews, needView, reservationView, scopesOf } from "./shown.ts";
import { eventsOf } from "./timeline_events.ts";

/** How each member of a view is made: of the rows of its queries, one argument a query, and of what else is `Known`. */
export type Data<View, Known> = {
  [Member in keyof View]: {
    query?(room: string, viewer: Viewer): Query[];
    toView(known: Known, ...rows: Row[][]): View[Member] | Promise<View[Member]>;
  };
};

/** What `LIVE` may use beside its rows, all of one revision. */
interface Loaded {
  look: RoomLook;
  /** The views' values. */
  computed: Awaited<ReturnType<typeof computeViews>>;
  /** Those in progress, and past ones as far as they were seen. */
  waits: TimelineWait[];
}

/** Items that a page shows at first; the reader may load more. */
const SHOWN = { messages: 100, keys: 100, keysInAll: 1_000 } as const;

/** What any change may affect, and time too: read for the page, and again with every change and beat. */
export const LIVE: Data<Omit<LiveRoom, keyof RoomLook>, Loaded> = {
  views: {
    query: (room) => [selectViews(room)],
    toView: ({ computed }, rows) => viewEntries(rows, computed),
  },
  reservations: {
    query: (room) => selectReserved(room, RESERVATIONS_SHOWN),
    toView: (_, rows, counts) => ({ shown: rows.map(reservationView), total: Number(counts[0]!.count) }),
  },
  timeline: {
    query: (room, viewer) => selectRecent(viewer, room, EVENTS_SHOWN),
    toView: ({ look, waits }, writes, messages) => ({
      lanes: look.agents.map(({ id }) => id),
      events: eventsOf(writes, messages),
      waits,
    }),
  },
};

/** What the page shows at first. */
export const FIRST: Data<Omit<RoomView, keyof LiveRoom | keyof Access | "address" | "evaluation">, LiveRoom> =
  {
    messages: {
      query: (room) => [selectNewest(room, SHOWN.messages)],
      toView: (_, rows) => messageViews(rows.reverse()),
    },
    answered: {
      query: (room) => [selectAnswered(room, { newest: SHOWN.messages })],
      toView: (_, rows) => messageViews(rows),
    },
    needed: {
      query: (room) => selectNeeded(room, { newest: SHOWN.messages }),
      toView: (_, rows) => rows.map(needView),
    },
    scopes: {
      query: (room, viewer) => [selectWindow(viewer, room, { max: SHOWN.keys, limit: SHOWN.keysInAll })],
      toView: async ({ views }, rows) => withComputed(await scopesOf(rows), views),
    },
  };

/** What changes tell; a beat brings none. */
export function changed(
  { agents = [], messages = [], state = [], reservations = [] }: Partial<Changes> = {},
): Data<Omit<RoomUpdate, keyof LiveRoom>, LiveRoom> {
  const entries = state.flatMap((entry) => "deleted" in entry || entry.scope === VIEW_SCOPE ? [] : [entry]);
  return {
    messages: { toView: () => mapYielding(messages, messageView) },
    answered: {
      query: (room) => [selectAnswered(room, messages)],
      toView: (_, rows) => messageViews(rows),
    },
    needed: {
      query: (room) => selectNeeded(room, messages),
      toView: (_, rows = []) => rows.map(needView),
    },
    entries: { toView: () => mapYielding(entries, entryView) },
    left: { toView: ({ agents: present }) => leftOf(agents, present) },
    ended: { toView: () => reservations.flatMap((one) => "ended" in one ? [one.id] : []) },
    gone: { toView: () => state.filter((entry) => "deleted" in entry) },
  };
}

/** Those of the changed agents that left and are not back. */
function leftOf(changed: Changes["agents"], present: Array<{ id: string }>): string[] {
  const there = new Set(present.map(({ id }) => id));
  return changed.flatMap((agent) => "left" in agent && !there.has(agent.id) ? [agent.id] : []);
}
