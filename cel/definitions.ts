import { VIEW_SCOPE } from "../db/state.ts";
import { compile } from "./expression.ts";
import { type Reads, unionReads } from "./reads.ts";

/** A room's computed views: their expressions by name. */
export type Definitions = ReadonlyMap<string, string>;

/** The reads of an expression that looks at nothing. */
export const NOTHING: Reads = unionReads([]);

export function readsViews({ state }: Reads): boolean {
  return state === "all" || [...state.scopes, ...state.keys.map(({ scope }) => scope)].includes(VIEW_SCOPE);
}

/** What is read in all when the views that are read, and those that they read, are evaluated. */
export function withViews(reads: Reads, definitions: Definitions): Reads {
  if (!readsViews(reads)) return reads;
  const views = readsAllViews(reads)
    ? [...definitions.keys()]
    : reachable(namedViews(reads, definitions), definitions);
  const all = unionReads([reads, ...views.map((view) => readsOf(definitions.get(view)!))]);
  return readsAllViews(all) && !readsAllViews(reads) ? withViews(all, definitions) : all;
}

function readsAllViews({ state }: Reads): boolean {
  return state === "all" || state.scopes.includes(VIEW_SCOPE);
}

const circles = new WeakMap<Definitions, ReadonlySet<string>>();

/** The views whose expressions name each other in a circle, or themselves. */
export function circular(definitions: Definitions): ReadonlySet<string> {
  const known = circles.get(definitions);
  if (known) return known;
  const found = new Set([...definitions.keys()].filter((view) => {
    const next = namedViews(readsOf(definitions.get(view)!), definitions);
    return reachable(next, definitions).includes(view);
  }));
  circles.set(definitions, found);
  return found;
}

/** These views and all that are named on the way from them. */
function reachable(views: string[], definitions: Definitions): string[] {
  const found = new Set(views);
  for (const view of found) {
    for (const next of namedViews(readsOf(definitions.get(view)!), definitions)) found.add(next);
  }
  return [...found];
}

/** The views that an expression names. */
function namedViews({ state }: Reads, definitions: Definitions): string[] {
  if (state === "all") return [];
  return state.keys.filter(({ scope, key }) => scope === VIEW_SCOPE && definitions.has(key)).map(({ key }) =>
    key
  );
}

function readsOf(source: string): Reads {
  try {
    return compile(source).reads;
  } catch {
    return NOTHING; // what this version of the language refuses fails when it is evaluated, and says why
  }
}
