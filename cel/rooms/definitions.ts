import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { compileYielding } from "./compile.ts";
import { type Reads, unionReads } from "../language/dependencies.ts";

/** A computed view: its expression, and what that reads. */
export interface Definition {
  readonly source: string;
  readonly reads: Reads;
}

/** A room's computed views by name. */
export type Definitions = ReadonlyMap<string, Definition>;

/** The reads of an expression that looks at nothing. */
export const NOTHING: Reads = unionReads([]);

/**
 * Finds what each of a room's views reads, and yields in between. Takes over from `known` what has the same
 * source.
 */
export async function define(
  sources: ReadonlyMap<string, string>,
  known: Definitions = new Map(),
): Promise<Definitions> {
  const bySource = new Map([...known.values()].map((definition) => [definition.source, definition]));
  const definitions = new Map<string, Definition>();
  for (const [name, source] of sources) {
    const definition = bySource.get(source) ?? { source, reads: await readsOf(source) };
    bySource.set(source, definition);
    definitions.set(name, definition);
  }
  return definitions;
}

async function readsOf(source: string): Promise<Reads> {
  try {
    return (await compileYielding(source)).reads;
  } catch {
    return NOTHING; // what this version of the language refuses fails when it is evaluated, and says why
  }
}

export function readsViews({ state }: Reads): boolean {
  return state === "all" || [...state.scopes, ...state.keys.map(({ scope }) => scope)].includes(VIEW_SCOPE);
}

/** The views that are evaluated with an expression, by what it reads: those that it names, and those that they do. */
export function viewsOf(reads: Reads, definitions: Definitions): string[] {
  const found = new Set(namedViews(reads, definitions));
  for (const view of found) {
    for (const next of namedViews(definitions.get(view)!.reads, definitions)) found.add(next);
  }
  return [...found];
}

const completed = new WeakMap<Definitions, WeakMap<Reads, Reads>>();

/** What is read in all when the views that are read, and those that they read, are evaluated. */
export function withViews(reads: Reads, definitions: Definitions): Reads {
  if (definitions.size === 0 || !readsViews(reads)) return reads;
  const known = completed.get(definitions) ?? new WeakMap();
  completed.set(definitions, known);
  const all = known.get(reads) ??
    unionReads([reads, ...viewsOf(reads, definitions).map((view) => definitions.get(view)!.reads)]);
  known.set(reads, all);
  return all;
}

const circles = new WeakMap<Definitions, ReadonlySet<string>>();

/** The views whose expressions name each other in a circle, or themselves. */
export function circular(definitions: Definitions): ReadonlySet<string> {
  const known = circles.get(definitions) ?? findCircles(definitions);
  circles.set(definitions, known);
  return known;
}

/** Tarjan's strongly connected components: those of more than one view, and the views that name themselves. */
function findCircles(definitions: Definitions): Set<string> {
  const found = new Set<string>();
  const order = new Map<string, number>();
  const path: string[] = [];

  /** Gives the low link: the index of the first view on the path that is reached again from this one. */
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

/** The views that an expression names, or all where it reads the whole scope. */
function namedViews(reads: Reads, definitions: Definitions): Iterable<string> {
  const all = reads.state === "all" || reads.state.scopes.includes(VIEW_SCOPE);
  return all ? definitions.keys() : namedByName(reads, definitions);
}

/** Views that are only known by an index are no circle until they are evaluated. */
function namedByName({ state }: Reads, definitions: Definitions): string[] {
  if (state === "all") return [];
  return state.keys.flatMap(({ scope, key }) => scope === VIEW_SCOPE && definitions.has(key) ? [key] : []);
}
