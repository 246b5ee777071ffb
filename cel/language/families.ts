/**
 * The members of `messages` that are read by name only, with their types. Each is a map without a size and without keys
 * to iterate over: only a path such as `messages.kind[k]` reads it.
 */
export const FAMILIES = {
  kind: "map<string, map<string, double>>",
  to: "map<string, map<string, double>>",
  from: "map<string, map<string, double>>",
  id: "map<int, map<string, dyn>>",
} as const;
export type Family = keyof typeof FAMILIES;
export const FAMILY_NAMES = Object.keys(FAMILIES) as Family[];

export function noNames() {
  return { kind: new Set<string>(), to: new Set<string>(), from: new Set<string>(), id: new Set<number>() };
}

/** The maximum number of names that an evaluation looks up in each; of agents, twice as many as a room has. */
export const MAX_LOOKUPS: Readonly<Record<Family, number>> = { kind: 2_000, to: 2_000, from: 2_000, id: 100 };
