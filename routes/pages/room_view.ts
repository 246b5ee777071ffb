import { createContext, type RoomContext } from "../../cel/rooms/context.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import { compile, EvaluationFailed } from "../../cel/language/expression.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import type { Reads } from "../../cel/language/dependencies.ts";
import { selectLiving } from "../../db/state/living.ts";
import { type Message, toHead } from "../../db/messages/read.ts";
import {
  selectAnswered,
  selectHeads,
  selectNewest,
  selectRecent,
  selectWindow,
  toCut,
} from "../../db/snapshots/page_queries.ts";
import { newestWaitsOf, toNewest } from "../../db/presence.ts";
import { type Entry, VIEW_SCOPE } from "../../db/state/entry.ts";
import type { Row } from "../../db/driver/statement.ts";
import type { Viewer } from "../../db/viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../db/yield.ts";
import type { Query } from "../../db/consistent_read/read.ts";
import type { MessageView } from "../../views/panels/messages/messages.tsx";
import type { LiveRoom, RoomView } from "../../views/panels/panels.ts";
import type { EntryView, ScopeView } from "../../views/panels/state/state.tsx";
import { entryId } from "../../views/shared/addresses.ts";
import { EVENTS_SHOWN, type TimelineEvent } from "../../views/panels/timeline/timeline_layout.ts";
import { agentsOf } from "./agent_view.ts";
import type { Services } from "../services.ts";
import { shownOf } from "./shown.ts";
import type { WaitLog } from "./wait_log.ts";

/** What any change may affect, with the rows of the caller's further queries. */
export interface LiveView extends LiveRoom {
  extra: Row[][];
}

/** Items that a page shows at first; the reader may load more. */
const SHOWN = { messages: 100, keys: 100, keysInAll: 1_000 } as const;
const LOOK: Reads = { ...NOTHING, state: { scopes: [VIEW_SCOPE], keys: [] }, messages: true };
const VIEW_ROWS = `${
  selectLiving(
    "key, expr, version, updated_at, updated_by",
    `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`,
  )
} ORDER BY key`;

/** Reads a room in two round trips: the waits of the first decide what the second reads. Errors: `room_not_found`. */
export async function loadLive(
  services: Services,
  log: WaitLog,
  viewer: Viewer,
  room: string,
  extra: Query[] = [],
): Promise<LiveView> {
  const { reader } = services;
  const own = [
    { sql: VIEW_ROWS, args: { room } },
    ...selectRecent(room, EVENTS_SHOWN),
    selectHeads(room),
    newestWaitsOf(room, null),
  ];
  const data = await reader.load(viewer, room, LOOK, [...own, ...extra]);
  const { snapshot } = data;
  const [viewRows, writes, messages, heads, waits] = snapshot.extra as [Row[], Row[], Row[], Row[], Row[]];
  const { now } = snapshot;
  const newest = toNewest(waits);
  const agents = await agentsOf(services, viewer, room, { heads, newest }, now);
  return {
    id: room,
    revision: snapshot.revisions.revision,
    now,
    counts: snapshot.counts,
    agents,
    views: await viewEntries(viewRows, data, createContext(data)),
    timeline: {
      lanes: agents.map(({ id }) => id),
      events: eventsOf(writes, messages),
      waits: log.observe(viewer, room, newest, now),
    },
    extra: snapshot.extra.slice(own.length),
  };
}

