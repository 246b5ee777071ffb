import { type Condition, conditionOf, judgeCondition, partsOf } from "../../cel/rooms/conditions.ts";
import { lookAt } from "../../cel/rooms/look.ts";
import { readsFrom, unionReads } from "../../cel/language/dependencies.ts";
import { selectKeys } from "../../db/snapshots/page_queries.ts";
import { isAlive, present, type Status } from "../../db/agents/presence.ts";
import type { Newest } from "../../db/agents/waits.ts";
import type { Row } from "../../db/driver/statement.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { AgentView } from "../../views/panels/agents/model.ts";
import { conditionViews, keysNamed } from "./condition_view.ts";
import type { Services } from "../services.ts";

/** Milliseconds of work for all conditions of one read: to parse them into parts, and to judge them. */
const PARTING_MS = 20;
const JUDGING_MS = 100;

/**
 * Returns the agents of `heads` (rows of `selectHeads`), the waiting ones with the parts of their conditions as they
 * are now. `newest`: the agents' newest waits.
 */
export async function agentsOf(
  { reader }: Services,
  viewer: Viewer,
  room: string,
  { heads, newest }: { heads: Row[]; newest: Newest },
  now: Date,
) {
  const agents = heads.map((head) => viewOf(head, newest, now));
  const waiting = agents.filter(({ waiting_on, wants }) => waiting_on !== null && !wants);
  if (waiting.length === 0) return agents;
  const conditions = await takeApart(waiting.map(({ waiting_on }) => waiting_on!));
  const read = waiting.flatMap(({ id, waiting_on }) =>
    partsOf(conditions.get(waiting_on!)!).map(({ reads }) => readsFrom(reads, id))
  );
  const keys = keysNamed(read);
  const reads = { ...unionReads(read), messages: true };
  const sight = { viewer, room, reads, extra: [selectKeys(viewer, room, keys)] };
  try {
    await lookAt(reader, sight, async (context, data) => {
      const [rows] = data.snapshot.extra as [Row[]];
      const view = await conditionViews({ data, context, keys, rows, agents });
      const judging = { left: JUDGING_MS };
      for (const agent of waiting) {
        const wait = newest.get(agent.id)?.token;
        const { context: seen } = context.from({ self: agent.id, wait });
        agent.condition = view(await judgeCondition(conditions.get(agent.waiting_on!)!, seen, judging));
      }
    });
  } catch (error) {
    if (!isRefusal(error, "too_large")) throw error; // then they are shown as they are, without their parts
  }
  return agents;
}

/** Makes the view of an agent, without its condition in parts. */
function viewOf(head: Row, newest: Newest, now: Date): AgentView {
  const { id, name, role, last_heartbeat } = head as Pick<
    AgentView,
    "id" | "name" | "role" | "last_heartbeat"
  >;
  const { status, waiting_on } = present(id, head.status as Status, newest);
  const silent = !isAlive(id, last_heartbeat, newest, now);
  const stale = silent && (status === "active" || status === "busy");
  return {
    id,
    name,
    role,
    status,
    last_heartbeat,
    secure: Boolean(head.secure),
    isPrivate: Boolean(head.private),
    stale,
    away: silent && !stale,
    waiting_on,
    wants: waiting_on === null ? undefined : wantedIn(waiting_on),
  };
}

/** Reads what waits other than those for conditions show; no condition begins like this. */
function wantedIn(waitingOn: string): AgentView["wants"] {
  const [, verb, rest = ""] = /^(claim|reserve)(?: (.*))?$/s.exec(waitingOn) ?? [];
  if (verb === undefined) return undefined;
  return verb === "claim" ? { task: rest } : { paths: rest };
}

async function takeApart(sources: string[]): Promise<Map<string, Condition>> {
  const parting = { left: PARTING_MS };
  const conditions = new Map<string, Condition>();
  for (const source of new Set(sources)) conditions.set(source, await conditionOf(source, parting));
  return conditions;
}
