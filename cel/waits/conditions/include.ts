import { type ChangesQuery, selectChanges } from "../../../db/snapshots/changes_sql.ts";
import { toChanges, withLong } from "../../../db/snapshots/changes.ts";
import type { Database } from "../../../db/database.ts";
import type { Row } from "../../../db/driver/statement.ts";
import { type Json, shared, stored } from "../../../db/json.ts";
import type { Viewpoint } from "../../../db/agents/waits.ts";
import { selectMessages } from "../../../db/messages/listing.ts";
import { toMessage } from "../../../db/messages/message.ts";
import type { Snapshot } from "../../../db/snapshots/snapshot.ts";
import { VIEW_SCOPE } from "../../../db/state/entry.ts";
import type { Viewer } from "../../../db/viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../../db/yield.ts";
import type { Query } from "../../../db/consistent_read/read.ts";
import type { RoomContext } from "../../rooms/context.ts";
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

/** Completes the rows of `queriesOfInclude`: of the changes, those of a long revision come by themselves. */
export async function completeInclude(
  database: Database,
  viewer: Viewer,
  room: string,
  { messagesAfter, changesAfter }: Include,
  extra: Row[][],
): Promise<void> {
  if (!changesAfter) return;
  const changes = extra.splice(messagesAfter ? 1 : 0);
  extra.push(...await withLong(database, viewer, room, changes));
}

/** Makes the members that an answer includes, as a viewpoint sees them. */
export type Included = (viewpoint: Viewpoint) => Promise<Record<string, unknown>>;

/**
 * Creates what makes the members of answers that include the same, all of one snapshot's revision. What several have in
 * common is made once, and encoded once: the whole answer where viewpoints see the same, else all but what differs.
 */
export function createIncluded(include: Include, data: RoomData, room: RoomContext): Included {
  const { snapshot, definitions } = data;
  const answers = new Map<string, Promise<Record<string, unknown>>>();
  const listsFrom = listsOf(include, [...snapshot.extra]);
  const records = new Map<unknown, Json>();
  let entries: Promise<Array<[string, Json]>> | undefined;

  async function stateFrom(viewpoint: Viewpoint, scopes: string[]): Promise<Json> {
    entries ??= entriesOf(scopes, snapshot);
    const state = Object.fromEntries(await entries);
    if (!scopes.includes(VIEW_SCOPE)) return state;
    const views = await room.views(definitions.keys(), viewpoint);
    const values = [...views].flatMap(([name, result]) => "value" in result ? [[name, result.value]] : []);
    return { ...state, [VIEW_SCOPE]: Object.fromEntries(values) };
  }

  /** Makes the JSON of each record once: nearly all agents' records are equal for all viewpoints. */
  async function agentsFrom(seen: Map<string, unknown>): Promise<Json> {
    const agents = await mapYielding([...seen], ([id, record]): [string, Json] => {
      const json = records.get(record) ?? stored(JSON.stringify(toJson(record)));
      records.set(record, json);
      return [id, json];
    });
    return Object.fromEntries(agents);
  }

  async function make(viewpoint: Viewpoint, seen: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { context } = room.from(viewpoint);
    const members: Record<string, unknown> = {};
    if (include.state !== undefined) {
      const all = context.get("state") as Map<string, unknown>;
      const scopes = include.state === "all" ? [...all.keys()] : include.state;
      members.state = shared(await stateFrom(viewpoint, scopes));
    }
    if (include.agents) {
      members.agents = shared(await agentsFrom(context.get("agents") as Map<string, unknown>));
    }
    if (include.messages) members.messages = snapshot.counts;
    return { ...members, ...seen };
  }

  return async (viewpoint) => {
    const { lists, key: ofLists } = (await listsFrom)(viewpoint);
    const key = room.from(viewpoint).key || ofLists;
    const known = answers.get(key) ?? make(viewpoint, lists);
    answers.set(key, known);
    return await known;
  };
}

/** Lists as a viewpoint sees them. Those with the same `key` are equal. */
type ListsFrom = (viewpoint: Viewpoint) => { lists: Record<string, unknown>; key: string };

/** Reads the rows of `queriesOfInclude`. */
async function listsOf({ messagesAfter, changesAfter }: Include, rows: Row[][]): Promise<ListsFrom> {
  const since: Record<string, unknown> = {};
  if (messagesAfter) {
    const [found, { limit }] = [rows.shift()!, messagesAfter];
    since.messages_since = shared(await mapYielding(found.slice(0, limit), toMessage));
    if (found.length > limit) since.messages_more = true;
  }
  return changesAfter ? await withChanges(since, rows) : () => ({ lists: since, key: "" });
}

async function withChanges(since: Record<string, unknown>, rows: Row[][]): Promise<ListsFrom> {
  const { changes, own } = await toChanges(rows);
  const { state, agents, messages, reservations } = changes;
  const texts = await mapYielding(agents, (agent) => stored(JSON.stringify(agent)));
  const places = new Map(agents.flatMap((agent, n) => "left" in agent ? [] : [[agent.id, n]]));
  const lists = { state: shared(state), messages: shared(messages), reservations: shared(reservations) };
  const all = { ...since, changes: shared({ ...changes, ...lists, agents: texts }) };
  return (viewpoint) => {
    const seen = own(viewpoint);
    if (seen === undefined) return { lists: all, key: "" };
    const others = texts.with(places.get(seen.id)!, stored(JSON.stringify(seen)));
    return { lists: { ...since, changes: { ...changes, ...lists, agents: others } }, key: viewpoint.wait! };
  };
}

/** Gives each scope its entries in one pass, since there may be as many scopes as entries. */
async function entriesOf(
  scopes: string[],
  { entries, hiddenEntries, owners }: Snapshot,
): Promise<Array<[string, Json]>> {
  const members = new Map<string, Array<[string, Json]>>(scopes.map((scope) => [scope, []]));
  const own = hiddenEntries.filter(({ scope }) => owners.get(scope)?.seen);
  for (const { scope, key, value } of [...entries, ...own]) {
    if (isBusy()) await yieldToOthers();
    members.get(scope)?.push([key, value]);
  }
  return await mapYielding([...members], ([scope, own]) => [scope, shared(Object.fromEntries(own))]);
}