/** Loads a room for its page. Errors: `room_not_found`. */
export async function loadRoom(
  services: Services,
  log: WaitLog,
  viewer: Viewer,
  id: string,
  address: string,
): Promise<RoomView> {
  const live = await loadLive(services, log, viewer, id, [
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
    address,
    messages: shown,
    answered: await messageViews(answered!),
    older: live.counts.count - shown.length,
    scopes: [...scopes, ...(views.total > 0 ? [views] : [])].sort(byScope),
  };
}

/** Sorts the scopes of the system before those of agents. */
function byScope(a: { scope: string }, b: { scope: string }): number {
  const rank = (scope: string) => scope.startsWith("_") ? 0 : 1;
  return rank(a.scope) - rank(b.scope) || (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0);
}

/** Returns a room's views with their values, or with their errors and the positions of these. */
async function viewEntries(rows: Row[], data: RoomData, context: RoomContext): Promise<EntryView[]> {
  const results = await context.views(data.definitions.keys());
  return await mapYielding(rows, (row) => {
    const result = results.get(row.key as string);
    const failed = result && "error" in result ? result.error : undefined;
    return {
      scope: VIEW_SCOPE,
      key: row.key as string,
      shown: shownOf(result && "value" in result ? result.value : null),
      version: Number(row.version),
      updated_at: row.updated_at as string,
      updated_by: row.updated_by as string | null,
      expr: row.expr as string,
      ...(failed && { error: { ...failed, position: positionOf(row.expr as string, context) } }),
    };
  });
}

/** Returns the position at which an expression fails; undefined if it has none. */
function positionOf(source: string, context: RoomContext): number | undefined {
  try {
    compile(source).evaluate(context.from({ self: null }).context);
  } catch (error) {
    if (error instanceof EvaluationFailed) return error.position;
  }
  return undefined;
}

function eventsOf(writes: Row[], messages: Row[]): TimelineEvent[] {
  const events: TimelineEvent[] = [];
  for (const row of messages) {
    const [id, at] = [Number(row.id), row.created_at as string];
    const [from, to, by] = [row.from_agent, row.to_agent, row.claimed_by] as Array<string | null>;
    const href = `#m${id}`;
    const label = `${id} ${from ?? "somebody"} to ${to ?? "all"}: ${row.kind} ${row.body}`;
    events.push({ kind: "message", at, revision: id, from: from!, to, label, href });
    if (by !== null) {
      const claimed = `${by} claimed message ${id}`;
      events.push({
        kind: "claim",
        at: row.claimed_at as string,
        revision: id,
        from: by!,
        label: claimed,
        href,
      });
    }
  }
  for (const row of writes) {
    const { scope, key, version, deleted } = row as Record<string, string>;
    const verb = deleted ? "deleted" : "wrote";
    const label = `${row.updated_by ?? "somebody"} ${verb} ${scope}/${key}, version ${version}`;
    events.push({
      kind: "write",
      at: row.updated_at as string,
      revision: Number(row.revision),
      from: row.updated_by as string | null,
      label,
      href: `#${entryId(scope!, key!)}`,
    });
  }
  const before = (a: TimelineEvent, b: TimelineEvent) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : a.revision - b.revision;
  return events.sort(before).slice(-EVENTS_SHOWN);
}

export function messageView({ body, ...message }: Message): MessageView {
  return { ...message, shown: shownOf(body) };
}

/** Converts rows of messages, yielding in between. */
export function messageViews(rows: Row[]): Promise<MessageView[]> {
  return mapYielding(rows, (row) => ({ ...toHead(row), shown: toCut(row, "body") }));
}

/** Groups the rows of a window of the state by scope, yielding in between. */
export async function scopesOf(rows: Row[]): Promise<ScopeView[]> {
  const scopes = new Map<string, ScopeView>();
  for (const row of rows) {
    if (isBusy()) await yieldToOthers();
    const scope = row.scope as string;
    if (!scopes.has(scope)) scopes.set(scope, { scope, entries: [], total: Number(row.total) });
    scopes.get(scope)!.entries.push({
      scope,
      key: row.key as string,
      shown: toCut(row),
      version: Number(row.version),
      updated_at: row.updated_at as string,
      updated_by: row.updated_by as string | null,
    });
  }
  return [...scopes.values()];
}

export function entryView(entry: Entry): EntryView {
  const { scope, key, value, version, updated_at, updated_by } = entry;
  return { scope, key, shown: shownOf(value), version, updated_at, updated_by };
}
