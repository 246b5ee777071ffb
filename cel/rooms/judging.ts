import { isOfAgent } from "../../db/access/private.ts";
import { isAlive } from "../../db/agents/presence.ts";
import { newestOf } from "../../db/agents/waits.ts";
import type { AgentRow } from "../../db/snapshots/snapshot.ts";
import type { ReadSetAt } from "../../db/write/read_set.ts";
import { type Reads, readsAfter } from "../language/dependencies.ts";
import type { Expression } from "./expression.ts";
import { type Lookups, MAX_MISSES } from "../language/lookups.ts";
import { createContext } from "./context.ts";
import type { RoomData } from "./reader.ts";

/** Judges a gate over a loaded room. Returns the facts of the refusal; undefined where the gate holds. */
export function judge(data: RoomData, condition: Expression, self: string | null) {
  const { context } = createContext(data).from({ self });
  const { truthy, value: evaluated, failure } = condition.judge(context);
  if (truthy) return undefined;
  const byNobody = self === null && condition.reads.self;
  return { expression: condition.source, evaluated, failure, byNobody };
}

/** Records what a condition looked up, for its next load. True if this load lacked some of it. */
export function lacks(
  judged: { reads: Reads; misses: number },
  condition: Expression,
  self: string | null,
  lookups: Lookups,
): boolean {
  judged.reads = readsAfter(condition.reads, self, lookups);
  judged.misses = lookups.missing ? judged.misses + 1 : 0;
  return lookups.missing && judged.misses <= MAX_MISSES;
}

/** What the gate depends on. An agent's scope that is absent counts as its agent, whose registration would create it. */
export function readSetAt(
  { snapshot, reads: { state, agents, messages, heartbeats, alive } }: RoomData,
): ReadSetAt {
  const { revisions: { revision }, now, waits, hidden } = snapshot;
  const ofAgents = <T>(read: boolean, of: (agent: AgentRow) => T) =>
    read ? Object.fromEntries(snapshot.agents.map((agent) => [agent.id, of(agent)])) : undefined;
  const newest = newestOf(waits);
  const timely = {
    heartbeats: ofAgents(heartbeats, ({ last_heartbeat }) => last_heartbeat),
    alive: ofAgents(alive, ({ id, last_heartbeat }) => isAlive(id, last_heartbeat, newest, now)),
  };
  if (state === "all" || agents === "all") {
    return { revision, state, agents: "all", messages, hidden, ...timely };
  }
  const scopes = [...state.scopes, ...state.keys.map(({ scope }) => scope)];
  const absent = scopes.filter((scope) => isOfAgent(scope) && !snapshot.agentIds.includes(scope));
  return { revision, state, agents: [...agents, ...absent], messages, hidden, ...timely };
}
