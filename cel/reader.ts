import type { Database } from "../db/database.ts";
import type { Selection } from "../db/guard.ts";
import type { Statement } from "../db/lane.ts";
import { Refusal } from "../db/refusal.ts";
import { loadSnapshot, type Snapshot } from "../db/snapshot.ts";
import { VIEW_SCOPE } from "../db/state.ts";
import { compile } from "./expression.ts";
import { type Reads, unionReads } from "./reads.ts";

/** A computed view: its expression, or none where this version of the language refuses what is stored. */
export type Definitions = ReadonlyMap<string, string>;

/** What an expression reads of a room, with the views among it and all that those read, at one revision. */
export interface RoomData {
  snapshot: Snapshot;
  definitions: Definitions;
  /** All that was looked at: what a gate guards, and what a wait watches. */
  reads: Reads;
}

export interface Reader {
  /**
   * Loads what `reads` names; `extra` statements see the same revision. One round trip; one more where views are
   * read whose definitions this instance does not know yet. Errors: `room_not_found`, `unavailable`.
   */
  load(room: string, reads: Reads, extra?: Statement[]): Promise<RoomData>;
}

const ROOMS_REMEMBERED = 1_000;
const MOST_LOADS = 6;
const UNKNOWN = { revision: -1, definitions: new Map() as Definitions };

/** Loads rooms for expressions. Remembers the definitions of views by the revision at which they last changed. */
export function createReader(database: Database): Reader {
  const remembered = new Map<string, { revision: number; definitions: Definitions }>();

  function remember(room: string, known: { revision: number; definitions: Definitions }) {
    remembered.delete(room);
    remembered.set(room, known);
    if (remembered.size > ROOMS_REMEMBERED) remembered.delete(remembered.keys().next().value!);
  }

  return {
    async load(room, reads, extra = []) {
      if (!readsViews(reads)) {
        const snapshot = await loadSnapshot(database, room, { ...selectionOf(reads), views: false }, extra);
        return { snapshot, definitions: UNKNOWN.definitions, reads };
      }
      for (let loads = 0; loads < MOST_LOADS; loads++) {
        const known = remembered.get(room) ?? UNKNOWN;
        const all = withViews(reads, known.definitions);
        const query = { ...selectionOf(all), views: known === UNKNOWN };
        const snapshot = await loadSnapshot(database, room, query, extra);
        const { views: revision } = snapshot.revisions;
        if (known.revision === revision) return { snapshot, definitions: known.definitions, reads: all };
        if (known !== UNKNOWN) remembered.delete(room);
        else remember(room, { revision, definitions: snapshot.views });
        if (known === UNKNOWN && covers(all, withViews(reads, snapshot.views))) {
          return { snapshot, definitions: snapshot.views, reads: all };
        }
      }
      throw new Refusal("unavailable", "The room's views changed faster than they could be read.");
    },
  };
}

/** What to load and to guard; the views' own keys hold no values. */
function selectionOf({ state, agents, messages }: Reads): Selection {
  return { state, agents, messages };
}

function readsViews({ state }: Reads): boolean {
  return state === "all" || state.scopes.includes(VIEW_SCOPE) ||
    state.keys.some(({ scope }) => scope === VIEW_SCOPE);
}

/** What is read in all when the views that are read, and those that they read, are evaluated. */
export function withViews(reads: Reads, definitions: Definitions): Reads {
  const read = new Set<string>();
  let all = reads;
  if (!readsViews(reads)) return reads;
  for (let fresh = viewsOf(all, definitions); fresh.length > 0;) {
    fresh.forEach((view) => read.add(view));
    all = unionReads([all, ...fresh.map((view) => readsOf(definitions.get(view)!))]);
    fresh = viewsOf(all, definitions).filter((view) => !read.has(view));
  }
  return all;
}

function viewsOf({ state }: Reads, definitions: Definitions): string[] {
  if (state === "all" || state.scopes.includes(VIEW_SCOPE)) return [...definitions.keys()];
  return state.keys.filter(({ scope, key }) => scope === VIEW_SCOPE && definitions.has(key)).map(({ key }) =>
    key
  );
}

function readsOf(source: string): Reads {
  try {
    return compile(source).reads;
  } catch {
    return NOTHING; // fails when it is evaluated, which says why
  }
}

/** The reads of an expression that looks at nothing. */
export const NOTHING: Reads = {
  state: { scopes: [], keys: [] },
  agents: [],
  messages: false,
  self: false,
  now: false,
  heartbeats: false,
};

/** True where `wanted` adds nothing to what was loaded. */
function covers(loaded: Reads, wanted: Reads): boolean {
  return JSON.stringify(unionReads([loaded, wanted])) === JSON.stringify(unionReads([loaded]));
}
