import { NOTHING_DUE } from "./endings.ts";
import type { Value } from "../driver/statement.ts";

/** What of a room something reads: whole parts, whole scopes, single keys and agents. */
export interface Selection {
  state: "all" | { scopes: string[]; keys: Array<{ scope: string; key: string }> };
  agents: "all" | string[];
  messages: boolean;
}

/** A write is admitted only if nothing of the selection has changed since the revision `seen`, nor is to end by now. */
export interface Guard {
  seen: number;
  selection: Selection;
  /** Last signs of life by agent, where they were looked at: they move without a revision. */
  heartbeats?: Record<string, string>;
}

/** A guard as a condition on the room's row: `unmoved`, with its arguments beside `:room`. Without a guard it is true. */
export interface BoundGuard {
  guarded: boolean;
  unmoved: string;
  args: Record<string, Value>;
}

// Each part that was read is settled by its revision where it has not moved at all; else by the few rows that
// changed since (tombstones among them, so that a delete is a change too).
const STATE_UNMOVED = (selected: string) =>
  `(state_revision <= :seen OR NOT EXISTS (
     SELECT 1 FROM state AS moved WHERE moved.room_id = :room AND moved.revision > :seen AND (${selected})))`;
const AGENTS_UNMOVED = `(agents_revision <= :seen OR NOT EXISTS (
     SELECT 1 FROM agents AS moved WHERE moved.room_id = :room AND moved.revision > :seen
        AND moved.id IN (SELECT value FROM json_each(:agents))))`;
const HEARTBEATS_UNMOVED = `NOT EXISTS (
     SELECT 1 FROM json_each(:heartbeats) AS seen CROSS JOIN agents
      WHERE agents.room_id = :room AND agents.id = seen.key AND agents.last_heartbeat <> seen.value)`;
const SELECTED_SCOPES = `moved.scope IN (SELECT value FROM json_each(:scopes))`;
const SELECTED_KEYS =
  `EXISTS (SELECT 1 FROM json_each(:keys) WHERE value ->> 0 = moved.scope AND value ->> 1 = moved.key)`;

export function guardOf(guard: Guard | undefined): BoundGuard {
  if (guard === undefined) return { guarded: false, unmoved: "TRUE", args: {} };
  const { seen, selection: { state, agents, messages }, heartbeats } = guard;
  const conditions = [":seen >= 0", NOTHING_DUE];
  const args: Record<string, Value> = { seen };
  if (state === "all") conditions.push("state_revision <= :seen");
  else {
    const selected: string[] = [];
    const { scopes, keys } = stateArgs(state);
    if (state.scopes.length > 0) selected.push(SELECTED_SCOPES), args.scopes = scopes!;
    if (state.keys.length > 0) selected.push(SELECTED_KEYS), args.keys = keys!;
    if (selected.length > 0) conditions.push(STATE_UNMOVED(selected.join(" OR ")));
  }
  if (agents === "all") conditions.push("agents_revision <= :seen");
  else if (agents.length > 0) conditions.push(AGENTS_UNMOVED), args.agents = JSON.stringify(agents);
  if (messages) conditions.push("messages_revision <= :seen");
  if (heartbeats) conditions.push(HEARTBEATS_UNMOVED), args.heartbeats = JSON.stringify(heartbeats);
  return { guarded: true, unmoved: `(${conditions.join(" AND ")})`, args };
}

/** The scopes and keys of a selection as arguments for `json_each`. */
export function stateArgs(
  { scopes, keys }: Exclude<Selection["state"], "all">,
): { scopes: string; keys: string } {
  return { scopes: JSON.stringify(scopes), keys: JSON.stringify(keys.map(({ scope, key }) => [scope, key])) };
}
