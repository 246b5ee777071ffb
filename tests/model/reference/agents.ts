import { timeOf } from "./clock.ts";
import { ANY } from "./comparison.ts";
import {
  type Agent,
  answer,
  type Departed,
  type Expected,
  isLeft,
  type Mark,
  marksOf,
  recordHeartbeat,
  refusal,
  type Room,
  statusOf,
  STAYS_MS,
} from "./room.ts";
import { endReservationsOf } from "./reservations.ts";
import { releaseAll } from "./tasks.ts";

/** How long the model's waits take. */
export const WAIT_MS = 24_999;

/** The mark of a wait outlives the wait's time by as much as one that is left stays. */
const LEASE_MS = WAIT_MS + STAYS_MS;

export interface Profile {
  id: string;
  name: string;
  role?: string;
  meta?: unknown;
  if_new?: boolean;
}

export function register(room: Room, { id, name, role, meta, if_new }: Profile): Expected {
  const known = room.agents.get(id);
  if (known && if_new) return refusal(room, 409, "agent_exists");
  const agent: Agent = {
    id,
    name,
    role: role ?? known?.role ?? "agent",
    meta: meta ?? known?.meta ?? {},
    status: "active",
    joined_at: known?.joined_at ?? timeOf(room.clock),
    last_heartbeat: room.clock.now,
    changed: ++room.revision,
  };
  room.agents.set(id, agent);
  recordHeartbeat(room, id);
  room.departed = room.departed.filter((one) => one.id !== id);
  return answer(room, { ...shownAgent(room, agent), created: !known }, known ? 200 : 201);
}

/** Its claims end in one revision and its reservations in another: they are fewer than it takes. */
export function leave(room: Room, id: string): Expected {
  if (!room.agents.delete(id)) return answer(room, { left: false });
  const revision = ++room.revision;
  room.departed.push({ id, changed: revision });
  room.leaving.push(id);
  room.marks = room.marks.filter(({ agent }) => agent !== id);
  releaseAll(room, id);
  endReservationsOf(room, id);
  return { status: 200, body: { left: true }, revision };
}

/** An agent in a list of changes. */
export function changedAgent(room: Room, agent: Agent | Departed): object {
  return "name" in agent ? shownAgent(room, agent) : { id: agent.id, left: true };
}

export function shownAgent(room: Room, agent: Agent) {
  return { room_id: room.id, ...agentInCel(room, agent) };
}

/** An agent as expressions see it. */
export function agentInCel(room: Room, agent: Agent) {
  const { changed: _, last_heartbeat, ...profile } = agent;
  return {
    ...profile,
    ...statusOf(room, agent),
    last_heartbeat: timeOf(room.clock, last_heartbeat),
    alive: isAlive(room, agent),
    secure: false,
  };
}

const ALIVE_MS = 60_000;

/** Whether it gave a sign of life not long ago, or waits; ANY where the time is not known. */
function isAlive(room: Room, { id, last_heartbeat }: Agent): boolean | typeof ANY {
  if (marksOf(room, id).length > 0) return true;
  const { held, now } = room.clock;
  return held && Number.isFinite(last_heartbeat) ? last_heartbeat > now - ALIVE_MS : ANY;
}

export function listAgents(room: Room): Expected {
  return answer(room, [...room.agents.values()].map((agent) => shownAgent(room, agent)));
}

export function getAgent(room: Room, id: string): Expected {
  const agent = room.agents.get(id);
  return agent ? answer(room, shownAgent(room, agent)) : refusal(room, 404, "agent_not_found");
}

export function heartbeat(room: Room, id: string, status = "active"): Expected {
  const agent = room.agents.get(id);
  if (!agent) return refusal(room, 404, "agent_not_found");
  recordHeartbeat(room, id);
  if (agent.status !== status) agent.changed = ++room.revision;
  agent.status = status;
  return answer(room, { ok: true, agent: id, status, heartbeat: timeOf(room.clock) });
}

/** An agent's wait goes on, and all see it. Where the same wait has left its mark, nobody sees a difference. */
export function mark(room: Room, agent: string, waiting_on: string): Mark {
  const mark = { agent, waiting_on, until: room.clock.now + LEASE_MS };
  const left = room.marks.findIndex((one) =>
    one.agent === agent && one.waiting_on === waiting_on && isLeft(room, one)
  );
  recordHeartbeat(room, agent, left < 0 ? undefined : room.marks[left]);
  if (left >= 0) room.marks[left] = mark;
  else {
    room.marks.push(mark);
    room.agents.get(agent)!.changed = ++room.revision;
  }
  return mark;
}

/** Marks whose time is over end, all in one revision: they are fewer than it takes. */
export function endMarks(room: Room): void {
  const over = room.marks.filter(({ until }) => until <= room.clock.now);
  if (over.length === 0) return;
  room.revision++;
  room.marks = room.marks.filter((mark) => !over.includes(mark));
  for (const { agent } of over) room.agents.get(agent)!.changed = room.revision;
}

/** The wait has ended, and clears its own mark, if that is still there. */
export function unmark(room: Room, mark: Mark): void {
  if (!room.marks.includes(mark)) return;
  room.marks = room.marks.filter((one) => one !== mark);
  room.agents.get(mark.agent)!.changed = ++room.revision;
}
