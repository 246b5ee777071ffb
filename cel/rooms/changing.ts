import type { Json } from "../../db/json.ts";
import type { Computed, KeyChange } from "../../db/write/context.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import type { RoomData } from "./reader.ts";
import { applyChange, type Settled } from "./scopes.ts";

/** The state of a room, from what was loaded on, as the writes of a chain leave it one after the other. */
export type Changing = ReturnType<typeof createChanging>;

export function createChanging(data: RoomData) {
  const { snapshot: { entries, hiddenEntries, agentIds }, hidden, reads: { state } } = data;
  /** What has been applied, by key: undefined where it was deleted. */
  const left = new Map<string, Json | undefined>();
  const unseen: Settled[] = [];

  const isLoaded = ({ scope, key }: Key) =>
    state === "all" || state.scopes.includes(scope) ||
    state.keys.some((one) => one.scope === scope && one.key === key);

  function find({ scope, key }: Key): Json | undefined {
    const name = nameOf(scope, key);
    if (left.has(name)) return left.get(name);
    const loaded = hidden.has(scope) ? hiddenEntries : entries;
    return loaded.find((entry) => entry.scope === scope && entry.key === key)?.value;
  }

  /** Computes what a write leaves, or undefined if one of its changes cannot be made. */
  async function compute(changes: KeyChange[]): Promise<Computed[] | undefined> {
    const own = new Map<string, Json>();
    const computed: Computed[] = [];
    for (const change of changes) {
      if (isBusy()) await yieldToOthers();
      const name = nameOf(change.scope, change.key);
      const found = own.has(name) ? own.get(name) : find(change);
      const next = "edit" in change
        ? change.edit(found)
        : { value: "value" in change ? change.value : null, changed: true };
      if (next === undefined) return undefined;
      own.set(name, next.value);
      computed.push(next);
    }
    return computed;
  }

  function note(change: Settled) {
    left.set(nameOf(change.scope, change.key), "value" in change ? change.value : undefined);
    unseen.push(change);
  }

  /** Applies an increment. A missing key counts as 0; a value that is no number stays, since the write is refused. */
  function noteSum({ scope, key, delta }: Extract<KeyChange, { delta: number }>) {
    const found = find({ scope, key }) ?? 0;
    if (typeof found === "number") note({ scope, key, value: found + delta });
  }

  return {
    /**
     * Applies the changes of a write. Returns what that leaves: values that were computed from those before it, if any.
     * `refused`: the write will be. `unknown`: it changes a value that is not loaded. Yields between large values.
     */
    async apply(changes: KeyChange[]): Promise<{ computed?: Computed[] } | "refused" | "unknown"> {
      if (!changes.some((change) => "edit" in change)) {
        for (const change of changes) "delta" in change ? noteSum(change) : note(change as Settled);
        return {};
      }
      if (!changes.every((change) => "value" in change || isLoaded(change))) return "unknown";
      const computed = await compute(changes);
      if (computed === undefined) return "refused";
      changes.forEach(({ scope, key }, n) => note({ scope, key, value: computed[n]!.value }));
      return { computed };
    },
    /** Shows expressions what has been applied. */
    show(): void {
      const last = new Map(unseen.map((change) => [nameOf(change.scope, change.key), change]));
      unseen.length = 0;
      for (const change of last.values()) applyChange(data, agentIds, change);
    },
  };
}

type Key = Pick<KeyChange, "scope" | "key">;

function nameOf(scope: string, key: string): string {
  return JSON.stringify([scope, key]);
}
