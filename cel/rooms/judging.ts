import { isOfAgent } from "../../db/access/private.ts";
import type { Json } from "../../db/json.ts";
import { isAlive } from "../../db/agents/presence.ts";
import { newestOf } from "../../db/agents/waits.ts";
import { Refusal } from "../../db/refusal.ts";
import type { AgentRow } from "../../db/snapshots/snapshot.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { ReadSetAt } from "../../db/write/read_set.ts";
import { EvaluationFailed, type Expression } from "../language/expression.ts";
import { type Lookups, trackLookups } from "../language/lookups.ts";
import { createContext } from "./context.ts";
import type { RoomData } from "./reader.ts";

export interface Gate {
  viewer: Viewer;
  /** Must be truthy in the state to which the write applies. */
  condition: Expression;
  self: string | null;
}

interface Judgement {
  /** The facts of the refusal; undefined where the gate holds. */
  refused: Refusal<"precondition_failed">["facts"] | undefined;
  /** What its evaluation looked up. */
  lookups: Lookups;
}

/** Judges a gate over a loaded room. */
export function judge(data: RoomData, gate: Gate): Judgement {
  const { result, lookups } = trackLookups(() => refusalOf(data, gate));
  return { refused: result, lookups };
}

function refusalOf(data: RoomData, { condition, self }: Gate): Judgement["refused"] {
  const { context } = createContext(data).from({ self });
  const refused = (evaluated: Json, failure?: EvaluationFailed) => ({
    expression: condition.source,
    evaluated,
    failure,
    byNobody: self === null && condition.reads.self,
  });
  try {
    const judgement = condition.judge(context);
    return judgement.truthy ? undefined : refused(judgement.value);
  } catch (error) {
    if (error instanceof EvaluationFailed) return refused(null, error);
    throw error;
  }
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
