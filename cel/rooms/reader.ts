import type { Database } from "../../db/database.ts";
import type { ReadSet } from "../../db/write/read_set.ts";
import { Refusal } from "../../db/refusal.ts";
import { loadSnapshot, type Snapshot } from "../../db/snapshots/snapshot.ts";
import type { Query } from "../../db/consistent_read/read.ts";
import type { Viewer } from "../../db/viewer.ts";
import { define, type Definitions, readsViews, viewsOf, withViews } from "./definitions.ts";
import { createMemory, type Known } from "./definitions_memory.ts";
import { compileAhead } from "./compile.ts";
import { type Reads, unionReads } from "../language/dependencies.ts";
import { convert, type Converted } from "./scopes.ts";

/** What an expression reads of a room, with the views among it and all that those read, at one revision. */
export interface RoomData extends Converted {
  snapshot: Snapshot;
  definitions: Definitions;
  /** All that was looked at: the read set of a gate, and what a wait watches. */
  reads: Reads;
}

export interface Reader {
  /**
   * Loads what `reads` names, as the viewer sees it; `extra` queries see the same revision. One round trip; one more
   * where views are read whose definitions this instance does not know yet. Errors: `room_not_found`, `unavailable`.
   */
  load(viewer: Viewer, room: string, reads: Reads, extra?: Query[]): Promise<RoomData>;
}

/** Bytes that the remembered definitions take: hundreds of rooms with many views, or thousands with few. */
const REMEMBERED_BYTES = 32_000_000;
const MAX_LOADS = 6;
const NONE: Definitions = new Map();

/** Loads rooms for expressions. Remembers definitions of views, which are the same for all, by their last revision. */
export function createReader(database: Database): Reader {
  const remembered = createMemory(REMEMBERED_BYTES);
  const defining = new Map<string, Promise<Definitions>>();

  /** Those who load the same definitions at the same time share them. */
  async function defined(
    room: string,
    { createdAt, revisions, views }: Snapshot,
    before?: Known,
  ): Promise<Known> {
    const { views: revision } = revisions;
    const id = `${revision} ${createdAt} ${room}`;
    const definitions = defining.get(id) ?? define(views, before?.definitions);
    defining.set(id, definitions);
    try {
      return { createdAt, revision, definitions: await definitions };
    } finally {
      defining.delete(id);
    }
  }

  return {
    async load(viewer, room, reads, extra = []) {
      if (!readsViews(reads)) {
        const query = { ...readSetOf(reads), views: false };
        const snapshot = await loadSnapshot(database, viewer, room, query, extra);
        return await toData(snapshot, NONE, reads);
      }
      let known = remembered.get(room);
      let views = known === undefined;
      let loaded = withViews(reads, known?.definitions ?? NONE);
      for (let loads = 0; loads < MAX_LOADS; loads++) {
        const snapshot = await loadSnapshot(database, viewer, room, { ...readSetOf(loaded), views }, extra);
        // What is known of a later revision was known before the database was restored from a copy.
        if (known && known.revision > snapshot.revisions.revision) remembered.forget(room);
        const moved = known?.revision !== snapshot.revisions.views || known.createdAt !== snapshot.createdAt;
        if (moved && views) remembered.set(room, known = await defined(room, snapshot, known));
        else if (moved) {
          views = true; // and what is read as yet: most changes of a view leave that as it is
          continue;
        }
        const all = withViews(reads, known!.definitions);
        if (covers(loaded, all)) return await toData(snapshot, known!.definitions, all);
        loaded = unionReads([loaded, all]);
        views = loads > 0;
      }
      throw new Refusal("unavailable", { why: "views_moved" });
    },
  };
}

/** What was loaded, as expressions see it; the views that they read are compiled. */
async function toData(snapshot: Snapshot, definitions: Definitions, reads: Reads): Promise<RoomData> {
  const converted = await convert(snapshot);
  await compileAhead(viewsOf(reads, definitions).map((view) => definitions.get(view)!.source));
  return { snapshot, definitions, reads, ...converted };
}

/** What to load; the views' own keys hold no values. */
function readSetOf({ state, agents, messages }: Reads): ReadSet {
  return { state, agents, messages };
}

/** True where `wanted` adds nothing to what was loaded. */
function covers(loaded: Reads, wanted: Reads): boolean {
  return loaded === wanted ||
    JSON.stringify(unionReads([loaded, wanted])) === JSON.stringify(unionReads([loaded]));
}
