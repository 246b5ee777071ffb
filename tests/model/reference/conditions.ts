import { present, type Room, statusOf, type Value, type View } from "./room.ts";

/** What gates, waits and evaluations ask for. */
export type Condition =
  | { key: string; equals: number }
  | { strict: string; equals: number }
  | { view: string; equals: number }
  | { unclaimed: number }
  | { count: number }
  | { number: number; of: string; be: "open" | "blocked" | "claimed" | "done" | "failed" }
  | { newestFrom: string }
  | { newestTo: string }
  | { newestBy: string }
  | { answers: number }
  | { keys: number }
  | { agents: number }
  | { agent: string; status: string }
  | { self: string }
  | { alive: string };

export type Result<T> = { value: T } | { error: string };

const ALIVE_MS = 60_000;

/** The CEL source of a condition. */
export function source(condition: Condition): string {
  if ("key" in condition) return `state._shared.?${condition.key}.orValue(0) == ${condition.equals}`;
  if ("strict" in condition) return `state._shared.${condition.strict} == ${condition.equals}`;
  if ("view" in condition) return `state._view.?${condition.view}.orValue(0) == ${condition.equals}`;
  if ("unclaimed" in condition) return `messages.unclaimed == ${condition.unclaimed}`;
  if ("number" in condition) return `messages.kind.${condition.of}.${condition.be} == ${condition.number}`;
  if ("newestFrom" in condition) return `messages.from.${condition.newestFrom}.last == messages.last`;
  if ("newestTo" in condition) return `messages.to.${condition.newestTo}.last == messages.last`;
  if ("newestBy" in condition) return `messages.id[messages.last].claimed_by == "${condition.newestBy}"`;
  if ("answers" in condition) {
    return `messages.id[messages.id[messages.last].reply_to].replies.count == ${condition.answers}`;
  }
  if ("count" in condition) return `messages.count == ${condition.count}`;
  if ("keys" in condition) return `size(state._shared) == ${condition.keys}`;
  if ("agents" in condition) return `size(agents) == ${condition.agents}`;
  if ("status" in condition) {
    const { agent, status } = condition;
    return `has(agents.${agent}) && agents.${agent}.status == "${status}"`;
  }
  if ("self" in condition) return `self == "${condition.self}"`;
  return `timestamp(agents.${condition.alive}.last_heartbeat) > now - duration("${ALIVE_MS / 1_000}s")`;
}

/** The CEL source of a view. */
export function expr(view: View): string {
  if ("of" in view) return `state._shared.?${view.of}.orValue(0)`;
  if ("messages" in view) return `messages.${view.messages}`;
  return "strict" in view ? `state._shared.${view.strict}` : `state._view.${view.view}`;
}

/** The CEL source of either. */
export function textOf(asked: Condition | View): string {
  return isView(asked) ? expr(asked) : source(asked);
}

function isView(asked: Condition | View): asked is View {
  return "of" in asked || "messages" in asked ||
    !("equals" in asked) && ("strict" in asked || "view" in asked);
}

/** What an evaluation gives, or why it gives nothing. */
export function evaluated(room: Room, asked: Condition | View, self: string | null): Result<Value> {
  return isView(asked) ? valueOf(room, asked) : judge(room, asked, self);
}

const missing = { error: "no_such_key" };

/** Whether a condition holds for an agent, or why that cannot be told. */
export function judge(room: Room, condition: Condition, self: string | null): Result<boolean> {
  if ("key" in condition) return { value: shared(room, condition.key, 0) === condition.equals };
  if ("strict" in condition) {
    const value = shared(room, condition.strict);
    return value === undefined ? missing : { value: value === condition.equals };
  }
  if ("view" in condition) {
    const view = present(room, "_view", condition.view) && resolve(room, condition.view);
    return { value: (view && "value" in view ? view.value : 0) === condition.equals };
  }
  if ("unclaimed" in condition) return { value: counts(room).unclaimed === condition.unclaimed };
  if ("number" in condition || "newestFrom" in condition || "newestTo" in condition) {
    return { value: isFact(room, condition) };
  }
  if ("newestBy" in condition || "answers" in condition) return ofNewest(room, condition);
  if ("count" in condition) return { value: counts(room).count === condition.count };
  if ("keys" in condition) return { value: keysOf(room, "_shared").length === condition.keys };
  if ("agents" in condition) return { value: room.agents.size === condition.agents };
  if ("status" in condition) {
    const agent = room.agents.get(condition.agent);
    return { value: agent !== undefined && statusOf(room, agent).status === condition.status };
  }
  if ("self" in condition) return { value: self === condition.self };
  const agent = room.agents.get(condition.alive);
  return agent ? { value: agent.last_heartbeat > room.clock.now - ALIVE_MS } : missing;
}

/** Whether a fact about a kind, or about whose the newest message is, holds; without messages the newest is of all. */
function isFact(
  { messages }: Room,
  condition: { number: number; of: string; be: "open" | "blocked" | "claimed" | "done" | "failed" } | {
    newestFrom: string;
  } | { newestTo: string },
): boolean {
  if ("number" in condition) {
    return messages.filter(({ kind, status }) => kind === condition.of && status === condition.be).length ===
      condition.number;
  }
  const newest = messages.at(-1);
  if ("newestFrom" in condition) return newest === undefined || newest.from_agent === condition.newestFrom;
  return newest === undefined || newest.to_agent === condition.newestTo;
}

/** The same for the newest message, and for the one that it answers. */
function ofNewest(
  { messages }: Room,
  condition: { newestBy: string } | { answers: number },
): Result<boolean> {
  const newest = messages.at(-1);
  if (newest === undefined) return missing;
  if ("newestBy" in condition) return { value: newest.claimed_by === condition.newestBy };
  if (newest.reply_to === null) return missing;
  const answers = messages.filter(({ reply_to }) => reply_to === newest.reply_to).length;
  return { value: answers === condition.answers };
}

export function holds(room: Room, condition: Condition, self: string | null): boolean {
  const result = judge(room, condition, self);
  return "value" in result && result.value;
}

/** The present value of a view that there is, or why it has none. */
export function resolve(room: Room, name: string): Result<Value> {
  if (isCircular(room, name)) return { error: "view_cycle" };
  return valueOf(room, present(room, "_view", name)!.view!);
}

function valueOf(room: Room, view: View): Result<Value> {
  if ("messages" in view) return { value: counts(room)[view.messages] };
  if ("of" in view) return { value: shared(room, view.of, 0)! };
  if ("strict" in view) {
    const value = shared(room, view.strict);
    return value === undefined ? missing : { value };
  }
  if (!present(room, "_view", view.view)) return missing;
  const other = resolve(room, view.view);
  return "value" in other ? other : missing;
}

function isCircular(room: Room, name: string): boolean {
  const passed = new Set<string>();
  for (let next: string | undefined = name; next !== undefined && !passed.has(next);) {
    passed.add(next);
    const view: View | undefined = present(room, "_view", next)?.view;
    next = view && "view" in view ? view.view : undefined;
    if (next === name) return true;
  }
  return false;
}

export function counts({ messages }: Room): { count: number; unclaimed: number } {
  return {
    count: messages.length,
    unclaimed: messages.filter(({ status }) => status === "open").length,
  };
}

function keysOf({ entries }: Room, scope: string): string[] {
  return [...entries.values()].filter((entry) => entry.scope === scope && !entry.deleted).map(({ key }) =>
    key
  );
}

function shared(room: Room, key: string, absent?: Value): Value | undefined {
  const entry = present(room, "_shared", key);
  return entry ? entry.value : absent;
}
