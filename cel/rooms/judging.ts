import type { Json } from "../../db/json.ts";
import { Refusal } from "../../db/refusal.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { ReadSetAt } from "../../db/write/read_set.ts";
import { EvaluationFailed, type Expression } from "../language/expression.ts";
import { createContext } from "./context.ts";
import type { RoomData } from "./reader.ts";

export interface Gate {
  viewer: Viewer;
  /** Must be truthy in the state to which the write applies. */
  condition: Expression;
  self: string | null;
}

/** Judges a gate over a loaded room. Returns the facts of the refusal, undefined where the gate holds. */
export function judge(
  data: RoomData,
  { condition, self }: Gate,
): Refusal<"precondition_failed">["facts"] | undefined {
  const { context } = createContext(data).from({ self });
  const refused = (evaluated: Json, failure?: EvaluationFailed) => ({
    expression: condition.source,
    evaluated,
    failure,
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
export function readSetAt({ snapshot, reads: { state, agents, messages, heartbeats } }: RoomData): ReadSetAt {
  const revision = snapshot.revisions.revision;
  const beats = heartbeats
    ? {
      heartbeats: Object.fromEntries(snapshot.agents.map(({ id, last_heartbeat }) => [id, last_heartbeat])),
    }
    : {};
  if (state === "all" || agents === "all") {
    return { revision, state, agents: "all", messages, ...beats };
  }
  const scopes = [...state.scopes, ...state.keys.map(({ scope }) => scope)];
  const absent = scopes.filter((scope) => !scope.startsWith("_") && !snapshot.agentIds.includes(scope));
  return { revision, state, agents: [...agents, ...absent], messages, ...beats };
}
