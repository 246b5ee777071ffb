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
  const rooms = new Map<string, Known & { weight: number }>();
  let taken = 0;

  function forget(room: string) {
    taken -= rooms.get(room)?.weight ?? 0;
    rooms.delete(room);
  }

  return {
    forget,
    get(room) {
      const known = rooms.get(room);
      if (known) rooms.delete(room) && rooms.set(room, known);
      return known;
    },
    set(room, { createdAt, revision, definitions }) {
      const before = rooms.get(room);
      if (before?.createdAt === createdAt && before.revision > revision) return;
      forget(room);
      const weight = weightOf(definitions) + 2 * room.length;
      rooms.set(room, { createdAt, revision, definitions, weight });
      taken += weight;
      for (const oldest of rooms.keys()) {
        if (taken <= mostBytes) break;
        forget(oldest);
      }
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
