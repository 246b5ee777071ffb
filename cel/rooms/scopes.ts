import { compare } from "../../db/consistent_read/listing.ts";
import type { Snapshot } from "../../db/snapshots/snapshot.ts";
import type { KeyChange } from "../../db/write/context.ts";
import { SHARED_SCOPE } from "../../db/state/entry.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../db/yield.ts";
import { toCel } from "../language/values.ts";
import { type CelFacts, convertFacts } from "./message_root.ts";

export type CelMap = Map<string, unknown>;

/** The large parts of a snapshot as CEL values. */
export interface Converted {
  /** All scopes but views, as everybody sees them. `_shared` and those of registered agents exist even when empty. */
  scopes: Map<string, CelMap>;
  /** The private scopes that were loaded, and whether the viewer sees them. */
  hidden: Map<string, { entries: CelMap; seen: boolean }>;
  /** The `meta` of each agent. */
  metas: Map<string, unknown>;
  facts: CelFacts;
}

/** Converts a snapshot to CEL values, and yields in between. */
export async function convert(
  { entries, owners, hiddenEntries, agentIds, agents, facts }: Snapshot,
): Promise<Converted> {
  const scopes = new Map<string, CelMap>([[SHARED_SCOPE, new Map()]]);
  for (const id of agentIds) scopes.set(id, new Map());
  for (const { scope, key, value } of entries) {
    if (isBusy()) await yieldToOthers();
    if (!scopes.has(scope)) scopes.set(scope, new Map());
    scopes.get(scope)!.set(key, toCel(value));
  }
  const hidden: Converted["hidden"] = new Map();
  for (const [id, { hides, seen }] of owners) if (hides) hidden.set(id, { entries: new Map(), seen });
  for (const { scope, key, value } of hiddenEntries) {
    if (isBusy()) await yieldToOthers();
    hidden.get(scope)?.entries.set(key, toCel(value));
  }
  const metas = await mapYielding(agents, ({ id, meta }): [string, unknown] => [id, toCel(meta)]);
  return { scopes, hidden, metas: new Map(metas), facts: await convertFacts(facts) };
}

/** The scopes with those private ones of which `sees` is true, in the order of all scopes. */
export function scopesWith(
  { scopes, hidden }: Converted,
  agentIds: string[],
  sees: (agent: string, seen: boolean) => boolean,
): Map<string, CelMap> {
  const own = [...hidden].filter(([agent, { entries, seen }]) =>
    sees(agent, seen) && (entries.size > 0 || agentIds.includes(agent))
  );
  if (own.length === 0) return scopes;
  const all = new Map(scopes);
  for (const [agent, { entries }] of own) all.set(agent, entries);
  if (all.size === scopes.size) return all;
  const isFirst = (scope: string) => scope === SHARED_SCOPE || agentIds.includes(scope);
  const others = [...all].filter(([scope]) => !isFirst(scope)).sort(([a], [b]) => compare(a, b));
  return new Map([...[...all].filter(([scope]) => isFirst(scope)), ...others]);
}

/** The value that a write leaves of a key, or that it is gone. */
export type Settled = Exclude<KeyChange, { delta: number } | { edit: unknown }>;

/** Applies what a write leaves of a key. */
export function applyChange({ scopes, hidden }: Converted, agentIds: string[], change: Settled): void {
  const { scope, key } = change;
  const own = hidden.get(scope);
  const entries = own?.entries ?? scopes.get(scope) ?? new Map<string, unknown>();
  if ("value" in change) entries.set(key, toCel(change.value));
  else entries.delete(key);
  if (own) return;
  const exists = entries.size > 0 || scope === SHARED_SCOPE || agentIds.includes(scope);
  if (exists) scopes.set(scope, entries);
  else scopes.delete(scope);
}
