import {
  type Condition,
  conditionOf,
  judgeCondition,
  type JudgedCondition,
  partsOf,
} from "../cel/conditions.ts";
import { createContext, type RoomContext } from "../cel/context.ts";
import { NOTHING } from "../cel/definitions.ts";
import type { RoomData } from "../cel/reader.ts";
import { type Reads, unionReads } from "../cel/reads.ts";
import { selectKeys, toCut } from "../db/overview.ts";
import { newestOf, present, type Status } from "../db/presence.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../db/state.ts";
import type { AgentView, ConditionView, PresentView } from "../views/model.ts";
import { agentId, entryId } from "../views/room/addresses.ts";
import type { Services } from "./services.ts";
import { shownOf } from "./shown.ts";

const STALE_MS = 60_000;
/** Milliseconds of work that the conditions of one look may take together: to take them apart, and to judge them. */
const PARTING_MS = 20;
const JUDGING_MS = 100;

/** The agents, each waiting one with the parts of its condition as they are now. */
export async function agentsOf(
  { reader }: Services,
  room: string,
  { snapshot }: RoomData,
  now: Date,
) {
  const newest = newestOf(snapshot.waits);
  const agents: AgentView[] = snapshot.agents.map((agent) => {
    const { status, waiting_on } = present(agent.id, agent.status as Status, newest);
    const { id, name, role, last_heartbeat } = agent;
    const silent = now.getTime() - Date.parse(last_heartbeat) > STALE_MS;
    const stale = silent && (status === "active" || status === "busy");
    return { id, name, role, status, last_heartbeat, stale, waiting_on };
  });
  const waiting = agents.filter(({ waiting_on }) => waiting_on !== null);
  if (waiting.length === 0) return agents;
  const conditions = await takeApart(waiting.map(({ waiting_on }) => waiting_on!));
  const reads = unionReads([...conditions.values()].flatMap(partsOf).map((part) => part.reads));
  const keys = reads.state === "all" ? [] : reads.state.keys;
  const data = await reader.load(room, { ...reads, messages: true }, [selectKeys(room, keys)]);
  const context = createContext(data);
  const look = await presentsOf(data, context, agents);
  const judging = { left: JUDGING_MS };
  for (const agent of waiting) {
    const wait = newest.get(agent.id)?.token;
    const { context: seen } = context.from({ self: agent.id, wait });
    agent.condition = look(await judgeCondition(conditions.get(agent.waiting_on!)!, seen, judging));
  }
  return agents;
}

async function takeApart(sources: string[]): Promise<Map<string, Condition>> {
  const parting = { left: PARTING_MS };
  const conditions = new Map<string, Condition>();
  for (const source of new Set(sources)) conditions.set(source, await conditionOf(source, parting));
  return conditions;
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
        href: `#${agentId(id)}`,
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
