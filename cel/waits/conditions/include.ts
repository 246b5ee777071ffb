import { type ChangesQuery, selectChanges } from "../../../db/snapshots/changes_sql.ts";
import { toChanges } from "../../../db/snapshots/changes.ts";
import type { Json } from "../../../db/json.ts";
import type { Viewpoint } from "../../../db/agents/waits.ts";
import { selectMessages } from "../../../db/messages/listing.ts";
import { toMessage } from "../../../db/messages/message.ts";
import type { Snapshot } from "../../../db/snapshots/snapshot.ts";
import { VIEW_SCOPE } from "../../../db/state/entry.ts";
import type { Viewer } from "../../../db/viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../../db/yield.ts";
import type { Query } from "../../../db/consistent_read/read.ts";
import type { RoomContext, ViewResult } from "../../rooms/context.ts";
import { NOTHING } from "../../rooms/definitions.ts";
import type { RoomData } from "../../rooms/reader.ts";
import type { Reads } from "../../language/dependencies.ts";
import { toJson } from "../../language/values.ts";

/** The parts of the room that an answer includes beside its own result. */
export interface Include {
  state?: "all" | string[];
  agents?: boolean;
  messages?: boolean;
  /** Messages with ids above `after`, at most `limit`. */
  messagesAfter?: { after: number; limit: number };
  /** What changed after a revision. */
  changesAfter?: ChangesQuery;
}

export function includesAnything(include: Include): boolean {
  return Object.values(include).some((part) => part !== undefined && part !== false);
}

export function readsOfInclude({ state, agents, messages }: Include): Reads {
  return {
    ...NOTHING,
    state: state === "all" ? "all" : { scopes: state ?? [], keys: [] },
    agents: agents ? "all" : [],
    messages: messages ?? false,
  };
}

/** The queries whose rows `included` expects in `snapshot.extra`, in this order. */
export function queriesOfInclude(
  viewer: Viewer,
  room: string,
  { messagesAfter, changesAfter }: Include,
): Query[] {
  return [
    ...(messagesAfter ? [selectMessages(room, messagesAfter)] : []),
    ...(changesAfter ? selectChanges(viewer, room, changesAfter) : []),
  ];
}

/** Makes the members that an answer includes, all of the snapshot's revision, as the viewpoint sees them. */
export async function included(
  include: Include,
  { snapshot, definitions }: RoomData,
  room: RoomContext,
  viewpoint: Viewpoint,
): Promise<Record<string, unknown>> {
  const members: Record<string, unknown> = {};
  const { context } = room.from(viewpoint);
  if (include.state !== undefined) {
    const scopes = include.state === "all"
      ? [...(context.get("state") as Map<string, unknown>).keys()]
      : include.state;
    const views = scopes.includes(VIEW_SCOPE) ? await room.views(definitions.keys(), viewpoint) : new Map();
    const own = snapshot.hiddenEntries.filter(({ scope }) => snapshot.owners.get(scope)?.seen);
    members.state = await scopesAsJson(scopes, [...snapshot.entries, ...own], views);
  }
  if (include.agents) {
    const agents = await mapYielding(
      [...context.get("agents") as Map<string, unknown>],
      ([id, agent]) => [id, toJson(agent)],
    );
    members.agents = Object.fromEntries(agents);
  }
  if (include.messages) members.messages = snapshot.counts;
  const extra = [...snapshot.extra];
  if (include.messagesAfter) {
    const [rows, { limit }] = [extra.shift()!, include.messagesAfter];
    members.messages_since = await mapYielding(rows.slice(0, limit), toMessage);
    if (rows.length > limit) members.messages_more = true;
  }
  if (include.changesAfter) members.changes = await toChanges(extra, viewpoint);
  return members;
}

/** Gives each scope its entries in one pass, since there may be as many scopes as entries. */
async function scopesAsJson(
  scopes: string[],
  entries: Snapshot["entries"],
  views: Map<string, ViewResult>,
): Promise<Json> {
  const members = new Map<string, Array<[string, Json]>>(scopes.map((scope) => [scope, []]));
  for (const { scope, key, value } of entries) {
    if (isBusy()) await yieldToOthers();
    members.get(scope)?.push([key, value]);
  }
  for (const [name, result] of views) {
    if ("value" in result) members.get(VIEW_SCOPE)?.push([name, result.value]);
  }
  const objects = await mapYielding([...members], ([scope, own]) => [scope, Object.fromEntries(own)]);
  return Object.fromEntries(objects);
}
