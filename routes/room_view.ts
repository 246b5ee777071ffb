import { conditionOf, judgeCondition, type JudgedCondition, partsOf } from "../cel/conditions.ts";
import { createContext, type RoomContext } from "../cel/context.ts";
import { NOTHING } from "../cel/definitions.ts";
import { compile, EvaluationFailed } from "../cel/expression.ts";
import type { RoomData } from "../cel/reader.ts";
import { type Reads, unionReads } from "../cel/reads.ts";
import { createTurn } from "../cel/turn.ts";
import type { Row, Statement } from "../db/lane.ts";
import type { Message } from "../db/messages.ts";
import { LONGEST, selectKeys, selectRecent, toCut } from "../db/overview.ts";
import { present, type Status } from "../db/presence.ts";
import { type Entry, SHARED_SCOPE, VIEW_SCOPE } from "../db/state.ts";
import type {
  AgentView,
  ConditionView,
  EntryView,
  MessageView,
  PresentView,
  ScopeView,
  Shown,
  TimelineEvent,
  TimelineView,
} from "../views/model.ts";
import type { Services } from "./services.ts";
import type { WaitLog } from "./wait_log.ts";

/** What of a room may move with any change: who is there and why they wait, what is computed, what happened. */
export interface LiveView {
  revision: number;
  now: Date;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
  views: EntryView[];
  timeline: TimelineView;
  /** The rows of the further statements. */
  extra: Row[][];
}

const STALE_MS = 60_000;
/** Milliseconds that the conditions of one look may take together. */
const JUDGING_MS = 100;
const TIMELINE_LENGTH = 120;

const LOOK: Reads = { ...NOTHING, state: { scopes: [VIEW_SCOPE], keys: [] }, agents: "all", messages: true };
const VIEW_ROWS =
  `SELECT * FROM state WHERE room_id = :room AND scope = '${VIEW_SCOPE}' AND NOT deleted ORDER BY key`;

/** Looks at a room, in two round trips: who waits says what there is to be read. Errors: `room_not_found`. */
export async function loadLive(
  { database, reader }: Services,
  log: WaitLog,
  room: string,
  extra: Statement[] = [],
): Promise<LiveView> {
  const own = [{ sql: VIEW_ROWS, args: { room } }, ...selectRecent(room, TIMELINE_LENGTH)];
  const data = await reader.load(room, LOOK, [...own, ...extra]);
  const { snapshot } = data;
  const [viewRows, writes, messages] = snapshot.extra as [Row[], Row[], Row[]];
  const now = database.now();
  const agents = await explained({ database, reader } as Services, room, data, now);
  return {
    revision: snapshot.revisions.revision,
    now,
    counts: snapshot.counts,
    agents,
    views: await viewEntries(viewRows, data, createContext(data, now)),
    timeline: {
      lanes: agents.map(({ id }) => id),
      events: eventsOf(writes, messages),
      waits: log.observe(room, agents, now),
    },
    extra: snapshot.extra.slice(own.length),
  };
}

/** The agents, each waiting one with the parts of its condition as they are now. */
async function explained({ database, reader }: Services, room: string, { snapshot }: RoomData, now: Date) {
  const agents: AgentView[] = snapshot.agents.map((agent) => {
    const { status, waiting_on } = present(agent.id, agent.status as Status, snapshot.waits);
    const { id, name, role, last_heartbeat } = agent;
    const silent = now.getTime() - Date.parse(last_heartbeat) > STALE_MS;
    const stale = silent && (status === "active" || status === "busy");
    return { id, name, role, status, last_heartbeat, stale, waiting_on };
  });
  const waiting = agents.filter(({ waiting_on }) => waiting_on !== null);
  if (waiting.length === 0) return agents;
  const conditions = new Map(waiting.map(({ waiting_on }) => [waiting_on!, conditionOf(waiting_on!)]));
  const reads = unionReads([...conditions.values()].flatMap(partsOf).map((part) => part.reads));
  const keys = reads.state === "all" ? [] : reads.state.keys;
  const data = await reader.load(room, { ...reads, messages: true }, [selectKeys(room, keys)]);
  const context = createContext(data, database.now());
  const look = await presentsOf(data, context, agents);
  const turn = createTurn();
  let left = JUDGING_MS;
  for (const agent of waiting) {
    await turn();
    const began = performance.now();
    const wait = snapshot.waits.findLast(({ agent_id }) => agent_id === agent.id)?.token;
    const { context: seen } = context.from({ self: agent.id, wait });
    const condition = conditions.get(agent.waiting_on!)!;
    agent.condition = look(judgeCondition(condition, seen, () => performance.now() - began < left));
    left = Math.max(0, left - (performance.now() - began));
  }
  return agents;
}

