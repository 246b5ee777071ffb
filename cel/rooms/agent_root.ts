import { isAlive, present } from "../../db/agents/presence.ts";
import { isHidden, type Newest, newestOf, type Viewpoint } from "../../db/agents/waits.ts";
import type { AgentRow, Snapshot } from "../../db/snapshots/snapshot.ts";
import { overlay } from "../language/computed_map.ts";
import type { CelMap } from "./scopes.ts";

/** The agents as a wait sees them, whose own agent's status alone differs; `key` identifies the result. */
export function agentsFrom({ agents, waits, now }: Snapshot, metas: Map<string, unknown>) {
  const byAgent = Map.groupBy(waits, ({ agent_id }) => agent_id);
  const rows = new Map(agents.map((agent) => [agent.id, agent]));
  const newest = newestOf(waits);
  const recordOf = (agent: AgentRow, shown: Newest): CelMap => {
    const { id, name, role, joined_at, last_heartbeat, secure } = agent;
    const { status, waiting_on } = present(id, agent.status, shown);
    const alive = isAlive(id, last_heartbeat, shown, now);
    const record = { id, name, role, status, waiting_on, joined_at, last_heartbeat, alive, secure };
    return new Map<string, unknown>([...Object.entries(record), ["meta", metas.get(id)]]);
  };
  const all: CelMap = new Map(agents.map((agent) => [agent.id, recordOf(agent, newest)]));

  return function agentsSeen(viewpoint: Viewpoint): { key: string; agents: CelMap } {
    const own = byAgent.get(viewpoint.self ?? "") ?? [];
    const shown = own.filter((wait) => !isHidden(wait, viewpoint));
    const agent = shown.length === own.length ? undefined : rows.get(viewpoint.self!);
    if (agent === undefined) return { key: "", agents: all };
    return { key: viewpoint.wait!, agents: overlay(all, agent.id, recordOf(agent, newestOf(shown))) };
  };
}
