import { agentInCel, changedAgent } from "./agents.ts";
import { ANY, Only, Ranked } from "./comparison.ts";
import { type Condition, counts, evaluated, judge, resolve, source, textOf } from "./conditions.ts";
import { shownMessage } from "./messages.ts";
import { answer, type Expected, recordHeartbeat, type Room, type View } from "./room.ts";
import { changedReservation } from "./reservations.ts";
import { shown, sorted } from "./state.ts";
import { shownRoom } from "./world.ts";

/**
 * What changed after a revision, each thing once; a cut never parts what changed at one revision. After one that the
 * room has not come to, all of it.
 */
export function changes(
  room: Room,
  { after: asked = 0, limit = 100 }: { after?: number; limit?: number },
) {
  const reset = asked > room.revision;
  const after = reset ? 0 : asked;
  const agents = [...room.agents.values(), ...room.departed];
  const all = [...room.entries.values(), ...agents, ...room.messages, ...room.reservations];
  const edge =
    all.map(({ changed }) => changed).filter((changed) => changed > after).sort((a, b) => a - b)[limit - 1];
  const more = edge !== undefined && room.revision > edge;
  const told = <T extends { changed: number }>(things: Iterable<T>, show: (thing: T) => object) =>
    new Ranked(
      [...things].filter(({ changed }) => changed > after && (!more || changed <= edge))
        .map((thing) => ({ ...show(thing), revision: thing.changed })),
      rank,
    );
  return {
    revision: more ? edge : room.revision,
    state: told(sorted(room), (entry) => shown(room, entry)),
    agents: told(agents, (agent) => changedAgent(room, agent)),
    messages: told(room.messages, (message) => shownMessage(room, message)),
    reservations: told(room.reservations, (one) => changedReservation(room, one)),
    ...(room.metaChanged > after && (!more || room.metaChanged <= edge) && { room: shownRoom(room) }),
    more,
    ...(reset && { reset }),
  };
}

/** In order of change; what one batch wrote has no order. */
const rank = ({ revision, scope, key, id }: Changed) =>
  `${String(revision).padStart(9, "0")} ${scope}/${key} ${String(id).padStart(9, "0")}`;

interface Changed {
  revision: number;
  scope?: string;
  key?: string;
  id?: string | number;
}

export function listChanges(room: Room, query: { after?: number; limit?: number }): Expected {
  const body = changes(room, query);
  const { revision, more, reset } = body;
  // A walk from the start says of which revision it is.
  const began: Record<string, string> = !query.after || reset ? { began: String(room.revision) } : {};
  return {
    status: 200,
    body: new Only(body),
    revision,
    link: more ? { after: String(revision), ...began } : null,
  };
}

export function evaluate(room: Room, asked: Condition | View, agent?: string): Expected {
  const expression = textOf(asked);
  const result = evaluated(room, asked, agent ?? null);
  if ("error" in result) {
    return { status: 400, body: { error: "evaluation_failed", expression, cause: { code: result.error } } };
  }
  const context_keys = ["state", "agents", "messages", "self", "now"];
  return answer(room, { expression, value: result.value, context_keys });
}

/** A wait that looks once, or that nothing makes true before its time is over. */
export function wait(
  room: Room,
  { condition, agent, include }: { condition: Condition; agent?: string; include: string[] },
): Expected {
  const waiter = agent === undefined ? undefined : room.agents.get(agent);
  const notice = agent === undefined || waiter ? {} : { notice: "agent_not_registered" };
  // It looks while its heartbeat is recorded: either may be first, and before what that ends.
  const before = room.marks.filter(({ until }) => until > 0).length;
  recordHeartbeat(room, agent);
  const ends = room.marks.filter(({ until }) => until > 0).length < before;
  if (waiter) waiter.last_heartbeat = NaN;
  const judged = judge(room, condition, agent ?? null);
  const rest = included(room, include);
  if (ends) { for (const member of ["agents", "changes"]) if (member in rest) rest[member] = ANY; }
  recordHeartbeat(room, agent);
  const seen = (body: Only): Expected => ({ ...answer(room, body), ...(ends && { revision: undefined }) });
  if ("value" in judged && judged.value) {
    return seen(new Only({ triggered: true, condition: source(condition), value: true, ...notice, ...rest }));
  }
  const error = "error" in judged ? { last_error: { code: judged.error } } : {};
  return seen(new Only({ triggered: false, timeout: true, elapsed_ms: ANY, ...error, ...notice, ...rest }));
}

/** The members that an answer includes. */
function included(room: Room, include: string[]): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  const scopes = include.flatMap((field) => /^state\.(.+)$/.exec(field)?.[1] ?? []);
  if (include.includes("state")) members.state = stateOf(room, allScopes(room));
  else if (scopes.length > 0) members.state = stateOf(room, scopes);
  if (include.includes("agents")) {
    const agents = [...room.agents].map(([id, agent]) => [id, agentInCel(room, agent)] as const);
    members.agents = new Only(Object.fromEntries(agents));
  }
  if (include.includes("messages")) members.messages = new Only(counts(room));
  for (const field of include) {
    const [, list, from] = /^(messages|changes):after:(\d+)$/.exec(field) ?? [];
    const after = Number(from);
    if (list === "changes") members.changes = changes(room, { after, limit: 1_000 });
    if (list === "messages") {
      members.messages_since = room.messages.filter(({ id }) => id > after).map((one) =>
        shownMessage(room, one)
      );
    }
  }
  return members;
}

function allScopes(room: Room): string[] {
  const written = sorted(room).filter(({ deleted }) => !deleted).map(({ scope }) => scope);
  return ["_shared", "_view", ...room.agents.keys(), ...written];
}

/** The state nested by scope, views with their values, those that fail left out. */
function stateOf(room: Room, scopes: string[]): Only {
  const members = scopes.map((scope) => {
    const entries = sorted(room).filter((entry) => entry.scope === scope && !entry.deleted);
    const values = entries.flatMap(({ key, value, view }) => {
      const result = view ? resolve(room, key) : { value };
      return "value" in result ? [[key, result.value] as const] : [];
    });
    return [scope, new Only(Object.fromEntries(values))] as const;
  });
  return new Only(Object.fromEntries(members));
}
