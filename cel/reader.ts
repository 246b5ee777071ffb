import type { Database } from "../db/database.ts";
import type { Selection } from "../db/guard.ts";
import { Refusal } from "../db/refusal.ts";
import { loadSnapshot, type Snapshot } from "../db/snapshot.ts";
import type { Query } from "../db/whole_reads.ts";
import { type Definitions, readsViews, withViews } from "./definitions.ts";
import { type Reads, unionReads } from "./reads.ts";
import { convert, type Converted } from "./scopes.ts";

/** What an expression reads of a room, with the views among it and all that those read, at one revision. */
export interface RoomData extends Converted {
  snapshot: Snapshot;
  definitions: Definitions;
  /** All that was looked at: what a gate guards, and what a wait watches. */
  reads: Reads;
}

export interface Reader {
  /**
   * Loads what `reads` names; `extra` queries see the same revision. One round trip; one more where views are
   * read whose definitions this instance does not know yet. Errors: `room_not_found`, `unavailable`.
   */
  load(room: string, reads: Reads, extra?: Query[]): Promise<RoomData>;
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
        return await toData(snapshot, UNKNOWN.definitions, reads);
      }
      for (let loads = 0; loads < MOST_LOADS; loads++) {
        const known = remembered.get(room) ?? UNKNOWN;
        const all = withViews(reads, known.definitions);
        const query = { ...selectionOf(all), views: known === UNKNOWN };
        const snapshot = await loadSnapshot(database, room, query, extra);
        const { views: revision } = snapshot.revisions;
        if (known.revision === revision) return await toData(snapshot, known.definitions, all);
        if (known !== UNKNOWN) remembered.delete(room);
        else remember(room, { revision, definitions: snapshot.views });
        if (known === UNKNOWN && covers(all, withViews(reads, snapshot.views))) {
          return await toData(snapshot, snapshot.views, all);
        }
      }
      throw new Refusal("unavailable", "The room's views changed faster than they could be read.");
    },
  };
}

async function toData(snapshot: Snapshot, definitions: Definitions, reads: Reads): Promise<RoomData> {
  return { snapshot, definitions, reads, ...await convert(snapshot) };
}

/** What to load and to guard; the views' own keys hold no values. */
function selectionOf({ state, agents, messages }: Reads): Selection {
  return { state, agents, messages };
}

/** True where `wanted` adds nothing to what was loaded. */
function covers(loaded: Reads, wanted: Reads): boolean {
  return JSON.stringify(unionReads([loaded, wanted])) === JSON.stringify(unionReads([loaded]));
}
