import { isOfAgent, privateRoom } from "../access/private.ts";
import { ALIVE } from "./heartbeat.ts";
import type { Condition, Value } from "../driver/statement.ts";

/** What is read of a room: whole parts, whole scopes, single keys and agents. */
export interface ReadSet {
  state: "all" | { scopes: string[]; keys: Array<{ scope: string; key: string }> };
  agents: "all" | string[];
  messages: boolean;
}

/** A read set at a revision. */
export interface ReadSetAt extends ReadSet {
  revision: number;
  /** The last heartbeat of each agent, if heartbeats were read, which change without a revision. */
  heartbeats?: Record<string, string>;
  /** Whether each agent was alive, if that was read, which changes with the time. */
  alive?: Record<string, boolean>;
  /** Whether private scopes may have been read. */
  hidden: boolean;
}

/**
 * What must still hold for a gated write: its read set is unchanged, or the write of the nonce `after` was the last
 * one.
 */
export type Guard = ReadSetAt | { after: string };

// A part whose revision has not advanced is unchanged. Else the few rows decide that have changed since, tombstones
// included.
const STATE_UNCHANGED = (selected: string) =>
  `(state_revision <= :read_at OR NOT EXISTS (
     SELECT 1 FROM state AS changed WHERE changed.room_id = :room AND changed.revision > :read_at AND (${selected})))`;
// Counts changes of private scopes that the viewer does not see too: they cost one more evaluation.
const HIDDEN_UNCHANGED = (selected: string) =>
  `(private_revision <= :read_at OR NOT EXISTS (
     SELECT 1 FROM json_each(:owners) AS owner CROSS JOIN state AS changed
        ON changed.room_id = ${
    privateRoom("owner.value")
  } AND changed.revision > :read_at AND (${selected})))`;
const AGENTS_UNCHANGED = `(agents_revision <= :read_at OR NOT EXISTS (
     SELECT 1 FROM agents AS changed WHERE changed.room_id = :room AND changed.revision > :read_at
        AND changed.id IN (SELECT value FROM json_each(:agents))))`;
// An agent that left has no row, and expressions no longer see its scope unless there are keys in it.
const NOBODY_LEFT = "departures_revision <= :read_at";
const HEARTBEATS_UNCHANGED = `NOT EXISTS (
     SELECT 1 FROM json_each(:heartbeats) AS beat CROSS JOIN agents
      WHERE agents.room_id = :room AND agents.id = beat.key AND agents.last_heartbeat <> beat.value)`;
const ALIVE_UNCHANGED = `NOT EXISTS (
     SELECT 1 FROM json_each(:alive) AS seen CROSS JOIN agents
      WHERE agents.room_id = :room AND agents.id = seen.key AND ${ALIVE} <> seen.value)`;
const SELECTED_SCOPES = `changed.scope IN (SELECT value FROM json_each(:scopes))`;
const SELECTED_KEYS =
  `EXISTS (SELECT 1 FROM json_each(:keys) WHERE value ->> 0 = changed.scope AND value ->> 1 = changed.key)`;

/** Makes the condition, on the row of `:room`, that the guard holds. Without a guard it is true. */
export function holds(guard: Guard | undefined): Condition {
  if (guard === undefined) return { sql: "TRUE", args: {} };
  if ("after" in guard) return { sql: "admitted = :after", args: { after: guard.after } };
  const { revision, state, agents, messages, heartbeats, alive, hidden } = guard;
  const conditions = [":read_at >= 0"];
  const args: Record<string, Value> = { read_at: revision };
  if (state === "all") {
    conditions.push("state_revision <= :read_at", ...hidden ? ["private_revision <= :read_at"] : []);
  } else {
    const selected: string[] = [];
    const { scopes, keys } = stateArgs(state);
    if (state.scopes.length > 0) selected.push(SELECTED_SCOPES), args.scopes = scopes!;
    if (state.keys.length > 0) selected.push(SELECTED_KEYS), args.keys = keys!;
    const owners = hidden ? scopesOfAgents(state) : [];
    if (selected.length > 0) conditions.push(STATE_UNCHANGED(selected.join(" OR ")));
    if (owners.length > 0) {
      conditions.push(HIDDEN_UNCHANGED(selected.join(" OR ")));
      args.owners = JSON.stringify(owners);
    }
  }
  if (agents === "all") conditions.push("agents_revision <= :read_at");
  else if (agents.length > 0) conditions.push(AGENTS_UNCHANGED), args.agents = JSON.stringify(agents);
  if (agents !== "all" && (agents.length > 0 || readsScopeOfAgent(state))) conditions.push(NOBODY_LEFT);
  if (messages) conditions.push("messages_revision <= :read_at");
  if (heartbeats) conditions.push(HEARTBEATS_UNCHANGED), args.heartbeats = JSON.stringify(heartbeats);
  if (alive) conditions.push(ALIVE_UNCHANGED), args.alive = JSON.stringify(alive);
  return { sql: `(${conditions.join(" AND ")})`, args };
}

function readsScopeOfAgent(state: ReadSet["state"]): boolean {
  return state !== "all" && scopesOfAgents(state).length > 0;
}

/** Lists the scopes of agents of which something is read. */
export function scopesOfAgents({ scopes, keys }: Exclude<ReadSet["state"], "all">): string[] {
  return [...new Set([...scopes, ...keys.map(({ scope }) => scope)])].filter(isOfAgent);
}

/** Makes the arguments for `json_each` of a read set's scopes and keys. */
export function stateArgs(
  { scopes, keys }: Exclude<ReadSet["state"], "all">,
): { scopes: string; keys: string } {
  return { scopes: JSON.stringify(scopes), keys: JSON.stringify(keys.map(({ scope, key }) => [scope, key])) };
}
