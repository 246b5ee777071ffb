import type { Snapshot } from "../../db/snapshots/snapshot.ts";
import type { KeyChange } from "../../db/write/context.ts";
import { SHARED_SCOPE } from "../../db/state/entry.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { toCel } from "../language/values.ts";
import { type CelFacts, convertFacts } from "./message_root.ts";

export type CelMap = Map<string, unknown>;

/** The large parts of a snapshot as CEL values. */
export interface Converted {
  /** All scopes but views. `_shared` and those of registered agents exist even when empty. */
  scopes: Map<string, CelMap>;
  /** The `meta` of each agent. */
  metas: Map<string, unknown>;
  facts: CelFacts;
}

/** Converts a snapshot to CEL values, and yields in between. */
export async function convert({ entries, agentIds, agents, facts }: Snapshot): Promise<Converted> {
  const scopes = new Map<string, CelMap>([[SHARED_SCOPE, new Map()]]);
  for (const id of agentIds) scopes.set(id, new Map());
  for (const { scope, key, value } of entries) {
    if (isBusy()) await yieldToOthers();
    if (!scopes.has(scope)) scopes.set(scope, new Map());
    scopes.get(scope)!.set(key, toCel(value));
  }
  const metas = new Map<string, unknown>();
  for (const { id, meta } of agents) {
    if (isBusy()) await yieldToOthers();
    metas.set(id, toCel(meta));
  }
  return { scopes, metas, facts: await convertFacts(facts) };
}

/** Applies what a write leaves of a key. A number that is not there counts as 0; what is none stays as it is. */
export function applyChange({ scopes }: Converted, agentIds: string[], change: KeyChange): void {
  const { scope, key } = change;
  const entries = scopes.get(scope) ?? new Map<string, unknown>();
  if ("value" in change) entries.set(key, toCel(change.value));
  else if ("deleted" in change) entries.delete(key);
  else {
    const current = entries.get(key) ?? 0;
    if (typeof current === "number") entries.set(key, current + change.delta);
  }
  const exists = entries.size > 0 || scope === SHARED_SCOPE || agentIds.includes(scope);
  if (exists) scopes.set(scope, entries);
  else scopes.delete(scope);
}
