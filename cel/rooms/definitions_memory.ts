import { createLru } from "../../db/lru.ts";
import type { Definitions } from "./definitions.ts";

/** The definitions of a room's views as they are since a revision, in the room that was created then. */
export interface Known {
  createdAt: string;
  revision: number;
  definitions: Definitions;
}

export interface DefinitionsMemory {
  get(room: string): Known | undefined;
  /** Keeps the newer of what is known of the same room. */
  set(room: string, known: Known): void;
  forget(room: string): void;
}

/**
 * What is known of rooms, the latest used last. It forgets by size instead of by rooms, since the views of one room
 * may be as large as those of a thousand others.
 */
export function createMemory(mostBytes: number): DefinitionsMemory {
  const rooms = createLru<Known>(
    mostBytes,
    ({ definitions }, room) => weightOf(definitions) + 2 * room.length,
  );

  return {
    forget: rooms.delete,
    get: rooms.get,
    set(room, known) {
      const before = rooms.get(room);
      if (before?.createdAt === known.createdAt && before.revision > known.revision) return;
      rooms.set(room, known);
    },
  };
}

/** Bytes that a definition takes beside its texts: its objects, and those of a key, scope or agent that it reads. */
const EACH = { definition: 400, key: 150, name: 80 };

/** What definitions take of memory, in bytes, rather too much than too little. */
function weightOf(definitions: Definitions): number {
  let weight = EACH.definition;
  for (const [name, { source, reads: { state, agents } }] of definitions) {
    weight += EACH.definition + 2 * (name.length + 2 * source.length);
    if (state !== "all") weight += EACH.key * state.keys.length + EACH.name * state.scopes.length;
    if (agents !== "all") weight += EACH.name * agents.length;
  }
  return weight;
}