/** Tells of each part of a condition what it reads, and on whom it depends. */
async function presentsOf(data: RoomData, context: RoomContext, agents: AgentView[]) {
  const rows = new Map(data.snapshot.extra[0]!.map((row) => [JSON.stringify([row.scope, row.key]), row]));
  const views = await context.views(data.definitions.keys());
  const known = new Map(agents.map((agent) => [agent.id, agent]));

  function ofKey({ scope, key }: { scope: string; key: string }): PresentView {
    const name = scope === SHARED_SCOPE ? key : `${scope}.${key}`;
    const view = scope === VIEW_SCOPE ? views.get(key) : undefined;
    const href = `#${entryId(scope, key)}`;
    if (view) return { name, href, ...("value" in view && { shown: shownOf(view.value) }) };
    const row = rows.get(JSON.stringify([scope, key]));
    if (row === undefined) return { name };
    return {
      name,
      href,
      shown: toCut(row),
      by: row.updated_by as string | null,
      at: row.updated_at as string,
    };
  }

  function presents(source: string, { state, agents: ids, messages }: Reads): PresentView[] {
    const { counts } = data.snapshot;
    return [
      ...(state === "all" ? [] : state.keys.map(ofKey)),
      ...(ids === "all" ? [] : ids.map((id) => ({
        name: id,
        href: `#agent/${encodeURIComponent(id)}`,
        ...(known.has(id) && { shown: { value: known.get(id)!.status } }),
      }))),
      ...(messages
        ? Object.entries(counts).filter(([name]) => source.includes(name)).map(([name, value]) => ({
          name: `messages.${name}`,
          shown: { value },
        }))
        : []),
    ];
  }

  return function look(judged: JudgedCondition): ConditionView {
    if ("all" in judged) return { all: judged.all.map(look), truth: judged.truth };
    if ("any" in judged) return { any: judged.any.map(look), truth: judged.truth };
    const { reads = NOTHING, ...part } = judged;
    const scopes = reads.state === "all"
      ? []
      : [...reads.state.scopes, ...reads.state.keys.map(({ scope }) => scope)];
    const named = reads.agents === "all" ? [] : reads.agents;
    const owners = new Set([...named, ...scopes.filter((scope) => known.has(scope))]);
    return {
      ...part,
      present: presents(part.source, reads),
      awaits: part.truth ? [] : [...owners].filter((id) => known.has(id)),
      absent: part.truth ? [] : [...owners].filter((id) => !known.has(id)),
    };
  };
}

/** A room's computed views with their values, or with why and where they have none. */
async function viewEntries(rows: Row[], data: RoomData, context: RoomContext): Promise<EntryView[]> {
  const results = await context.views(data.definitions.keys());
  return rows.map((row) => {
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

/** Where an expression fails; undefined where that is nowhere in it. */
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
  return events.sort(before).slice(-TIMELINE_LENGTH);
}

/** How an entry is addressed within the page. */
function entryId(scope: string, key: string): string {
  return `state/${encodeURIComponent(scope)}/${encodeURIComponent(key)}`;
}

export function messageView({ body, ...message }: Message): MessageView {
  return { ...message, shown: shownOf(body) };
}

/** A value as it is, or its beginning where it is long. */
export function shownOf(value: unknown): Shown {
  const json = JSON.stringify(value);
  return json.length > LONGEST ? { cut: json.slice(0, LONGEST), size: json.length } : { value };
}

/** The rows of a window of the state by scope. */
export function scopesOf(rows: Row[]): ScopeView[] {
  const scopes = new Map<string, ScopeView>();
  for (const row of rows) {
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

/** A changed entry; what is left of a deleted one has no value. */
export function entryView(entry: Entry): EntryView {
  const { scope, key, value, version, updated_at, updated_by } = entry;
  return { scope, key, shown: shownOf(value), version, updated_at, updated_by };
}
