import type { Database } from "../../db/database.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import { loadSnapshot, type Snapshot } from "../../db/snapshots/snapshot.ts";
import type { Query } from "../../db/consistent_read/read.ts";
import type { Viewer } from "../../db/viewer.ts";
import { define, type Definitions, readsViews, viewsOf, withViews } from "./definitions.ts";
import { createMemory, type Known } from "./definitions_memory.ts";
import { compileAhead } from "./compile.ts";
import { type Reads, unionReads } from "../language/dependencies.ts";
import { loadable, MAX_LOADED } from "../language/message_reads.ts";
import { convert, type Converted } from "./scopes.ts";

/** What an expression reads of a room at one revision, including the views and what those read. */
export interface RoomData extends Converted {
  snapshot: Snapshot;
  definitions: Definitions;
  /** Everything that the expression depends on: the read set of a gate, and what a wait watches. */
  reads: Reads;
  /** Whether what views read is left out, since all of it is too much to read. */
  lacksViews: boolean;
}

export type Reader = ReturnType<typeof createReader>;

/** What else a load may have to know. */
export interface Further {
  /** True if views have just been written. */
  redefined?: boolean;
  /** The agents of which to find out whether they are secure (`unprovenActors`). */
  actors?: readonly string[];
  /** Whether to leave out what views read where that is too much, for who shows the room with them or without. */
  shows?: boolean;
}

/** The maximum bytes of remembered definitions: hundreds of rooms with many views, or thousands with few. */
const REMEMBERED_BYTES = 32_000_000;
const MAX_LOADS = 6;
const NONE: Definitions = new Map();

/** Creates the reader of rooms. Remembers definitions of views, which are the same for all, by their last revision. */
export function createReader(database: Database) {
  const remembered = createMemory(REMEMBERED_BYTES);
  const defining = new Map<string, Promise<Definitions>>();

  /** The definitions of a snapshot's views. Concurrent loads of the same ones share the work. */
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
    /**
     * Loads what `reads` names, as the viewer sees it, with the rows of the `extra` queries at the same revision. Takes
     * one round trip, and one more to read views whose definitions are unknown to this instance, unless they are known
     * to be `redefined`. Errors: `room_not_found`, `too_large`, `unavailable`.
     */
    async load(
      viewer: Viewer,
      room: string,
      reads: Reads,
      extra: Query[] = [],
      { redefined = false, actors = [], shows = false }: Further = {},
    ): Promise<RoomData> {
      if (!readsViews(reads)) {
        const select = { ...queryOf(reads), views: false, actors };
        return await toData(await loadSnapshot(database, viewer, room, select, extra), NONE, { reads });
      }
      let known = remembered.get(room);
      let views = known === undefined || redefined;
      let loaded = withViews(reads, known?.definitions ?? NONE);
      let lacksViews = false;
      for (let loads = 0; loads < MAX_LOADS; loads++) {
        const select = { ...queryOf(loaded), views, actors };
        let snapshot: Snapshot;
        try {
          snapshot = await loadSnapshot(database, viewer, room, select, extra);
        } catch (error) {
          if (!shows || lacksViews || !isRefusal(error, "too_large")) throw error;
          lacksViews = true;
          loaded = reads;
          continue;
        }
        // Definitions of a later revision stem from before the database was restored from a copy.
        if (known && known.revision > snapshot.revisions.revision) remembered.forget(room);
        const moved = known?.revision !== snapshot.revisions.views || known.createdAt !== snapshot.createdAt;
        if (moved && views) remembered.set(room, known = await defined(room, snapshot, known));
        else if (moved) {
          views = true; // keeps `loaded`: most changes of a view leave its reads as they are
          continue;
        }
        const { definitions } = known!;
        if (lacksViews) return await toData(snapshot, definitions, { reads, lacksViews });
        const all = withViews(reads, definitions);
        if (covers(loaded, all)) return await toData(snapshot, definitions, { reads: all });
        loaded = unionReads([loaded, all]);
        views = loads > 0;
      }
      throw new Refusal("unavailable", { why: "views_moved" });
    },
  };
}

/** Converts a snapshot for expressions, and compiles the views that these read. */
async function toData(
  snapshot: Snapshot,
  definitions: Definitions,
  { reads, lacksViews = false }: { reads: Reads; lacksViews?: boolean },
): Promise<RoomData> {
  const converted = await convert(snapshot);
  await compileAhead(viewsOf(reads, definitions).map((view) => definitions.get(view)!.source));
  return { snapshot, definitions, reads, lacksViews, ...converted };
}

/** What to load for the reads. */
function queryOf({ state, agents, messages, facts, eyes }: Reads) {
  return { state, agents, messages, eyes, facts: loadable(facts, MAX_LOADED) };
}

/** True where `wanted` adds nothing to what is loaded. */
export function covers(loaded: Reads, wanted: Reads): boolean {
  return loaded === wanted ||
    JSON.stringify(unionReads([loaded, wanted])) === JSON.stringify(unionReads([loaded]));
}
