import { VIEW_SCOPE } from "../../db/state/entry.ts";
import type { ViewSource } from "../../db/snapshots/snapshot.ts";
import { compileYielding } from "./compile.ts";
import { type Reads, unionReads, withEyes } from "../language/dependencies.ts";

/** A computed view: its expression, with whose eyes it is evaluated (null: everybody's), and what it reads. */
interface Definition extends ViewSource {
  readonly reads: Reads;
}

/** A room's computed views by name. */
export type Definitions = ReadonlyMap<string, Definition>;

/** The reads of an expression that reads nothing. */
export const NOTHING: Reads = unionReads([]);

/**
 * Compiles a room's views to find what each reads, and yields in between. Reuses the definitions in `known` whose
 * source is the same.
 */
export async function define(
  sources: ReadonlyMap<string, ViewSource>,
  known: Definitions = new Map(),
): Promise<Definitions> {
  const nameOf = ({ source, eyes }: ViewSource) => JSON.stringify([eyes, source]);
  const bySource = new Map([...known.values()].map((definition) => [nameOf(definition), definition]));
  const definitions = new Map<string, Definition>();
  for (const [name, view] of sources) {
    const definition = bySource.get(nameOf(view)) ??
      { ...view, reads: withEyes(await readsOf(view.source), view.eyes) };
    bySource.set(nameOf(view), definition);
    definitions.set(name, definition);
  }
  return definitions;
}

async function readsOf(source: string): Promise<Reads> {
  try {
    return (await compileYielding(source)).reads;
  } catch {
    return NOTHING; // evaluating what this version of the language refuses reports the error
  }
}

export function readsViews({ state }: Reads): boolean {
  return state === "all" || [...state.scopes, ...state.keys.map(({ scope }) => scope)].includes(VIEW_SCOPE);
}

/** The views that an expression evaluates, given its reads: those that it names, and transitively those that they name. */
export function viewsOf(reads: Reads, definitions: Definitions): string[] {
  const found = new Set(namedViews(reads, definitions));
  for (const view of found) {
    for (const next of namedViews(definitions.get(view)!.reads, definitions)) found.add(next);
  }
  return [...found];
}

const completed = new WeakMap<Definitions, WeakMap<Reads, Reads>>();

/** The reads together with those of all views that they evaluate. */
export function withViews(reads: Reads, definitions: Definitions): Reads {
  if (definitions.size === 0 || !readsViews(reads)) return reads;
  const known = completed.get(definitions) ?? new WeakMap();
  completed.set(definitions, known);
  const all = known.get(reads) ??
    unionReads([reads, ...viewsOf(reads, definitions).map((view) => definitions.get(view)!.reads)]);
  known.set(reads, all);
  return all;
}

const cycles = new WeakMap<Definitions, ReadonlySet<string>>();

/** The views whose expressions name each other in a cycle, or themselves. */
export function circular(definitions: Definitions): ReadonlySet<string> {
  const known = cycles.get(definitions) ?? findCycles(definitions);
  cycles.set(definitions, known);
  return known;
}

/** Finds Tarjan's strongly connected components of more than one view, and the views that name themselves. */
function findCycles(definitions: Definitions): Set<string> {
  const found = new Set<string>();
  const order = new Map<string, number>();
  const path: string[] = [];

  /** Returns the low link: the lowest index of a view on the path that this one reaches. */
  function visit(view: string): number {
    const index = order.size;
    order.set(view, index);
    path.push(view);
    let lowLink = index;
    for (const next of namedByName(definitions.get(view)!.reads, definitions)) {
      if (next === view) found.add(view);
      if (!order.has(next)) lowLink = Math.min(lowLink, visit(next));
      else if (path.includes(next)) lowLink = Math.min(lowLink, order.get(next)!);
    }
    if (lowLink === index) {
      const component = path.splice(path.indexOf(view));
      if (component.length > 1) { for (const member of component) found.add(member); }
    }
    return lowLink;
  }

  for (const view of definitions.keys()) if (!order.has(view)) visit(view);
  return found;
}

/** The views that an expression names, or all if it reads the whole scope. */
function namedViews(reads: Reads, definitions: Definitions): Iterable<string> {
  const all = reads.state === "all" || reads.state.scopes.includes(VIEW_SCOPE);
  return all ? definitions.keys() : namedByName(reads, definitions);
}

/** The views named literally. Those behind a computed index are unknown until evaluation, so they make no cycle here. */
function namedByName({ state }: Reads, definitions: Definitions): string[] {
  if (state === "all") return [];
  return state.keys.flatMap(({ scope, key }) => scope === VIEW_SCOPE && definitions.has(key) ? [key] : []);
}
